package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// A reference executes a plan one task after the other, as plainly as its
// documentation reads: no timeouts, retries, policies or cache.
type reference struct {
	plan   *workflow.Plan
	in     workflow.Inputs
	status []workflow.Status
	errs   []error
	order  []int // of tasks that succeeded
	undone []string
}

func (r *reference) RunID() string                            { return "r-1" }
func (r *reference) Outcome(i int) (workflow.Status, error)   { return r.status[i], r.errs[i] }
func (r *reference) statusOf(name string) (s workflow.Status) { return r.status[r.find(name)] }
func (r *reference) find(name string) int {
	return slices.IndexFunc(r.plan.Tasks, func(t workflow.TaskPlan) bool { return t.Name == name })
}

func execute(ctx context.Context, p *workflow.Plan, input any) (any, *reference, error) {
	r := &reference{plan: p, status: make([]workflow.Status, len(p.Tasks)), errs: make([]error, len(p.Tasks))}
	r.in = workflow.Inputs{Input: input, Results: make([]any, len(p.Tasks)), Run: r}
	if p.CheckInput != nil {
		if err := p.CheckInput(input); err != nil {
			return nil, r, err
		}
	}
	var failure error
	for _, i := range inOrder(p) {
		if failure != nil && p.OnFailure == workflow.FailFast {
			r.status[i] = workflow.StatusCancelled
			continue
		}
		result, status, err := r.task(ctx, i)
		r.status[i], r.errs[i] = status, err
		switch {
		case status == workflow.StatusSucceeded:
			r.in.Results[i] = result
			r.order = append(r.order, i)
		case status == workflow.StatusFailed && !p.Tasks[i].MayFail && failure == nil:
			failure = fmt.Errorf("task %s: %w", p.Tasks[i].Name, err)
		}
	}
	if failure != nil {
		for _, i := range slices.Backward(r.order) {
			if undo := p.Tasks[i].Compensate; undo != nil {
				if err := undo(ctx, r.in, r.in.Results[i]); err != nil {
					failure = errors.Join(failure, err)
				}
				r.undone = append(r.undone, p.Tasks[i].Name)
			}
		}
		return nil, r, failure
	}
	out, err := p.Output(input, r.in.Results)
	return out, r, err
}

func (r *reference) task(ctx context.Context, i int) (any, workflow.Status, error) {
	t := &r.plan.Tasks[i]
	succeeded := 0
	for _, d := range t.Deps {
		if r.status[d] == workflow.StatusSucceeded {
			succeeded++
		}
	}
	if t.Trigger == workflow.AllSucceeded && succeeded < len(t.Deps) || t.Trigger == workflow.AnySucceeded && succeeded == 0 && len(t.Deps) > 0 {
		return nil, workflow.StatusSkipped, nil
	}
	if t.When != nil {
		if ok, err := t.When(r.in); err != nil {
			return nil, workflow.StatusFailed, err
		} else if !ok {
			return nil, workflow.StatusSkipped, nil
		}
	}
	if t.Ask != nil {
		if ok, err := t.Ask(ctx, r.in); err != nil {
			return nil, workflow.StatusFailed, err
		} else if !ok {
			return nil, workflow.StatusSkipped, nil
		}
	}
	result, err := r.body(ctx, t)
	if err != nil {
		return nil, workflow.StatusFailed, err
	}
	return result, workflow.StatusSucceeded, nil
}

func (r *reference) body(ctx context.Context, t *workflow.TaskPlan) (any, error) {
	if t.Expand != nil {
		return r.items(ctx, t)
	}
	in := r.in
	for {
		result, err := r.attempt(ctx, t, in)
		if err != nil || t.Repeat == nil {
			return result, err
		}
		in.Previous = result
		if done, err := t.Repeat.Until(in); done || err != nil {
			return result, err
		}
		if in.Iteration++; in.Iteration == t.Repeat.Max {
			return nil, workflow.ErrRepeatLimit
		}
	}
}

func (r *reference) attempt(ctx context.Context, t *workflow.TaskPlan, in workflow.Inputs) (any, error) {
	if t.Sub == nil {
		return t.Run(ctx, in)
	}
	input := in.Input
	if t.SubInput != nil {
		var err error
		if input, err = t.SubInput(in); err != nil {
			return nil, err
		}
	}
	out, _, err := execute(ctx, t.Sub, input)
	return out, err
}

func (r *reference) items(ctx context.Context, t *workflow.TaskPlan) (any, error) {
	items, err := t.Expand(r.in)
	if err != nil {
		return nil, err
	}
	for i := range items.Len {
		if err := r.item(ctx, t, items, i); err != nil && t.KeepErrors {
			items.Fail(i, err)
		} else if err != nil {
			return nil, err
		}
	}
	return items.Result(), nil
}

func (r *reference) item(ctx context.Context, t *workflow.TaskPlan, items workflow.Items, i int) error {
	if t.Sub == nil {
		return items.Run(ctx, i)
	}
	input, err := items.Input(i)
	if err != nil {
		return err
	}
	out, _, err := execute(ctx, t.Sub, input)
	if err == nil {
		items.Keep(i, out)
	}
	return err
}
