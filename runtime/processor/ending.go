package processor

import (
	"github.com/ringmill/ringmill/runtime/workflow"
)

// end decides that the run ends otherwise than well and withdraws what has not begun. It answers false
// when its end was decided before.
func (w *workflowActor) end(r *Run, status workflow.Status, cause error) bool {
	if !r.hold() {
		return false
	}
	if !r.ending.CompareAndSwap(0, uint32(status)) {
		r.open.Add(-1) // not the last one: it was this actor that decided, and its hold stays
		return false
	}
	r.cause = cause
	r.own.cancel(cause)
	if r.began {
		w.withdraw(r)
	}
	return true
}

// withdraw ends every task of an ending run of which nothing is with a task
// actor. The bodies that run have CancelGrace to return.
func (w *workflowActor) withdraw(r *Run) {
	for i := range r.tasks {
		t := &r.tasks[i]
		if t.move(workflow.StatusWaiting, workflow.StatusCancelled) {
			continue
		}
		t.each(func(a *attempt) {
			w.drop(a)
			w.cancelSub(a, r.cause)
		})
		if t.items != nil || t.first.phase.Load() == phaseDropped {
			w.endWithRun(r, int32(i))
		}
	}
	if !r.allEnded() {
		t := r.ownTimers()
		t.grace.Init(func() { w.post(control{kind: graceOver, run: r}) })
		w.p.wheel.Start(&t.grace, w.p.cfg.CancelGrace)
	}
}

// endWithRun ends a task of an ending run, as what it failed with or else as
// cancelled, unless items of it are still out.
func (w *workflowActor) endWithRun(r *Run, i int32) {
	t := &r.tasks[i]
	if t.ended() || t.items != nil && t.items.live > 0 {
		return
	}
	status := workflow.StatusCancelled
	if t.failing != 0 {
		status = t.failing
	}
	w.endTask(r, i, status)
}

// allEnded reports whether every task of an ending run has ended. It looks at each task
// that has once in all.
func (r *Run) allEnded() bool {
	for r.ended < len(r.tasks) && r.tasks[r.ended].ended() {
		r.ended++
	}
	return r.ended == len(r.tasks)
}

// settle finishes a run that ends otherwise than well when its last task has ended.
func (w *workflowActor) settle(r *Run) {
	status := workflow.Status(r.ending.Load())
	if status == 0 || status == workflow.StatusSucceeded || !r.began || r.finished() || r.compensating() {
		return
	}
	if r.allEnded() {
		r.finish(status)
	}
}

// finish makes the run's outcome and publishes it. It is called once, by whoever
// moved ending to succeeded, or by the workflow actor of a run that ends
// otherwise.
func (r *Run) finish(status workflow.Status) {
	switch {
	case status == workflow.StatusSucceeded:
		if r.failure != nil { // of a task, and the rest has run
			r.conclude(workflow.StatusFailed, nil, r.failure)
			return
		}
		out, err := r.makeOutput()
		if err != nil {
			status = workflow.StatusFailed
			err = &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: status, Err: err}
		}
		r.conclude(status, out, err)
	case status == workflow.StatusFailed && r.failedTask:
		r.conclude(status, nil, r.cause)
	default:
		r.conclude(status, nil, &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: status, Err: r.cause})
	}
}

func (r *Run) makeOutput() (out any, err error) {
	if r.plan.Output == nil {
		return nil, nil
	}
	err = r.owner.protect(r, noTask, func() (err error) { out, err = r.plan.Output(r.input, r.state.results); return err })
	return out, err
}

// publish makes the run's end known.
func (r *Run) publish(status workflow.Status, output any, err error) {
	r.output, r.err = output, err
	if t := r.timers; t != nil {
		t.deadline.Stop()
		t.grace.Stop()
	}
	r.own.cancel(nil)
	if r.p.timed {
		r.endedAt = r.p.clock.now()
	}
	if obs := r.p.cfg.Observer; obs != nil {
		e := newEvent(r)
		e.Actor, e.At, e.Run = r.owner.index, r.p.clock.time(r.endedAt), r.endedAt.since(r.acceptedAt)
		e.Status, e.Err = status, r.err
		obs.RunEnded(r.own.ctx, e)
		e.release()
	}
	if status == workflow.StatusSucceeded && r.p.cfg.Schedule == ScheduleMeasuredPath {
		r.measure()
	}
	r.forgetValues(status)
	r.owner.count(status)
	r.owner.unlink(r)
	r.status.Store(uint32(status))
	r.p.ended(r)
}

// observeStart tells the observer that the run has begun.
func (r *Run) observeStart() {
	if obs := r.p.cfg.Observer; obs != nil {
		e := newEvent(r)
		e.Actor, e.At, e.Queue = r.owner.index, r.p.clock.time(r.startedAt), r.startedAt.since(r.acceptedAt)
		r.own.ctx = obs.RunStarted(r.own.ctx, e)
		e.release()
	}
}

// forgetValues lets go of what the run's bodies have worked with.
func (r *Run) forgetValues(status workflow.Status) {
	if status == workflow.StatusSucceeded && r.canBeUndone() {
		if r.parent != nil { // that run may still fail
			return
		}
		r.saga = nil
	}
	if r.abandoned { // a body may still read it
		return
	}
	r.input = nil
	if r.private && status == workflow.StatusSucceeded && !r.dropped {
		r.recycle()
		return
	}
	clear(r.state.results)
}

func (w *workflowActor) count(status workflow.Status) {
	switch status {
	case workflow.StatusSucceeded:
		w.succeeded.Add(1)
	case workflow.StatusFailed:
		w.failed.Add(1)
	default:
		w.cancelled.Add(1)
	}
}

// finished reports whether the run has its final state.
func (r *Run) finished() bool { return r.Status().Ended() }

// ownTimers returns timers, made when first needed.
func (r *Run) ownTimers() *runTimers {
	if r.timers == nil {
		r.timers = new(runTimers)
	}
	return r.timers
}
