package processor

import (
	"math"
	"time"
)

// An instant is a moment of a processor's life: nanoseconds since a little before
// it was started, on the monotonic clock. The zero instant means none. It takes a
// third of the room of a time.Time, of which every task would have seven, and
// reading it costs half as much.
type instant int64

// A clock reads instants.
type clock struct{ epoch time.Time }

// newClock returns a clock whose instants are all above zero.
func newClock() clock { return clock{time.Now().Add(-1)} }

func (c clock) now() instant { return instant(time.Since(c.epoch)) }

// time converts an instant; that of none is the zero Time.
func (c clock) time(i instant) time.Time {
	if i == 0 {
		return time.Time{}
	}
	return c.epoch.Add(time.Duration(i))
}

// after returns the instant d later, or the last one there is.
func (i instant) after(d time.Duration) instant { return instant(addDurations(time.Duration(i), d)) }

// since returns the time from another instant to this one.
func (i instant) since(other instant) time.Duration { return time.Duration(i - other) }

// addDurations adds two durations that may each be as long as one can be.
func addDurations(a, b time.Duration) time.Duration {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxInt64
}
