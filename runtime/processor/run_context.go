package processor

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

// A runContext is the context of a run, and all that bodies may keep of a run that is used again: so this one never is, and is apart from
// the Run. (That of a compensation leads to a whole Run, which is then not used again.)
type runContext struct {
	p      *Processor
	plan   *workflow.Plan
	parent context.Context // of who began the run
	ctx    context.Context // the runContext itself, or what an observer made of it
	late   lateContext
	number uint64
	id     string // given by the caller, or empty
	undoes *undo  // what the run is made for if it undoes a task of another; nil of all others
	first  [inlineContexts]firstContext
}

// runID returns the run's id.
func (c *runContext) runID() string {
	if c.id != "" {
		return c.id
	}
	return c.p.prefix + strconv.FormatUint(c.number, 36)
}

// newBoundedRunContext returns a runContext with a deadline, which is made whole together with it.
func newBoundedRunContext(p *Processor, parent context.Context, deadline time.Time, cause error) *runContext {
	both := new(struct {
		own   runContext
		whole scheduler.DeadlineContext
	})
	both.own.p, both.own.parent = p, parent
	p.wheel.InitContext(&both.whole, parent, deadline, cause)
	both.own.late.whole.Store(&both.whole)
	return &both.own
}

// make returns the whole context.
func (c *runContext) make() *scheduler.DeadlineContext {
	return c.late.make(c.p.wheel, c.parent, time.Time{})
}

// cancel ends the context, unless it has ended. Without a cause that is context.Canceled.
func (c *runContext) cancel(cause error) {
	switch {
	case cause == nil:
		c.late.end()
	case !c.late.ended():
		c.make().CancelCause(cause)
	}
}

// Deadline is part of context.Context.
func (c *runContext) Deadline() (time.Time, bool) {
	if whole := c.late.whole.Load(); whole != nil {
		return whole.Deadline()
	}
	return c.parent.Deadline()
}

// Done is part of context.Context.
func (c *runContext) Done() <-chan struct{} { return c.make().Done() }

// Err is part of context.Context.
func (c *runContext) Err() error {
	if c.late.unasked() && c.parent.Err() == nil {
		return nil
	}
	return c.make().Err()
}

// Value is part of context.Context.
func (c *runContext) Value(key any) any {
	if c.late.unasked() {
		return c.parent.Value(key)
	}
	return c.make().Value(key)
}

// AfterFunc spares the context package a goroutine for each child.
func (c *runContext) AfterFunc(f func()) (stop func() bool) { return c.make().AfterFunc(f) }

// String describes the context.
func (c *runContext) String() string { return "ringmill.Run(" + c.runID() + ")" }

// A lateContext is a context that is made when somebody asks for what takes more than a look at its parent and the clock.
// Most never are. Whoever makes it stores it and then looks at state, whoever ends it moves state and then looks for it, so one of the two
// sees the other.
type lateContext struct {
	whole atomic.Pointer[scheduler.DeadlineContext]
	state atomic.Uint32
}

const (
	lateOpen     uint32 = iota
	lateReported        // see report
	lateEnded
)

// unasked reports whether nobody has asked and the context has not ended by itself.
func (l *lateContext) unasked() bool { return l.whole.Load() == nil && !l.ended() }

// ended reports whether end was called.
func (l *lateContext) ended() bool { return l.state.Load() == lateEnded }

// make makes the context, if nobody has. A zero deadline is none.
func (l *lateContext) make(w *scheduler.Wheel, parent context.Context, deadline time.Time) *scheduler.DeadlineContext {
	whole := l.whole.Load()
	if whole == nil {
		whole = new(scheduler.DeadlineContext)
		w.InitContext(whole, parent, deadline, nil)
		if !l.whole.CompareAndSwap(nil, whole) {
			whole = l.whole.Load()
		}
	}
	if l.ended() {
		whole.Cancel()
	}
	return whole
}

// end cancels the context.
func (l *lateContext) end() {
	l.state.Store(lateEnded)
	if whole := l.whole.Load(); whole != nil {
		whole.Cancel()
	}
}

// report marks a context that has not ended; one caller gets true.
func (l *lateContext) report() bool { return l.state.CompareAndSwap(lateOpen, lateReported) }
