package processor

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// A task with TaskPlan.Sub has no body: each attempt is a run of another plan, which the same workflow
// actor drives. That run needs no task actor and no place in flight of its own; it holds the attempt that it belongs to as
// its parent, and its end is an order to go on with that attempt.

// runSub begins an attempt that is a run of another plan.
func (w *workflowActor) runSub(a *attempt) {
	r, plan := a.run, a.plan()
	input, err := w.subInput(a) // while the attempt is queued: this is user code, which may end the goroutine
	a.phase.Store(phaseRunning)
	a.actor = nil
	a.startedAt = w.p.clock.now()
	a.queuedAt = a.startedAt
	if a.number == 1 {
		a.firstAt = a.startedAt
	}
	a.state().setStatus(workflow.StatusRunning)
	w.started.Add(1)
	if err == nil && plan.Breaker != nil {
		if err = protect(func() (err error) { a.token, err = plan.Breaker.Allow(); return err }); err == nil {
			a.guarded.Store(true)
		}
	}
	if err != nil {
		w.endSub(a, nil, err)
		return
	}
	task := r.context(a)
	var ctx context.Context = task
	if obs := w.p.cfg.Observer; obs != nil {
		e := a.event()
		e.At = w.p.clock.time(a.startedAt)
		ctx = obs.AttemptStarted(ctx, e)
		e.release()
		a.ctx = ctx
	}
	// The attempt's bound, where it has one, is that run's. Cancelling the attempt cancels that run: see cancelSub.
	opts := Options{Level: workflow.Level(a.level) + workflow.Critical, ID: task.IdempotencyKey()}
	if a.undone > 0 { // what goes by the keys within has been undone, and is to be done once more
		opts.ID += "/" + againWord + strconv.Itoa(int(a.undone))
	}
	if deadline, _, _ := a.deadline(); deadline != 0 {
		opts.Timeout = max(1, deadline.since(a.startedAt))
		if plan.Sub.Timeout > 0 {
			opts.Timeout = min(opts.Timeout, plan.Sub.Timeout)
		}
	}
	child := w.p.newRun(ctx, plan.Sub, input, opts)
	child.parent, child.parentTurn, child.private, child.owner = a, a.turn, true, w
	child.stage.Store(stageBegun) // is not shed by itself
	child.prepare()
	a.sub = child
	w.begin(child)
}

// subInput makes the input of an attempt's run and checks it.
func (w *workflowActor) subInput(a *attempt) (input any, err error) {
	plan := a.plan()
	err = w.protect(a.run, a.task, func() (err error) {
		switch {
		case a.item >= 0:
			input, err = a.state().items.Input(int(a.item))
		case plan.SubInput != nil:
			input, err = plan.SubInput(a.inputs())
		default:
			input = a.run.input
		}
		if err == nil && plan.Sub.CheckInput != nil {
			if err = plan.Sub.CheckInput(input); err != nil {
				err = fmt.Errorf("workflow %s: input: %w", plan.Sub.Name, err)
			}
		}
		return err
	})
	return input, err
}

// cancelSub cancels the run that an attempt consists of, if it has one.
func (w *workflowActor) cancelSub(a *attempt, cause error) {
	if a.sub != nil {
		a.sub.Cancel(cause)
	}
}

// subEnded goes on with an attempt whose run has ended; the attempt's own run is held.
func (w *workflowActor) subEnded(c *control) {
	a := c.attempt
	if a.turn != c.turn || a.sub != c.sub {
		return
	}
	a.sub = nil
	a.run.rememberSub(a, c.sub)
	if c.sub.undoTotal.Load() > 0 {
		a.undone++
	}
	w.endSub(a, c.sub.output, c.sub.err)
}

// endSub ends an attempt that was a run of another plan with the outcome of that.
func (w *workflowActor) endSub(a *attempt, output any, err error) {
	if !a.phase.CompareAndSwap(phaseRunning, phaseFinished) {
		return
	}
	a.endedAt = w.p.clock.now()
	deadline, _, _ := a.deadline()
	switch {
	case err == nil:
		a.status, a.err = workflow.StatusSucceeded, nil
		if a.item >= 0 {
			err := w.protect(a.run, a.task, func() error { a.state().items.Keep(int(a.item), output); return nil })
			if err != nil {
				a.status, a.err = workflow.StatusFailed, err
			}
		} else {
			a.run.state.results[a.task] = output
		}
	case a.run.own.ctx.Err() != nil:
		a.status, a.err = workflow.StatusCancelled, err
	case deadline != 0 && a.endedAt >= deadline:
		a.status, a.err = workflow.StatusTimedOut, a.timeout(err)
	default:
		a.status, a.err = workflow.StatusFailed, err
	}
	outcome := a.err
	if a.status == workflow.StatusCancelled {
		outcome = cmp.Or(outcome, error(context.Canceled))
	}
	a.release(outcome)
	if obs := w.p.cfg.Observer; obs != nil && a.ctx != nil {
		e := a.event()
		e.Status, e.Err = a.status, a.err
		e.At, e.Run = w.p.clock.time(a.endedAt), time.Duration(a.endedAt-a.startedAt)
		obs.AttemptEnded(a.ctx, e)
		e.release()
		a.ctx = nil
	}
	w.attemptEnded(a)
}
