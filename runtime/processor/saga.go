package processor

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// A run that ends otherwise than well has its tasks undone before it ends: compensations are called one at a time, in
// the reverse order of the tasks' ends. Each is a run of a plan of one task, which its workflow actor drives like
// the run of a sub-workflow: so a compensation has retries, a timeout and a panic barrier, waits for a task actor like
// any other body, and is given up when it ignores its context. It is not counted as a run.
//
// The order of ends is the order in which the workflow actor sees them; a task that can be undone is never Plain, so it
// sees every one of those, and a task that depends on another one starts only after that.

// A saga is what a run keeps of its tasks that can be undone, and how that goes. It belongs to
// the workflow actor, but for status and err, which belong to whoever concludes the run.
type saga struct {
	undos []undo // in the order of ends; taken from the end when the run is compensated

	status  workflow.Status // how the run ends; 0 until it is being compensated
	err     error           // with what, without the compensations' errors
	current *Run            // undoes one of them
	errs    []error
	reports []CompensationReport
}

// An undo is a task, an item of a Map, or a run of a sub-workflow, that succeeded and can be undone.
type undo struct {
	run  *Run // whose task it is
	task int32
	item int32 // of a Map, else -1
	sub  *Run  // instead of these: a run that has a saga of its own
	of   *Run  // the run that is compensated
}

// A CompensationReport tells how a compensation went. Queue is the time that its attempts waited for a
// task actor; Run the time that they took. Without timings of tasks both are zero.
type CompensationReport struct {
	Task     string          // of a workflow that is a task: after that task's name and a slash
	Item     int             // of a Map; -1 for a task
	Status   workflow.Status // succeeded, failed, timed out, or cancelled: the runtime was stopped
	Attempts int
	Queue    time.Duration
	Run      time.Duration
	Started  time.Time
	Finished time.Time
	Actor    int // index of the task actor of the last attempt; -1 if it ran on none
	Err      error
}

// remember notes something that can be undone.
func (r *Run) remember(u undo) {
	if r.saga == nil {
		r.saga = new(saga)
	}
	r.saga.undos = append(r.saga.undos, u)
}

// rememberTask notes a task that ends well. What stands for the compensations of a workflow's own tasks replaces them.
func (r *Run) rememberTask(i int32) {
	if r.plan.Tasks[i].Sub != nil && r.saga != nil {
		kept := r.saga.undos[:0]
		for _, u := range r.saga.undos {
			if u.sub == nil || u.task != i {
				kept = append(kept, u)
			}
		}
		clear(r.saga.undos[len(kept):])
		r.saga.undos = kept
	}
	r.remember(undo{run: r, task: i, item: -1})
}

// rememberSub notes a run of a sub-workflow that succeeded.
func (r *Run) rememberSub(a *attempt, sub *Run) {
	plan := a.plan()
	replaced := plan.CompensateItem != nil || plan.Expand == nil && plan.Compensate != nil
	if sub.err == nil && sub.canBeUndone() && !replaced {
		r.remember(undo{run: r, task: a.task, item: a.item, sub: sub})
	}
}

// canBeUndone reports whether something of the run can be.
func (r *Run) canBeUndone() bool { return r.saga != nil && len(r.saga.undos) > 0 }

// compensating reports whether the run has ended but for its compensations.
func (r *Run) compensating() bool { return r.saga != nil && r.saga.status != 0 }

// conclude publishes the run's outcome, once what is to be undone is. It is called by whoever makes the outcome.
func (r *Run) conclude(status workflow.Status, output any, err error) {
	switch {
	case r.own.undoes != nil:
		r.concludeUndo(status, err)
	case status != workflow.StatusSucceeded && r.canBeUndone():
		r.p.compensating.Add(1)
		r.saga.status, r.saga.err = status, err
		r.owner.post(control{kind: compensate, run: r})
	default:
		r.publish(status, output, err)
	}
}

// compensate begins to undo the tasks of a run.
func (w *workflowActor) compensate(r *Run) {
	r.own.cancel(cmp.Or(r.saga.err, error(context.Canceled))) // its tasks have ended, but not what they left behind
	all := flatten(nil, r, r)
	r.saga.undos = all
	r.undoTotal.Store(int32(len(all)))
	w.undoNext(r)
}

// flatten lists what of a run can be undone, the runs of sub-workflows in their places. Before any of it is, it is
// taken out of the cache.
func flatten(list []undo, r, of *Run) []undo {
	for _, u := range r.saga.undos {
		u.uncache()
		if u.sub != nil {
			list = flatten(list, u.sub, of)
			continue
		}
		u.of = of
		list = append(list, u)
	}
	return list
}

// uncache keeps other runs from being given a result that is undone.
func (u *undo) uncache() {
	if h := u.run.tasks[u.task].held; h != nil && h.cacheKey != "" && !h.cached {
		u.run.p.results().Delete(h.cacheKey)
	}
}

// undoNext begins the next compensation of a run, or ends the run.
func (w *workflowActor) undoNext(r *Run) {
	s := r.saga
	s.current = nil
	for len(s.undos) > 0 {
		u := &s.undos[len(s.undos)-1]
		s.undos = s.undos[:len(s.undos)-1]
		if !w.p.undoHalted.Load() {
			w.undo(u)
			return
		}
		r.noteUndo(u, CompensationReport{Status: workflow.StatusCancelled, Actor: noActor}, fmt.Errorf("not called: %w", ErrStopped))
	}
	s.undos = nil
	err := s.err
	if s.errs != nil {
		err = &sagaError{cause: err, errs: s.errs}
	}
	w.p.compensating.Add(-1)
	r.publish(s.status, nil, err)
}

// undo begins a compensation.
func (w *workflowActor) undo(u *undo) {
	plan := u.run.plan.Compensation(int(u.task), u.name(), u.body())
	plan.Name = u.of.plan.Name // to observers it is part of that run
	r := w.p.newRun(context.WithoutCancel(u.of.own.ctx), plan, nil, Options{
		ID: u.of.ID(), Level: workflow.Level(u.run.levelOf(int(u.task))) + workflow.Critical,
	})
	r.own.undoes, r.owner = u, w
	r.stage.Store(stageBegun)
	r.prepare()
	u.of.saga.current = r
	r.began = true
	r.status.Store(uint32(workflow.StatusRunning))
	first := &r.tasks[0]
	first.claim()
	w.claimed.add(&first.first)
	r.release() // the hold that a new run has for its begin
}

// body returns the function that undoes the task.
func (u *undo) body() func(context.Context) error {
	r := u.run
	plan, in := &r.plan.Tasks[u.task], r.inputs()
	if u.item >= 0 {
		items, item := r.tasks[u.task].items, int(u.item)
		return func(ctx context.Context) error { return plan.CompensateItem(ctx, in, items.Value(item)) }
	}
	result := in.Results[u.task]
	return func(ctx context.Context) error { return plan.Compensate(ctx, in, result) }
}

// name is the task's, with those of the tasks that its workflow stands for within the compensated run before it.
func (u *undo) name() string {
	name := u.run.plan.Tasks[u.task].Name
	if u.run == u.of {
		return name
	}
	path := strings.TrimPrefix(u.run.ID(), u.of.ID()+"/")
	if plain, err := url.PathUnescape(path); err == nil { // names as they were given, not as keys have them
		path = plain
	}
	return path + "/" + name
}

// keySuffix is what the key of a compensation has beyond that of its task.
func (u *undo) keySuffix() string {
	if u.item >= 0 {
		return "/" + strconv.Itoa(int(u.item)) + "/" + undoWord
	}
	return "/" + undoWord
}

// concludeUndo ends a run that undoes a task.
func (r *Run) concludeUndo(status workflow.Status, err error) {
	r.err = err
	if t := r.timers; t != nil {
		t.grace.Stop()
	}
	r.own.cancel(nil)
	r.status.Store(uint32(status)) // publishes err
	r.owner.post(control{kind: undone, run: r.own.undoes.of, sub: r})
}

// undone goes on when a compensation has ended.
func (w *workflowActor) undone(r, undo *Run) {
	u := undo.own.undoes
	if undo.abandoned { // its body may still read what the run has
		r.abandoned, u.run.abandoned = true, true
	}
	rep := undo.tasks[0].report("", &w.p.clock)
	err := undo.err
	switch e := err.(type) { // what the error names is named once more below
	case *workflow.TaskError:
		err = e.Err
	case *RunError:
		err = e.Err
	}
	r.noteUndo(u, CompensationReport{
		Status: rep.Status, Attempts: rep.Attempts, Queue: rep.Queue, Run: rep.Run,
		Started: rep.Started, Finished: rep.Finished, Actor: rep.Actor,
	}, err)
	w.undoNext(r)
}

// noteUndo notes how a compensation ended.
func (r *Run) noteUndo(u *undo, rep CompensationReport, err error) {
	rep.Task, rep.Item = u.name(), int(u.item)
	r.p.count.undone.Add(1)
	if err != nil {
		r.p.count.notUndone.Add(1)
		rep.Err = &workflow.CompensationError{
			Workflow: r.plan.Name, RunID: r.ID(), Task: rep.Task, Item: rep.Item, Attempt: rep.Attempts, Err: err,
		}
		r.saga.errs = append(r.saga.errs, rep.Err)
	}
	r.saga.reports = append(r.saga.reports, rep)
	r.undone.Add(1)
}

// haltUndo cancels the compensations that are under way; those that have not begun are not called.
func (w *workflowActor) haltUndo() {
	for _, r := range w.runs() {
		if r.undoTotal.Load() == 0 || r.saga.current == nil { // it is not being compensated
			continue
		}
		undo := r.saga.current
		w.end(undo, workflow.StatusCancelled, fmt.Errorf("%w: %w", ErrStopped, context.Canceled))
		w.settle(undo)
	}
}

// A sagaError is the error of a run with those of its compensations.
type sagaError struct {
	cause error
	errs  []error
}

// shownErrors is how many compensations a run's error prints.
const shownErrors = 3

func (e *sagaError) Error() string {
	var b strings.Builder
	b.WriteString(e.cause.Error())
	for i, err := range e.errs {
		if i == shownErrors {
			fmt.Fprintf(&b, "; and %d more compensations failed", len(e.errs)-i)
			break
		}
		fmt.Fprintf(&b, "; %v", err)
	}
	return b.String()
}

func (e *sagaError) Unwrap() []error { return append([]error{e.cause}, e.errs...) }
