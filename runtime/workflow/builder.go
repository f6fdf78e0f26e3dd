package workflow

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// A Builder collects the tasks of one workflow that takes an I. Mistakes do not
// stop it: [Build] reports all of them at once. A Builder must not be copied
// and is not safe for concurrent use; the definitions that it builds are.
type Builder[I any] struct{ tasks declarations }

// New returns an empty builder for a workflow that takes an I as its input.
func New[I any](name string, opts ...PlanOption) *Builder[I] {
	b := &Builder[I]{declarations{name: name}}
	for i, opt := range opts {
		if opt == nil {
			b.tasks.report(ErrBadOption, "leave it out", "option %d of workflow.New is nil", i+1)
			continue
		}
		opt(&b.tasks)
	}
	return b
}

// Input returns the step that stands for the run's input.
func (b *Builder[I]) Input() Step[I] {
	if b == nil {
		return Step[I]{}
	}
	return Step[I]{owner: &b.tasks, task: inputStep}
}

// A Step stands for a value that exists when a workflow runs: its input, or the
// result of a task. It is a small value to be copied; the zero Step belongs to
// no workflow and is refused by [Build].
type Step[T any] struct {
	owner *declarations
	task  int // index, or inputStep
	// outcome makes the value of a step that Outcome returned; nil: it is the task's.
	outcome func(Inputs) any
}

// Outcome returns a step that stands for how s ends, well or not, so that another
// task can look at its error or decide by it ([When]). That task also needs a
// [TriggerOn] that lets it start then, such as AllDone, and s a [MayFail] or the
// workflow [OnFailure] if the run is to go on at all. Outcome cannot be the output of a
// workflow.
func Outcome[T any](s Step[T]) Step[Result[T]] {
	return Step[Result[T]]{owner: s.owner, task: s.task, outcome: func(in Inputs) any {
		r := Result[T]{Value: unboxed(in, s), Status: StatusSucceeded}
		if in.Run != nil && s.task != inputStep {
			r.Status, r.Err = in.Run.Outcome(s.task)
		}
		return r
	}}
}

// inputStep is the index of the step that Input returns.
const inputStep = -1

func (s Step[T]) node() node { return node{s.owner, s.task} }

// A Node is a [Step] of any type.
type Node interface{ node() node }

type node struct {
	owner *declarations
	task  int
}

// Build checks the builder's tasks and compiles them into a definition whose
// result is out: a task's step, or the builder's own input. Tasks that out does
// not need run as well. The error joins a [*DefinitionError] for every problem.
//
// A builder stays usable: later tasks go into later definitions only.
func Build[I, O any](b *Builder[I], out Step[O]) (*Definition[I, O], error) {
	if b == nil {
		return nil, &DefinitionError{Problem: "Build got a nil *Builder",
			Cure: "make one with workflow.New", Err: ErrBadOption}
	}
	plan, err := b.tasks.compile(out.node(), out.outcome != nil)
	if err != nil {
		return nil, err
	}
	result := out.task
	plan.Output = func(input any, results []any) (any, error) {
		v := Inputs{Input: input, Results: results}.value(result)
		if v == nil { // a nil interface, or a task that did not succeed
			var zero O
			return zero, nil
		}
		return v, nil
	}
	return &Definition[I, O]{plan}, nil
}

// declarations is the part of a Builder that does not depend on its type.
type declarations struct {
	name  string
	tasks []declaration
	cases map[caseKey][]any // what Case asks for, by the step it asks

	failure             FailurePolicy
	timeout, compensate time.Duration
	problems            []problem
}

func (d *declarations) report(err error, cure, format string, args ...any) {
	d.problems = append(d.problems, problem{fmt.Sprintf(format, args...), cure, err})
}

// A declaration is one task as declared, with what is wrong with it.
type declaration struct {
	TaskPlan
	result   reflect.Type
	item     reflect.Type // what a call for one item of a Map returns; nil of other tasks
	args     []argument
	problems []problem
}

// An argument is what a task's function is called with.
type argument struct {
	of  reflect.Type
	get func(Inputs) any
}

type problem struct {
	what, cure string
	err        error
}

func (d *declaration) report(err error, cure, format string, args ...any) {
	d.problems = append(d.problems, problem{fmt.Sprintf(format, args...), cure, err})
}

// add declares a task and returns its index. needs are its data edges.
func (d *declarations) add(decl declaration, needs []node, opts []Option) int {
	t := &decl.TaskPlan
	if what := badName(t.Name); what != "" {
		decl.report(ErrBadName, nameCure, "the name of task number %d %s", len(d.tasks)+1, what)
	}
	if t.Run == nil && t.Expand == nil && t.Sub == nil {
		decl.report(ErrNilFunc, "pass a func(context.Context, A) (B, error)", "its function is nil")
	}
	for i, n := range needs {
		decl.depend(d, n, fmt.Sprintf("argument %d", i+1))
	}
	for i, opt := range opts {
		if opt == nil {
			decl.report(ErrBadOption, "leave it out", "option %d is nil", i+1)
			continue
		}
		opt(d, &decl)
	}
	if t.CompensateTimeout > 0 && t.Compensate == nil && t.CompensateItem == nil {
		decl.report(ErrBadOption, "leave it out, or add Compensate", "CompensateWithin is set on a task without a compensation")
	}
	if t.CompensateRetry != nil && t.Compensate == nil && t.CompensateItem == nil {
		decl.report(ErrBadOption, "leave it out, or add Compensate", "CompensateRetry is set on a task without a compensation")
	}
	d.tasks = append(d.tasks, decl)
	return len(d.tasks) - 1
}

// depend makes the task wait for n; role says in errors how n was passed.
func (d *declaration) depend(owner *declarations, n node, role string) {
	switch {
	case n.owner == nil:
		d.report(ErrForeignStep, "pass a Step that this workflow's Input, Task or Map returned", "%s is the zero Step", role)
	case n.owner != owner:
		d.report(ErrForeignStep, "pass a Step of this workflow", "%s, %s, belongs to another workflow, %s",
			role, n, n.owner.name)
	case n.task != inputStep:
		d.Deps = append(d.Deps, int32(n.task))
	}
}

func (n node) String() string {
	if n.task == inputStep {
		return "the input"
	}
	return "task " + n.owner.tasks[n.task].Name
}

// compile checks the declared tasks and makes a plan of a copy of them.
func (d *declarations) compile(out node, outcome bool) (*Plan, error) {
	var problems []error
	report := func(task, what, cure string, err error) {
		problems = append(problems, &DefinitionError{d.name, task, what, cure, err})
	}
	if what := badName(d.name); what != "" {
		report("", "the name passed to workflow.New "+what, nameCure, ErrBadName)
	}
	for _, p := range d.problems {
		report("", p.what, p.cure, p.err)
	}
	if outcome {
		report("", "the output passed to Build is an Outcome", "pass the step of a task that takes the Outcome", ErrForeignStep)
	}
	if len(d.tasks) == 0 {
		report("", "it has no task", "add one with workflow.Task or workflow.Map", ErrNoTasks)
	}
	if len(d.tasks) > MaxTasks {
		report("", fmt.Sprintf("it has %d tasks", len(d.tasks)),
			fmt.Sprintf("declare at most %d, and put long lists into a workflow.Map", MaxTasks), ErrTooLarge)
	}
	first := make(map[string]int, len(d.tasks))
	for i := range d.tasks {
		t := &d.tasks[i]
		if earlier, ok := first[t.Name]; !ok {
			first[t.Name] = i
		} else if t.Name != "" {
			report(t.Name, fmt.Sprintf("tasks number %d and %d both have this name", earlier+1, i+1),
				"give each task its own name", ErrDuplicateTask)
		}
		for _, p := range t.problems {
			report(t.Name, p.what, p.cure, p.err)
		}
	}
	var result declaration
	result.depend(d, out, "the output passed to Build")
	for _, p := range result.problems {
		report("", p.what, p.cure, p.err)
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	tasks := make([]TaskPlan, len(d.tasks))
	for i := range d.tasks {
		tasks[i] = d.tasks[i].TaskPlan
		tasks[i].Deps = slices.Clone(tasks[i].Deps)
	}
	plan := newPlan(d.name, tasks)
	plan.OnFailure, plan.Timeout = d.failure, d.timeout
	plan.classify() // again: OnFailure counts
	plan.setCompensateTimeout(d.compensate)
	return plan, nil
}

// isNil reports whether v is nil or holds a nil pointer or function, whose
// methods could panic.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return (r.Kind() == reflect.Pointer || r.Kind() == reflect.Func) && r.IsNil()
}
