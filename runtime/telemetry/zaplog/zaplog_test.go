package zaplog_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/telemetry/zaplog"
	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

var _ processor.Observer = (*zaplog.Observer)(nil)

type traceKey struct{}

func traceID(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

func run(status workflow.Status, err error) *processor.Event {
	return &processor.Event{Workflow: "checkout", RunID: "r-1", Item: -1, Actor: 2, Status: status, Err: err,
		Queue: 250 * time.Millisecond, Run: 2 * time.Second}
}

func attempt(status workflow.Status, err error) *processor.Event {
	e := run(status, err)
	e.Task, e.Attempt, e.Actor = "charge", 3, 7
	return e
}

func item(status workflow.Status, err error) *processor.Event {
	e := attempt(status, err)
	e.Item = 0
	return e
}

var (
	errDeclined = errors.New("card declined")
	failure     = &workflow.TaskError{Workflow: "checkout", RunID: "r-1", Task: "charge", Attempt: 3, Err: errDeclined}
	panicked    = &workflow.PanicError{Value: "boom", Stack: []byte("goroutine 7")}
)

// TestLines: every event is exactly one line, of the documented level, message
// and fields.
func TestLines(t *testing.T) {
	ofRun := map[string]any{"workflow": "checkout", "run_id": "r-1"}
	ofAttempt := map[string]any{"workflow": "checkout", "run_id": "r-1", "task": "charge", "attempt": int64(3)}
	tests := []struct {
		name    string
		event   func(*zaplog.Observer)
		level   zapcore.Level
		message string
		base    map[string]any
		more    map[string]any
	}{
		{"run started", func(o *zaplog.Observer) { o.RunStarted(t.Context(), run(0, nil)) },
			zap.DebugLevel, "run started", ofRun, map[string]any{"actor": int64(2), "queue_seconds": 0.25}},
		{"run succeeded", func(o *zaplog.Observer) { o.RunEnded(t.Context(), run(workflow.StatusSucceeded, nil)) },
			zap.InfoLevel, "run succeeded", ofRun, map[string]any{"actor": int64(2), "run_seconds": 2.0}},
		{"run cancelled", func(o *zaplog.Observer) {
			o.RunEnded(t.Context(), run(workflow.StatusCancelled, context.Canceled))
		}, zap.InfoLevel, "run cancelled", ofRun, map[string]any{"actor": int64(2), "run_seconds": 2.0, "error": "context canceled"}},
		{"run failed names the task once", func(o *zaplog.Observer) { o.RunEnded(t.Context(), run(workflow.StatusFailed, failure)) },
			zap.ErrorLevel, "run failed", ofAttempt, map[string]any{"actor": int64(2), "run_seconds": 2.0, "error": "card declined"}},
		{"attempt started", func(o *zaplog.Observer) { o.AttemptStarted(t.Context(), attempt(0, nil)) },
			zap.DebugLevel, "attempt started", ofAttempt, map[string]any{"actor": int64(7), "queue_seconds": 0.25}},
		{"item started", func(o *zaplog.Observer) { o.AttemptStarted(t.Context(), item(0, nil)) },
			zap.DebugLevel, "attempt started", ofAttempt, map[string]any{"actor": int64(7), "queue_seconds": 0.25, "item": int64(0)}},
		{"attempt succeeded", func(o *zaplog.Observer) {
			o.AttemptEnded(t.Context(), attempt(workflow.StatusSucceeded, nil))
		}, zap.DebugLevel, "attempt succeeded", ofAttempt, map[string]any{"actor": int64(7), "run_seconds": 2.0}},
		{"attempt failed", func(o *zaplog.Observer) { o.AttemptEnded(t.Context(), attempt(workflow.StatusFailed, errDeclined)) },
			zap.WarnLevel, "attempt failed", ofAttempt, map[string]any{"actor": int64(7), "run_seconds": 2.0, "error": "card declined"}},
		{"attempt panicked", func(o *zaplog.Observer) { o.AttemptEnded(t.Context(), attempt(workflow.StatusFailed, panicked)) },
			zap.WarnLevel, "attempt failed", ofAttempt,
			map[string]any{"actor": int64(7), "run_seconds": 2.0, "error": "panic: boom", "stack": "goroutine 7"}},
		{"attempt timed out", func(o *zaplog.Observer) {
			o.AttemptEnded(t.Context(), attempt(workflow.StatusTimedOut, context.DeadlineExceeded))
		}, zap.WarnLevel, "attempt timed out", ofAttempt,
			map[string]any{"actor": int64(7), "run_seconds": 2.0, "error": "context deadline exceeded"}},
		{"attempt cancelled", func(o *zaplog.Observer) {
			o.AttemptEnded(t.Context(), attempt(workflow.StatusCancelled, context.Canceled))
		}, zap.DebugLevel, "attempt cancelled", ofAttempt, map[string]any{"actor": int64(7), "run_seconds": 2.0}},
		{"retry leaves the cause to the attempt", func(o *zaplog.Observer) { o.Noticed(attempt(0, errDeclined), processor.NoticeRetry) },
			zap.DebugLevel, "attempt will be retried", ofAttempt, map[string]any{"backoff_seconds": 0.25}},
		{"leaked", func(o *zaplog.Observer) { o.Noticed(attempt(0, nil), processor.NoticeLeaked) },
			zap.WarnLevel, "task ignored its cancellation and was abandoned", ofAttempt, nil},
		{"returned", func(o *zaplog.Observer) { o.Noticed(attempt(0, nil), processor.NoticeReturned) },
			zap.InfoLevel, "abandoned task returned", ofAttempt, nil},
		{"refused", func(o *zaplog.Observer) {
			o.Noticed(&processor.Event{Workflow: "checkout", Item: -1, Err: errors.New("MaxRuns 8 reached")}, processor.NoticeRefused)
		}, zap.WarnLevel, "run refused", map[string]any{"workflow": "checkout"}, map[string]any{"error": "MaxRuns 8 reached"}},
		{"dead letter", func(o *zaplog.Observer) {
			o.Noticed(&processor.Event{Item: -1, Err: errors.New("actor workflow-3: closed")}, processor.NoticeDeadLetter)
		}, zap.WarnLevel, "message undeliverable", nil, map[string]any{"error": "actor workflow-3: closed"}},
		{"defect", func(o *zaplog.Observer) {
			o.Noticed(&processor.Event{Item: -1, Err: errors.New("actor workflow-3: panic: index out of range")}, processor.NoticeDefect)
		}, zap.ErrorLevel, "engine defect", nil, map[string]any{"error": "actor workflow-3: panic: index out of range"}},
		{"breaker opened", func(o *zaplog.Observer) {
			o.Noticed(&processor.Event{Workflow: "checkout", Task: "pay", Item: -1}, processor.NoticeBreakerOpened)
		}, zap.ErrorLevel, "task refused: too many bodies ignored their cancellation", map[string]any{"workflow": "checkout", "task": "pay"}, nil},
		{"breaker closed", func(o *zaplog.Observer) {
			o.Noticed(&processor.Event{Workflow: "checkout", Task: "pay", Item: -1}, processor.NoticeBreakerClosed)
		}, zap.InfoLevel, "task admitted again", map[string]any{"workflow": "checkout", "task": "pay"}, nil},
		{"resized", func(o *zaplog.Observer) {
			o.Noticed(&processor.Event{Item: -1, Resize: &scheduler.SizeDecision{
				From: 4, To: 8, Reason: scheduler.SizeGrown, Need: 9, Service: 50 * time.Millisecond, Wait: 20 * time.Millisecond, Queued: 3,
			}}, processor.NoticeResized)
		}, zap.InfoLevel, "task actors resized", nil, map[string]any{
			"from": int64(4), "to": int64(8), "reason": "grown", "need": int64(9), "service_seconds": 0.05, "wait_seconds": 0.02, "queued": int64(3),
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			core, logs := observer.New(zap.DebugLevel)
			test.event(zaplog.New(zap.New(core)))
			if logs.Len() != 1 {
				t.Fatalf("%d lines, want 1", logs.Len())
			}
			line := logs.All()[0]
			if line.Level != test.level || line.Message != test.message {
				t.Errorf("%v %q, want %v %q", line.Level, line.Message, test.level, test.message)
			}
			want := make(map[string]any)
			maps.Copy(want, test.base)
			maps.Copy(want, test.more)
			if got := line.ContextMap(); !maps.Equal(got, want) {
				t.Errorf("fields %v\nwant   %v", got, want)
			}
		})
	}
}

// TestEveryNoticeIsLogged: a notice that the engine knows is one line.
func TestEveryNoticeIsLogged(t *testing.T) {
	for n := processor.Notice(1); n.String() != "unknown"; n++ {
		core, logs := observer.New(zap.DebugLevel)
		zaplog.New(zap.New(core)).Noticed(attempt(0, errDeclined), n)
		if logs.Len() != 1 {
			t.Errorf("%s: %d lines, want 1", n, logs.Len())
		}
	}
}

func TestUnknownNoticeIsLeftOut(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	zaplog.New(zap.New(core)).Noticed(run(0, nil), 99)
	if logs.Len() != 0 {
		t.Errorf("%d lines, want none", logs.Len())
	}
}

func TestTraceID(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	o := zaplog.New(zap.New(core), zaplog.TraceID(traceID))
	o.RunStarted(context.WithValue(t.Context(), traceKey{}, "4bf92f35"), run(0, nil))
	o.RunStarted(t.Context(), run(0, nil))
	if got := logs.All()[0].ContextMap()["trace_id"]; got != "4bf92f35" {
		t.Errorf("trace_id = %v, want 4bf92f35", got)
	}
	if got, set := logs.All()[1].ContextMap()["trace_id"]; set {
		t.Errorf("trace_id = %v without a trace", got)
	}
}

func TestNewPanicsWithoutLogger(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	zaplog.New(nil)
}

// disabled lets errors through only, and no event below makes one.
func disabled() *zaplog.Observer {
	core, _ := observer.New(zap.ErrorLevel)
	return zaplog.New(zap.New(core), zaplog.TraceID(traceID))
}

func lifecycle(ctx context.Context, o processor.Observer, e *processor.Event) {
	o.RunEnded(o.RunStarted(ctx, e), e)
	o.AttemptEnded(o.AttemptStarted(ctx, e), e)
	o.Noticed(e, processor.NoticeRetry)
}

func TestDisabledDoesNotAllocate(t *testing.T) {
	o, e := disabled(), attempt(workflow.StatusSucceeded, errDeclined)
	if n := testing.AllocsPerRun(1000, func() { lifecycle(t.Context(), o, e) }); n != 0 {
		t.Errorf("five events below the level allocate %v times", n)
	}
}

// BenchmarkAttempt: what logging adds to a task attempt, two events.
func BenchmarkAttempt(b *testing.B) {
	discard := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(nowhere{}), zap.DebugLevel)
	for name, o := range map[string]processor.Observer{"disabled": disabled(), "json": zaplog.New(zap.New(discard))} {
		b.Run("level="+name, func(b *testing.B) {
			b.ReportAllocs()
			ctx, e := b.Context(), attempt(workflow.StatusSucceeded, nil)
			for b.Loop() {
				o.AttemptEnded(o.AttemptStarted(ctx, e), e)
			}
		})
	}
}

// nowhere is io.Discard without its special treatment.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
