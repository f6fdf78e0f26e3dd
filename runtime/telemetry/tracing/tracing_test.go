package tracing_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/telemetry/tracing"
	"github.com/ringmill/ringmill/runtime/workflow"
)

var _ processor.Observer = (*tracing.Observer)(nil)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// newProvider returns a provider whose ended spans the exporter holds.
func newProvider(t testing.TB, sampler sdktrace.Sampler) (*sdktrace.TracerProvider, *tracetest.InMemoryExporter) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter), sdktrace.WithSampler(sampler))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return provider, exporter
}

func started(task string, attempt int) *processor.Event {
	e := &processor.Event{Workflow: "checkout", RunID: "r-1", Task: task, Item: -1, Attempt: attempt, Actor: 4,
		At: start.Add(time.Duration(attempt) * time.Second), Queue: 250 * time.Millisecond}
	return e
}

func ended(task string, attempt int, status workflow.Status, err error) *processor.Event {
	e := started(task, attempt)
	e.At, e.Run, e.Status, e.Err = e.At.Add(time.Second), time.Second, status, err
	return e
}

// find returns the spans of a name, in the order in which they ended.
func find(spans tracetest.SpanStubs, name string) (found tracetest.SpanStubs) {
	for _, s := range spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

func attributes(kvs []attribute.KeyValue) map[string]any {
	m := make(map[string]any, len(kvs))
	for _, kv := range kvs {
		m[string(kv.Key)] = kv.Value.AsInterface()
	}
	return m
}

// TestSpans: a run whose task succeeds at the second attempt is three spans in
// one trace under the caller's span, with the engine's times.
func TestSpans(t *testing.T) {
	provider, exporter := newProvider(t, sdktrace.ParentBased(sdktrace.AlwaysSample()))
	o := tracing.New(provider)
	ctx, caller := provider.Tracer("test").Start(t.Context(), "caller")

	run := o.RunStarted(ctx, started("", 0))
	first := o.AttemptStarted(run, started("charge", 1))
	o.AttemptEnded(first, ended("charge", 1, workflow.StatusFailed, errors.New("card declined")))
	second := o.AttemptStarted(run, started("charge", 2))
	if tracing.TraceID(second) != caller.SpanContext().TraceID().String() {
		t.Errorf("the task body sees trace %q", tracing.TraceID(second))
	}
	o.AttemptEnded(second, ended("charge", 2, workflow.StatusSucceeded, nil))
	o.RunEnded(run, ended("", 0, workflow.StatusSucceeded, nil))

	runs, attempts := find(exporter.GetSpans(), "run checkout"), find(exporter.GetSpans(), "task charge")
	if len(runs) != 1 || len(attempts) != 2 {
		t.Fatalf("%d run spans, %d attempt spans; want 1, 2", len(runs), len(attempts))
	}
	if runs[0].Parent.SpanID() != caller.SpanContext().SpanID() {
		t.Error("the run is not a child of the caller's span")
	}
	for _, a := range attempts {
		if a.Parent.SpanID() != runs[0].SpanContext.SpanID() {
			t.Error("an attempt is not a child of its run")
		}
	}
	if !runs[0].StartTime.Equal(start) || !attempts[1].EndTime.Equal(start.Add(3*time.Second)) {
		t.Errorf("run from %v, attempt to %v", runs[0].StartTime, attempts[1].EndTime)
	}
	if attempts[0].Status.Code != codes.Error || attempts[0].Status.Description != "card declined" || attempts[0].Events[0].Name != "exception" {
		t.Errorf("failed attempt: status %v, events %v", attempts[0].Status, attempts[0].Events)
	}
	want := map[string]any{"ringmill.workflow": "checkout", "ringmill.run_id": "r-1", "ringmill.task": "charge",
		"ringmill.attempt": int64(2), "ringmill.actor": int64(4), "ringmill.queue_seconds": 0.25, "ringmill.status": "succeeded"}
	got := attributes(attempts[1].Attributes)
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s = %v, want %v", key, got[key], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("attributes %v, want %v", got, want)
	}
	if events := runs[0].Events; len(events) != 1 || events[0].Name != "retry" || attributes(events[0].Attributes)["ringmill.attempt"] != int64(2) {
		t.Errorf("events of the run %v, want one retry", events)
	}
}

func TestEndings(t *testing.T) {
	tests := []struct {
		name   string
		status workflow.Status
		err    error
		code   codes.Code
	}{
		{"succeeded", workflow.StatusSucceeded, nil, codes.Unset},
		{"failed", workflow.StatusFailed, errors.New("no"), codes.Error},
		{"timed out", workflow.StatusTimedOut, context.DeadlineExceeded, codes.Error},
		{"cancelled is no error", workflow.StatusCancelled, context.Canceled, codes.Unset},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			provider, exporter := newProvider(t, sdktrace.AlwaysSample())
			o := tracing.New(provider)
			o.RunEnded(o.RunStarted(t.Context(), started("", 0)), ended("", 0, test.status, test.err))
			span := exporter.GetSpans()[0]
			if span.Status.Code != test.code {
				t.Errorf("status %v, want %v", span.Status.Code, test.code)
			}
			if got := attributes(span.Attributes)["ringmill.status"]; got != test.status.String() {
				t.Errorf("ringmill.status = %v, want %v", got, test.status)
			}
		})
	}
}

func TestItemAndPanic(t *testing.T) {
	provider, exporter := newProvider(t, sdktrace.AlwaysSample())
	o := tracing.New(provider)
	run := o.RunStarted(t.Context(), started("", 0))
	first, last := started("price", 1), ended("price", 1, workflow.StatusFailed, &workflow.PanicError{Value: "boom", Stack: []byte("goroutine 7")})
	first.Item, last.Item = 5, 5
	o.AttemptEnded(o.AttemptStarted(run, first), last)
	span := exporter.GetSpans()[0]
	if got := attributes(span.Attributes)["ringmill.item"]; got != int64(5) {
		t.Errorf("ringmill.item = %v, want 5", got)
	}
	if got := attributes(span.Events[0].Attributes)["exception.stacktrace"]; got != "goroutine 7" {
		t.Errorf("exception.stacktrace = %v", got)
	}
}

// TestUnsampledRunHasNoSpans: what the sampler turns down costs its attempts
// nothing, and the decision is still in the context that the body sees.
func TestUnsampledRunHasNoSpans(t *testing.T) {
	provider, exporter := newProvider(t, sdktrace.ParentBased(sdktrace.AlwaysSample()))
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	o := tracing.New(provider)
	run := o.RunStarted(trace.ContextWithRemoteSpanContext(t.Context(), parent), started("", 0))
	attempt := o.AttemptStarted(run, started("charge", 1))
	if attempt != run {
		t.Error("the attempt of an unsampled run has a context of its own")
	}
	if c := trace.SpanContextFromContext(attempt); c.TraceID() != parent.TraceID() || c.IsSampled() {
		t.Errorf("the body sees %v", c)
	}
	o.AttemptEnded(attempt, ended("charge", 1, workflow.StatusFailed, errors.New("no")))
	o.RunEnded(run, ended("", 0, workflow.StatusFailed, errors.New("no")))
	if n := len(exporter.GetSpans()); n != 0 {
		t.Errorf("%d spans, want none", n)
	}
}

func TestTraceIDOutsideOfATrace(t *testing.T) {
	if id := tracing.TraceID(t.Context()); id != "" {
		t.Errorf("TraceID = %q, want none", id)
	}
}

func TestNilIsTheGlobalProvider(t *testing.T) {
	o := tracing.New(nil) // nobody set one: a no-op
	run := o.RunStarted(t.Context(), started("", 0))
	o.RunEnded(run, ended("", 0, workflow.StatusSucceeded, nil))
	if tracing.TraceID(run) != "" {
		t.Error("the default global provider began a trace")
	}
}

func TestAttemptOfUnsampledRunDoesNotAllocate(t *testing.T) {
	provider, _ := newProvider(t, sdktrace.NeverSample())
	o := tracing.New(provider)
	run := o.RunStarted(t.Context(), started("", 0))
	first, last := started("charge", 1), ended("charge", 1, workflow.StatusSucceeded, nil)
	if n := testing.AllocsPerRun(1000, func() { o.AttemptEnded(o.AttemptStarted(run, first), last) }); n != 0 {
		t.Errorf("an attempt allocates %v times", n)
	}
}

// BenchmarkAttempt: what tracing adds to a task attempt.
func BenchmarkAttempt(b *testing.B) {
	never, _ := newProvider(b, sdktrace.NeverSample())
	always := sdktrace.NewTracerProvider() // samples all, exports nothing
	for name, provider := range map[string]trace.TracerProvider{"noop": noop.NewTracerProvider(), "never": never, "always": always} {
		b.Run("sampler="+name, func(b *testing.B) {
			b.ReportAllocs()
			o := tracing.New(provider)
			run := o.RunStarted(b.Context(), started("", 0))
			first, last := started("charge", 1), ended("charge", 1, workflow.StatusSucceeded, nil)
			for b.Loop() {
				o.AttemptEnded(o.AttemptStarted(run, first), last)
			}
		})
	}
}
