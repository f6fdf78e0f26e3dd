package processor

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A workflowActor drives many runs. It is never entered twice at once, so all
// state but the counters and orders is plain.
//
// Invariants, between two messages:
//
//	I1  credits + attempts handed out and not replied = creditLimit
//	I2  every task of a run is in exactly one of: waiting for dependencies
//	    (pending > 0), live attempts (live > 0), ended
//	I3  a run with remaining == 0 has finished
//	I4  ready is empty or credits == 0: nothing waits while it could be handed out
type workflowActor struct {
	p        *Processor
	index    int
	ref      actor.Ref[message]
	waiting  places // runs in the mailbox; the rest of its room is the credits'
	ready    readyQueue
	credits  int
	sequence uint64
	runs     *Run          // doubly linked
	closing  error         // why no run may begin any more
	draining bool          // Stop waits for the credits that are out
	drained  chan struct{} // closed when they are back

	mu     sync.Mutex
	orders []control
	spare  []control // the slice that orders alternates with

	// Written by the actor only, read by Stats.
	accepted, succeeded, failed, cancelled, started atomic.Uint64
	readyLen, runCount                              atomic.Int64
}

// post gives the actor an order, from anywhere.
func (w *workflowActor) post(c control) {
	w.mu.Lock()
	w.orders = append(w.orders, c)
	w.mu.Unlock()
	w.ref.Signal()
}

// tell sends a message whose place in the mailbox its sender holds: one of the
// waiting runs', or a credit.
func (w *workflowActor) tell(m message) {
	if err := w.ref.Tell(m); err != nil {
		// Stop waits for every run and reply before it closes the mailbox, so
		// this is a defect of the engine: never let it pass in silence.
		panic(fmt.Sprintf("processor: workflow actor %d refused a message that had its place: %v", w.index, err))
	}
}

// receive handles one message of the mailbox.
func (w *workflowActor) receive(_ *actor.Context[message], m message) error {
	switch m := m.(type) {
	case executeWorkflow:
		w.waiting.leave()
		w.p.mailboxLine.call()
		w.begin(m.run)
	case taskDone:
		w.takeBack(m.attempt)
	}
	w.dispatch()
	return nil
}

// obey handles the orders that were posted.
func (w *workflowActor) obey() {
	w.mu.Lock()
	orders := w.orders
	w.orders, w.spare = w.spare[:0], nil
	w.mu.Unlock()
	for i := range orders {
		w.order(&orders[i])
		orders[i] = control{}
	}
	w.spare = orders
	w.dispatch()
}

func (w *workflowActor) order(c *control) {
	switch c.kind {
	case cancelRun:
		w.end(c.run, statusFor(c.cause), c.cause)
		w.settle(c.run)
	case replaceRun:
		w.begin(c.run)
	case retryDue:
		if a := c.attempt; a.phase.Load() == phaseQueued && a.number == c.number {
			w.queue(a)
		}
	case taskDue:
		w.taskTimedOut(c.run, c.task)
		w.settle(c.run)
	case graceOver:
		for i := range c.run.tasks {
			c.run.tasks[i].each(w.abandon)
		}
		w.settle(c.run)
	case attemptStuck:
		if c.attempt.number == c.number {
			w.abandon(c.attempt)
			w.settle(c.run)
		}
	case drain:
		w.draining = true
	case shutdown:
		w.closing = c.cause
		for r := w.runs; r != nil; {
			next := r.next // settle may unlink r
			w.end(r, workflow.StatusCancelled, c.cause)
			w.settle(r)
			r = next
		}
	}
}

// statusFor is how a run ends that is stopped for cause.
func statusFor(cause error) workflow.Status {
	if t, ok := errors.AsType[*timeoutError](cause); ok && t.what == "run" {
		return workflow.StatusFailed
	}
	return workflow.StatusCancelled
}

// begin takes up a run.
func (w *workflowActor) begin(r *Run) {
	r.began = true
	w.accepted.Store(w.accepted.Load() + 1)
	w.link(r)
	if w.p.timed {
		r.startedAt = time.Now()
	}
	r.status.Store(uint32(workflow.StatusRunning))
	if obs := w.p.cfg.Observer; obs != nil {
		e := w.event(r)
		e.At, e.Queue = r.startedAt, r.startedAt.Sub(r.acceptedAt)
		r.ctx = obs.RunStarted(r.ctx, &e)
	}
	if r.timeout != nil {
		r.timer = time.AfterFunc(time.Until(r.deadline), func() { r.Cancel(r.timeout) })
	}
	switch {
	case r.ending != 0: // cancelled while it was in the mailbox
		w.withdraw(r)
	case w.closing != nil:
		w.end(r, workflow.StatusCancelled, w.closing)
	default:
		for _, i := range r.plan.Roots {
			w.taskReady(r, i)
		}
	}
	w.settle(r)
}

// taskReady queues a task whose dependencies have succeeded.
func (w *workflowActor) taskReady(r *Run, i int32) {
	t, plan := &r.tasks[i], &r.plan.Tasks[i]
	if plan.TaskTimeout > 0 {
		t.deadline = time.Now().Add(plan.TaskTimeout)
		t.timer = time.AfterFunc(plan.TaskTimeout, func() {
			w.post(control{kind: taskDue, run: r, task: i})
		})
	}
	t.setStatus(workflow.StatusReady)
	if plan.Expand == nil {
		t.first.run, t.first.task, t.first.item, t.first.number = r, i, -1, 1
		t.live = 1
		w.queue(&t.first)
		return
	}
	var items workflow.Items
	err := protect(func() (err error) {
		items, err = plan.Expand(workflow.Inputs{Input: r.input, Results: r.results})
		return err
	})
	if err != nil {
		w.failTask(r, i, workflow.StatusFailed, 0, err)
		return
	}
	t.items = &itemsState{Items: items, attempts: make([]*attempt, items.Len)}
	w.nextItems(r, i)
}

// nextItems queues as many items of a Map as may be under way at once, and ends
// the Map when all have succeeded. More than there are credits would only wait
// in the ready list.
func (w *workflowActor) nextItems(r *Run, i int32) {
	t, m := &r.tasks[i], r.tasks[i].items
	if m.done == m.Len {
		err := protect(func() error { r.results[i] = m.Result(); return nil })
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
	for ; m.next < m.Len && int(t.live) < window; m.next++ {
		a := &attempt{run: r, task: i, item: int32(m.next), number: 1}
		m.attempts[m.next] = a
		t.live++
		w.queue(a)
	}
}

// queue puts an attempt into the ready list.
func (w *workflowActor) queue(a *attempt) {
	w.sequence++
	a.sequence = w.sequence
	if a.timed() {
		a.queuedAt = time.Now()
	}
	if a.item < 0 {
		a.state().setStatus(workflow.StatusReady)
	}
	w.ready.push(a)
}

// dispatch hands out ready attempts while there are credits.
func (w *workflowActor) dispatch() {
	for w.credits > 0 {
		a := w.ready.pop()
		if a == nil {
			break
		}
		if a.phase.Load() == phaseDropped {
			continue
		}
		w.credits--
		w.started.Store(w.started.Load() + 1)
		w.p.assign(a)
	}
	w.readyLen.Store(int64(w.ready.len()))
	if w.draining && w.credits == w.p.creditLimit {
		w.draining = false
		close(w.drained)
	}
}

// takeBack handles the reply to an executeTask.
func (w *workflowActor) takeBack(a *attempt) {
	w.credits++
	switch a.phase.Load() {
	case phaseQueued: // its run was shed before it could begin
		w.drop(a)
	case phaseFinished:
		w.attemptEnded(a)
	}
	w.settle(a.run)
}

// attemptEnded moves the task on after an attempt that finished or was
// abandoned.
func (w *workflowActor) attemptEnded(a *attempt) {
	r, t := a.run, a.state()
	t.record(a)
	if a.status == workflow.StatusTimedOut {
		w.p.count.timeouts.Add(1)
	}
	if a.status != workflow.StatusSucceeded && w.retry(a) {
		return
	}
	t.live--
	if t.items != nil {
		t.items.attempts[a.item] = nil
	}
	switch {
	case a.status == workflow.StatusCancelled:
		cause := Cause(r.ctx) // the order may be on its way still
		w.end(r, statusFor(cause), cause)
		w.endCancelled(r, a.task)
	case a.status != workflow.StatusSucceeded:
		w.failTask(r, a.task, a.status, a.number, a.itemError())
	case t.items == nil:
		r.results[a.task], a.result = a.result, nil
		w.endTask(r, a.task, workflow.StatusSucceeded)
	default:
		t.items.done++
		if r.ending == 0 || t.items.done == t.items.Len {
			w.nextItems(r, a.task)
		} else {
			w.endCancelled(r, a.task)
		}
	}
}

// record notes the attempt's figures for the report.
func (t *taskState) record(a *attempt) {
	t.attempts = max(t.attempts, a.number)
	t.actor = int32(a.actor.index)
	if t.started.IsZero() {
		t.started = a.startedAt
	}
	t.finished = a.endedAt
	if t.items != nil {
		t.run = t.finished.Sub(t.started)
		if a.item == 0 {
			t.queue += a.startedAt.Sub(a.queuedAt)
		}
		return
	}
	t.queue += a.startedAt.Sub(a.queuedAt)
	t.run += a.endedAt.Sub(a.startedAt)
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
	var wait time.Duration
	var again bool
	err := protect(func() error {
		wait, again = plan.Retry.Next(int(a.number), a.endedAt.Sub(t.started), a.err)
		return nil
	})
	if err != nil {
		a.err = errors.Join(a.err, fmt.Errorf("retry policy: %w", err))
		return false
	}
	if !again {
		return false
	}
	if r.ending != 0 {
		a.status = workflow.StatusCancelled
		return false
	}
	if !t.deadline.IsZero() && !a.endedAt.Add(wait).Before(t.deadline) {
		a.status = workflow.StatusTimedOut
		a.err = &timeoutError{what: "task", limit: plan.TaskTimeout, err: a.err}
		return false
	}
	w.p.count.retries.Add(1)
	if obs := w.p.cfg.Observer; obs != nil {
		e := a.event()
		e.Queue = wait
		obs.Noticed(&e, NoticeRetry)
	}
	t.last = a.err
	a.number++
	a.result, a.err, a.status = nil, nil, 0
	a.phase.Store(phaseQueued)
	if wait <= 0 {
		w.queue(a)
		return true
	}
	if a.item < 0 {
		t.setStatus(workflow.StatusRetrying)
	}
	number := a.number
	time.AfterFunc(wait, func() {
		w.post(control{kind: retryDue, run: r, attempt: a, number: number})
	})
	return true
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
	w.end(r, workflow.StatusFailed, t.cause)
	w.endCancelled(r, i)
}

// taskTimedOut ends a task whose TaskTimeout is over while no attempt of it
// runs; a running one has the same deadline in its context.
func (w *workflowActor) taskTimedOut(r *Run, i int32) {
	t := &r.tasks[i]
	if t.ended() || t.failing != 0 {
		return
	}
	live := t.live
	number := t.attempts
	t.each(w.drop)
	if t.live == live {
		return
	}
	w.p.count.timeouts.Add(1)
	w.failTask(r, i, workflow.StatusTimedOut, number, &timeoutError{what: "task", limit: r.plan.Tasks[i].TaskTimeout, err: t.last})
}

// end decides how the run ends, once, and withdraws what has not begun.
func (w *workflowActor) end(r *Run, status workflow.Status, cause error) {
	if r.ending != 0 || r.finished() {
		return
	}
	r.ending, r.cause = status, cause
	r.cancel(cause)
	if r.began {
		w.withdraw(r)
	}
}

// withdraw ends every task of an ending run that has no body running. The
// bodies that run have CancelGrace to return.
func (w *workflowActor) withdraw(r *Run) {
	live := int32(0)
	for i := range r.tasks {
		t := &r.tasks[i]
		if t.ended() {
			continue
		}
		t.each(w.drop)
		w.endCancelled(r, int32(i))
		live += t.live
	}
	if live > 0 {
		time.AfterFunc(w.p.cfg.CancelGrace, func() { w.post(control{kind: graceOver, run: r}) })
	}
}

// drop takes an attempt that has not begun out of the task. If it had been
// handed out, a task actor will meet it and return the credit.
func (w *workflowActor) drop(a *attempt) {
	if !a.phase.CompareAndSwap(phaseQueued, phaseDropped) {
		return
	}
	t := a.state()
	t.live--
	if t.items != nil {
		t.items.attempts[a.item] = nil
	}
}

// endCancelled ends a task of an ending run once none of its attempts is live:
// as what it failed with, else as cancelled.
func (w *workflowActor) endCancelled(r *Run, i int32) {
	t := &r.tasks[i]
	switch {
	case t.live > 0 || t.ended():
	case t.failing != 0:
		w.endTask(r, i, t.failing)
	default:
		w.endTask(r, i, workflow.StatusCancelled)
	}
}

// endTask gives the task its final state and, unless the run is ending, starts
// its successors.
func (w *workflowActor) endTask(r *Run, i int32, status workflow.Status) {
	t := &r.tasks[i]
	if t.timer != nil {
		t.timer.Stop()
	}
	t.setStatus(status)
	r.remaining--
	if status != workflow.StatusSucceeded || r.ending != 0 {
		return
	}
	for _, s := range r.plan.Tasks[i].Succs {
		if r.ending != 0 { // a successor failed before it began
			return
		}
		next := &r.tasks[s]
		if next.pending--; next.pending == 0 {
			w.taskReady(r, s)
		}
	}
}

// abandon gives a running body up: the task goes on without it, and a new task
// actor takes its actor's place.
func (w *workflowActor) abandon(a *attempt) {
	if !a.phase.CompareAndSwap(phaseRunning, phaseAbandoned) {
		return
	}
	w.credits++
	a.run.abandoned = true
	a.endedAt = time.Now()
	if a.run.ctx.Err() != nil {
		a.status = workflow.StatusCancelled
		a.err = fmt.Errorf("ignored its cancelled context for %v: %w", w.p.cfg.CancelGrace, Cause(a.run.ctx))
	} else {
		_, timeout := a.deadline()
		timeout.err = fmt.Errorf("ignored its cancelled context for %v", w.p.cfg.CancelGrace)
		a.status, a.err = workflow.StatusTimedOut, timeout
	}
	a.actor.observeEnd(a)
	w.p.notice(a, NoticeLeaked)
	w.p.leak(a)
	w.attemptEnded(a)
}

// settle finishes the run when its last task has ended.
func (w *workflowActor) settle(r *Run) {
	if r.remaining > 0 || !r.began || r.finished() {
		return
	}
	status := r.ending
	switch {
	case status == 0:
		r.output, r.err = w.makeOutput(r)
		status = workflow.StatusSucceeded
		if r.err != nil {
			status = workflow.StatusFailed
			r.err = &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: status, Err: r.err}
		}
	case status == workflow.StatusFailed && isTaskError(r.cause):
		r.err = r.cause
	default:
		r.err = &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: status, Err: r.cause}
	}
	w.finish(r, status)
}

func (w *workflowActor) makeOutput(r *Run) (out any, err error) {
	if r.plan.Output == nil {
		return nil, nil
	}
	err = protect(func() (err error) { out, err = r.plan.Output(r.input, r.results); return err })
	return out, err
}

// finish publishes how the run ended.
func (w *workflowActor) finish(r *Run, status workflow.Status) {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.cancel(nil)
	if !r.abandoned { // else a body may still read them
		r.input, r.results = nil, nil
	}
	if w.p.timed {
		r.endedAt = time.Now()
	}
	if obs := w.p.cfg.Observer; obs != nil {
		e := w.event(r)
		e.At, e.Run, e.Status, e.Err = r.endedAt, r.endedAt.Sub(r.acceptedAt), status, r.err
		obs.RunEnded(r.ctx, &e)
	}
	count := &w.cancelled
	switch status {
	case workflow.StatusSucceeded:
		count = &w.succeeded
	case workflow.StatusFailed:
		count = &w.failed
	}
	count.Store(count.Load() + 1)
	w.unlink(r)
	r.status.Store(uint32(status))
	w.p.ended(r)
}

// finished reports whether the run has its final state.
func (r *Run) finished() bool { return r.Status().Ended() }

func (w *workflowActor) event(r *Run) Event {
	return Event{Workflow: r.plan.Name, RunID: r.ID(), Item: -1, Actor: w.index}
}

func (w *workflowActor) link(r *Run) {
	r.next = w.runs
	if w.runs != nil {
		w.runs.previous = r
	}
	w.runs = r
	w.runCount.Add(1)
}

func (w *workflowActor) unlink(r *Run) {
	if r.previous != nil {
		r.previous.next = r.next
	} else {
		w.runs = r.next
	}
	if r.next != nil {
		r.next.previous = r.previous
	}
	r.previous, r.next = nil, nil
	w.runCount.Add(-1)
}

// protect calls f, which is a user's code, and turns a panic into an error.
func protect(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &workflow.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

func isTaskError(err error) bool {
	_, ok := errors.AsType[*workflow.TaskError](err)
	return ok
}
