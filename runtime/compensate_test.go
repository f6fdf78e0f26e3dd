package runtime_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A ledger notes what was undone, in order.
type ledger struct {
	mu      sync.Mutex
	entries []string
}

func (l *ledger) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, fmt.Sprintf(format, args...))
}

// take returns what was noted since the last call.
func (l *ledger) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := strings.Join(l.entries, " ")
	l.entries = nil
	return all
}

// undo is a compensation that notes the name and the result of its task.
func (l *ledger) undo(name string) workflow.Option {
	return workflow.Compensate(func(_ context.Context, n int) error { l.note("%s=%d", name, n); return nil })
}

func increment(_ context.Context, n int) (int, error) { return n + 1, nil }

func fails(context.Context, int) (int, error) { return 0, errCard }

// chainOf declares tasks in a row that increment and are noted when they are undone.
func chainOf(b *workflow.Builder[int], l *ledger, names ...string) workflow.Step[int] {
	step := b.Input()
	for _, name := range names {
		step = workflow.Task(b, name, increment, step, l.undo(name))
	}
	return step
}

// TestCompensation: what succeeded is undone in the reverse order of its ends, with its results, when the run fails;
// not when it succeeds, and not what failed or never ran.
func TestCompensation(t *testing.T) {
	for _, failure := range []struct {
		name string
		body func(context.Context, int) (int, error)
		opts []workflow.Option
	}{
		{name: "error", body: fails},
		{name: "panic", body: func(context.Context, int) (int, error) { panic(errCard) }},
		{name: "goexit", body: func(context.Context, int) (int, error) { goruntime.Goexit(); return 0, nil }},
		{name: "timeout", body: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, opts: []workflow.Option{workflow.Timeout(time.Millisecond)}},
		{name: "ignored timeout", body: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); time.Sleep(time.Minute); return 0, nil }, opts: []workflow.Option{workflow.Timeout(time.Millisecond)}},
		{name: "when", body: increment, opts: []workflow.Option{workflow.When(workflow.Step[int]{}, func(int) bool { panic(errCard) })}},
	} {
		t.Run(failure.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := start(t, runtime.Config{CancelGrace: time.Second})
				var l ledger
				b := workflow.New[int]("order")
				c := chainOf(b, &l, "a", "b", "c")
				opts := append(slices.Clone(failure.opts), l.undo("bad"))
				if failure.name == "when" {
					opts[0] = workflow.When(c, func(int) bool { panic(errCard) })
				}
				bad := workflow.Task(b, "bad", failure.body, c, opts...)
				def := build(t, b, workflow.Task(b, "never", increment, bad, l.undo("never")))
				run, err := runtime.Start(context.Background(), rt, def, 10)
				if err != nil {
					t.Fatal(err)
				}
				_, err = run.Result(context.Background())
				if te := taskError(t, err); te.Task != "bad" {
					t.Errorf("error = %v; want that of task bad", err)
				}
				if got := l.take(); got != "c=13 b=12 a=11" {
					t.Errorf("undone %q; want c=13 b=12 a=11", got)
				}
				var names []string
				for _, c := range run.Report().Compensations {
					names = append(names, c.Task)
					if c.Status != workflow.StatusSucceeded || c.Attempts != 1 || c.Item != -1 || c.Err != nil || c.Started.IsZero() {
						t.Errorf("report %+v", c)
					}
				}
				if fmt.Sprint(names) != "[c b a]" || run.Status() != workflow.StatusFailed {
					t.Errorf("%v: compensations %v", run.Status(), names)
				}
				if p := run.Progress(); p.Compensations != 3 || p.Compensated != 3 {
					t.Errorf("progress %+v", p)
				}
				if s := rt.Stats(); s.Accepted != 1 || s.Failed != 1 || s.Compensations != 3 || s.NotCompensated != 0 {
					t.Errorf("stats %+v", s)
				}
				time.Sleep(time.Hour) // bodies that were given up return
			})
		})
	}
	t.Run("success", func(t *testing.T) {
		rt := start(t, runtime.Config{})
		var l ledger
		b := workflow.New[int]("order")
		def := build(t, b, chainOf(b, &l, "a", "b"))
		for range 3 { // the memory of the run is used again
			if out, err := runtime.Execute(within(t), rt, def, 1); out != 3 || err != nil || l.take() != "" {
				t.Errorf("%v, %v", out, err)
			}
		}
	})
}

// TestCompensationOfOtherEnds: cancelling, timing out, an output that fails, and a failure in a run that goes on undo too.
func TestCompensationOfOtherEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{CancelGrace: time.Second})
		var l ledger
		b := workflow.New[int]("order")
		a := chainOf(b, &l, "a", "b")
		def := build(t, b, workflow.Task(b, "long", func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, a))
		run, err := runtime.Start(context.Background(), rt, def, 0)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		run.Cancel()
		if _, err := run.Result(context.Background()); !errors.Is(err, context.Canceled) || l.take() != "b=2 a=1" || run.Status() != workflow.StatusCancelled {
			t.Errorf("cancelled: %v", err)
		}
		if _, err := runtime.Execute(context.Background(), rt, def, 0, runtime.RunTimeout(time.Minute)); !errors.Is(err, context.DeadlineExceeded) || l.take() != "b=2 a=1" {
			t.Errorf("timed out: %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := runtime.Execute(ctx, rt, def, 0); !errors.Is(err, context.DeadlineExceeded) || l.take() != "b=2 a=1" {
			t.Errorf("caller's deadline: %v", err)
		}

		b = workflow.New[int]("goes on", workflow.OnFailure(workflow.Continue))
		workflow.Task(b, "bad", fails, b.Input())
		def = build(t, b, chainOf(b, &l, "a", "b"))
		if _, err := runtime.Execute(context.Background(), rt, def, 0); !errors.Is(err, errCard) || l.take() != "b=2 a=1" {
			t.Errorf("a run that goes on: %v", err)
		}
		b = workflow.New[int]("may fail")
		workflow.Task(b, "bad", fails, b.Input(), workflow.MayFail())
		def = build(t, b, chainOf(b, &l, "a", "b"))
		if _, err := runtime.Execute(context.Background(), rt, def, 0); err != nil || l.take() != "" {
			t.Errorf("a failure that is none of the run's: %v", err)
		}
	})
}

// TestCompensationFails: each is retried by its own policy and bounded by the plan's timeout, a panic is one's own, the
// others are called none the less, and the run's error holds all of it behind the one that came first.
func TestCompensationFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{CancelGrace: time.Second})
		var l ledger
		errGone := errors.New("gone")
		b := workflow.New[int]("order", workflow.CompensateTimeout(10*time.Second))
		tries := 0
		step := workflow.Task(b, "a", increment, b.Input(), workflow.Compensate(func(ctx context.Context, n int) error {
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) != 10*time.Second || ctx.Err() != nil {
				t.Errorf("deadline in %v, %v", time.Until(deadline), ctx.Err())
			}
			if key := workflow.IdempotencyKey(ctx); key != "r-1/a/compensate" {
				t.Errorf("key %q", key)
			}
			if tries++; tries < 3 {
				return errGone
			}
			l.note("a")
			return nil
		}), workflow.CompensateRetry(retry.Constant{MaxAttempts: 3, Wait: time.Second}))
		step = workflow.Task(b, "b", increment, step, workflow.Compensate(func(context.Context, int) error { panic("lost") }))
		step = workflow.Task(b, "c", increment, step, workflow.Compensate(func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }))
		step = workflow.Task(b, "d", increment, step, workflow.Compensate(func(ctx context.Context, _ int) error { <-ctx.Done(); time.Sleep(time.Hour); return nil }))
		step = workflow.Task(b, "e", increment, step, workflow.Compensate(func(context.Context, int) error { goruntime.Goexit(); return nil }))
		step = workflow.Task(b, "f", increment, step, workflow.Compensate(func(context.Context, int) error { return errGone }),
			workflow.CompensateRetry(retry.Constant{MaxAttempts: 2}))
		def := build(t, b, workflow.Task(b, "bad", fails, step))
		run, err := runtime.Start(context.Background(), rt, def, 0, runtime.ID("r-1"))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = run.Result(context.Background())
		if took := time.Since(began); took.Round(10*time.Millisecond) != 10*time.Second+11*time.Second+2*time.Second {
			t.Errorf("took %v; want 10 s for c, 11 s for d, 2 s for a", took)
		}
		if te := taskError(t, err); te.Task != "bad" || !errors.Is(err, errGone) || !errors.Is(err, context.DeadlineExceeded) || l.take() != "a" {
			t.Errorf("error = %v", err)
		}
		const begins = "workflow order, run r-1, task bad, attempt 1: card declined; workflow order, run r-1, compensation of task f, attempt 2: gone; " +
			"workflow order, run r-1, compensation of task e, attempt 1: "
		if got := err.Error(); !strings.HasPrefix(got, begins) || !strings.HasSuffix(got, "; and 2 more compensations failed") {
			t.Errorf("error = %v", got)
		}
		var got []string
		for _, c := range run.Report().Compensations {
			got = append(got, fmt.Sprintf("%s %v %d", c.Task, c.Status, c.Attempts))
			if ce, ok := errors.AsType[*workflow.CompensationError](c.Err); c.Status != workflow.StatusSucceeded && (!ok || ce.Task != c.Task) {
				t.Errorf("%s: %v", c.Task, c.Err)
			}
		}
		if want := "[f failed 2 e failed 1 d timed_out 1 c timed_out 1 b failed 1 a succeeded 3]"; fmt.Sprint(got) != want {
			t.Errorf("%v\nwant %v", got, want)
		}
		if s := rt.Stats(); s.Compensations != 6 || s.NotCompensated != 5 || s.Leaked != 1 || s.Accepted != 1 {
			t.Errorf("stats %+v", s)
		}
		time.Sleep(2 * time.Hour) // d returns
	})
}

// TestCompensationOfItems: items that succeeded are undone also when their Map failed; whole Maps only if all did.
func TestCompensationOfItems(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 1, WorkflowActors: 1})
	var l ledger
	odd := func(_ context.Context, n int) (int, error) {
		if n == 3 {
			return 0, errCard
		}
		return n * 10, nil
	}
	list := func(_ context.Context, n int) ([]int, error) { return []int{1, 2, n, 4}, nil }
	b := workflow.New[int]("items")
	items := workflow.Task(b, "list", list, b.Input())
	workflow.Map(b, "each", odd, items, workflow.Limit(1), workflow.CompensateItem(func(ctx context.Context, n int) error {
		l.note("%d:%s", n, strings.TrimPrefix(workflow.IdempotencyKey(ctx), "r/"))
		return nil
	}))
	if _, err := runtime.Execute(within(t), rt, build(t, b, b.Input()), 3, runtime.ID("r")); !errors.Is(err, errCard) {
		t.Errorf("error = %v", err)
	}
	if got := l.take(); got != "20:each/1/compensate 10:each/0/compensate" {
		t.Errorf("undone %q", got)
	}
	b = workflow.New[int]("whole")
	items = workflow.Task(b, "list", list, b.Input())
	whole := workflow.Map(b, "whole", odd, items, workflow.Compensate(func(_ context.Context, all []int) error { l.note("%v", all); return nil }))
	def := build(t, b, workflow.Task(b, "bad", func(context.Context, []int) (int, error) { return 0, errCard }, whole))
	for n, want := range map[int]string{3: "", 5: "[10 20 50 40]"} {
		if _, err := runtime.Execute(within(t), rt, def, n); !errors.Is(err, errCard) || l.take() != want {
			t.Errorf("%d: %v", n, err)
		}
	}

	b = workflow.New[int]("kept")
	items = workflow.Task(b, "list", list, b.Input())
	kept := workflow.MapResults(b, "each", odd, items, workflow.Limit(1), workflow.CompensateItem(func(_ context.Context, n int) error { l.note("%d", n); return nil }))
	def2 := build(t, b, workflow.Task(b, "bad", func(context.Context, []workflow.Result[int]) (int, error) { return 0, errCard }, kept))
	if _, err := runtime.Execute(within(t), rt, def2, 3); !errors.Is(err, errCard) || l.take() != "40 20 10" {
		t.Errorf("error = %v", err)
	}
}

// TestCompensationOfSubs: what workflows within have done is undone in their place when the run above fails, at once when they fail
// themselves, and in their own way where their task has a compensation.
func TestCompensationOfSubs(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 1, WorkflowActors: 2, MailboxCapacity: 1})
	var l ledger
	ib := workflow.New[int]("inner")
	inner := build(t, ib, chainOf(ib, &l, "x", "y"))
	mb := workflow.New[int]("middle")
	m := workflow.Task(mb, "m", increment, mb.Input(), l.undo("m"))
	middle := build(t, mb, workflow.Sub(mb, "in", inner, m))

	b := workflow.New[int]("outer")
	a := workflow.Task(b, "a", increment, b.Input(), l.undo("a"))
	mid := workflow.Sub(b, "mid", middle, a)
	own := workflow.Sub(b, "own", inner, mid, l.undo("own"))
	def := build(t, b, workflow.Task(b, "bad", fails, own))
	run, err := runtime.Start(context.Background(), rt, def, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Result(within(t)); !errors.Is(err, errCard) || l.take() != "own=6 y=4 x=3 m=2 a=1" {
		t.Errorf("error = %v", err)
	}
	var names []string
	for _, c := range run.Report().Compensations {
		names = append(names, c.Task)
	}
	if fmt.Sprint(names) != "[own mid/in/y mid/in/x mid/m a]" {
		t.Errorf("compensations %v", names)
	}

	ib = workflow.New[int]("breaks")
	breaks := build(t, ib, workflow.Task(ib, "bad", fails, chainOf(ib, &l, "x", "y")))
	b = workflow.New[int]("outer")
	a = workflow.Task(b, "a", increment, b.Input(), l.undo("a"))
	def = build(t, b, workflow.Sub(b, "sub", breaks, a, workflow.Retry(retry.Constant{MaxAttempts: 2})))
	if _, err := runtime.Execute(within(t), rt, def, 0); !errors.Is(err, errCard) || l.take() != "y=3 x=2 y=3 x=2 a=1" {
		t.Errorf("each attempt is undone by itself: %v", err)
	}

	b = workflow.New[int]("items")
	items := workflow.Task(b, "list", func(context.Context, int) ([]int, error) { return []int{10, 20}, nil }, b.Input())
	each := workflow.MapSub(b, "each", inner, items, workflow.Limit(1))
	def = build(t, b, workflow.Task(b, "bad", func(context.Context, []int) (int, error) { return 0, errCard }, each))
	if _, err := runtime.Execute(within(t), rt, def, 0); !errors.Is(err, errCard) || l.take() != "y=22 x=21 y=12 x=11" {
		t.Errorf("items: %v", err)
	}
	b = workflow.New[int]("whole")
	items = workflow.Task(b, "list", func(context.Context, int) ([]int, error) { return []int{10, 20}, nil }, b.Input())
	each = workflow.MapSub(b, "each", inner, items, workflow.Compensate(func(_ context.Context, all []int) error { l.note("%v", all); return nil }))
	def = build(t, b, workflow.Task(b, "bad", func(context.Context, []int) (int, error) { return 0, errCard }, each))
	if _, err := runtime.Execute(within(t), rt, def, 0); !errors.Is(err, errCard) || l.take() != "[12 22]" {
		t.Errorf("whole: %v", err)
	}
}

// TestCompensationAndKeys: an attempt at a workflow within whose tasks were undone before has keys of its own, since what knows the
// former ones would take the work for done, and the compensation too; without anything undone they stay.
func TestCompensationAndKeys(t *testing.T) {
	for _, c := range []struct {
		undo bool
		want string
	}{
		{true, "do r/sub/x, undo r/sub/x/compensate, do r/sub/undone-1/x, undo r/sub/undone-1/x/compensate, do r/sub/undone-2/x, undo r/sub/undone-2/x/compensate"},
		{false, "do r/sub/x, do r/sub/x, do r/sub/x"},
	} {
		var calls []string
		note := func(ctx context.Context, what string) { calls = append(calls, what+" "+workflow.IdempotencyKey(ctx)) }
		var opts []workflow.Option
		if c.undo {
			opts = append(opts, workflow.Compensate(func(ctx context.Context, _ int) error { note(ctx, "undo"); return nil }))
		}
		ib := workflow.New[int]("inner")
		x := workflow.Task(ib, "x", func(ctx context.Context, n int) (int, error) { note(ctx, "do"); return n, nil }, ib.Input(), opts...)
		inner := build(t, ib, workflow.Task(ib, "bad", fails, x))
		b := workflow.New[int](fmt.Sprint("outer", c.undo))
		def := build(t, b, workflow.Sub(b, "sub", inner, b.Input(), workflow.Retry(retry.Constant{MaxAttempts: 3})))
		rt := start(t, runtime.Config{})
		if _, err := runtime.Execute(within(t), rt, def, 0, runtime.ID("r")); !errors.Is(err, errCard) {
			t.Errorf("error = %v", err)
		}
		if got := strings.Join(calls, ", "); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

// TestCompensationNotOfOthers: a result from the cache is another execution's to undo; an open breaker and a limit of the task do
// not keep its compensation from being called.
func TestCompensationNotOfOthers(t *testing.T) {
	rt := start(t, runtime.Config{})
	var l ledger
	open, err := breaker.New(breaker.Config{Failures: 1, OpenFor: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var executed atomic.Int64
	graph := func(last func(context.Context, int) (int, error), opts ...workflow.Option) *workflow.Definition[int, int] {
		b := workflow.New[int]("cached")
		first := workflow.Task(b, "guarded", increment, b.Input(), append(opts, l.undo("guarded"))...)
		a := workflow.Task(b, "a", func(_ context.Context, n int) (int, error) { executed.Add(1); return n + 1, nil }, b.Input(),
			workflow.Cache(0), l.undo("a"), workflow.After(first))
		return build(t, b, workflow.Task(b, "last", last, a, append(opts, workflow.After(first))...))
	}
	if _, err := runtime.Execute(within(t), rt, graph(fails, workflow.Breaker(open)), 0); !errors.Is(err, errCard) || l.take() != "a=1 guarded=1" {
		t.Errorf("error = %v", err)
	}
	if open.State() != breaker.Open {
		t.Errorf("the breaker is %v", open.State())
	}
	if out, err := runtime.Execute(within(t), rt, graph(increment), 0); out != 2 || err != nil || executed.Load() != 2 {
		t.Errorf("%d, %v: what was undone was executed %d times; want it anew, not from the cache", out, err, executed.Load())
	}
	if _, err := runtime.Execute(within(t), rt, graph(fails), 0); !errors.Is(err, errCard) || l.take() != "guarded=1" || executed.Load() != 2 {
		t.Errorf("from the cache: %v, %d executions", err, executed.Load())
	}
}

// TestCompensationUncachesSubs: what a sub-workflow's tasks have done is undone, so its cached result goes too.
func TestCompensationUncachesSubs(t *testing.T) {
	rt := start(t, runtime.Config{})
	var l ledger
	var executed atomic.Int64
	ib := workflow.New[int]("inner")
	inner := build(t, ib, workflow.Task(ib, "x", func(_ context.Context, n int) (int, error) { executed.Add(1); return n + 1, nil }, ib.Input(), l.undo("x")))
	b := workflow.New[int]("outer")
	def := build(t, b, workflow.Task(b, "last", fails, workflow.Sub(b, "sub", inner, b.Input(), workflow.Cache(0))))
	for i := range int64(2) {
		if _, err := runtime.Execute(within(t), rt, def, 0); !errors.Is(err, errCard) || l.take() != "x=1" || executed.Load() != i+1 {
			t.Errorf("run %d: %v, %d executions", i, err, executed.Load())
		}
	}
}

// TestCompensationUnderStop: Stop whose context has ended cancels runs and lets their compensations go on for CompensateGrace;
// what is left then is cancelled or not called, and said so.
func TestCompensationUnderStop(t *testing.T) {
	for _, c := range []struct {
		grace time.Duration
		want  string
		err   string
		took  time.Duration
	}{
		{10 * time.Minute, "c b a", "", 3 * time.Minute},
		{90 * time.Second, "c", "compensation of task b, attempt 1: ringmill: stopped: context canceled; workflow order, run r, compensation of task a: not called: ringmill: stopped", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			rt, err := runtime.New(runtime.Config{CancelGrace: time.Second, CompensateGrace: c.grace})
			if err != nil {
				t.Fatal(err)
			}
			var l ledger
			b := workflow.New[int]("order", workflow.CompensateTimeout(time.Hour))
			step := b.Input()
			for _, name := range []string{"a", "b", "c"} {
				step = workflow.Task(b, name, increment, step, workflow.Compensate(func(ctx context.Context, _ int) error {
					select {
					case <-time.After(time.Minute):
						l.note("%s", name)
						return nil
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				}))
			}
			def := build(t, b, workflow.Task(b, "long", func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, step))
			run, err := runtime.Start(context.Background(), rt, def, 0, runtime.ID("r"))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			began := time.Now()
			if err := rt.Stop(ended); err == nil || !strings.Contains(err.Error(), "cancelled 1 runs") {
				t.Errorf("Stop: %v", err)
			}
			took := time.Since(began)
			if c.took > 0 && took.Round(10*time.Millisecond) != c.took || took > 4*time.Minute {
				t.Errorf("Stop took %v", took)
			}
			_, err = run.Result(context.Background())
			if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), c.err) || l.take() != c.want || len(run.Report().Compensations) != 3 {
				t.Errorf("grace %v: %v", c.grace, err)
			}
			for _, rep := range run.Report().Compensations {
				if (rep.Attempts == 0) != (rep.Actor < 0) {
					t.Errorf("compensation of %s: %d attempts, actor %d", rep.Task, rep.Attempts, rep.Actor)
				}
			}
			checkCounts(t, rt)
		})
	}
}

// TestCompensationObserved: an observer sees the attempts of compensations within their run.
func TestCompensationObserved(t *testing.T) {
	var seen ledger
	rt := start(t, runtime.Config{Observer: runtime.Observers(&balance{t: t}, &undoWatcher{l: &seen})})
	var l ledger
	ib := workflow.New[int]("inner")
	inner := build(t, ib, chainOf(ib, &l, "x"))
	b := workflow.New[int]("order")
	sub := workflow.Sub(b, "sub", inner, b.Input())
	a := workflow.Task(b, "a", increment, sub, l.undo("a"))
	def := build(t, b, workflow.Task(b, "bad", fails, a))
	if _, err := runtime.Execute(within(t), rt, def, 0, runtime.ID("r")); !errors.Is(err, errCard) {
		t.Error(err)
	}
	if got, want := seen.take(), "order/r/a/1 succeeded order/r/sub/x/1 succeeded"; got != want {
		t.Errorf("observed %q; want %q", got, want)
	}
}

// An undoWatcher notes the attempts of compensations that end.
type undoWatcher struct {
	runtime.Observer
	l *ledger
}

func (*undoWatcher) RunStarted(ctx context.Context, _ *runtime.Event) context.Context     { return ctx }
func (*undoWatcher) RunEnded(context.Context, *runtime.Event)                             {}
func (*undoWatcher) AttemptStarted(ctx context.Context, _ *runtime.Event) context.Context { return ctx }
func (*undoWatcher) Noticed(*runtime.Event, runtime.Notice)                               {}
func (w *undoWatcher) AttemptEnded(_ context.Context, e *runtime.Event) {
	if e.Compensation {
		w.l.note("%s/%s/%s/%d %v", e.Workflow, e.RunID, e.Task, e.Attempt, e.Status)
	}
}

// TestCompensateWithin: a compensation with a bound of its own has that, others have the workflow's.
func TestCompensateWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{})
		var took []time.Duration
		undo := func(ctx context.Context, _ int) error {
			from := time.Now()
			<-ctx.Done()
			took = append(took, time.Since(from).Round(10*time.Millisecond))
			return ctx.Err()
		}
		b := workflow.New[int]("order", workflow.CompensateTimeout(10*time.Second))
		step := workflow.Task(b, "a", increment, b.Input(), workflow.Compensate(undo))
		step = workflow.Task(b, "b", increment, step, workflow.Compensate(undo), workflow.CompensateWithin(time.Second))
		step = workflow.Task(b, "c", increment, step, workflow.Compensate(undo), workflow.CompensateWithin(time.Minute))
		if _, err := runtime.Execute(t.Context(), rt, build(t, b, workflow.Task(b, "bad", fails, step)), 0); !errors.Is(err, errCard) {
			t.Fatal(err)
		}
		if want := []time.Duration{time.Minute, time.Second, 10 * time.Second}; !slices.Equal(took, want) {
			t.Errorf("they had %v, want %v", took, want)
		}
	})
}
