package report

import (
	"context"
	"errors"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// Class sorts the error of a run into one word for programs to branch on:
// overloaded, stopped, panic, timeout, cancelled, task_error, error.
func Class(err error) string {
	var panicked *workflow.PanicError
	var failed *workflow.TaskError
	var classed interface {
		error
		ErrorClass() string
	}
	switch {
	case errors.Is(err, runtime.ErrOverloaded):
		return "overloaded"
	case errors.As(err, &panicked):
		return "panic"
	case errors.As(err, &classed) && !errors.Is(err, context.Canceled): // an engine of its own, such as js
		return classed.ErrorClass()
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &failed):
		return "task_error"
	case errors.Is(err, runtime.ErrStopped):
		return "stopped"
	}
	return "error"
}
