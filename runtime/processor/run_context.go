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
// the Run. (A boundContext and that of a compensation lead to a whole Run, which is then not used again.)
type runContext struct {
	p      *Processor
	plan   *workflow.Plan
	parent context.Context // of who began the run
	ctx    context.Context // the runContext itself, or what an observer made of it
	whole  lateContext
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
	both.own.whole.is.Store(&both.whole)
	return &both.own
}

// make returns the whole context.
func (c *runContext) make() *scheduler.DeadlineContext {
	if whole := c.whole.made(); whole != nil {
		return whole
	}
	return c.whole.make(c.p.wheel, c.parent, time.Time{})
}

// cancel ends the context, unless it has ended. Without a cause that is context.Canceled.
func (c *runContext) cancel(cause error) {
	switch {
	case cause == nil:
		c.whole.end()
	case !c.whole.endedUnasked():
		c.make().CancelCause(cause)
	}
}

// Deadline is part of context.Context.
func (c *runContext) Deadline() (time.Time, bool) {
	if whole := c.whole.made(); whole != nil {
		return whole.Deadline()
	}
	return c.parent.Deadline()
}

// Done is part of context.Context.
func (c *runContext) Done() <-chan struct{} { return c.make().Done() }

// Err is part of context.Context.
func (c *runContext) Err() error {
	if c.whole.unasked() && c.parent.Err() == nil {
		return nil
	}
	return c.make().Err()
}

// Value is part of context.Context.
func (c *runContext) Value(key any) any {
	if c.whole.unasked() {
		return c.parent.Value(key)
	}
	return c.make().Value(key)
}

// AfterFunc spares the context package a goroutine for each child.
func (c *runContext) AfterFunc(f func()) (stop func() bool) { return c.make().AfterFunc(f) }

// String describes the context.
func (c *runContext) String() string { return "ringmill.Run(" + c.runID() + ")" }

// A lateContext is a context that is made when somebody asks for what takes more than a look at its parent and the clock.
// Most never are.
//
//	nil -> made        somebody asked
//	nil -> endedLate   the context has ended, and nobody had asked
//	endedLate -> made  and cancelled
type lateContext struct {
	is atomic.Pointer[scheduler.DeadlineContext]
}

// endedLate stands for a context that was cancelled before anybody asked for it.
var endedLate = new(scheduler.DeadlineContext)

// unasked reports whether nobody has asked and the context has not ended by itself.
func (l *lateContext) unasked() bool { return l.is.Load() == nil }

// endedUnasked reports whether the context was cancelled before anybody asked.
func (l *lateContext) endedUnasked() bool { return l.is.Load() == endedLate }

// made returns the context if it was made.
func (l *lateContext) made() *scheduler.DeadlineContext {
	if is := l.is.Load(); is != endedLate {
		return is
	}
	return nil
}

// make makes the context, if nobody else does so first. A zero deadline is none.
func (l *lateContext) make(w *scheduler.Wheel, parent context.Context, deadline time.Time) *scheduler.DeadlineContext {
	for {
		is := l.is.Load()
		if is != nil && is != endedLate {
			return is
		}
		made := new(scheduler.DeadlineContext)
		w.InitContext(made, parent, deadline, nil)
		if is == endedLate {
			made.Cancel()
		}
		if l.is.CompareAndSwap(is, made) {
			return made
		}
	}
}

// end cancels the context.
func (l *lateContext) end() {
	if l.is.CompareAndSwap(nil, endedLate) {
		return
	}
	if whole := l.made(); whole != nil {
		whole.Cancel()
	}
}
