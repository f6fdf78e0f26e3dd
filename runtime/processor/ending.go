package processor

import (
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// end decides how the run ends and withdraws what has not begun. It answers false
// when that was decided before.
func (w *workflowActor) end(r *Run, status workflow.Status, cause error) bool {
	if !r.ending.CompareAndSwap(0, uint32(status)) {
		return false
	}
	r.cause = cause
	r.cancel(cause)
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
			r.remaining.Add(-1)
			continue
		}
		t.each(func(a *attempt) { w.drop(a) })
		if t.items != nil || t.first.phase.Load() == phaseDropped {
			w.endWithRun(r, int32(i))
		}
	}
	if r.remaining.Load() > 0 {
		r.grace = time.AfterFunc(w.p.cfg.CancelGrace, func() { w.post(control{kind: graceOver, run: r}) })
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

// settle finishes the run when its last task has ended, and forgets it once it
// has finished, here or on a task actor.
func (w *workflowActor) settle(r *Run) {
	if r.remaining.Load() > 0 || !r.began {
		return
	}
	if r.ending.CompareAndSwap(0, uint32(workflow.StatusSucceeded)) {
		r.finish(workflow.StatusSucceeded)
	} else if status := workflow.Status(r.ending.Load()); status != workflow.StatusSucceeded && !r.finished() {
		r.finish(status)
	}
	if r.finished() {
		w.unlink(r)
	}
}

// finish makes the run's outcome and publishes it. It is called once, by whoever
// moved ending to succeeded, or by the workflow actor of a run that ends
// otherwise.
func (r *Run) finish(status workflow.Status) {
	switch {
	case status == workflow.StatusSucceeded:
		out, err := r.makeOutput()
		if err != nil {
			status = workflow.StatusFailed
			err = &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: status, Err: err}
		}
		r.publish(status, out, err)
	case status == workflow.StatusFailed && r.failedTask:
		r.publish(status, nil, r.cause)
	default:
		r.publish(status, nil, &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: status, Err: r.cause})
	}
}

func (r *Run) makeOutput() (out any, err error) {
	if r.plan.Output == nil {
		return nil, nil
	}
	err = r.owner.protect(r, noTask, func() (err error) { out, err = r.plan.Output(r.input, r.results); return err })
	return out, err
}

// publish makes the run's end known.
func (r *Run) publish(status workflow.Status, output any, err error) {
	r.output, r.err = output, err
	for _, timer := range []*time.Timer{r.timer, r.grace} {
		if timer != nil {
			timer.Stop()
		}
	}
	r.cancel(nil)
	if !r.abandoned { // else a body may still read them
		r.input, r.results = nil, nil
	}
	if r.p.timed {
		r.endedAt = r.p.clock.now()
	}
	if obs := r.p.cfg.Observer; obs != nil {
		e := newEvent(r)
		e.Actor, e.At, e.Run = r.owner.index, r.p.clock.time(r.endedAt), r.endedAt.since(r.acceptedAt)
		e.Status, e.Err = status, r.err
		obs.RunEnded(r.ctx, e)
		e.release()
	}
	r.owner.count(status)
	r.status.Store(uint32(status)) // publishes the outcome
	r.p.ended(r)
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
