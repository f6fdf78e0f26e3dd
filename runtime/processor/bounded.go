package processor

import (
	"context"
	"runtime/debug"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// executeBounded is execute for a task of which an attempt has no more than a Timeout, a breaker and a retry policy, while
// nobody watches. An attempt that goes well then touches no timer and takes no lock, and reads the clock once if its
// actor comes straight from another one: that one's end is when this one began.
func (t *taskActor) executeBounded(a *attempt, now instant) (next *attempt, replaced bool) {
	r, plan := a.run, a.plan()
	if !r.begin() {
		r.owner.tell(taskDone{a})
		return nil, false
	}
	timed := plan.Timeout > 0 || plan.Retry != nil
	switch {
	case !timed:
		now = 0
	case now == 0:
		now = t.p.clock.now()
	}
	if a.actor != t { // spare the write barrier
		a.actor = t
	}
	if a.arms != nil { // of another runtime's run of the same plan
		a.arms = nil
	}
	a.startedAt, a.firstAt = now, now
	var ctx context.Context
	bound := (*boundContext)(nil)
	if plan.Timeout > 0 {
		bound = r.boundContext(a.task, now.after(plan.Timeout))
		ctx = bound
	} else {
		ctx = r.firstContext(a.task)
	}
	if !a.phase.CompareAndSwap(phaseQueued, phaseRunning) {
		r.owner.tell(taskDone{a})
		return nil, false
	}
	if bound != nil && t.index != inlineIndex { // which cannot be given up
		t.watch.begin(bound)
	}
	if !r.private { // else nobody can ask
		a.state().move(workflow.StatusReady, workflow.StatusRunning)
	}
	var result any
	err := r.own.ctx.Err()
	if err == nil && t.p.leaks.spent.Load() {
		err = t.p.leaks.refuse(kindOf(a), t.p.taskActors())
	}
	if err == nil {
		t.inBody = true
		result, err = callGuarded(ctx, a, plan)
		t.inBody = false
	}
	late, ended := false, instant(0)
	if bound != nil || timed && !r.private { // else nobody reads it if the attempt goes well
		ended = t.p.clock.now()
		late = bound != nil && ended >= bound.deadline
	}
	if err == nil && !late && r.ending.Load() == 0 && a.phase.CompareAndSwap(phaseRunning, phaseAdvanced) {
		a.release(nil)
		a.endedAt, t.now = ended, ended
		if bound != nil {
			bound.end()
		}
		r.state.results[a.task] = result // before the successors' pending: they read it
		a.status = workflow.StatusSucceeded
		return t.moveOn(a, ended), false
	}
	if !t.finish(a, result, err, ctx, nil) {
		return nil, !t.comeBack(a)
	}
	return t.advance(a), false
}

// callGuarded is callLean for a task that may have a breaker, which is asked first.
func callGuarded(ctx context.Context, a *attempt, plan *workflow.TaskPlan) (result any, err error) {
	inBody := false
	defer func() {
		if v := recover(); v != nil {
			if inBody {
				a.run.p.count.panics.Add(1)
			}
			result, err = nil, &workflow.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if plan.Breaker != nil {
		if a.token, err = plan.Breaker.Allow(); err != nil {
			return nil, err
		}
		a.guarded.Store(true) // until the body has returned or is given up
	}
	inBody = true
	return plan.Run(ctx, a.run.inputs())
}

// canBound reports whether an attempt may go the way of executeBounded.
func (t *taskActor) canBound(a *attempt) bool {
	return t.p.bounded && a.number == 1 && a.plan().Bounded
}

// boundContext returns the context of a first attempt that has a deadline. These have places of their own, made all at once.
func (r *Run) boundContext(task int32, deadline instant) *boundContext {
	c := &r.bounds[r.plan.Tasks[task].Bound]
	c.run, c.task, c.deadline, c.of = r.own, task, deadline, r
	return c
}

// leanContext returns the context of an attempt that executeLean or executeBounded has begun.
func (a *attempt) leanContext() context.Context {
	if plan := a.plan(); plan.Bounded && plan.Timeout > 0 {
		return &a.run.bounds[plan.Bound]
	}
	return a.run.own.ctx
}
