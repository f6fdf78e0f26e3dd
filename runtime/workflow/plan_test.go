package workflow_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
	"pgregory.net/rapid"
)

// checkPlan holds a plan's invariants against plain definitions of them.
func checkPlan(t interface {
	Helper()
	Errorf(format string, args ...any)
}, p *workflow.Plan) {
	t.Helper()
	var roots []int32
	weighted := slices.ContainsFunc(p.Tasks, func(t workflow.TaskPlan) bool { return t.Weight > 0 })
	place := make([]int, len(p.Tasks)) // in an order with dependencies first
	for at, i := range inOrder(p) {
		place[i] = at
	}
	for i, task := range p.Tasks {
		for _, list := range [][]int32{task.Deps, task.Succs} {
			if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
				t.Errorf("task %d has an unsorted or repeating list: %v", i, list)
			}
		}
		for _, d := range task.Deps {
			if place[d] > place[i] {
				t.Errorf("tasks %d and %d wait for each other", d, i)
			}
			if !slices.Contains(p.Tasks[d].Succs, int32(i)) {
				t.Errorf("task %d waits for %d, which does not know it", i, d)
			}
		}
		rank := 0.0
		for _, s := range task.Succs {
			if !slices.Contains(p.Tasks[s].Deps, int32(i)) {
				t.Errorf("task %d releases %d, which does not wait for it", i, s)
			}
			rank = max(rank, p.Tasks[s].Rank)
		}
		if weighted {
			rank += float64(task.Weight)
		} else {
			rank++
		}
		if task.Rank != rank {
			t.Errorf("task %d has rank %v, want %v", i, task.Rank, rank)
		}
		if len(task.Deps) == 0 {
			roots = append(roots, int32(i))
		}
		bodies := 0
		for _, set := range []bool{task.Run != nil, task.Expand != nil, task.Sub != nil && task.Expand == nil} {
			if set {
				bodies++
			}
		}
		if bodies != 1 {
			t.Errorf("task %d has %d of Run, Expand and Sub", i, bodies)
		}
	}
	if !slices.Equal(p.Roots, roots) {
		t.Errorf("roots %v, want %v", p.Roots, roots)
	}
}

// TestPlanOfRandomGraphs: whatever the builder was told, the plan is
// consistent, and its critical path is the longest that a plain recursion finds.
func TestPlanOfRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := workflow.New[int]("random")
		steps := []workflow.Step[int]{b.Input()}
		add := func(_ context.Context, x, y int) (int, error) { return x + y, nil }
		for i := range rapid.IntRange(1, 40).Draw(t, "tasks") {
			pick := rapid.SampledFrom(steps)
			after := make([]workflow.Node, rapid.IntRange(0, 5).Draw(t, "after"))
			for j := range after {
				after[j] = pick.Draw(t, "node")
			}
			steps = append(steps, workflow.Task2(b, fmt.Sprint("t", i), add, pick.Draw(t, "x"), pick.Draw(t, "y"), workflow.After(after...)))
		}
		def, err := workflow.Build(b, rapid.SampledFrom(steps).Draw(t, "output"))
		if err != nil {
			t.Fatal(err)
		}
		p := def.Plan()
		checkPlan(t, p)

		cost := rapid.SliceOfN(rapid.IntRange(0, 5), len(p.Tasks), len(p.Tasks)).Draw(t, "cost")
		length, path := p.CriticalPath(func(i int) time.Duration { return time.Duration(cost[i]) })
		var sum, longest time.Duration
		for n, i := range path {
			sum += time.Duration(cost[i])
			if n > 0 && !slices.Contains(p.Tasks[i].Deps, int32(path[n-1])) {
				t.Errorf("the critical path %v has no edge to %d", path, i)
			}
		}
		var end func(i int) time.Duration
		end = func(i int) (latest time.Duration) {
			for _, d := range p.Tasks[i].Deps {
				latest = max(latest, end(int(d)))
			}
			return latest + time.Duration(cost[i])
		}
		if len(p.Tasks) <= 15 { // the recursion is exponential
			for i := range p.Tasks {
				longest = max(longest, end(i))
			}
			if length != longest {
				t.Errorf("critical path of %d, the longest has %d", length, longest)
			}
		}
		if length != sum || len(path) == 0 || len(p.Tasks[path[0]].Deps) > 0 {
			t.Errorf("critical path %v of %d, its tasks add up to %d", path, length, sum)
		}
	})
}

// TestCyclesOfRandomGraphs: a file is refused for a cycle if and only if its
// graph has one.
func TestCyclesOfRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "tasks")
		deps := make([][]int, n)
		text := "tasks:\n"
		for i := range n {
			deps[i] = rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 2).Draw(t, "needs")
			text += fmt.Sprintf("  t%d:\n    cmd: [x]\n    needs:\n", i)
			for _, d := range deps[i] {
				text += fmt.Sprintf("    - t%d\n", d)
			}
			if len(deps[i]) == 0 {
				text += "      []\n"
			}
		}
		removed := make([]bool, n) // Kahn: what can be removed is on no cycle
		for range n {
			for i := range n {
				removed[i] = !slices.ContainsFunc(deps[i], func(d int) bool { return !removed[d] })
			}
		}
		def, err := workflow.Parse([]byte(text))
		if cyclic := slices.Contains(removed, false); cyclic != (err != nil) {
			t.Fatalf("%s\ncyclic: %t, error %v", text, cyclic, err)
		}
		if err == nil {
			checkPlan(t, def.Plan())
		}
	})
}

// TestDeepChain: a chain of any length is checked without deep recursion.
func TestDeepChain(t *testing.T) {
	b := workflow.New[int]("chain")
	step := b.Input()
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	for i := range n {
		step = workflow.Task(b, fmt.Sprint(i), func(_ context.Context, x int) (int, error) { return x + 1, nil }, step)
	}
	def, err := workflow.Build(b, step)
	if err != nil {
		t.Fatal(err)
	}
	if length, path := def.Plan().CriticalPath(func(int) time.Duration { return 1 }); length != time.Duration(n) || len(path) != n || def.Plan().Tasks[0].Rank != float64(n) {
		t.Errorf("critical path of %d over %d tasks, rank %v", length, len(path), def.Plan().Tasks[0].Rank)
	}
}
