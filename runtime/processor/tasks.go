package processor

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

// start begins a task that was claimed: it queues the first attempt, or a Map's first items.
func (w *workflowActor) start(a *attempt) {
	r, i := a.run, a.task
	t, plan := &r.tasks[i], &r.plan.Tasks[i]
	if plan.TaskTimeout > 0 {
		t.deadline = w.p.clock.now().after(plan.TaskTimeout)
		t.timer = new(scheduler.Timer)
		t.timer.Init(func() { w.post(control{kind: taskDue, run: r, task: i}) })
		w.p.wheel.Start(t.timer, plan.TaskTimeout)
	}
	if plan.Expand == nil {
		w.queue(a)
		return
	}
	var items workflow.Items
	err := w.protect(r, i, func() (err error) {
		items, err = plan.Expand(r.inputs())
		return err
	})
	if err != nil {
		w.failTask(r, i, workflow.StatusFailed, 0, err)
		return
	}
	t.items = &itemsState{Items: items, attempts: make([]*attempt, items.Len)}
	w.nextItems(r, i)
}

// startAll begins the tasks that a task actor has claimed and left to this actor.
func (w *workflowActor) startAll(a *attempt) {
	for a != nil {
		r, next := a.run, a.next
		a.next = nil
		if r.ending.Load() == 0 {
			w.start(a)
		} else { // it may have been withdrawn, but a Map that has not begun never is
			a.phase.CompareAndSwap(phaseQueued, phaseDropped)
			w.endWithRun(r, a.task)
		}
		w.settle(r)
		a = next
	}
}

// inputs returns what bodies of the run read.
func (r *Run) inputs() workflow.Inputs {
	return workflow.Inputs{Input: r.input, Results: r.state.results}
}

// nextItems queues as many items of a Map as may be under way at once, and ends
// the Map when all have succeeded. More than there are credits would only wait
// in the ready list.
func (w *workflowActor) nextItems(r *Run, i int32) {
	m := r.tasks[i].items
	if m.done == m.Len {
		err := w.protect(r, i, func() error { r.state.results[i] = m.Result(); return nil })
		if err != nil {
			w.failTask(r, i, workflow.StatusFailed, 0, err)
			return
		}
		w.endTask(r, i, workflow.StatusSucceeded)
		return
	}
	window := w.p.creditLimit
	if limit := r.plan.Tasks[i].Limit; limit > 0 {
		window = min(window, limit)
	}
	for ; m.next < m.Len && m.live < window; m.next++ {
		a := &attempt{run: r, task: i, item: int32(m.next), number: 1, level: r.levelOf(int(i))}
		m.attempts[m.next] = a
		m.live++
		w.queue(a)
	}
}

// takeBack handles the reply to an executeTask.
func (w *workflowActor) takeBack(a *attempt) {
	r := a.run
	w.credits.Add(1)
	switch a.phase.Load() {
	case phaseQueued: // its run was shed before it could begin
		w.drop(a)
	case phaseFinished:
		w.attemptEnded(a)
	}
	w.settle(r)
}

// attemptEnded moves the task on after an attempt that finished or was
// abandoned.
func (w *workflowActor) attemptEnded(a *attempt) {
	r, t := a.run, a.state()
	t.record(a)
	timedOut := a.status == workflow.StatusTimedOut
	again := a.status != workflow.StatusSucceeded && w.retry(a)
	if timedOut || a.status == workflow.StatusTimedOut {
		w.p.count.timeouts.Add(1)
	}
	if again {
		return
	}
	if t.items != nil {
		t.items.remove(a)
	}
	switch {
	case a.status == workflow.StatusCancelled:
		cause := Cause(r.ctx) // the order may be on its way still
		w.end(r, r.statusFor(cause), cause)
		w.endWithRun(r, a.task)
	case a.status != workflow.StatusSucceeded:
		w.failTask(r, a.task, a.status, a.number, a.itemError())
	case t.items == nil:
		w.endTask(r, a.task, workflow.StatusSucceeded)
	default:
		t.items.done++
		if r.ending.Load() == 0 || t.items.done == t.items.Len {
			w.nextItems(r, a.task)
		} else {
			w.endWithRun(r, a.task)
		}
	}
}

// remove forgets the attempt of an item that has ended.
func (m *itemsState) remove(a *attempt) {
	m.attempts[a.item] = nil
	m.live--
}

// itemError names the item of a Map in the attempt's error.
func (a *attempt) itemError() error {
	if a.item < 0 {
		return a.err
	}
	return fmt.Errorf("item %d: %w", a.item, a.err)
}

// retry queues the attempt again if its policy wants that; when the run is
// ending it is cancelled instead. A body that was abandoned is not tried again:
// it still runs, and one task never has two bodies at once.
func (w *workflowActor) retry(a *attempt) bool {
	r, t, plan := a.run, a.state(), a.plan()
	if plan.Retry == nil || a.status == workflow.StatusCancelled || a.phase.Load() == phaseAbandoned {
		return false
	}
	if t.deadline != 0 && w.p.clock.now() >= t.deadline {
		w.taskTooLate(a)
		return false
	}
	var wait time.Duration
	var again bool
	err := w.protect(r, a.task, func() error {
		wait, again = plan.Retry.Next(int(a.number), a.endedAt.since(a.firstAt), a.err)
		return nil
	})
	if err != nil {
		a.err = errors.Join(a.err, fmt.Errorf("retry policy: %w", err))
		return false
	}
	if !again {
		return false
	}
	if r.ending.Load() != 0 {
		a.status = workflow.StatusCancelled
		return false
	}
	if t.deadline != 0 && w.p.clock.now().after(wait) >= t.deadline {
		w.taskTooLate(a)
		return false
	}
	w.p.count.retries.Add(1)
	if obs := w.p.cfg.Observer; obs != nil {
		e := a.event()
		e.Status, e.Err, e.Queue = a.status, a.err, wait
		obs.Noticed(e, NoticeRetry)
		e.release()
	}
	t.last = a.err
	a.number++
	a.err, a.status = nil, 0
	if a.item < 0 {
		t.setStatus(workflow.StatusRetrying)
	}
	a.phase.Store(phaseQueued)
	if wait <= 0 {
		w.queue(a)
		return true
	}
	number := a.number
	a.backOff = new(scheduler.Timer)
	a.backOff.Init(func() { w.post(control{kind: retryDue, run: r, attempt: a, number: number}) })
	w.p.wheel.Start(a.backOff, wait)
	return true
}

// taskTooLate makes the attempt's end that of its task's time. The cause is what
// went wrong before that, as far as it is known.
func (w *workflowActor) taskTooLate(a *attempt) {
	cause := a.err
	if t, ok := cause.(*timeoutError); ok && t.what == "task" {
		cause = cmp.Or(a.state().last, t.err)
	}
	a.status = workflow.StatusTimedOut
	a.err = &timeoutError{what: "task", limit: a.plan().TaskTimeout, err: cause}
}

// failTask records the failure that ends a task and, with it, its run.
func (w *workflowActor) failTask(r *Run, i int32, status workflow.Status, number int32, cause error) {
	t := &r.tasks[i]
	if t.failing == 0 {
		t.failing = status
		t.cause = &workflow.TaskError{
			Workflow: r.plan.Name, RunID: r.ID(), Task: r.plan.Tasks[i].Name,
			Attempt: int(number), Err: cause,
		}
	}
	if w.end(r, workflow.StatusFailed, t.cause) {
		r.failedTask = true
	}
	w.endWithRun(r, i)
}

// taskTimedOut ends a task whose TaskTimeout is over and that would need another
// attempt; those that run have the same deadline in their context.
func (w *workflowActor) taskTimedOut(r *Run, i int32) {
	t := &r.tasks[i]
	if t.failing != 0 {
		return
	}
	late := t.items != nil && t.items.next < t.items.Len
	t.each(func(a *attempt) { late = w.drop(a) || late })
	if !late || t.ended() {
		return
	}
	w.p.count.timeouts.Add(1)
	w.failTask(r, i, workflow.StatusTimedOut, t.attempts,
		&timeoutError{what: "task", limit: r.plan.Tasks[i].TaskTimeout, err: t.last})
}

// drop takes an attempt that has not begun away from the task actors. If it had
// been handed out, one of them will meet it and return the credit.
func (w *workflowActor) drop(a *attempt) bool {
	if !a.phase.CompareAndSwap(phaseQueued, phaseDropped) {
		return false
	}
	if a.listed {
		w.dead++
	}
	if a.backOff != nil {
		a.backOff.Stop()
	}
	if a.item >= 0 {
		a.state().items.remove(a)
	}
	return true
}

// abandon gives a running body up: the task goes on without it, and a new task
// actor takes its actor's place.
func (w *workflowActor) abandon(a *attempt) {
	w.p.count.leaked.Add(1) // before the body can come back and take it off
	if !a.phase.CompareAndSwap(phaseRunning, phaseAbandoned) {
		w.p.count.leaked.Add(-1)
		return
	}
	w.credits.Add(1)
	a.run.abandoned = true
	if a.timed() {
		a.endedAt = w.p.clock.now()
	}
	if a.run.ctx.Err() != nil {
		a.status = workflow.StatusCancelled
		a.err = fmt.Errorf("ignored its cancelled context for %v: %w", w.p.cfg.CancelGrace, Cause(a.run.ctx))
	} else {
		a.status = workflow.StatusTimedOut
		a.err = a.timeout(fmt.Errorf("ignored its cancelled context for %v", w.p.cfg.CancelGrace))
	}
	a.actor.observeEnd(a)
	w.p.notice(a, NoticeLeaked)
	w.p.leaked(a)
	w.attemptEnded(a)
}

// endTask gives a task its final state and, if it succeeded, starts what waited
// for it alone.
func (w *workflowActor) endTask(r *Run, i int32, status workflow.Status) {
	r.tasks[i].end(status)
	if status != workflow.StatusSucceeded {
		return
	}
	succs := r.plan.Tasks[i].Succs
	if len(succs) == 0 {
		r.release()
		return
	}
	for _, s := range succs {
		if t := &r.tasks[s]; t.pending.Add(-1) == 0 && t.claim() {
			w.start(&t.first)
		}
	}
}

// end publishes a final state.
func (t *taskState) end(status workflow.Status) {
	if t.timer != nil {
		t.timer.Stop()
	}
	t.setStatus(status)
}

// protect calls f, which is user code that concerns task i, or noTask. A panic
// becomes an error. A runtime.Goexit cannot be stopped: it ends this goroutine,
// but not the actor, which is told to go on from here.
func (w *workflowActor) protect(r *Run, i int32, f func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = &workflow.PanicError{Value: v, Stack: debug.Stack()}
			return
		}
		w.post(control{kind: exited, run: r, task: i})
	}()
	err = f()
	returned = true
	return err
}

const noTask = -1

// userCodeExited fails the task, or the run's output, whose user code called
// runtime.Goexit.
func (w *workflowActor) userCodeExited(r *Run, i int32) {
	if i == noTask {
		r.publish(workflow.StatusFailed, nil, &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: workflow.StatusFailed, Err: errGoexit})
	} else {
		w.failTask(r, i, workflow.StatusFailed, r.tasks[i].attempts, errGoexit)
	}
	w.settle(r)
}
