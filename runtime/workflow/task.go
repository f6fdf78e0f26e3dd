package workflow

import (
	"context"
	"sync"
)

// Task declares a task that calls f with the value of step a. It starts as soon
// as a and the steps of [After] are there; its result is the value of the
// returned step.
func Task[I, A, B any](b *Builder[I], name string, f func(context.Context, A) (B, error), a Step[A], opts ...Option) Step[B] {
	t := TaskPlan{Name: name}
	if f != nil {
		t.Run = func(ctx context.Context, in Inputs) (any, error) {
			return boxed(f(ctx, unboxed[A](in, a)))
		}
	}
	return declare[B](b, t, opts, a.node())
}

// Task2 declares a task as [Task] does, of a function with two arguments.
func Task2[I, A1, A2, B any](b *Builder[I], name string, f func(context.Context, A1, A2) (B, error), a1 Step[A1], a2 Step[A2], opts ...Option) Step[B] {
	t := TaskPlan{Name: name}
	if f != nil {
		t.Run = func(ctx context.Context, in Inputs) (any, error) {
			return boxed(f(ctx, unboxed[A1](in, a1), unboxed[A2](in, a2)))
		}
	}
	return declare[B](b, t, opts, a1.node(), a2.node())
}

// Task3 declares a task as [Task] does, of a function with three arguments.
func Task3[I, A1, A2, A3, B any](b *Builder[I], name string, f func(context.Context, A1, A2, A3) (B, error), a1 Step[A1], a2 Step[A2], a3 Step[A3], opts ...Option) Step[B] {
	t := TaskPlan{Name: name}
	if f != nil {
		t.Run = func(ctx context.Context, in Inputs) (any, error) {
			return boxed(f(ctx, unboxed[A1](in, a1), unboxed[A2](in, a2), unboxed[A3](in, a3)))
		}
	}
	return declare[B](b, t, opts, a1.node(), a2.node(), a3.node())
}

// Map declares a task that calls f once for each item of a list, many at the
// same time ([Limit] bounds how many), and returns the results in the items'
// order: an empty list, never nil, for an empty or nil one. [Timeout] and
// [Retry] apply to each item on its own, [TaskTimeout] to the whole Map. The
// first item that fails for good fails the task.
func Map[I any, S ~[]A, A, B any](b *Builder[I], name string, f func(context.Context, A) (B, error), items Step[S], opts ...Option) Step[[]B] {
	t := TaskPlan{Name: name}
	if f != nil {
		t.Expand = func(in Inputs) (Items, error) {
			return expand(f, unboxed[S](in, items)), nil
		}
	}
	return declare[[]B](b, t, opts, items.node())
}

func declare[B, I any](b *Builder[I], t TaskPlan, opts []Option, needs ...node) Step[B] {
	if b == nil {
		return Step[B]{} // Build(nil, ...) reports it
	}
	return Step[B]{&b.tasks, b.tasks.add(t, needs, opts)}
}

// expand makes the items of a Map over list.
func expand[A, B any](f func(context.Context, A) (B, error), list []A) Items {
	results := make([]B, len(list))
	var (
		mu   sync.Mutex // never held while f runs
		done = make([]bool, len(list))
	)
	return Items{
		Len: len(list),
		Run: func(ctx context.Context, i int) error {
			result, err := f(ctx, list[i])
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			// An attempt that ignored its timeout may still end after a later
			// attempt succeeded, and even after the results were handed on.
			if !done[i] {
				results[i], done[i] = result, true
			}
			return nil
		},
		Result: func() any {
			mu.Lock()
			defer mu.Unlock()
			return results
		},
	}
}

// unboxed returns the value of a step. The comma-ok form turns the nil that a
// nil interface became when it was boxed back into a nil T.
func unboxed[T any](in Inputs, s Step[T]) T {
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
