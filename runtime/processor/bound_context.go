package processor

import (
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

// A boundContext is the context of the first attempt of a task that has a Timeout. Most bodies neither ask when
// it is done nor outlive their attempt, so all that this needs is made when they do: until then it is 48 bytes.
// It is never used again, as bodies may keep it for ever.
type boundContext struct {
	firstContext
	late     lateContext
	deadline instant
	of       *Run // to tell its workflow actor of a body that overstays
}

// make returns the whole context.
func (c *boundContext) make() *scheduler.DeadlineContext {
	return c.late.make(c.run.p.wheel, &c.firstContext, c.run.p.clock.time(c.deadline))
}

// end cancels the context: its attempt has ended.
func (c *boundContext) end() { c.late.end() }

// report tells the workflow actor of a body that overstays, unless its attempt has ended: then the run may be another one by now, which
// is kept from being used once more for nothing.
func (c *boundContext) report() {
	c.of.meet() // before the attempt can end: see R4
	if c.late.report() {
		c.of.owner.post(control{kind: overstayed, run: c.of, task: c.task})
	}
}

// Deadline is part of context.Context.
func (c *boundContext) Deadline() (time.Time, bool) {
	own := c.run.p.clock.time(c.deadline)
	if theirs, ok := c.run.ctx.Deadline(); ok && theirs.Before(own) {
		return theirs, true
	}
	return own, true
}

// Done is part of context.Context.
func (c *boundContext) Done() <-chan struct{} { return c.make().Done() }

// Err is part of context.Context.
func (c *boundContext) Err() error {
	if c.late.unasked() && c.run.ctx.Err() == nil && c.run.p.clock.now() < c.deadline {
		return nil
	}
	return c.make().Err()
}

// Value is part of context.Context.
func (c *boundContext) Value(key any) any {
	if key == workflow.AttemptKey || c.late.unasked() {
		return c.firstContext.Value(key)
	}
	return c.make().Value(key)
}

// AfterFunc spares the context package a goroutine for each child.
func (c *boundContext) AfterFunc(f func()) (stop func() bool) { return c.make().AfterFunc(f) }

// An overstay watches for bodies of a task actor that ignore the end of their context for CancelGrace. One timer serves
// all of them, one after the other: an attempt only says what it is, and the timer is moved if it would fire too late for
// it. When it fires it looks who is there, and sleeps until that one's time.
//
// Invariants:
//
//	W1  while an attempt is under way the timer fires at due or before, and due is not after the attempt's own time
//
// begin stores current and then loads due. Whoever fires stores due as none and then loads current, and after each move of
// the timer it looks whether current is still the same: so one of the two sees the other, and the last one
// that moves the timer does so for the attempt that is there.
type overstay struct {
	p       *Processor
	timer   scheduler.Timer
	current atomic.Pointer[boundContext]
	due     atomic.Int64 // instant; never armed or fired: notDue
}

// notDue is the time of a timer that is not armed.
const notDue = 1<<63 - 1

func (o *overstay) init(p *Processor) {
	o.p = p
	o.timer.InitHandler(o)
	o.due.Store(notDue)
}

// begin watches an attempt that begins.
func (o *overstay) begin(c *boundContext) {
	o.current.Store(c)
	if due := o.dueOf(c); int64(due) < o.due.Load() {
		o.move(due)
	}
}

// leave forgets the last attempt, so that nothing keeps its run in memory.
func (o *overstay) leave() {
	if o.current.Load() != nil {
		o.current.Store(nil)
	}
}

func (o *overstay) dueOf(c *boundContext) instant { return c.deadline.after(o.p.cfg.CancelGrace) }

func (o *overstay) move(due instant) {
	o.due.Store(int64(due)) // before the timer can fire
	o.p.wheel.StartAt(&o.timer, o.p.clock.time(due))
}

// TimerFired reports the attempt that is there if its time is over.
func (o *overstay) TimerFired() {
	o.due.Store(notDue) // before current: see W1
	for {
		c := o.current.Load()
		if c == nil || c.late.ended() {
			return
		}
		due := o.dueOf(c)
		if o.p.clock.now() >= due {
			c.report()
			return
		}
		o.move(due)
		if o.current.Load() == c {
			return
		}
	}
}
