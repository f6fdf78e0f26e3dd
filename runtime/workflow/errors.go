package workflow

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What a definition is refused for. The errors of Build, ParseYAML,
// ParseWfFormat and Parse match these with [errors.Is]; one error can match
// several, since all problems are reported at once.
var (
	// ErrCycle reports tasks that wait for each other.
	ErrCycle = errors.New("workflow: cycle")
	// ErrDuplicateTask reports two tasks of one name.
	ErrDuplicateTask = errors.New("workflow: duplicate task")
	// ErrUnknownTask reports a dependency on a task that does not exist.
	ErrUnknownTask = errors.New("workflow: unknown task")
	// ErrUnknownFunc reports a function that the program does not have.
	ErrUnknownFunc = errors.New("workflow: unknown function")
	// ErrUnknownPolicy reports a breaker or limit that nobody declares.
	ErrUnknownPolicy = errors.New("workflow: unknown policy")
	// ErrBadOption reports an option whose value or place makes no sense.
	ErrBadOption = errors.New("workflow: bad option")
	// ErrBadName reports a name of a workflow or task that is empty, too long
	// or not printable.
	ErrBadName = errors.New("workflow: bad name")
	// ErrForeignStep reports a Step that the workflow's own builder did not make.
	ErrForeignStep = errors.New("workflow: foreign step")
	// ErrNilFunc reports a task without a function.
	ErrNilFunc = errors.New("workflow: nil function")
	// ErrNoTasks reports a workflow that has nothing to do.
	ErrNoTasks = errors.New("workflow: no tasks")
	// ErrTooLarge reports a definition beyond a bound, such as MaxTasks.
	ErrTooLarge = errors.New("workflow: too large")
	// ErrUnsupported reports a part of a definition that this program does not carry out.
	ErrUnsupported = errors.New("workflow: unsupported")
	// ErrSyntax reports a file that is not written as its format wants it.
	ErrSyntax = errors.New("workflow: syntax")
)

// ErrBadInput reports an input that a workflow does not accept; nothing was run.
var ErrBadInput = errors.New("workflow: bad input")

// ErrNoValue reports a reference that leads nowhere in this run: a task fails
// with it, or the run's output cannot be built.
var ErrNoValue = errors.New("workflow: no value")

// ErrExpression reports an expression that cannot be evaluated with the values of
// this run.
var ErrExpression = errors.New("workflow: expression")

// ErrRepeatLimit reports a repeated task whose condition still did not hold
// after its last iteration.
var ErrRepeatLimit = errors.New("workflow: repeat limit")

// A DefinitionError is one problem of a workflow made with a [Builder]: what is
// wrong, with what, and what to do.
type DefinitionError struct {
	Workflow string // the workflow's name
	Task     string // the task's name; empty if the problem is not one task's
	Problem  string
	Cure     string
	Err      error // the sentinel, or the cause
}

// Error prints all fields: "workflow checkout, task mail: problem: cure".
func (e *DefinitionError) Error() string {
	var b strings.Builder
	b.WriteString("workflow")
	writeName(&b, " ", e.Workflow)
	writeName(&b, ", task ", e.Task)
	fmt.Fprintf(&b, ": %s: %s", e.Problem, e.Cure)
	return b.String()
}

// Unwrap returns Err.
func (e *DefinitionError) Unwrap() error { return e.Err }

// A TaskError says which task of which run failed, on which attempt, and why.
type TaskError struct {
	Workflow string
	RunID    string
	Task     string
	Attempt  int // from 1; 0 if the task never began
	Err      error
}

// Error prints the fields that are set:
// "workflow checkout, run r-1, task charge, attempt 3: card declined".
func (e *TaskError) Error() string {
	var b strings.Builder
	b.WriteString("workflow")
	writeName(&b, " ", e.Workflow)
	writeName(&b, ", run ", e.RunID)
	writeName(&b, ", task ", e.Task)
	if e.Attempt > 0 {
		fmt.Fprintf(&b, ", attempt %d", e.Attempt)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns the cause.
func (e *TaskError) Unwrap() error { return e.Err }

// A CompensationError says which compensation of a run that failed or was cancelled
// failed itself, and why. It is joined to the run's error.
type CompensationError struct {
	Workflow string
	RunID    string
	Task     string // of a workflow that is a task: after that task's name and a slash
	Item     int    // of a Map; -1 for a task
	Attempt  int    // from 1; 0 if it never began
	Err      error
}

// Error prints the fields that are set:
// "workflow checkout, run r-1, compensation of task charge, attempt 3: no such payment".
func (e *CompensationError) Error() string {
	var b strings.Builder
	b.WriteString("workflow")
	writeName(&b, " ", e.Workflow)
	writeName(&b, ", run ", e.RunID)
	writeName(&b, ", compensation of task ", e.Task)
	if e.Item >= 0 {
		fmt.Fprintf(&b, ", item %d", e.Item)
	}
	if e.Attempt > 0 {
		fmt.Fprintf(&b, ", attempt %d", e.Attempt)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns the cause.
func (e *CompensationError) Unwrap() error { return e.Err }

// A PanicError carries what a task panicked with; it is the Err of the task's
// [TaskError].
type PanicError struct {
	Value any    // what recover returned
	Stack []byte // of the panicking goroutine, as runtime/debug.Stack prints it
}

// Error prints the value without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns Value if it is an error, so that [errors.Is] and [errors.As]
// reach it, and nil if it is not.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// writeName writes a name as it is, unless it would garble the line.
func writeName(b *strings.Builder, label, name string) {
	if name == "" {
		return
	}
	b.WriteString(label)
	if badName(name) != "" {
		name = strconv.Quote(name)
	}
	b.WriteString(name)
}
