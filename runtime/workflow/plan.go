package workflow

import (
	"context"
	"slices"
	"time"

	"github.com/ringmill/ringmill/runtime/retry"
)

// MaxTasks is the largest number of tasks of one workflow. It leaves task
// indexes well inside int32, which the plan's edges are made of.
const MaxTasks = 1 << 20

// A Plan is the compiled form of a definition that an engine executes. It is
// immutable and shared by all runs; a reader must not change what its slices
// hold.
//
// Invariants:
//
//	I1  a task's Deps and Succs are sorted and distinct
//	I2  s is in Tasks[d].Succs if and only if d is in Tasks[s].Deps
//	I3  the edges form no cycle; Roots lists, in order, the tasks without Deps,
//	    and is not empty
//	I4  exactly one of a task's Run and Expand is set
type Plan struct {
	Name  string
	Tasks []TaskPlan // in the order of declaration
	Roots []int32

	// Output builds a run's result from its input and its tasks' results,
	// indexed by task. It is called once, after all tasks succeeded. The value
	// of a nil interface is nil: convert it with the comma-ok form.
	Output func(input any, results []any) (any, error)
	// CheckInput is asked before a run starts; nil if any input will do.
	CheckInput func(input any) error
}

// A TaskPlan is one task of a [Plan].
type TaskPlan struct {
	Name        string
	Deps        []int32       // what it waits for: data edges and After
	Succs       []int32       // what waits for it
	Timeout     time.Duration // of one attempt (a Map: of one item's attempt); 0 is none
	TaskTimeout time.Duration // of all attempts and their waits; 0 is none
	Retry       retry.Policy  // nil: one attempt. Of a Map: for each item on its own
	Limit       int           // of a Map: items at once; 0 is no limit

	// Weight is the expected run time: the recorded one of a WfFormat task,
	// else 0.
	Weight time.Duration
	// Rank is the longest sum of weights from the start of this task to the end
	// of the plan, in nanoseconds: the task with the highest rank is the most
	// urgent. Where no task has a weight, each counts as 1.
	Rank float64

	// Run executes one attempt. Exactly one of Run and Expand is set.
	Run func(ctx context.Context, in Inputs) (any, error)
	// Expand turns a Map into its items; called once, when the Map is ready.
	Expand func(in Inputs) (Items, error)
}

// Inputs is what a task reads: the run's input and the results of its Deps.
type Inputs struct {
	Input   any
	Results []any // indexed by task; a task may only read its own Deps
}

// Items are the pieces of work of a Map.
type Items struct {
	Len int
	// Run executes one attempt of item i and keeps its result. Different items
	// may run at the same time. Of several attempts of one item the first that
	// succeeds counts, also when a later attempt overtakes an abandoned one.
	Run func(ctx context.Context, i int) error
	// Result returns the Map's result, the items' results in order. Call it
	// after every item succeeded.
	Result func() any
}

// value returns the result of task i, or the run's input for inputStep.
func (in Inputs) value(i int) any {
	if i == inputStep {
		return in.Input
	}
	return in.Results[i]
}

// newPlan completes a plan whose tasks have everything but their edges'
// mirror image and rank. deps must be in range and free of cycles.
func newPlan(name string, tasks []TaskPlan) *Plan {
	p := &Plan{Name: name, Tasks: tasks}
	edges := 0
	fanOut := make([]int32, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		slices.Sort(t.Deps)
		t.Deps = slices.Compact(t.Deps)
		edges += len(t.Deps)
		for _, d := range t.Deps {
			fanOut[d]++
		}
		if len(t.Deps) == 0 {
			p.Roots = append(p.Roots, int32(i))
		}
	}
	succs := make([]int32, edges) // one array for all lists
	for i, n := range fanOut {
		tasks[i].Succs, succs = succs[:0:n], succs[n:]
	}
	for i := range tasks {
		for _, d := range tasks[i].Deps {
			tasks[d].Succs = append(tasks[d].Succs, int32(i))
		}
	}
	p.rank()
	return p
}
