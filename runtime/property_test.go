package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A planned task is one of a random graph: what it waits for and how its body
// behaves on each attempt.
type planned struct {
	deps     []int
	failures int  // attempts that fail before one succeeds
	panics   bool // fail by panic
	started  atomic.Int64
	done     atomic.Bool

	undo         bool  // it has a compensation
	undoFailures int   // attempts of that which fail
	order        order // of the graph
	ended        atomic.Int64
	undone       atomic.Int64 // when it was undone for good; 0 if it was not
	undoTries    atomic.Int64
}

// An order numbers what happens to the tasks of one graph.
type order struct{ last *atomic.Int64 }

func (o order) next() int64 { return o.last.Add(1) }

const maxAttempts = 3 // of the retry policy in random graphs

// succeeds reports whether the task's own attempts lead to success.
func (p *planned) succeeds() bool { return p.failures < maxAttempts }

// body checks that all dependencies were done and behaves as planned.
func (p *planned) body(all []*planned, violations chan<- string, self int) func(context.Context, int) (int, error) {
	return func(context.Context, int) (int, error) {
		for _, d := range p.deps {
			if !all[d].done.Load() {
				select {
				case violations <- fmt.Sprintf("task %d began before its dependency %d ended", self, d):
				default:
				}
			}
		}
		if n := p.started.Add(1); n <= int64(p.failures) {
			if p.panics {
				panic(errCard)
			}
			return 0, errCard
		}
		p.done.Store(true)
		p.ended.Store(p.order.next())
		return self, nil
	}
}

// compensation fails as often as planned.
func (p *planned) compensation(violations chan<- string, self int) func(context.Context, int) error {
	return func(_ context.Context, result int) error {
		if result != self || p.undone.Load() != 0 {
			select {
			case violations <- fmt.Sprintf("task %d was undone twice, or with the result %d", self, result):
			default:
			}
		}
		if n := p.undoTries.Add(1); n <= int64(p.undoFailures) {
			if p.panics {
				panic(errUndo)
			}
			return errUndo
		}
		p.undone.Store(p.order.next())
		return nil
	}
}

var errUndo = errors.New("cannot be undone")

// drawGraph draws up to 40 tasks; a third of the graphs has no task that fails
// for good.
func drawGraph(rt *rapid.T) []*planned {
	tasks := make([]*planned, rapid.IntRange(1, 40).Draw(rt, "tasks"))
	last := order{new(atomic.Int64)}
	worst := rapid.SampledFrom([]int{0, maxAttempts - 1, maxAttempts}).Draw(rt, "worst")
	for i := range tasks {
		tasks[i] = &planned{order: last, undo: rapid.Bool().Draw(rt, "undo")}
		if rapid.IntRange(0, 5).Draw(rt, "undo misbehaves") == 0 {
			tasks[i].undoFailures = rapid.IntRange(0, maxAttempts).Draw(rt, "undo failures")
		}
		if i > 0 {
			for range rapid.IntRange(0, min(i, 4)).Draw(rt, "edges") {
				tasks[i].deps = append(tasks[i].deps, rapid.IntRange(0, i-1).Draw(rt, "dep"))
			}
		}
		if rapid.IntRange(0, 5).Draw(rt, "misbehaves") == 0 {
			tasks[i].failures = rapid.IntRange(0, worst).Draw(rt, "failures")
			tasks[i].panics = rapid.Bool().Draw(rt, "panics")
		}
	}
	return tasks
}

// compile makes the graph a workflow.
func compile(rt *rapid.T, tasks []*planned, violations chan<- string) *workflow.Definition[int, int] {
	b := workflow.New[int]("random")
	nodes := make([]workflow.Node, len(tasks))
	for i, p := range tasks {
		var deps []workflow.Node
		for _, d := range p.deps {
			deps = append(deps, nodes[d])
		}
		opts := []workflow.Option{workflow.After(deps...), workflow.Retry(retry.Constant{MaxAttempts: maxAttempts})}
		if p.undo {
			opts = append(opts, workflow.Compensate(p.compensation(violations, i)), workflow.CompensateRetry(retry.Constant{MaxAttempts: maxAttempts}))
		}
		nodes[i] = workflow.Task(b, fmt.Sprint(i), p.body(tasks, violations, i), b.Input(), opts...)
	}
	def, err := workflow.Build(b, b.Input())
	if err != nil {
		rt.Fatal(err)
	}
	return def
}

// reachable reports, by plain recursion, whether all that task i waits for
// succeeds: then and only then its body may run.
func reachable(tasks []*planned, i int) bool {
	return !slices.ContainsFunc(tasks[i].deps, func(d int) bool {
		return !tasks[d].succeeds() || !reachable(tasks, d)
	})
}

// TestRandomGraphs compares the engine with that recursion: without a failure
// every body runs as often as its plan says; with one, the run names a task that
// really failed, nothing downstream of a failure ever runs, and no body runs
// before its dependencies are done.
func TestRandomGraphs(t *testing.T) {
	for _, cfg := range []runtime.Config{
		{},
		{WorkflowActors: 1, TaskActors: 1, MailboxCapacity: 1},
		{TaskActors: 3, Schedule: runtime.ScheduleCriticalPath},
		{TaskActors: 3, Policy: "round-robin"},
		{TaskActors: 3, Policy: "least-loaded", WorkflowActors: 1},
		{TaskActors: 3, Policy: "hash"},
	} {
		engine := start(t, cfg)
		rapid.Check(t, func(rt *rapid.T) {
			tasks, violations := drawGraph(rt), make(chan string, 1)
			run, err := runtime.Start(context.Background(), engine, compile(rt, tasks, violations), 7)
			if err != nil {
				rt.Fatal(err)
			}
			if rapid.IntRange(0, 9).Draw(rt, "cancel") == 0 {
				run.Cancel()
			}
			out, err := run.Result(within(t))
			select {
			case v := <-violations:
				rt.Fatal(v)
			default:
			}
			checkOutcome(rt, tasks, run.Report(), out, err)
			checkUndone(rt, tasks, run.Report(), err, cfg.TaskActors == 1)
		})
	}
}

func checkOutcome(rt *rapid.T, tasks []*planned, rep runtime.Report, out int, err error) {
	allSucceed := !slices.ContainsFunc(tasks, func(p *planned) bool { return !p.succeeds() })
	cancelled := errors.Is(err, context.Canceled)
	switch {
	case err == nil && (!allSucceed || out != 7):
		rt.Fatalf("the run succeeded with %d; all tasks succeed: %v", out, allSucceed)
	case err != nil && !cancelled:
		te, ok := errors.AsType[*workflow.TaskError](err)
		if !ok || allSucceed || !errors.Is(err, errCard) || te.Attempt != maxAttempts {
			rt.Fatalf("error = %v; all tasks succeed: %v", err, allSucceed)
		}
	}
	for i, p := range tasks {
		started, status := p.started.Load(), rep.Tasks[i].Status
		may := reachable(tasks, i)
		planned := int64(min(p.failures+1, maxAttempts))
		switch {
		case !status.Ended():
			rt.Fatalf("task %d is %v after the end of the run", i, status)
		case started > 0 && !may:
			rt.Fatalf("task %d ran below a failure", i)
		case started > planned, err == nil && started != planned:
			rt.Fatalf("task %d: %d attempts, planned %d", i, started, planned)
		case (status == workflow.StatusSucceeded) != p.done.Load():
			rt.Fatalf("task %d is %v, its body done: %v", i, status, p.done.Load())
		case status == workflow.StatusFailed && p.succeeds():
			rt.Fatalf("task %d failed", i)
		}
	}
}

// checkUndone: of a run that did not succeed each task that did is undone once, in the reverse order of the ends: exactly
// if bodies ran one after the other, else of those that depend on each other. What could not be undone is told.
func checkUndone(rt *rapid.T, tasks []*planned, rep runtime.Report, err error, exact bool) {
	deps := make([][]int, len(tasks))
	owed := 0
	for i, p := range tasks {
		deps[i] = p.deps
		must := err != nil && p.undo && rep.Tasks[i].Status == workflow.StatusSucceeded
		tries := int64(0)
		if must {
			owed++
			tries = int64(min(p.undoFailures+1, maxAttempts))
		}
		if p.undoTries.Load() != tries || (p.undone.Load() != 0) != (must && p.undoFailures < maxAttempts) {
			rt.Fatalf("task %d is %v in a run that ended with %v: %d attempts to undo it, planned %d; undone %v", i, rep.Tasks[i].Status, err, p.undoTries.Load(), tries, p.undone.Load() != 0)
		}
		if must && p.undoFailures == maxAttempts && !errors.Is(err, errUndo) {
			rt.Fatalf("task %d could not be undone, and the run's error is %v", i, err)
		}
	}
	if len(rep.Compensations) != owed {
		rt.Fatalf("%d compensations reported; want %d", len(rep.Compensations), owed)
	}
	for i, later := range tasks {
		for j, earlier := range tasks {
			if later.undone.Load() == 0 || earlier.undone.Load() == 0 || later.undone.Load() < earlier.undone.Load() {
				continue
			}
			if dependsOn(deps, i, j) || exact && later.ended.Load() > earlier.ended.Load() {
				rt.Fatalf("task %d was undone before task %d, which ended after it", j, i)
			}
		}
	}
}

// TestCriticalPathOrder: with one task actor, ready tasks run in the order of
// their remaining path.
func TestCriticalPathOrder(t *testing.T) {
	rt := start(t, runtime.Config{WorkflowActors: 1, TaskActors: 1, Schedule: runtime.ScheduleCriticalPath})
	var order []string // written by one task at a time
	b := workflow.New[int]("ranked")
	note := func(name string) func(context.Context, int) (int, error) {
		return func(context.Context, int) (int, error) { order = append(order, name); return 0, nil }
	}
	root := workflow.Task(b, "root", note("root"), b.Input())
	for i := range 4 {
		workflow.Task(b, fmt.Sprintf("leaf-%d", i), note("leaf"), root)
	}
	var step workflow.Step[int] = root
	for i := range 4 {
		name := fmt.Sprintf("link-%d", i)
		step = workflow.Task(b, name, note(name), step)
	}
	if _, err := runtime.Execute(within(t), rt, build(t, b, step), 0); err != nil {
		t.Fatal(err)
	}
	// The chain's last link is as far from the end as the leaves, and younger.
	want := "[root link-0 link-1 link-2 leaf leaf leaf leaf link-3]"
	if got := fmt.Sprint(order); got != want {
		t.Errorf("order = %s\nwant    %s", got, want)
	}
}
