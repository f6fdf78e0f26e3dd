package processor

import (
	"context"
	"strconv"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// A taskContext is the context of one attempt that has no deadline of its own: its
// run's, and what a body can learn about itself. Bodies may keep it for ever, so it
// is never used again, and of the run it touches only what stays.
type taskContext struct {
	run    *Run
	task   int32
	item   int32 // of a Map, else -1
	number int32
	again  int32  // iterations of a Repeat before this one
	pulse  *armed // nil without a heartbeat
}

// inlineContexts is how many tasks' contexts have their place in the Run itself,
// so that a small run is one allocation.
const inlineContexts = 4

// context returns the context of an attempt.
func (r *Run) context(a *attempt) *taskContext {
	c := r.contextPlace(a)
	*c = taskContext{run: r, task: a.task, item: a.item, number: a.number}
	if a.repeated {
		c.again = int32(a.state().loop.iteration)
	}
	return c
}

// contextPlace returns memory for the context of an attempt. First attempts of tasks
// have places of their own, made all at once.
func (r *Run) contextPlace(a *attempt) *taskContext {
	switch {
	case a.number > 1 || a.item >= 0 || a.repeated || a.asking:
		return new(taskContext)
	case int(a.task) < inlineContexts:
		return &r.firstContexts[a.task]
	}
	return &r.contexts[a.task-inlineContexts]
}

// Deadline is part of context.Context.
func (c *taskContext) Deadline() (time.Time, bool) { return c.run.ctx.Deadline() }

// Done is part of context.Context.
func (c *taskContext) Done() <-chan struct{} { return c.run.ctx.Done() }

// Err is part of context.Context.
func (c *taskContext) Err() error { return c.run.ctx.Err() }

// Value is part of context.Context.
func (c *taskContext) Value(key any) any {
	if key == workflow.AttemptKey {
		return c
	}
	return c.run.ctx.Value(key)
}

// AfterFunc spares the context package a goroutine for each child.
func (c *taskContext) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(c.run.ctx, f) }

// String describes the context.
func (c *taskContext) String() string { return "ringmill.Task(" + c.IdempotencyKey() + ")" }

// IdempotencyKey is part of workflow.Attempt.
func (c *taskContext) IdempotencyKey() string {
	key := c.run.ID() + "/" + c.run.plan.Tasks[c.task].Name
	if c.item >= 0 {
		key += "/" + strconv.Itoa(int(c.item))
	}
	if c.again > 0 {
		key += "/" + strconv.Itoa(int(c.again))
	}
	if u := c.run.undoes; u != nil {
		key += u.keySuffix()
	}
	return key
}

// Number is part of workflow.Attempt.
func (c *taskContext) Number() int { return int(c.number) }

// Heartbeat is part of workflow.Attempt.
func (c *taskContext) Heartbeat() {
	if c.pulse != nil {
		c.pulse.beat.Store(int64(c.run.p.clock.now()))
	}
}
