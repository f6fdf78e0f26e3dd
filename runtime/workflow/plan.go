package workflow

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ringmill/ringmill/runtime/retry"
)

// MaxTasks is the largest number of tasks of one workflow. It leaves task
// indexes well inside int32, which the plan's edges are made of.
const MaxTasks = 1 << 20

// A Plan is the compiled form of a definition that an engine executes. It is
// immutable, but for Scratch and Measured, and shared by all runs; a reader must not change what its slices
// hold.
//
// Invariants:
//
//	I1  a task's Deps and Succs are sorted and distinct
//	I2  s is in Tasks[d].Succs if and only if d is in Tasks[s].Deps
//	I3  the edges form no cycle; Roots lists, in order, the tasks without Deps,
//	    and is not empty
//	I4  exactly one of a task's Run, Expand and Sub is set, or Expand and Sub
type Plan struct {
	Name  string
	Tasks []TaskPlan // in the order of declaration
	Roots []int32
	Sinks int // tasks without Succs

	// DirectRoots says that all Roots are Direct, InlineRoots that they are Inline too. Derived.
	DirectRoots, InlineRoots bool
	Arms                     int // tasks with a Timeout, TaskTimeout or Heartbeat
	Bounds                   int // those of them that are Bounded

	scratch      sync.Pool
	measured     Measured
	measuredOnce sync.Once

	// Output builds a run's result from its input and its tasks' results,
	// indexed by task. It is called once, after all tasks succeeded. The value
	// of a nil interface is nil: convert it with the comma-ok form.
	Output func(input any, results []any) (any, error)
	// CheckInput is asked before a run starts; nil if any input will do.
	CheckInput func(input any) error

	// OnFailure says what a failed task does to the rest of a run.
	OnFailure FailurePolicy
	// Timeout bounds a run, from when it is accepted; 0 is no bound. A bound that
	// the caller gives replaces it.
	Timeout time.Duration
	// CompensateTimeout bounds each call of a Compensate; never 0 in a plan
	// that has one.
	CompensateTimeout time.Duration
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

	// MayFail keeps a failure or timeout of the task to itself: whatever the
	// plan's OnFailure, nothing else is cancelled, what depends on the task goes
	// by its Trigger, and the run can still succeed.
	MayFail bool
	// Trigger says how the Deps must have ended for the task to start.
	Trigger Trigger
	// When is asked once, after Trigger was met and before the first attempt;
	// false ends the task as skipped, an error as failed without an attempt. It
	// is quick and does not block. Nil is true.
	When func(in Inputs) (bool, error)
	// Ask is When for a condition that may take long: a task actor executes it,
	// once, after When held and before the task's time begins. It follows ctx.
	Ask func(ctx context.Context, in Inputs) (bool, error)
	// Level is the task's priority; 0 is that of its run.
	Level Level
	// Inline marks a body that is quick and never blocks: it may run on the
	// goroutine of a workflow actor.
	Inline bool
	// Heartbeat bounds the time between two signs of life of an attempt, its
	// start and each call of the function Heartbeat; 0 is no bound. An attempt
	// that exceeds it is cancelled and timed out, and can be tried again.
	Heartbeat time.Duration

	// Compensate undoes the task, whose result it is given. When a run fails or is
	// cancelled, it is called for the tasks that succeeded, in the reverse order
	// of their ends, one at a time, after all bodies have returned; its context
	// is not cancelled with the run's, and ends after CompensateTimeout.
	// What comes from the cache is not compensated. An error is reported and
	// does not keep the others from being called. In in, all results of tasks
	// that the task depends on can be read. Of a task with Sub it stands for the
	// compensations of that plan's own tasks, which are called otherwise.
	Compensate func(ctx context.Context, in Inputs, result any) error
	// CompensateItem, of a Map, is Compensate for each item that succeeded on its
	// own, whether the Map did or not; value is what Items.Value returns for it.
	CompensateItem func(ctx context.Context, in Inputs, value any) error
	// CompensateRetry lets the policy decide whether a compensation that failed is
	// tried again, each time with CompensateTimeout. Nil: one attempt.
	CompensateRetry retry.Policy
	// CompensateTimeout bounds each call of the compensation; 0 is the plan's CompensateTimeout.
	CompensateTimeout time.Duration

	Cache       *CachePolicy       // nil: every run executes the task
	Breaker     CircuitBreaker     // asked before each attempt, an item's too; nil: none
	RateLimit   RateLimiter        // paces the attempts, an item's too; nil: none
	Concurrency *ConcurrencyPolicy // held from the first attempt to the task's end; nil: none
	Repeat      *RepeatPolicy      // nil: the task succeeds with its first attempt that does

	// KeepErrors, of a Map, hands the error of an item that failed for good to
	// Items.Fail, after which the item counts as ended well.
	KeepErrors bool

	// Direct says that nothing has to be asked, taken or armed before the first attempt: whoever
	// makes the task ready may start it. Derived from the other fields, as are the next six.
	Direct bool
	// Decides says that how the Deps ended, or When, decides whether the task starts.
	Decides bool
	// Plain says that an attempt that succeeds ends the task, and that this takes nothing but
	// keeping its result.
	Plain bool
	// Lean says that the task is Direct and Plain, and that an attempt has no bound, breaker or retry: nothing
	// of it needs a clock.
	Lean bool
	// Bounded says that the task is Direct and Plain but not Lean, and that an attempt has no more than a Timeout, a breaker and
	// a retry policy.
	Bounded bool
	// Bound numbers the tasks that count among the plan's Bounds, Arm those that count among its Arms, the Bounded ones last.
	Bound, Arm int

	// Run executes one attempt.
	Run func(ctx context.Context, in Inputs) (any, error)
	// Expand turns a Map into its items; called once, when the Map is ready.
	Expand func(in Inputs) (Items, error)
	// Sub makes each attempt a run of another plan, whose output is the task's
	// result (with Expand: the item's). Cancelling the attempt cancels that run,
	// which needs no task actor for itself. Its failure is the attempt's.
	Sub *Plan
	// SubInput makes the input of a run of Sub, which Sub.CheckInput is asked
	// about as for any run; not used with Expand. Nil passes Inputs.Input on.
	SubInput func(in Inputs) (any, error)
}

// Inputs is what a task reads: the run's input and the results of its Deps.
type Inputs struct {
	Input   any
	Results []any // indexed by task; a task may only read its own Deps

	// Run tells about the run. Never nil for a task of an engine; functions of a
	// plan that do not need it accept nil.
	Run View
	// Iteration counts the repetitions of a Repeat, from 0; Previous is the
	// result of the one before, nil in the first.
	Iteration int
	Previous  any
}

// A View is what the functions of a plan may ask about their run, until they return: it must
// not be kept. An engine implements it; the methods are safe for concurrent use and do not block.
type View interface {
	// RunID is the run's id.
	RunID() string
	// Outcome is how a task ended, and why if it did not succeed. A task may
	// only ask for its own Deps, which have ended when it starts.
	Outcome(task int) (Status, error)
}

// Items are the pieces of work of a Map.
type Items struct {
	Len int
	// Run executes one attempt of item i and keeps its result. Different items
	// may run at the same time. Of several attempts of one item the first that
	// succeeds counts, also when a later attempt overtakes an abandoned one.
	// Nil in a task with Sub.
	Run func(ctx context.Context, i int) error
	// Result returns the Map's result, the items' results in order. Call it
	// after every item ended.
	Result func() any

	// Fail keeps the error of an item that failed for good; set with
	// TaskPlan.KeepErrors only.
	Fail func(i int, err error)
	// Input makes the input of item i's run of TaskPlan.Sub, and Keep takes
	// its output; set with Sub only.
	Input func(i int) (any, error)
	Keep  func(i int, output any)

	// Value is what TaskPlan.CompensateItem is given for item i, which has
	// succeeded; set where that is.
	Value func(i int) any
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
	for i := range tasks {
		if len(tasks[i].Succs) == 0 {
			p.Sinks++
		}
	}
	p.rank()
	p.classify()
	return p
}

// classify derives what an engine asks about every task: whether it can take the short way.
func (p *Plan) classify() {
	branches := p.OnFailure == Continue || slices.ContainsFunc(p.Tasks, func(t TaskPlan) bool {
		return t.MayFail || t.When != nil || t.Ask != nil || t.Trigger != AllSucceeded
	})
	for i := range p.Tasks {
		t := &p.Tasks[i]
		t.Decides = branches && (len(t.Deps) > 0 || t.When != nil)
		own := t.Expand == nil && t.Cache == nil && t.Concurrency == nil && t.Sub == nil
		t.Direct = own && t.Ask == nil && !t.Decides && t.TaskTimeout == 0 && t.RateLimit == nil
		t.Plain = own && t.Repeat == nil && t.Compensate == nil
		t.Lean = t.Direct && t.Plain && t.Timeout == 0 && t.Heartbeat == 0 && t.Breaker == nil && t.Retry == nil
		t.Bounded = t.Direct && t.Plain && !t.Lean && t.Heartbeat == 0
	}
	p.Arms, p.Bounds = 0, 0
	for i := range p.Tasks {
		switch t := &p.Tasks[i]; {
		case t.Bounded && t.Timeout > 0:
			t.Bound = p.Bounds
			p.Bounds++
		case t.Timeout > 0 || t.TaskTimeout > 0 || t.Heartbeat > 0:
			t.Arm = p.Arms
			p.Arms++
		}
	}
	for i := range p.Tasks {
		if t := &p.Tasks[i]; t.Bounded && t.Timeout > 0 {
			t.Arm = p.Arms
			p.Arms++
		}
	}
	p.DirectRoots, p.InlineRoots = true, true
	for _, i := range p.Roots {
		t := &p.Tasks[i]
		p.DirectRoots = p.DirectRoots && t.Direct
		p.InlineRoots = p.InlineRoots && t.Direct && t.Inline
	}
}

// Scratch is where an engine keeps memory of runs that have ended, for the next runs of
// this plan. What is in it belongs to the engine.
func (p *Plan) Scratch() *sync.Pool { return &p.scratch }

// DefaultCompensateTimeout bounds a compensation where a plan sets no bound.
const DefaultCompensateTimeout = 30 * time.Second

// setCompensateTimeout sets the bound of compensations where there are any.
func (p *Plan) setCompensateTimeout(limit time.Duration) {
	if slices.ContainsFunc(p.Tasks, func(t TaskPlan) bool { return t.Compensate != nil || t.CompensateItem != nil }) {
		p.CompensateTimeout = cmp.Or(limit, DefaultCompensateTimeout)
	}
}

// Compensation returns a plan of one task, called name, that carries run out as the
// compensation of task i: with its priority, CompensateRetry and
// CompensateTimeout, or else the plan's.
func (p *Plan) Compensation(i int, name string, run func(context.Context) error) *Plan {
	t := &p.Tasks[i]
	return newPlan(p.Name, []TaskPlan{{
		Name: name, Level: t.Level, Timeout: cmp.Or(t.CompensateTimeout, p.CompensateTimeout), Retry: t.CompensateRetry,
		Run: func(ctx context.Context, _ Inputs) (any, error) { return nil, run(ctx) },
	}})
}
