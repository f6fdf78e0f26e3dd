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
}

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
		return self, nil
	}
}

// drawGraph draws up to 40 tasks; a third of the graphs has no task that fails
// for good.
func drawGraph(rt *rapid.T) []*planned {
	tasks := make([]*planned, rapid.IntRange(1, 40).Draw(rt, "tasks"))
	worst := rapid.SampledFrom([]int{0, maxAttempts - 1, maxAttempts}).Draw(rt, "worst")
	for i := range tasks {
		tasks[i] = &planned{}
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
		nodes[i] = workflow.Task(b, fmt.Sprint(i), p.body(tasks, violations, i), b.Input(),
			workflow.After(deps...), workflow.Retry(retry.Constant{MaxAttempts: maxAttempts}))
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
