package processor

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A taskActor executes one attempt at a time on the blocking executor. While it
// executes, its bit in the idle pool is clear, so nobody else is given to it.
type taskActor struct {
	p     *Processor
	index int
	ref   actor.Ref[executeTask]
}

// receive executes the attempt that woke the actor and then whatever waits in
// the pool, until it is idle again or was replaced.
func (t *taskActor) receive(c *actor.Context[executeTask], m executeTask) error {
	for a, ok := m.attempt, true; ok; a, ok = t.p.pool.Next(t.index) {
		if !t.execute(a) {
			c.Stop()
			return nil
		}
	}
	return nil
}

// execute runs the attempt's body and replies. It answers false when the body
// overstayed its cancelled context and another actor took this one's place.
func (t *taskActor) execute(a *attempt) bool {
	if a.phase.Load() != phaseQueued || !a.run.begin() {
		a.run.owner.tell(taskDone{a}) // dropped: only the credit goes back
		return true
	}
	ctx, release := t.prepare(a)
	defer release()
	if !a.phase.CompareAndSwap(phaseQueued, phaseRunning) {
		a.status, a.err = workflow.StatusCancelled, errCancelled
		t.observeEnd(a)
		a.run.owner.tell(taskDone{a})
		return true
	}
	a.state().status.CompareAndSwap(uint32(workflow.StatusReady), uint32(workflow.StatusRunning))

	returned := false
	defer func() {
		if !returned { // runtime.Goexit ends receive, so the next attempt comes by mail
			t.exited(a, ctx)
		}
	}()
	result, err := call(ctx, a)
	returned = true
	if t.finish(a, result, err, ctx) {
		return true
	}
	return t.comeBack(a)
}

// exited is the end of a body that called runtime.Goexit.
func (t *taskActor) exited(a *attempt, ctx context.Context) {
	if t.finish(a, nil, errGoexit, ctx) || t.comeBack(a) {
		t.p.resume(t)
		return
	}
	t.ref.Close()
}

// prepare makes the context that the body sees and arms the timer that reports
// a body which ignores its deadline.
func (t *taskActor) prepare(a *attempt) (context.Context, func()) {
	ctx, release := a.run.ctx, func() {}
	a.actor = t
	if a.timed() {
		a.startedAt = time.Now()
	}
	if deadline, _ := a.deadline(); !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		number := a.number
		stuck := time.AfterFunc(deadline.Sub(a.startedAt)+t.p.cfg.CancelGrace, func() {
			a.run.owner.post(control{kind: attemptStuck, run: a.run, attempt: a, number: number})
		})
		release = func() { stuck.Stop(); cancel() }
	}
	if obs := t.p.cfg.Observer; obs != nil {
		e := a.event()
		e.At = a.startedAt
		ctx = obs.AttemptStarted(ctx, &e)
	}
	a.ctx = ctx
	return ctx, release
}

// call runs the body behind the panic barrier.
func call(ctx context.Context, a *attempt) (result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			a.run.p.count.panics.Add(1)
			result, err = nil, &workflow.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if a.item >= 0 {
		return nil, a.state().items.Run(ctx, int(a.item))
	}
	return a.plan().Run(ctx, workflow.Inputs{Input: a.run.input, Results: a.run.results})
}

// finish takes the attempt back from the body and replies; false when the
// attempt was abandoned meanwhile.
func (t *taskActor) finish(a *attempt, result any, err error, ctx context.Context) bool {
	if !a.phase.CompareAndSwap(phaseRunning, phaseFinished) {
		return false
	}
	a.result, a.err, a.status = result, err, workflow.StatusSucceeded
	if a.timed() {
		a.endedAt = time.Now()
	}
	if err != nil {
		a.status, a.err = a.judge(ctx, err)
	}
	t.observeEnd(a)
	a.run.owner.tell(taskDone{a})
	return true
}

// judge says how an attempt ended that returned an error.
func (a *attempt) judge(ctx context.Context, err error) (workflow.Status, error) {
	if a.run.ctx.Err() != nil {
		return workflow.StatusCancelled, err
	}
	if deadline, timeout := a.deadline(); !deadline.IsZero() && ctx.Err() != nil {
		timeout.err = err
		return workflow.StatusTimedOut, timeout
	}
	return workflow.StatusFailed, err
}

// comeBack is the end of a body that was given up. Whoever moves fate first
// decides whether this actor goes on (true) or its replacement does.
func (t *taskActor) comeBack(a *attempt) bool {
	t.p.count.leaked.Add(-1)
	t.p.notice(a, NoticeReturned)
	if a.fate.CompareAndSwap(fateOpen, fateReturned) {
		return true
	}
	t.p.sys.Executor(true).AddWorkers(-1)
	return false
}

func (t *taskActor) observeEnd(a *attempt) {
	if obs := t.p.cfg.Observer; obs != nil {
		e := a.event()
		e.At, e.Run = a.endedAt, a.endedAt.Sub(a.startedAt)
		obs.AttemptEnded(a.ctx, &e)
	}
}

// timed reports whether the attempt needs the clock.
func (a *attempt) timed() bool {
	t := a.plan()
	return a.run.p.timed || t.Timeout > 0 || t.TaskTimeout > 0 || t.Retry != nil
}

// deadline returns when the attempt must have ended, and the error if it has
// not; a zero time if it may take as long as it likes.
func (a *attempt) deadline() (time.Time, *timeoutError) {
	plan, task := a.plan(), a.state().deadline
	if plan.Timeout > 0 {
		if own := a.startedAt.Add(plan.Timeout); task.IsZero() || own.Before(task) {
			return own, &timeoutError{what: "attempt", limit: plan.Timeout}
		}
	}
	return task, &timeoutError{what: "task", limit: plan.TaskTimeout}
}
