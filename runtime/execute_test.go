package runtime_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// threeSteps returns a workflow of three tasks in a row that adds 3.
func threeSteps(t testing.TB) *workflow.Definition[int, int] {
	b := workflow.New[int]("three")
	inc := func(_ context.Context, n int) (int, error) { return n + 1, nil }
	one := workflow.Task(b, "one", inc, b.Input())
	two := workflow.Task(b, "two", inc, one)
	return build(t, b, workflow.Task(b, "three", inc, two))
}

// TestManyStartsAtOnce: 10,000 runs started without waiting all succeed with
// their own result.
func TestManyStartsAtOnce(t *testing.T) {
	rt, def := start(t, runtime.Config{}), threeSteps(t)
	runs := make([]*runtime.Run[int], 10_000)
	for i := range runs {
		var err error
		if runs[i], err = runtime.Start(context.Background(), rt, def, i); err != nil {
			t.Fatalf("Start %d: %v", i, err)
		}
	}
	for i, r := range runs {
		if got, err := r.Result(within(t)); err != nil || got != i+3 {
			t.Fatalf("run %d = %d, %v; want %d", i, got, err, i+3)
		}
		if r.Status() != workflow.StatusSucceeded {
			t.Fatalf("run %d: status %v", i, r.Status())
		}
	}
	if s := rt.Stats(); s.Accepted != 10_000 || s.Succeeded != 10_000 {
		t.Errorf("accepted %d, succeeded %d; want 10000", s.Accepted, s.Succeeded)
	}
}

// TestManyCallersInExecute: 1,000 callers wait at the same time, with bounds so
// small that most of them wait for room too.
func TestManyCallersInExecute(t *testing.T) {
	for _, cfg := range []runtime.Config{
		{}, {MailboxCapacity: 1, WorkflowActors: 2}, {MaxRuns: 3},
		{MailboxKind: "chan"}, {MailboxKind: "mutex", MailboxCapacity: 1}, {MailboxKind: "workiva"},
	} {
		t.Run(fmt.Sprintf("kind=%s/capacity=%d/maxruns=%d", cfg.MailboxKind, cfg.MailboxCapacity, cfg.MaxRuns), func(t *testing.T) {
			rt, def := start(t, cfg), threeSteps(t)
			var wg sync.WaitGroup
			for i := range 1000 {
				wg.Go(func() {
					if got, err := runtime.Execute(within(t), rt, def, i); err != nil || got != i+3 {
						t.Errorf("run %d = %d, %v; want %d", i, got, err, i+3)
					}
				})
			}
			wg.Wait()
			if s := rt.Stats(); s.Succeeded != 1000 {
				t.Errorf("succeeded %d, want 1000", s.Succeeded)
			}
		})
	}
}

// TestCapacityOneHunt hunts for deadlocks: every mailbox has room for one
// message, and a 1,000-wide fan-out is answered by one task.
func TestCapacityOneHunt(t *testing.T) {
	const width = 1000
	for _, procs := range []int{1, 2} {
		for _, actors := range []int{1, 3, 50} {
			t.Run(fmt.Sprintf("procs=%d/actors=%d", procs, actors), func(t *testing.T) {
				defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(procs))
				rt := start(t, runtime.Config{MailboxCapacity: 1, WorkflowActors: actors, TaskActors: actors})
				var ran atomic.Int64
				b := workflow.New[int]("wide")
				count := func(_ context.Context, n int) (int, error) { ran.Add(1); return n, nil }
				root := workflow.Task(b, "root", count, b.Input())
				leaves := make([]workflow.Node, width)
				for i := range leaves {
					leaves[i] = workflow.Task(b, fmt.Sprintf("leaf-%d", i), count, root)
				}
				def := build(t, b, workflow.Task(b, "end", count, root, workflow.After(leaves...)))
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						if _, err := runtime.Execute(within(t), rt, def, 1); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if got := ran.Load(); got != 4*(width+2) {
					t.Errorf("bodies ran %d times, want %d", got, 4*(width+2))
				}
			})
		}
	}
}

// TestMap: items run at most Limit at a time, results keep their order, and an
// empty list is a list of results too.
func TestMap(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 8})
	for _, limit := range []int{1, 3, 100} {
		var now, worst atomic.Int64
		b := workflow.New[[]int]("map")
		double := func(_ context.Context, n int) (int, error) {
			storeMax(&worst, now.Add(1))
			goruntime.Gosched()
			now.Add(-1)
			return 2 * n, nil
		}
		def := build(t, b, workflow.Map(b, "double", double, b.Input(), workflow.Limit(limit)))
		in := make([]int, 500)
		for i := range in {
			in[i] = i
		}
		out, err := runtime.Execute(within(t), rt, def, in)
		if err != nil || len(out) != len(in) {
			t.Fatalf("limit %d: %d results, %v", limit, len(out), err)
		}
		for i, v := range out {
			if v != 2*i {
				t.Fatalf("limit %d: result %d = %d, want %d", limit, i, v, 2*i)
			}
		}
		if w := worst.Load(); w > int64(limit) || w > 8 {
			t.Errorf("%d items ran at once; limit %d, task actors 8", w, limit)
		}
		if out, err := runtime.Execute(within(t), rt, def, nil); err != nil || len(out) != 0 {
			t.Errorf("empty list: %v, %v", out, err)
		}
	}
}

func storeMax(to *atomic.Int64, v int64) {
	for old := to.Load(); v > old && !to.CompareAndSwap(old, v); old = to.Load() {
	}
}

// TestMapItemFails: the error of the first failed item ends the run and names
// the item.
func TestMapItemFails(t *testing.T) {
	rt := start(t, runtime.Config{})
	odd := errors.New("odd")
	b := workflow.New[[]int]("map")
	def := build(t, b, workflow.Map(b, "even", func(_ context.Context, n int) (int, error) {
		if n%2 == 1 {
			return 0, odd
		}
		return n, nil
	}, b.Input(), workflow.Limit(1)))
	_, err := runtime.Execute(within(t), rt, def, []int{0, 2, 3, 4})
	te := taskError(t, err)
	if te.Task != "even" || te.Attempt != 1 || !errors.Is(err, odd) || te.Err.Error() != "item 2: odd" {
		t.Errorf("error = %v", err)
	}
}

// TestOutputIsInput: a workflow may return its input or a nil interface.
func TestOutputIsInput(t *testing.T) {
	rt := start(t, runtime.Config{})
	b := workflow.New[string]("echo")
	workflow.Task(b, "aside", func(context.Context, string) (error, error) { return nil, nil }, b.Input())
	if got, err := runtime.Execute(within(t), rt, build(t, b, b.Input()), "in"); got != "in" || err != nil {
		t.Errorf("Execute = %q, %v", got, err)
	}
	nothing := one(t, func(context.Context, string) (error, error) { return nil, nil })
	if got, err := runtime.Execute(within(t), rt, nothing, ""); got != nil || err != nil {
		t.Errorf("Execute = %v, %v; want a nil interface", got, err)
	}
}

// TestContextValues: a task sees the values of the context that its run was
// started with, also when the run outlives that context.
func TestContextValues(t *testing.T) {
	type key struct{}
	rt := start(t, runtime.Config{})
	def := one(t, func(ctx context.Context, _ int) (any, error) { return ctx.Value(key{}), ctx.Err() })
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "v"))
	if got, err := runtime.Execute(ctx, rt, def, 0); got != "v" || err != nil {
		t.Errorf("Execute = %v, %v", got, err)
	}
	gate := make(chan struct{})
	slow := one(t, func(ctx context.Context, _ int) (any, error) { <-gate; return ctx.Value(key{}), ctx.Err() })
	run, err := runtime.Start(ctx, rt, slow, 0)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	close(gate)
	if got, err := run.Result(within(t)); got != "v" || err != nil {
		t.Errorf("Result after the end of Start's context = %v, %v", got, err)
	}
	if _, err := runtime.Start(ctx, rt, slow, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Start with an ended context: %v", err)
	}
	if _, err := runtime.Execute[int, any](ctx, rt, nil, 0); err == nil {
		t.Error("Execute of a nil definition succeeded")
	}
}

// links returns a workflow of n tasks in a row.
func links(t testing.TB, n int, body func(context.Context, int) (int, error)) *workflow.Definition[int, int] {
	b := workflow.New[int]("links")
	step := b.Input()
	for i := range n {
		step = workflow.Task(b, fmt.Sprintf("link-%d", i), body, step)
	}
	return build(t, b, step)
}

// TestChainStaysOnOneActor: while nobody else waits, the actor that finished a
// task goes straight on to its successor.
func TestChainStaysOnOneActor(t *testing.T) {
	rt := start(t, runtime.Config{TaskTimings: true})
	run, err := runtime.Start(context.Background(), rt, links(t, 100, func(_ context.Context, n int) (int, error) { return n + 1, nil }), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := run.Result(within(t)); got != 100 || err != nil {
		t.Fatalf("Result = %d, %v", got, err)
	}
	for _, task := range run.Report().Tasks {
		if task.Actor != run.Report().Tasks[0].Actor {
			t.Fatalf("%s ran on actor %d, the first task on %d", task.Name, task.Actor, run.Report().Tasks[0].Actor)
		}
	}
}

// TestChainYields: a long chain does not keep the only task actor from a task
// that waits, and a cancelled one does not go on.
func TestChainYields(t *testing.T) {
	rt := start(t, runtime.Config{WorkflowActors: 1, TaskActors: 1})
	var links100, at atomic.Int64
	first, queued := make(chan struct{}), make(chan struct{})
	chain := links(t, 100, func(context.Context, int) (int, error) {
		if links100.Add(1) == 1 {
			close(first)
			<-queued
		}
		return 0, nil
	})
	long, err := runtime.Start(context.Background(), rt, chain, 0)
	if err != nil {
		t.Fatal(err)
	}
	<-first
	short, err := runtime.Start(context.Background(), rt, one(t, func(context.Context, int) (int, error) { at.Store(links100.Load()); return 0, nil }), 0)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the short run to wait for the task actor", func() bool { return rt.Stats().Queued == 1 })
	close(queued)
	for _, r := range []*runtime.Run[int]{short, long} {
		if _, err := r.Result(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	if at.Load() > 1 {
		t.Errorf("the short run waited first, and its turn came after %d links of the long one", at.Load())
	}
}

// TestReport: queue and run times, attempts and the critical path are those of
// the run.
func TestReport(t *testing.T) {
	rt, def := start(t, runtime.Config{TaskTimings: true}), threeSteps(t)
	run, err := runtime.Start(context.Background(), rt, def, 0, runtime.ID("r"))
	if err != nil {
		t.Fatal(err)
	}
	<-run.Done()
	rep := run.Report()
	if rep.Workflow != "three" || rep.RunID != "r" || rep.Status != workflow.StatusSucceeded || len(rep.Tasks) != 3 {
		t.Fatalf("report = %+v", rep)
	}
	last := rep.Started
	for _, task := range rep.Tasks {
		if task.Started.Before(last) || task.Finished.Before(task.Started) || task.Queue < 0 ||
			task.Run != task.Finished.Sub(task.Started) || task.Attempts != 1 || task.Status != workflow.StatusSucceeded {
			t.Errorf("task = %+v after %v", task, last)
		}
		last = task.Finished
	}
	if rep.CriticalPath != rep.Work || rep.Makespan < rep.CriticalPath || rep.Finished.Before(last) {
		t.Errorf("makespan %v, critical path %v, work %v", rep.Makespan, rep.CriticalPath, rep.Work)
	}
	if p := run.Progress(); p != (runtime.Progress{Tasks: 3, Succeeded: 3, Ended: 3}) {
		t.Errorf("progress = %+v", p)
	}
}
