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

// start begins a task that was claimed. Unless its Trigger, its When, the cache or a concurrency limit
// say otherwise, the first attempt is queued, or a Map's first items.
func (w *workflowActor) start(a *attempt) {
	r, i := a.run, a.task
	plan := &r.plan.Tasks[i]
	if plan.Direct {
		w.startDirect(a)
		return
	}
	if plan.Decides && !w.decide(r, i) {
		return
	}
	if plan.Ask != nil {
		a.asking = true
		w.queue(a)
		return
	}
	w.startDecided(r, i)
}

// startDecided is start for a task whose conditions hold.
func (w *workflowActor) startDecided(r *Run, i int32) {
	t, plan := &r.tasks[i], &r.plan.Tasks[i]
	if plan.TaskTimeout > 0 {
		t.deadline = w.p.clock.now().after(plan.TaskTimeout)
		t.timer = new(scheduler.Timer)
		t.timer.Init(func() { w.post(control{kind: taskDue, run: r, task: i}) })
		w.p.wheel.Start(t.timer, plan.TaskTimeout)
	}
	if plan.Cache != nil && !w.lookUp(r, i) {
		return
	}
	if plan.Concurrency != nil && !w.takePlace(r, i) {
		return
	}
	w.launch(r, i)
}

// startDirect executes an Inline task at once, on this actor, and queues any other.
func (w *workflowActor) startDirect(a *attempt) {
	if !a.plan().Inline || w.takeCredits(1) == 0 {
		w.queue(a)
		return
	}
	if a.timed() {
		a.queuedAt = w.p.clock.now()
	}
	w.started.Add(1)
	w.inline.run(a)
}

// launch queues the first attempt of a task that nothing keeps from beginning, or a Map's first items.
func (w *workflowActor) launch(r *Run, i int32) {
	t, plan := &r.tasks[i], &r.plan.Tasks[i]
	if plan.Expand == nil {
		w.admitAttempt(&t.first)
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

// decide reports whether a task starts, by how its dependencies ended and its When; if not it is ended.
func (w *workflowActor) decide(r *Run, i int32) bool {
	plan := &r.plan.Tasks[i]
	succeeded := 0
	for _, d := range plan.Deps {
		if workflow.Status(r.tasks[d].status.Load()) == workflow.StatusSucceeded {
			succeeded++
		}
	}
	met := true
	switch plan.Trigger {
	case workflow.AllSucceeded:
		met = succeeded == len(plan.Deps)
	case workflow.AnySucceeded:
		met = succeeded > 0 || len(plan.Deps) == 0
	}
	if met && plan.When != nil {
		err := w.protect(r, i, func() (err error) { met, err = plan.When(r.inputs()); return err })
		if err != nil {
			w.failTask(r, i, workflow.StatusFailed, 0, fmt.Errorf("when: %w", err))
			return false
		}
	}
	if !met {
		w.endTask(r, i, workflow.StatusSkipped)
	}
	return met
}

// answered goes on with a task whose Ask has ended.
func (w *workflowActor) answered(a *attempt) {
	r, i := a.run, a.task
	status, err := a.status, a.err
	a.asking, a.status, a.err = false, 0, nil
	a.turn++
	switch {
	case status == workflow.StatusCancelled:
		cause := Cause(r.own.ctx)
		w.end(r, r.statusFor(cause), cause)
		w.endWithRun(r, i)
	case status != workflow.StatusSucceeded:
		w.failTask(r, i, status, 0, fmt.Errorf("when: %w", err))
	case r.ending.Load() != 0:
		w.endWithRun(r, i)
	case !a.answer:
		w.endTask(r, i, workflow.StatusSkipped)
	default:
		a.phase.Store(phaseQueued)
		w.startDecided(r, i)
	}
}

// admitAttempt queues an attempt when the rate limit of its task lets it begin.
func (w *workflowActor) admitAttempt(a *attempt) {
	limit := a.plan().RateLimit
	if limit == nil {
		w.queue(a)
		return
	}
	var wait time.Duration
	err := w.protect(a.run, a.task, func() (err error) { wait, err = limit.Reserve(); return err })
	switch {
	case err != nil:
		a.phase.Store(phaseFinished) // unrun
		a.status, a.err = workflow.StatusFailed, err
		a.startedAt = w.p.clock.now()
		a.endedAt = a.startedAt
		if a.number == 1 {
			a.firstAt = a.startedAt
		}
		w.attemptEnded(a)
	case wait > 0:
		w.later(a, wait, paced)
	default:
		w.queue(a)
	}
}

// later posts an order about an attempt after a wait.
func (w *workflowActor) later(a *attempt, wait time.Duration, kind controlKind) {
	r, turn := a.run, a.turn
	a.backOff = new(scheduler.Timer)
	a.backOff.Init(func() { w.post(control{kind: kind, run: r, attempt: a, turn: turn}) })
	w.p.wheel.Start(a.backOff, wait)
}

// startsInRow bounds the tasks that are started in a row: each may be Inline, or have a condition.
const startsInRow = 256

// startClaimed starts the tasks that became ready, and those that these make ready. Each is taken off the
// list first: user code may end this goroutine, and the others are then started by the next one.
func (w *workflowActor) startClaimed() {
	for n := 0; w.claimed.first != nil; n++ {
		if n == startsInRow {
			w.ref.Signal() // others of the executor have their turn
			return
		}
		a := w.claimed.take()
		r := a.run
		if r.ending.Load() == 0 {
			w.start(a)
		} else { // it may have been withdrawn, but what came here from a task actor may not
			a.phase.CompareAndSwap(phaseQueued, phaseDropped)
			w.endWithRun(r, a.task)
		}
		w.settle(r)
	}
}

// inputs returns what the plan's functions read.
func (r *Run) inputs() workflow.Inputs {
	return workflow.Inputs{Input: r.input, Results: r.state.results, Run: runView{r}}
}

// inputs is Run.inputs for an attempt, which may be one of a repetition.
func (a *attempt) inputs() workflow.Inputs {
	in := a.run.inputs()
	if loop := a.state().loop; loop != nil {
		in.Iteration, in.Previous = loop.iteration, loop.previous
	}
	return in
}

// nextItems queues as many items of a Map as may be under way at once, and ends
// the Map when all have ended well. More than there are credits would only wait
// in the ready list. An item that the rate limit refuses ends within the loop, which then goes on.
func (w *workflowActor) nextItems(r *Run, i int32) {
	t := &r.tasks[i]
	m := t.items
	if m.filling {
		return
	}
	r.open.Add(1) // a hold: the Map has not ended, but may within the loop
	defer r.release()
	window := w.p.creditLimit
	if limit := r.plan.Tasks[i].Limit; limit > 0 {
		window = min(window, limit)
	}
	m.filling = true
	for m.next < m.Len && m.live < window && t.failing == 0 && r.ending.Load() == 0 {
		a := &attempt{run: r, task: i, item: int32(m.next), number: 1, level: r.levelOf(int(i))}
		m.attempts[m.next] = a
		m.next++
		m.live++
		w.admitAttempt(a)
	}
	m.filling = false
	if m.done < m.Len || t.ended() {
		return
	}
	err := w.protect(r, i, func() error { r.state.results[i] = m.Result(); return nil })
	if err != nil {
		w.failTask(r, i, workflow.StatusFailed, 0, err)
		return
	}
	w.endTask(r, i, workflow.StatusSucceeded)
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
	if a.asking {
		w.answered(a)
		return
	}
	t.record(a)
	timedOut := a.status == workflow.StatusTimedOut
	if t.items != nil {
		t.items.remove(a) // before the policy is asked, which may end this goroutine
		if a.status == workflow.StatusSucceeded && a.plan().CompensateItem != nil {
			r.remember(undo{run: r, task: a.task, item: a.item})
		}
	}
	again := a.status != workflow.StatusSucceeded && w.retry(a)
	if timedOut || a.status == workflow.StatusTimedOut {
		w.p.count.timeouts.Add(1)
	}
	if again {
		return
	}
	switch {
	case a.status == workflow.StatusCancelled:
		cause := Cause(r.own.ctx) // the order may be on its way still
		w.end(r, r.statusFor(cause), cause)
		w.endWithRun(r, a.task)
	case a.status != workflow.StatusSucceeded && !w.keepError(a):
		w.failTask(r, a.task, a.status, a.number, a.itemError())
	case t.items == nil:
		if w.repeat(a) {
			return
		}
		w.endTask(r, a.task, workflow.StatusSucceeded)
	default:
		t.items.done++
		switch {
		case t.failing != 0:
			w.endFailing(r, a.task)
		case r.ending.Load() == 0 || t.items.done == t.items.Len:
			w.nextItems(r, a.task)
		default:
			w.endWithRun(r, a.task)
		}
	}
}

// keepError hands the error of an item to a Map that keeps them; false if this one does not.
func (w *workflowActor) keepError(a *attempt) bool {
	if a.item < 0 || !a.plan().KeepErrors || a.state().failing != 0 {
		return false
	}
	err := w.protect(a.run, a.task, func() error { a.state().items.Fail(int(a.item), a.err); return nil })
	if err != nil {
		a.err = err
	}
	return err == nil
}

// repeat asks whether a task that succeeded is to be executed again, and sees to that; false means that
// it is done with.
func (w *workflowActor) repeat(a *attempt) bool {
	r, t, policy := a.run, a.state(), a.plan().Repeat
	if policy == nil || r.ending.Load() != 0 {
		return false
	}
	if t.loop == nil {
		t.loop = new(loopState)
	}
	t.loop.previous = r.state.results[a.task]
	var enough bool
	err := w.protect(r, a.task, func() (err error) { enough, err = policy.Until(a.inputs()); return err })
	switch {
	case err != nil:
		w.failTask(r, a.task, workflow.StatusFailed, a.number, fmt.Errorf("until: %w", err))
		return true
	case enough:
		return false
	}
	if t.loop.iteration++; t.loop.iteration >= policy.Max {
		w.failTask(r, a.task, workflow.StatusFailed, a.number,
			fmt.Errorf("%w: until did not hold after %d iterations: raise max, or correct until", workflow.ErrRepeatLimit, policy.Max))
		return true
	}
	a.number, a.err, a.status = 1, nil, 0
	a.turn++
	a.repeated = true
	t.setStatus(workflow.StatusRetrying)
	a.phase.Store(phaseQueued)
	if policy.Wait > 0 {
		w.later(a, policy.Wait, retryDue)
	} else {
		w.admitAttempt(a)
	}
	return true
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
	if plan.Retry == nil || a.status == workflow.StatusCancelled || a.phase.Load() == phaseAbandoned || t.failing != 0 {
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
	r.retried = true
	a.number++
	a.turn++
	a.err, a.status = nil, 0
	if a.item < 0 {
		t.setStatus(workflow.StatusRetrying)
	} else {
		t.items.attempts[a.item] = a
		t.items.live++
	}
	a.phase.Store(phaseQueued)
	if wait <= 0 {
		w.admitAttempt(a)
	} else {
		w.later(a, wait, retryDue)
	}
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
	if plan := &r.plan.Tasks[i]; r.ending.Load() == 0 && (plan.MayFail || r.plan.OnFailure == workflow.Continue) {
		if !plan.MayFail && r.failure == nil {
			r.failure = t.cause // before the task ends: whoever ends the run reads it
		}
		w.endFailing(r, i)
		return
	}
	if w.end(r, workflow.StatusFailed, t.cause) {
		r.failedTask = true
	}
	w.endWithRun(r, i)
}

// endFailing ends a task that has failed in a run that goes on, once no item of it is out.
func (w *workflowActor) endFailing(r *Run, i int32) {
	t := &r.tasks[i]
	if t.ended() {
		return
	}
	if t.items != nil && t.items.live > 0 {
		t.each(func(a *attempt) {
			w.drop(a)
			w.cancelSub(a, t.cause)
		})
		if t.items.live > 0 {
			return
		}
	}
	w.endTask(r, i, t.failing)
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
	} else {
		a.run.dropped = true
	}
	return true
}

// abandon gives a running body up: the task goes on without it, and a new task
// actor takes its actor's place.
func (w *workflowActor) abandon(a *attempt) {
	if a.phase.Load() != phaseRunning {
		return // also before actor is read, which belongs to whoever begins the attempt until it runs
	}
	if a.actor != nil && a.actor.index == inlineIndex {
		return // it has the goroutine of its caller, who cannot be replaced
	}
	if a.sub != nil {
		return // the run that it consists of gives its own bodies up
	}
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
	if a.run.own.ctx.Err() != nil {
		a.status = workflow.StatusCancelled
		a.err = fmt.Errorf("ignored its cancelled context for %v: %w", w.p.cfg.CancelGrace, Cause(a.run.own.ctx))
	} else {
		a.status = workflow.StatusTimedOut
		a.err = a.timeout(fmt.Errorf("ignored its cancelled context for %v", w.p.cfg.CancelGrace))
	}
	a.release(abandonedOutcome(a.status))
	a.actor.observeEnd(a)
	w.p.notice(a, NoticeLeaked)
	w.p.countLeak(a, 1) // before its place is filled again, with another such body perhaps
	w.p.leaked(a)
	w.attemptEnded(a)
}

// endTask gives a task its final state and, unless the run is ending, starts what waited for it alone.
func (w *workflowActor) endTask(r *Run, i int32, status workflow.Status) {
	t := &r.tasks[i]
	w.giveBack(r, i, status)
	if status == workflow.StatusSucceeded && r.plan.Tasks[i].Compensate != nil && (t.held == nil || !t.held.cached) {
		r.rememberTask(i)
	}
	t.end(status)
	if r.ending.Load() != 0 {
		return
	}
	succs := r.plan.Tasks[i].Succs
	if len(succs) == 0 {
		r.release()
		return
	}
	for _, s := range succs {
		if t := &r.tasks[s]; t.arrive(&r.plan.Tasks[s]) && t.claim() {
			w.claimed.add(&t.first) // not at once: a long row of skipped tasks would be as deep a recursion
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
		r.conclude(workflow.StatusFailed, nil, &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: workflow.StatusFailed, Err: errGoexit})
		return
	}
	w.holding(r, func() {
		if t := &r.tasks[i]; !t.ended() {
			w.failTask(r, i, workflow.StatusFailed, t.attempts, errGoexit)
		}
	})
}
