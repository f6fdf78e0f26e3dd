package zaplog

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A detail says which fields follow those that name the run and the task.
type detail int

const (
	queued   detail = iota // how long it waited
	ran                    // how long it took and what went wrong
	backoff                // how long until the next attempt
	incident               // what went wrong
	resized                // from how many to how many, and why
)

// fields describes e. It allocates, so it is called for lines that are written
// only.
func (o *Observer) fields(ctx context.Context, e *processor.Event, d detail) []zap.Field {
	fields := make([]zap.Field, 0, 12)
	if e.Workflow != "" {
		fields = append(fields, zap.String("workflow", e.Workflow))
	}
	if e.RunID != "" {
		fields = append(fields, zap.String("run_id", e.RunID))
	}
	if e.Task != "" {
		fields = append(fields, zap.String("task", e.Task))
		if e.Attempt > 0 {
			fields = append(fields, zap.Int("attempt", e.Attempt))
		}
	}
	if e.Item >= 0 && e.Task != "" {
		fields = append(fields, zap.Int("item", e.Item))
	}
	if e.Compensation {
		fields = append(fields, zap.Bool("compensation", true))
	}
	switch d {
	case queued:
		fields = append(fields, zap.Int("actor", e.Actor), zap.Float64("queue_seconds", e.Queue.Seconds()))
	case ran:
		fields = append(fields, zap.Int("actor", e.Actor), zap.Float64("run_seconds", e.Run.Seconds()))
		fields = appendError(fields, e)
	case backoff:
		fields = append(fields, zap.Float64("backoff_seconds", e.Queue.Seconds()))
	case incident:
		fields = appendError(fields, e)
	case resized:
		if d := e.Resize; d != nil {
			fields = append(fields, zap.Int("from", d.From), zap.Int("to", d.To), zap.String("reason", d.Reason.String()), zap.Int("need", d.Need),
				zap.Float64("service_seconds", d.Service.Seconds()), zap.Float64("wait_seconds", d.Wait.Seconds()), zap.Int("queued", d.Queued))
		}
	}
	if o.traceID != nil {
		if id := o.traceID(ctx); id != "" {
			fields = append(fields, zap.String("trace_id", id))
		}
	}
	return fields
}

// appendError adds the cause of e. An attempt that was cancelled has none of its
// own. Where a TaskError wraps it, its other fields name what e does not name
// already: the task that a run failed by. The stack of a panic belongs to the
// attempt.
func appendError(fields []zap.Field, e *processor.Event) []zap.Field {
	if e.Err == nil || e.Task != "" && e.Status == workflow.StatusCancelled {
		return fields
	}
	cause := e.Err
	var failed *workflow.TaskError
	if errors.As(e.Err, &failed) {
		cause = failed.Err
		if e.Task == "" {
			fields = append(fields, zap.String("task", failed.Task), zap.Int("attempt", failed.Attempt))
		}
	}
	fields = append(fields, zap.String("error", cause.Error()))
	var panicked *workflow.PanicError
	if e.Task != "" && errors.As(cause, &panicked) {
		fields = append(fields, zap.ByteString("stack", panicked.Stack))
	}
	return fields
}
