//go:build !linux

package loadgen

import (
	goruntime "runtime"
	"sync/atomic"
	"time"
)

// A portablePacer sleeps with Go's timers until two milliseconds before an arrival
// and spins from there on.
type portablePacer struct{ timerPacer }

func newPacer() pacer { return portablePacer{} }

func (portablePacer) name() string { return "timer and spin" }
func (portablePacer) begin()       { goruntime.LockOSThread() }

func (portablePacer) until(start time.Time, at time.Duration, stop *atomic.Bool) {
	timerPacer{}.until(start, at-2*time.Millisecond, stop)
	spinUntil(start, at, stop)
}
