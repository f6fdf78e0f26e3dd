package processor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

var (
	// ErrOverloaded reports that a bound was hit: errors.As to
	// *OverloadError names it.
	ErrOverloaded = errors.New("ringmill: overloaded")
	// ErrStopped reports that the runtime was stopped.
	ErrStopped = errors.New("ringmill: stopped")
	// errGoexit is the cause when a task body called runtime.Goexit.
	errGoexit = errors.New("the task called runtime.Goexit (t.FailNow does): return an error instead")
)

// The bounds that an OverloadError names, as the fields of Config that set them.
const (
	boundRuns      = "MaxRuns"
	boundMailboxes = "MailboxCapacity"
)

// An OverloadError says which bound refused a run. It satisfies
// errors.Is(err, ErrOverloaded).
type OverloadError struct {
	Bound string // "MaxRuns" or "MailboxCapacity"
	Limit int    // its size: runs in flight, or places in all workflow actors' mailboxes
}

func (e *OverloadError) Error() string {
	return fmt.Sprintf("%v: %s: %d are taken: wait for runs to end, or raise it", ErrOverloaded, e.Bound, e.Limit)
}

// Is reports whether target is ErrOverloaded.
func (e *OverloadError) Is(target error) bool { return target == ErrOverloaded }

// A RunError is how a run ended that no failed task ended: it was cancelled,
// ran into its deadline, or was shed.
type RunError struct {
	Workflow string
	RunID    string
	Status   workflow.Status
	Err      error
}

func (e *RunError) Error() string {
	return fmt.Sprintf("workflow %s, run %s: %s: %v", e.Workflow, e.RunID, e.Status, e.Err)
}

func (e *RunError) Unwrap() error { return e.Err }

// A timeoutError is the cause of an attempt, a task or a run that took too
// long. It satisfies errors.Is(err, context.DeadlineExceeded).
type timeoutError struct {
	what  string // "attempt", "task" or "run"
	limit time.Duration
	err   error // what the body returned or the last attempt failed with, if anything
}

func (e *timeoutError) Error() string {
	if e.err != nil {
		return fmt.Sprintf("%s timed out after %v: %v", e.what, e.limit, e.err)
	}
	return fmt.Sprintf("%s timed out after %v", e.what, e.limit)
}

func (e *timeoutError) Unwrap() []error {
	if e.err != nil {
		return []error{context.DeadlineExceeded, e.err}
	}
	return []error{context.DeadlineExceeded}
}

// Cause is why ctx, which has ended, did: the cause that it was cancelled with,
// wrapped if need be so that it satisfies errors.Is with ctx.Err() too.
func Cause(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
