package processor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// A firstContext is the context of the first attempt of a task that has no deadline of its own: its run's, and what a
// body can learn about itself. Bodies may keep it for ever, so it is never used again, and a Run that may be is out of its reach.
type firstContext struct {
	run  *runContext
	task int32
}

// A taskContext is the same of any other attempt.
type taskContext struct {
	firstContext
	item   int32 // of a Map, else -1
	number int32
	again  int32  // iterations of a Repeat before this one
	pulse  *armed // nil without a heartbeat
}

// inlineContexts is how many tasks' contexts have their place in the runContext itself,
// so that a small run is one allocation.
const inlineContexts = 4

// firstContext returns the context of a first attempt. These have places of their own, made all at once.
func (r *Run) firstContext(task int32) *firstContext {
	var c *firstContext
	if int(task) < inlineContexts {
		c = &r.own.first[task]
	} else {
		c = &r.contexts[task-inlineContexts]
	}
	c.run, c.task = r.own, task
	return c
}

// context returns the context of an attempt.
func (r *Run) context(a *attempt) attemptContext {
	if a.number == 1 && a.item < 0 && !a.repeated && !a.asking && a.plan().Heartbeat == 0 {
		return r.firstContext(a.task)
	}
	c := &taskContext{firstContext: firstContext{run: r.own, task: a.task}, item: a.item, number: a.number}
	if a.repeated {
		c.again = int32(a.state().loop.iteration)
	}
	return c
}

// attemptContext is a firstContext or a taskContext.
type attemptContext interface {
	context.Context
	workflow.Attempt
}

// Deadline is part of context.Context.
func (c *firstContext) Deadline() (time.Time, bool) { return c.run.ctx.Deadline() }

// Done is part of context.Context.
func (c *firstContext) Done() <-chan struct{} { return c.run.ctx.Done() }

// Err is part of context.Context.
func (c *firstContext) Err() error { return c.run.ctx.Err() }

// Value is part of context.Context.
func (c *firstContext) Value(key any) any {
	if key == workflow.AttemptKey {
		return c
	}
	return c.run.ctx.Value(key)
}

// Value is part of context.Context.
func (c *taskContext) Value(key any) any {
	if key == workflow.AttemptKey {
		return c
	}
	return c.run.ctx.Value(key)
}

// AfterFunc spares the context package a goroutine for each child.
func (c *firstContext) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(c.run.ctx, f) }

// String describes the context.
func (c *firstContext) String() string { return "ringmill.Task(" + c.IdempotencyKey() + ")" }

// String describes the context.
func (c *taskContext) String() string { return "ringmill.Task(" + c.IdempotencyKey() + ")" }

// IdempotencyKey is part of workflow.Attempt.
func (c *firstContext) IdempotencyKey() string { return c.key("") }

// key makes an idempotency key; within names what of the task the attempt does.
func (c *firstContext) key(within string) string {
	r, task := c.run, c.task
	if u := r.undoes; u != nil { // whose own task is called by its path
		r, task, within = u.run.own, u.task, u.keySuffix()
	}
	return r.runID() + "/" + keySegment(r.plan.Tasks[task].Name) + within
}

// keySegment is a task's name as a part of a key that no other task, item, iteration or compensation has: what stands for a
// separator or is a word or a number of the engine's is written in hexadecimal, as in a URL. Nearly all names stay as they are.
func keySegment(name string) string {
	if strings.ContainsAny(name, "/%") {
		name = strings.NewReplacer("%", "%25", "/", "%2F").Replace(name)
	}
	if name == undoWord || strings.HasPrefix(name, againWord) || strings.Trim(name, "0123456789") == "" {
		name = fmt.Sprintf("%%%X%s", name[0], name[1:])
	}
	return name
}

const (
	undoWord  = "compensate" // the last part of a compensation's key
	againWord = "undone-"    // begins the part that tells a run of a sub-workflow from one that was undone
)

// IdempotencyKey is part of workflow.Attempt.
func (c *taskContext) IdempotencyKey() string {
	within := ""
	if c.item >= 0 {
		within = "/" + strconv.Itoa(int(c.item))
	}
	if c.again > 0 {
		within += "/" + strconv.Itoa(int(c.again))
	}
	return c.key(within)
}

// Number is part of workflow.Attempt.
func (c *firstContext) Number() int { return 1 }

// Number is part of workflow.Attempt.
func (c *taskContext) Number() int { return int(c.number) }

// Heartbeat is part of workflow.Attempt.
func (c *firstContext) Heartbeat() {}

// Heartbeat is part of workflow.Attempt.
func (c *taskContext) Heartbeat() {
	if c.pulse != nil {
		c.pulse.beat.Store(int64(c.run.p.clock.now()))
	}
}
