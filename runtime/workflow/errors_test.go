package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ringmill/ringmill/runtime/workflow"
)

func TestTaskError(t *testing.T) {
	err := error(&workflow.TaskError{Workflow: "checkout", RunID: "r-1", Task: "charge", Attempt: 3, Err: context.DeadlineExceeded})
	if got, want := err.Error(), "workflow checkout, run r-1, task charge, attempt 3: context deadline exceeded"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error("the cause is out of reach")
	}
	short := &workflow.TaskError{Workflow: "checkout", Err: context.Canceled}
	if got, want := short.Error(), "workflow checkout: context canceled"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

func TestPanicError(t *testing.T) {
	if err := (&workflow.PanicError{Value: "out of tea"}); err.Error() != "panic: out of tea" || err.Unwrap() != nil {
		t.Errorf("%v wraps %v", err, err.Unwrap())
	}
	if err := (&workflow.PanicError{Value: context.Canceled}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v hides its cause", err)
	}
}

func ExampleStatus() {
	fmt.Println(workflow.StatusRetrying, workflow.StatusRetrying.Ended())
	fmt.Println(workflow.StatusTimedOut, workflow.StatusTimedOut.Ended())
	fmt.Println(workflow.Status(99))
	// Output:
	// retrying false
	// timed_out true
	// Status(99)
}
