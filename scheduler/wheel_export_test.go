package scheduler

import (
	"sync/atomic"
	"time"
)

// CountSweeps returns a func that tells how often the wheel has woken since. Call it before the
// wheel is used.
func CountSweeps(w *Wheel) func() int64 {
	sweeps := new(atomic.Int64)
	w.timer = time.AfterFunc(time.Duration(never), func() {
		sweeps.Add(1)
		w.sweep()
	})
	w.timer.Stop()
	return sweeps.Load
}
