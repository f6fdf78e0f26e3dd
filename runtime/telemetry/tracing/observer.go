package tracing

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// scope is the instrumentation scope of all spans.
const scope = "github.com/ringmill/ringmill/runtime/telemetry/tracing"

// The attributes of spans and events.
const (
	workflowKey = attribute.Key("ringmill.workflow")
	runIDKey    = attribute.Key("ringmill.run_id")
	taskKey     = attribute.Key("ringmill.task")
	attemptKey  = attribute.Key("ringmill.attempt")
	itemKey     = attribute.Key("ringmill.item")
	actorKey    = attribute.Key("ringmill.actor")
	undoKey     = attribute.Key("ringmill.compensation")
	queueKey    = attribute.Key("ringmill.queue_seconds")
	statusKey   = attribute.Key("ringmill.status")
	stackKey    = attribute.Key("exception.stacktrace")
)

// An Observer makes spans of runs and attempts. Its methods are safe for
// concurrent use and block no longer than the provider's span processors do.
type Observer struct {
	tracer trace.Tracer
}

// New returns an Observer whose spans come from provider; nil stands for the
// global one, otel.GetTracerProvider.
func New(provider trace.TracerProvider) *Observer {
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	return &Observer{tracer: provider.Tracer(scope)}
}

// TraceID returns the id of the trace that ctx belongs to, as log lines show
// it, and "" outside of any.
func TraceID(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		return span.TraceID().String()
	}
	return ""
}

// RunStarted implements [processor.Observer]: it opens the run's span.
func (o *Observer) RunStarted(ctx context.Context, e *processor.Event) context.Context {
	ctx, _ = o.tracer.Start(ctx, "run "+e.Workflow,
		trace.WithTimestamp(e.At),
		trace.WithAttributes(
			workflowKey.String(e.Workflow),
			runIDKey.String(e.RunID),
			actorKey.Int(e.Actor),
			queueKey.Float64(e.Queue.Seconds()),
		))
	return ctx
}

// RunEnded implements [processor.Observer]: it closes the run's span.
func (o *Observer) RunEnded(ctx context.Context, e *processor.Event) {
	end(trace.SpanFromContext(ctx), e)
}

// AttemptStarted implements [processor.Observer]: it opens the attempt's span if
// that of the run is recorded.
func (o *Observer) AttemptStarted(ctx context.Context, e *processor.Event) context.Context {
	run := trace.SpanFromContext(ctx)
	if !run.IsRecording() {
		return ctx
	}
	attributes := []attribute.KeyValue{
		workflowKey.String(e.Workflow),
		runIDKey.String(e.RunID),
		taskKey.String(e.Task),
		attemptKey.Int(e.Attempt),
		actorKey.Int(e.Actor),
		queueKey.Float64(e.Queue.Seconds()),
	}
	if e.Item >= 0 {
		attributes = append(attributes, itemKey.Int(e.Item))
	}
	name := "task " + e.Task
	if e.Compensation {
		name = "compensate " + e.Task
		attributes = append(attributes, undoKey.Bool(true))
	}
	if e.Attempt > 1 {
		run.AddEvent("retry", trace.WithTimestamp(e.At), trace.WithAttributes(attributes[2:]...))
	}
	ctx, _ = o.tracer.Start(ctx, name, trace.WithTimestamp(e.At), trace.WithAttributes(attributes...))
	return ctx
}

// AttemptEnded implements [processor.Observer]: it closes the attempt's span. In
// a run that is not recorded the context holds the run's span instead, which
// ignores it.
func (o *Observer) AttemptEnded(ctx context.Context, e *processor.Event) {
	end(trace.SpanFromContext(ctx), e)
}

// Noticed implements [processor.Observer]. It does nothing: a notice has no
// context, hence no span; retries show as events once they start.
func (o *Observer) Noticed(*processor.Event, processor.Notice) {}

// end records how e ended and closes its span. A cancelled run or task did what
// it was told, so that is no error of the span.
func end(span trace.Span, e *processor.Event) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(statusKey.String(e.Status.String()))
	if e.Err != nil && e.Status != workflow.StatusCancelled {
		span.SetStatus(codes.Error, e.Err.Error())
		span.RecordError(e.Err, trace.WithTimestamp(e.At), trace.WithAttributes(stack(e)...))
	}
	span.End(trace.WithTimestamp(e.At))
}

// stack returns the stack of an attempt that panicked. The run's span goes
// without: its failed task shows it.
func stack(e *processor.Event) []attribute.KeyValue {
	var panicked *workflow.PanicError
	if e.Task == "" || !errors.As(e.Err, &panicked) {
		return nil
	}
	return []attribute.KeyValue{stackKey.String(string(panicked.Stack))}
}
