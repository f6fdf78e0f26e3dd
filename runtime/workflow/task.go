package workflow

import (
	"context"
	"fmt"
	"reflect"
)

// Task declares a task that calls f with the value of step a. It starts as soon
// as a and the steps of [After] are there; its result is the value of the
// returned step.
func Task[I, A, B any](b *Builder[I], name string, f func(context.Context, A) (B, error), a Step[A], opts ...Option) Step[B] {
	d := declarationOf[B](name, a.argument())
	if f != nil {
		d.Run = func(ctx context.Context, in Inputs) (any, error) {
			return boxed(f(ctx, unboxed(in, a)))
		}
	}
	return declare[B](b, d, opts, a.node())
}

// Task2 declares a task as [Task] does, of a function with two arguments.
func Task2[I, A1, A2, B any](b *Builder[I], name string, f func(context.Context, A1, A2) (B, error), a1 Step[A1], a2 Step[A2], opts ...Option) Step[B] {
	d := declarationOf[B](name, a1.argument(), a2.argument())
	if f != nil {
		d.Run = func(ctx context.Context, in Inputs) (any, error) {
			return boxed(f(ctx, unboxed(in, a1), unboxed(in, a2)))
		}
	}
	return declare[B](b, d, opts, a1.node(), a2.node())
}

// Task3 declares a task as [Task] does, of a function with three arguments.
func Task3[I, A1, A2, A3, B any](b *Builder[I], name string, f func(context.Context, A1, A2, A3) (B, error), a1 Step[A1], a2 Step[A2], a3 Step[A3], opts ...Option) Step[B] {
	d := declarationOf[B](name, a1.argument(), a2.argument(), a3.argument())
	if f != nil {
		d.Run = func(ctx context.Context, in Inputs) (any, error) {
			return boxed(f(ctx, unboxed(in, a1), unboxed(in, a2), unboxed(in, a3)))
		}
	}
	return declare[B](b, d, opts, a1.node(), a2.node(), a3.node())
}

// Map declares a task that calls f once for each item of a list, many at the
// same time ([Limit] bounds how many), and returns the results in the items'
// order: an empty list, never nil, for an empty or nil one. [Timeout] and
// [Retry] apply to each item on its own, [TaskTimeout] to the whole Map. The
// first item that fails for good fails the task.
func Map[I any, S ~[]A, A, B any](b *Builder[I], name string, f func(context.Context, A) (B, error), items Step[S], opts ...Option) Step[[]B] {
	d := declarationOf[[]B](name, items.argument())
	d.item = reflect.TypeFor[B]()
	if f != nil {
		d.Expand = func(in Inputs) (Items, error) {
			made, results := expand(f, unboxed(in, items))
			made.Result = func() any { return results.values() }
			return made, nil
		}
	}
	return declare[[]B](b, d, opts, items.node())
}

// MapResults declares a Map that goes on when items fail: its value is how each item
// ended, in the items' order.
func MapResults[I any, S ~[]A, A, B any](b *Builder[I], name string, f func(context.Context, A) (B, error), items Step[S], opts ...Option) Step[[]Result[B]] {
	d := declarationOf[[]Result[B]](name, items.argument())
	d.KeepErrors, d.item = true, reflect.TypeFor[B]()
	if f != nil {
		d.Expand = func(in Inputs) (Items, error) {
			made, results := expand(f, unboxed(in, items))
			made.Fail = results.fail
			made.Result = func() any { return results.outcomes() }
			return made, nil
		}
	}
	return declare[[]Result[B]](b, d, opts, items.node())
}

// Repeat declares a task that calls f again and again, first with the value of
// step first and then with what f returned before, until that satisfies until:
// this is the task's result. max bounds the calls, 1 to [MaxIterations]; a task
// that until does not let go by then fails with [ErrRepeatLimit]. [Timeout] and
// [Retry] apply to each call, [TaskTimeout] to all of them, [RepeatWait] to the
// time between them.
func Repeat[I, T any](b *Builder[I], name string, f func(context.Context, T) (T, error), first Step[T], until func(T) bool, max int, opts ...Option) Step[T] {
	d := declarationOf[T](name, first.argument())
	if f != nil {
		d.Run = func(ctx context.Context, in Inputs) (any, error) {
			if in.Iteration > 0 {
				previous, _ := in.Previous.(T)
				return boxed(f(ctx, previous))
			}
			return boxed(f(ctx, unboxed(in, first)))
		}
	}
	d.Repeat = &RepeatPolicy{Max: max}
	if until != nil {
		d.Repeat.Until = func(in Inputs) (bool, error) {
			last, _ := in.Previous.(T)
			return until(last), nil
		}
	} else {
		d.report(ErrNilFunc, "pass a func(T) bool", "the condition of Repeat is nil")
	}
	if max < 1 || max > MaxIterations {
		d.report(ErrBadOption, fmt.Sprintf("give a number from 1 to %d", MaxIterations), "Repeat has a bound of %d", max)
	}
	return declare[T](b, d, opts, first.node())
}

// Sub declares a task that is a run of another workflow, whose input is the value
// of step input and whose output is the task's result. Each attempt is a run of its
// own. When that fails or is cancelled its tasks are compensated at once, before the
// task ends; when it has succeeded they are compensated if the run that the task
// belongs to fails later, unless the task has a [Compensate] of its own.
func Sub[I, A, B any](b *Builder[I], name string, def *Definition[A, B], input Step[A], opts ...Option) Step[B] {
	d := declarationOf[B](name, input.argument())
	if d.sub(def.planOrNil()) {
		d.SubInput = func(in Inputs) (any, error) { return unboxed(in, input), nil }
	}
	return declare[B](b, d, opts, input.node())
}

// MapSub declares a Map each of whose items is a run of another workflow.
func MapSub[I any, S ~[]A, A, B any](b *Builder[I], name string, def *Definition[A, B], items Step[S], opts ...Option) Step[[]B] {
	d := declarationOf[[]B](name, items.argument())
	d.item = reflect.TypeFor[B]()
	if d.sub(def.planOrNil()) {
		d.Expand = func(in Inputs) (Items, error) {
			list := unboxed(in, items)
			results := newItemResults[B](len(list))
			return Items{
				Len:   len(list),
				Input: func(i int) (any, error) { return list[i], nil },
				Keep: func(i int, output any) {
					v, _ := output.(B)
					results.keep(i, v)
				},
				Result: func() any { return results.values() },
				Value:  func(i int) any { return results.value(i) },
			}, nil
		}
	}
	return declare[[]B](b, d, opts, items.node())
}

func (d *Definition[I, O]) planOrNil() *Plan {
	if d == nil {
		return nil
	}
	return d.plan
}

// sub makes the task a run of a plan; false if there is none.
func (d *declaration) sub(p *Plan) bool {
	if p == nil {
		d.report(ErrNilFunc, "pass a *Definition that Build or Parse returned", "its workflow is nil")
		d.Run = func(context.Context, Inputs) (any, error) { return nil, nil } // reported
		return false
	}
	d.Sub = p
	return true
}

func declarationOf[B any](name string, args ...argument) declaration {
	return declaration{TaskPlan: TaskPlan{Name: name}, result: reflect.TypeFor[B](), args: args}
}

func declare[B, I any](b *Builder[I], d declaration, opts []Option, needs ...node) Step[B] {
	if b == nil {
		return Step[B]{} // Build(nil, ...) reports it
	}
	return Step[B]{owner: &b.tasks, task: b.tasks.add(d, needs, opts)}
}

// argument is the step as what a function is called with.
func (s Step[T]) argument() argument {
	return argument{reflect.TypeFor[T](), func(in Inputs) any { return unboxed(in, s) }}
}

// expand makes the items of a Map over list.
func expand[A, B any](f func(context.Context, A) (B, error), list []A) (Items, *itemResults[B]) {
	results := newItemResults[B](len(list))
	return Items{
		Len: len(list),
		Run: func(ctx context.Context, i int) error {
			result, err := f(ctx, list[i])
			if err == nil {
				results.keep(i, result)
			}
			return err
		},
		Value: func(i int) any { return results.value(i) },
	}, results
}

// unboxed returns the value of a step. The comma-ok form turns the nil that a
// nil interface became when it was boxed back into a nil T.
func unboxed[T any](in Inputs, s Step[T]) T {
	if s.outcome != nil {
		v, _ := s.outcome(in).(T)
		return v
	}
	v, _ := in.value(s.task).(T)
	return v
}

// boxed drops the value beside an error: a failed task has no result, and
// boxing it would cost an allocation.
func boxed[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}
