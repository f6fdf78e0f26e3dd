package runtime_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A branch is a task of a random graph in which tasks are skipped and fail while the run goes on.
type branch struct {
	deps     []int
	when     bool // has a condition
	holds    bool // what the condition says
	trigger  workflow.Trigger
	mayFail  bool
	inline   bool
	failures int // attempts that fail before one succeeds
	attempts int // that the retry policy allows
	level    workflow.Level
	ran      atomic.Int32
}

// expect is the reference: plain recursion over the definition, one task at a time.
func expect(tasks []*branch, i int, known map[int]workflow.Status) workflow.Status {
	if s, ok := known[i]; ok {
		return s
	}
	b := tasks[i]
	succeeded := 0
	for _, d := range b.deps {
		if expect(tasks, d, known) == workflow.StatusSucceeded {
			succeeded++
		}
	}
	met := true
	switch b.trigger {
	case workflow.AllSucceeded:
		met = succeeded == len(b.deps)
	case workflow.AnySucceeded:
		met = succeeded > 0 || len(b.deps) == 0
	}
	switch {
	case !met || b.when && !b.holds:
		known[i] = workflow.StatusSkipped
	case b.failures >= b.attempts:
		known[i] = workflow.StatusFailed
	default:
		known[i] = workflow.StatusSucceeded
	}
	return known[i]
}

func drawBranches(rt *rapid.T) []*branch {
	tasks := make([]*branch, rapid.IntRange(1, 30).Draw(rt, "tasks"))
	for i := range tasks {
		b := &branch{
			when: rapid.Bool().Draw(rt, "when"), holds: rapid.Bool().Draw(rt, "holds"),
			trigger: rapid.SampledFrom([]workflow.Trigger{workflow.AllSucceeded, workflow.AllSucceeded, workflow.AllDone, workflow.AnySucceeded}).Draw(rt, "trigger"),
			mayFail: rapid.Bool().Draw(rt, "may fail"), inline: rapid.Bool().Draw(rt, "inline"),
			failures: rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(rt, "failures"), attempts: rapid.IntRange(1, 2).Draw(rt, "attempts"),
			level: rapid.SampledFrom([]workflow.Level{0, workflow.Critical, workflow.Low}).Draw(rt, "level"),
		}
		for range rapid.IntRange(0, min(i, 3)).Draw(rt, "edges") {
			b.deps = append(b.deps, rapid.IntRange(0, i-1).Draw(rt, "dep"))
		}
		slices.Sort(b.deps)
		b.deps = slices.Compact(b.deps)
		tasks[i] = b
	}
	return tasks
}

func defineBranches(rt *rapid.T, tasks []*branch, policy workflow.FailurePolicy) *workflow.Definition[int, int] {
	b := workflow.New[int]("branches", workflow.OnFailure(policy))
	nodes := make([]workflow.Node, len(tasks))
	for i, p := range tasks {
		var deps []workflow.Node
		for _, d := range p.deps {
			deps = append(deps, nodes[d])
		}
		opts := []workflow.Option{workflow.After(deps...), workflow.TriggerOn(p.trigger), workflow.Retry(retry.Constant{MaxAttempts: p.attempts})}
		if p.when {
			opts = append(opts, workflow.When(b.Input(), func(int) bool { return p.holds }))
		}
		if p.mayFail {
			opts = append(opts, workflow.MayFail())
		}
		if p.inline {
			opts = append(opts, workflow.Inline())
		}
		if p.level != 0 {
			opts = append(opts, workflow.Priority(p.level))
		}
		nodes[i] = workflow.Task(b, fmt.Sprint(i), func(context.Context, int) (int, error) {
			if p.ran.Add(1) <= int32(p.failures) {
				return 0, errCard
			}
			return i, nil
		}, b.Input(), opts...)
	}
	def, err := workflow.Build(b, b.Input())
	if err != nil {
		rt.Fatal(err)
	}
	return def
}

// TestBranches compares runs that go on after failures with the reference: every task ends as it says and
// its body has run as often as it says.
func TestBranches(t *testing.T) {
	for _, cfg := range []runtime.Config{
		{},
		{WorkflowActors: 1, TaskActors: 1, MailboxCapacity: 1},
		{TaskActors: 3, Schedule: runtime.ScheduleCriticalPath},
		{TaskActors: 2, Policy: "hash"},
	} {
		engine := start(t, cfg)
		rapid.Check(t, func(rt *rapid.T) {
			tasks, policy := drawBranches(rt), workflow.Continue
			if rapid.Bool().Draw(rt, "fail fast") { // then whatever fails must be one that may
				policy = workflow.FailFast
				for _, b := range tasks {
					b.mayFail = true
				}
			}
			def := defineBranches(rt, tasks, policy)
			run, err := runtime.Start(context.Background(), engine, def, 7)
			if err != nil {
				rt.Fatal(err)
			}
			out, err := run.Result(within(t))
			known, fails, rep := map[int]workflow.Status{}, false, run.Report()
			for i, b := range tasks {
				want, ran := expect(tasks, i, known), int32(0)
				switch want {
				case workflow.StatusFailed:
					ran = int32(b.attempts)
					fails = fails || !b.mayFail
				case workflow.StatusSucceeded:
					ran = int32(b.failures) + 1
				}
				if got := rep.Tasks[i].Status; got != want || b.ran.Load() != ran {
					rt.Fatalf("task %d is %v and its body ran %d times; want %v and %d", i, got, b.ran.Load(), want, ran)
				}
			}
			if fails {
				if te, ok := errors.AsType[*workflow.TaskError](err); !ok || !errors.Is(err, errCard) || run.Status() != workflow.StatusFailed {
					rt.Fatalf("error = %v (%T), status %v; want the TaskError of a failed task", err, te, run.Status())
				}
			} else if err != nil || out != 7 {
				rt.Fatalf("result = %v, %v; want 7", out, err)
			}
			checkPrivate(rt, t, engine, tasks, def, fails)
		})
	}
}

// checkPrivate executes the same definition again through Execute, whose runs use memory again.
func checkPrivate(rt *rapid.T, t *testing.T, engine *runtime.Runtime, tasks []*branch, def *workflow.Definition[int, int], fails bool) {
	for range 3 {
		for _, b := range tasks {
			b.ran.Store(0)
		}
		out, err := runtime.Execute(within(t), engine, def, 7)
		if (err != nil) != fails || err == nil && out != 7 {
			rt.Fatalf("Execute = %v, %v; want failure: %v", out, err, fails)
		}
		known := map[int]workflow.Status{}
		for i, b := range tasks {
			if expect(tasks, i, known) == workflow.StatusSucceeded && b.ran.Load() != int32(b.failures)+1 {
				rt.Fatalf("Execute: the body of task %d ran %d times; want %d", i, b.ran.Load(), b.failures+1)
			}
		}
	}
}

// TestConditionThatExits: a condition that panics or ends its goroutine fails its own task; tasks that were to be
// started after it start all the same.
func TestConditionThatExits(t *testing.T) {
	for name, cond := range map[string]func(int) bool{
		"panic":  func(int) bool { panic("condition") },
		"goexit": func(int) bool { goruntime.Goexit(); return true },
	} {
		t.Run(name, func(t *testing.T) {
			rt := start(t, runtime.Config{WorkflowActors: 1})
			b := workflow.New[int]("exits")
			same := func(_ context.Context, n int) (int, error) { return n, nil }
			bad := workflow.Task(b, "bad", same, b.Input(), workflow.When(b.Input(), cond), workflow.MayFail())
			for i := range 5 {
				workflow.Task(b, fmt.Sprintf("root-%d", i), same, b.Input(), workflow.When(b.Input(), func(int) bool { return true }))
			}
			workflow.Task(b, "below", same, b.Input(), workflow.After(bad), workflow.TriggerOn(workflow.AllDone))
			run, err := runtime.Start(context.Background(), rt, build(t, b, b.Input()), 7)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := run.Result(within(t)); out != 7 || err != nil {
				t.Fatalf("result = %v, %v; want 7", out, err)
			}
			for _, task := range run.Report().Tasks {
				want := workflow.StatusSucceeded
				if task.Name == "bad" {
					want = workflow.StatusFailed
				}
				if task.Status != want {
					t.Errorf("task %s is %v: %v; want %v", task.Name, task.Status, task.Err, want)
				}
			}
			if out, err := runtime.Execute(within(t), rt, build(t, b, b.Input()), 8); out != 8 || err != nil {
				t.Errorf("Execute = %v, %v; want 8", out, err)
			}
		})
	}
}
