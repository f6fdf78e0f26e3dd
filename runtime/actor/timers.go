package actor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// Timer has a message told to an actor at some time, once or again and again; see
// Context.After and Every. Its methods are safe for concurrent use.
//
// A message of a timer needs no room in the mailbox and is never refused. It comes
// before messages that wait there, one for each slice, and, like the message of a Watch,
// it is not a dead letter when the actor stops first. All timers of an actor end when it has stopped, and
// when its supervision restarts it: the new handler sees none of the old one's.
type Timer struct {
	timer  scheduler.Timer
	notice watch // what stands in the actor's list when it has fired
	owner  *cell
	every  time.Duration // 0: once
	missed atomic.Uint64

	// Guarded by owner.mu.
	due   time.Time
	fired bool // notice is in the list
	ended bool
}

// After has m told to the actor itself in d, at most 1 ms late when nothing else keeps
// the actor busy. It must be called inside the actor's handler. It allocates the Timer.
func (c *Context[M]) After(d time.Duration, m M) *Timer {
	return c.actor.startTimer(m, max(d, 0), 0)
}

// Every has m told to the actor itself every d, the first time in d. The beat does not
// drift. A tick that the actor has not come to when the next one is due takes its place:
// one at most waits, and Missed counts the others. It must be called inside the actor's handler.
// It panics if d is not positive.
func (c *Context[M]) Every(d time.Duration, m M) *Timer {
	if d <= 0 {
		panic(fmt.Sprintf("actor: %q: Context.Every(%v): want more than 0", c.actor.name, d))
	}
	return c.actor.startTimer(m, d, d)
}

// Stop ends the timer. It reports false if it had ended before: stopped, told its one message, or
// ended with its actor or by a restart. Called inside the actor's handler it is exact: the message is not
// told any more.
func (t *Timer) Stop() bool {
	c := t.owner
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.ended {
		return false
	}
	t.end()
	if c.rare != nil {
		delete(c.rare.timers, t)
	}
	return true
}

// Missed returns the number of ticks of Every that came while one was still waiting.
func (t *Timer) Missed() uint64 { return t.missed.Load() }

func (c *cell) startTimer(m any, d, every time.Duration) *Timer {
	t := &Timer{owner: c, every: every, due: c.system.now().Add(d)}
	t.notice = watch{message: m, timer: t}
	t.timer.Init(t.fire)
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rarely()
	if r.timers == nil {
		r.timers = make(map[*Timer]struct{})
	}
	r.timers[t] = struct{}{}
	t.arm()
	return t
}

// arm needs owner.mu. A wheel that has been stopped, with its system, fires nothing any more.
func (t *Timer) arm() { t.owner.system.wheel().StartAt(&t.timer, t.due) }

// fire is called by the wheel.
func (t *Timer) fire() {
	c := t.owner
	c.mu.Lock()
	if t.ended || t.fired || c.end.Load() != notEnded {
		c.mu.Unlock()
		return
	}
	t.fired = true
	c.rarely().fired = append(c.rare.fired, &t.notice) // bounded by the timers there are: each is there once
	c.flags.Or(flagNotice)
	c.mu.Unlock()
	c.schedule()
}

// taken is called with owner.mu held, by the actor's side, when it has taken the notice out of the
// list. It reports whether the message is to be handled. The next tick is armed here and
// not when the last one fired, so that a slow actor causes no wake-ups.
func (t *Timer) taken() bool {
	t.fired = false
	if t.ended {
		return false
	}
	if t.every == 0 {
		t.end()
		delete(t.owner.rare.timers, t)
		return true
	}
	late := t.owner.system.now().Sub(t.due)
	ticks := 1 + max(late, 0)/t.every
	t.missed.Add(uint64(ticks - 1))
	t.due = t.due.Add(ticks * t.every)
	t.arm()
	return true
}

// end needs owner.mu.
func (t *Timer) end() {
	t.ended = true
	t.timer.Stop()
}

// cancelTimers ends the timers of an actor that restarts.
func (c *cell) cancelTimers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rare == nil {
		return
	}
	for t := range c.rare.timers {
		t.end()
	}
	c.rare.timers = nil
}

// endTimers ends the timers of an actor that has stopped. They look at cell.end, so that
// the lock is not needed for those that fire meanwhile.
func (r *rare) endTimers(c *cell) {
	c.mu.Lock()
	for t := range r.timers {
		t.end()
	}
	c.mu.Unlock()
	if r.passivator != nil {
		r.passivator.timer.Stop()
	}
}

// wheelOnce is a system's timer wheel, made when the first timer needs it.
type wheelOnce struct {
	made    atomic.Pointer[scheduler.Wheel]
	mu      sync.Mutex
	stopped bool
}

func (s *System) wheel() *scheduler.Wheel {
	if w := s.wheels.made.Load(); w != nil {
		return w
	}
	o := &s.wheels
	o.mu.Lock()
	defer o.mu.Unlock()
	if w := o.made.Load(); w != nil {
		return w
	}
	cfg := scheduler.WheelConfig{Clock: s.config.Clock}
	if cfg.Clock != nil {
		cfg.Granularity = time.Microsecond // it costs wake-ups, and those of a test's clock are calls
	}
	w, err := scheduler.NewWheel(cfg)
	if err != nil {
		panic(fmt.Sprintf("actor: the wheel's configuration is refused: %v", err))
	}
	if o.stopped {
		_ = w.Stop(context.Background()) // nothing is armed
	}
	o.made.Store(w)
	return w
}

func (o *wheelOnce) stop(ctx context.Context) error {
	o.mu.Lock()
	o.stopped = true
	w := o.made.Load()
	o.mu.Unlock()
	if w == nil {
		return nil
	}
	return w.Stop(ctx)
}

func (s *System) now() time.Time {
	if s.config.Clock != nil {
		return s.config.Clock.Now()
	}
	return time.Now()
}

func (s *System) afterFunc(d time.Duration, f func()) {
	if s.config.Clock != nil {
		s.config.Clock.AfterFunc(d, f)
		return
	}
	time.AfterFunc(d, f)
}
