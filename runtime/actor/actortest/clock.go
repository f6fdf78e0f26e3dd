package actortest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// Clock is a scheduler.Clock whose time passes in Advance only. All methods are safe for
// concurrent use. The zero Clock stands at the zero time; NewClock's at a plausible one.
//
// A timer of an actor has told its message when Advance returns; whether the
// actor has handled it by then is the actor's affair, so the test waits for what it causes, with a Probe for
// instance. What an actor asks for while Advance runs counts from the time that Advance has come to.
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*clockTimer // those that are armed
	armed  uint64
	rearm  chan struct{} // closed when a timer is armed; nil while nobody waits for that

	advance sync.Mutex // one Advance at a time
}

// NewClock returns a clock that stands at noon of 1 January 2000, UTC.
func NewClock() *Clock { return NewClockAt(time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)) }

// NewClockAt returns a clock that stands at now: the real time for code whose deadlines others, such as a network connection,
// compare with theirs.
func NewClockAt(now time.Time) *Clock { return &Clock{now: now} }

// Now is part of scheduler.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc is part of scheduler.Clock. f is called by Advance, even with d <= 0.
func (c *Clock) AfterFunc(d time.Duration, f func()) scheduler.ClockTimer {
	t := &clockTimer{clock: c, f: f}
	t.Reset(d)
	return t
}

// Advance lets d pass, and a microsecond more, since the timers of actors are up to that
// late: it calls what is due, one after the other in the order of time, each at its own
// time, and returns when the last has returned and Now is that much later. It must not be called by
// what it calls.
func (c *Clock) Advance(d time.Duration) {
	c.advance.Lock()
	defer c.advance.Unlock()
	end := c.Now().Add(d + time.Microsecond)
	for {
		f := c.next(end)
		if f == nil {
			return
		}
		f()
	}
}

// Waiting returns the number of calls that are to come: a test may wait for an actor to have
// started its timer, by an answer of the actor, and check it here.
func (c *Clock) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

// Await waits until a call is to come that an Advance by d would make, so that a test does not let time pass before what it tests
// waits for it. What waited may have been called off meanwhile. When ctx ends first, its error is returned.
func (c *Clock) Await(ctx context.Context, d time.Duration) error {
	for {
		c.mu.Lock()
		end := c.now.Add(d + time.Microsecond)
		if slices.ContainsFunc(c.timers, func(t *clockTimer) bool { return !t.due.After(end) }) {
			c.mu.Unlock()
			return nil
		}
		if c.rearm == nil {
			c.rearm = make(chan struct{})
		}
		rearm := c.rearm
		c.mu.Unlock()
		select {
		case <-rearm:
		case <-ctx.Done():
			return fmt.Errorf("actortest: nothing waits for a time within %v: %w", d, context.Cause(ctx))
		}
	}
}

// next moves on to the first timer that is due by end and disarms it, or to end.
func (c *Clock) next(end time.Time) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first *clockTimer
	for _, t := range c.timers {
		if first == nil || t.due.Before(first.due) || t.due.Equal(first.due) && t.order < first.order {
			first = t
		}
	}
	if first == nil || first.due.After(end) {
		c.now = end
		return nil
	}
	if first.due.After(c.now) {
		c.now = first.due
	}
	first.disarm()
	return first.f
}

// clockTimer is what AfterFunc returns. Guarded by clock.mu.
type clockTimer struct {
	clock *Clock
	f     func()
	due   time.Time
	order uint64 // of arming
	armed bool
}

// Stop is part of scheduler.ClockTimer.
func (t *clockTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	return t.disarm()
}

// Reset is part of scheduler.ClockTimer.
func (t *clockTimer) Reset(d time.Duration) bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	was := t.disarm()
	c.armed++
	t.due, t.order, t.armed = c.now.Add(d), c.armed, true
	c.timers = append(c.timers, t)
	if c.rearm != nil {
		close(c.rearm)
		c.rearm = nil
	}
	return was
}

// disarm needs mu.
func (t *clockTimer) disarm() bool {
	was := t.armed
	if was {
		t.armed = false
		t.clock.timers = slices.DeleteFunc(t.clock.timers, func(x *clockTimer) bool { return x == t })
	}
	return was
}
