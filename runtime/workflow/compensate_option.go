package workflow

import (
	"context"
	"reflect"
	"time"

	"github.com/ringmill/ringmill/runtime/retry"
)

// Compensate undoes the task when its run fails or is cancelled after the task
// succeeded: f is given the task's result. Such calls happen in the reverse order of
// the tasks' ends, one at a time, when all other bodies of the run have returned. The
// context of f is not cancelled with the run; each call has [CompensateWithin], or else the
// workflow's [CompensateTimeout]. An error or a
// panic of f is joined to the run's error and does not keep the others from being
// called; see [CompensateRetry].
//
// Build checks that f takes what the task returns. A [Map] is undone as a whole, if all
// of it succeeded; [CompensateItem] undoes items. A [Repeat] is undone once, with its last
// result. On a [Sub], f stands for the compensations of that workflow's own tasks. A
// result that came from the cache is not compensated, and one that is compensated leaves the cache. Nor
// is an attempt compensated that failed or was given up: f undoes what has succeeded only.
func Compensate[B any](f func(context.Context, B) error) Option {
	return func(_ *declarations, d *declaration) {
		if f == nil {
			d.report(ErrNilFunc, "pass a func(context.Context, B) error, or leave the option out", "the function of Compensate is nil")
			return
		}
		d.takes("Compensate", reflect.TypeFor[B](), d.result, "the task returns")
		d.Compensate = func(ctx context.Context, _ Inputs, result any) error {
			v, _ := result.(B)
			return f(ctx, v)
		}
		d.onlyOneCompensates()
	}
}

// CompensateItem undoes the items of a [Map], [MapResults] or [MapSub] as [Compensate]
// undoes tasks: f is given the result of each item that succeeded, whether the task as a whole
// did or not.
func CompensateItem[B any](f func(context.Context, B) error) Option {
	return func(_ *declarations, d *declaration) {
		switch {
		case f == nil:
			d.report(ErrNilFunc, "pass a func(context.Context, B) error, or leave the option out", "the function of CompensateItem is nil")
			return
		case d.item == nil:
			d.report(ErrBadOption, "use Compensate, or declare the task with workflow.Map", "CompensateItem is set on a task that is not a Map")
			return
		}
		d.takes("CompensateItem", reflect.TypeFor[B](), d.item, "an item's result is")
		d.CompensateItem = func(ctx context.Context, _ Inputs, value any) error {
			v, _ := value.(B)
			return f(ctx, v)
		}
		d.onlyOneCompensates()
	}
}

func (d *declaration) onlyOneCompensates() {
	if d.Compensate != nil && d.CompensateItem != nil {
		d.report(ErrBadOption, "leave one out", "Compensate and CompensateItem are both given, and would undo the items twice")
	}
}

// CompensateRetry lets the policy decide whether a compensation of the task that failed
// is tried again. Without it there is one attempt. A policy with a method Validate()
// error is asked by [Build].
func CompensateRetry(policy retry.Policy) Option {
	return func(_ *declarations, d *declaration) {
		if d.validPolicy("CompensateRetry", policy) {
			d.CompensateRetry = policy
		}
	}
}

// CompensateWithin bounds each call of the task's compensation. Defaults to the workflow's [CompensateTimeout].
func CompensateWithin(limit time.Duration) Option {
	return func(_ *declarations, d *declaration) { d.CompensateTimeout = d.positive("CompensateWithin", limit) }
}
