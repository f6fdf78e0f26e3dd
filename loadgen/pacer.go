package loadgen

import (
	"sync/atomic"
	"time"
)

// A pacer waits for points in time on the generator's goroutine.
type pacer interface {
	// begin is called by that goroutine first, and end last.
	begin()
	end()
	// until returns when elapsed time since start reaches at, or soon after stop
	// is set.
	until(start time.Time, at time.Duration, stop *atomic.Bool)
	// cpu is the time that the generator's own thread has used so far; 0 if
	// unknown.
	cpu() time.Duration
	// waited is for how long that thread has waited for a core so far; false if
	// unknown.
	waited() (time.Duration, bool)
	// preferred is how the system ranks the thread among the others: one of the
	// constants below.
	preferred() string
	name() string
}

// How the system ranks the generator's thread.
const (
	rankFirst = "first"       // before all that have no right to go first
	rankSlice = "short slice" // an equal, that goes first after a sleep
	rankSpins = "short slice, as it never sleeps"
	rankOther = "as it was" // somebody else had ranked it
	rankEqual = "equal"
)

// spinTail is how long before an arrival sleeping ends and spinning begins: about
// twice the worst wake-up of a thread on an idle core.
const spinTail = 100 * time.Microsecond

// longestSleep bounds how late a stop is seen.
const longestSleep = 10 * time.Millisecond

// spinUntil looks at the clock until it is time.
func spinUntil(start time.Time, at time.Duration, stop *atomic.Bool) {
	for n := 0; time.Since(start) < at; n++ {
		if n&63 == 63 && stop.Load() {
			return
		}
	}
}

// A timerPacer waits with Go's timers, which are late by up to a millisecond. It
// works everywhere, and under fake time, where they are exact.
type timerPacer struct{}

func (timerPacer) begin()             {}
func (timerPacer) end()               {}
func (timerPacer) cpu() time.Duration { return 0 }
func (timerPacer) name() string       { return "timer" }
func (timerPacer) preferred() string  { return rankEqual }

func (timerPacer) waited() (time.Duration, bool) { return 0, false }

func (timerPacer) until(start time.Time, at time.Duration, stop *atomic.Bool) {
	for !stop.Load() {
		rest := at - time.Since(start)
		if rest <= 0 {
			return
		}
		time.Sleep(min(rest, longestSleep))
	}
}
