package telemetry_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/telemetry/metrics"
	"github.com/ringmill/ringmill/runtime/telemetry/tracing"
	"github.com/ringmill/ringmill/runtime/telemetry/zaplog"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestMain ignores what exists before the tests: ants keeps two goroutines for a
// pool of its own that nobody uses.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// start starts a runtime that is stopped with the test.
func start(t testing.TB, obs runtime.Observer) *runtime.Runtime {
	t.Helper()
	rt, err := runtime.New(runtime.Config{Observer: obs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return rt
}

// build returns a workflow of one task, tried three times.
func build(t testing.TB, task func(context.Context, int) (int, error)) *workflow.Definition[int, int] {
	t.Helper()
	b := workflow.New[int]("checkout")
	step := workflow.Task(b, "charge", task, b.Input(), workflow.Retry(retry.Constant{MaxAttempts: 3, Wait: time.Millisecond}))
	def, err := workflow.Build(b, step)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// TestTogether: all adapters on one runtime tell the same story of a run whose
// task succeeds at the second attempt and of one whose task panics for good.
func TestTogether(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	defer func() { _ = provider.Shutdown(context.Background()) }()
	core, logs := observer.New(zap.DebugLevel)
	times := metrics.NewObserver()
	rt := start(t, runtime.Observers(
		tracing.New(provider), zaplog.New(zap.New(core), zaplog.TraceID(tracing.TraceID)), times))
	collector := metrics.NewCollector(metrics.Config{Stats: rt.Stats, Observer: times})

	seen := make(chan string, 3) // trace ids that the bodies saw
	attempts := 0
	def := build(t, func(ctx context.Context, n int) (int, error) {
		seen <- tracing.TraceID(ctx)
		if attempts++; attempts == 1 {
			return 0, errors.New("card declined")
		}
		return n, nil
	})
	if _, err := runtime.Execute(t.Context(), rt, def, 1, runtime.ID("good")); err != nil {
		t.Fatal(err)
	}
	bad := build(t, func(context.Context, int) (int, error) { panic("boom") })
	if _, err := runtime.Execute(t.Context(), rt, bad, 1, runtime.ID("bad")); err == nil {
		t.Fatal("no error")
	}

	spans := make(map[string]int)
	traces := make(map[string]bool)
	for _, s := range exporter.GetSpans() {
		spans[s.Name]++
		traces[s.SpanContext.TraceID().String()] = true
	}
	if len(traces) != 2 || spans["run checkout"] != 2 || spans["task charge"] != 5 {
		t.Errorf("%d traces, spans %v; want 2, 2 runs and 5 attempts", len(traces), spans)
	}
	if id := <-seen; !traces[id] {
		t.Errorf("a body saw the trace %q", id)
	}
	lines := make(map[string]int)
	for _, line := range logs.All() {
		lines[line.Message]++
		if id, _ := line.ContextMap()["trace_id"].(string); line.Message != "attempt will be retried" && !traces[id] {
			t.Errorf("%q has trace_id %q", line.Message, id)
		}
	}
	want := map[string]int{"run started": 2, "run succeeded": 1, "run failed": 1, "attempt started": 5, "attempt succeeded": 1,
		"attempt failed": 4, "attempt will be retried": 3}
	for message, n := range want {
		if lines[message] != n {
			t.Errorf("%d lines %q, want %d", lines[message], message, n)
		}
	}
	if err := testutil.CollectAndCompare(collector, strings.NewReader(`
		# HELP ringmill_runs_total Runs that ended, by how they did.
		# TYPE ringmill_runs_total counter
		ringmill_runs_total{status="cancelled"} 0
		ringmill_runs_total{status="failed"} 1
		ringmill_runs_total{status="succeeded"} 1
		# HELP ringmill_task_attempts_total Attempts of tasks that started.
		# TYPE ringmill_task_attempts_total counter
		ringmill_task_attempts_total 5
		# HELP ringmill_task_panics_total Attempts that panicked.
		# TYPE ringmill_task_panics_total counter
		ringmill_task_panics_total 3
		# HELP ringmill_task_retries_total Attempts that followed a failed one.
		# TYPE ringmill_task_retries_total counter
		ringmill_task_retries_total 3
		`), "ringmill_runs_total", "ringmill_task_attempts_total", "ringmill_task_panics_total", "ringmill_task_retries_total"); err != nil {
		t.Error(err)
	}
}

// BenchmarkExecute: what each adapter adds to a run of one task that does
// nothing. Compare within one invocation, and with telemetry=nothing, which is
// the engine's own share of having an observer.
func BenchmarkExecute(b *testing.B) {
	never := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	core, _ := observer.New(zap.ErrorLevel)
	quiet := zaplog.New(zap.New(core), zaplog.TraceID(tracing.TraceID))
	discard := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(nowhere{}), zap.DebugLevel)
	for _, bench := range []struct {
		name string
		obs  runtime.Observer
	}{
		{"off", nil},
		{"nothing", deaf{}},
		{"metrics", metrics.NewObserver()},
		{"zap-disabled", quiet},
		{"zap-debug", zaplog.New(zap.New(discard))},
		{"tracing-unsampled", tracing.New(never)},
		{"tracing-sampled", tracing.New(sdktrace.NewTracerProvider())},
		{"quiet", runtime.Observers(tracing.New(never), quiet, metrics.NewObserver())},
	} {
		b.Run("telemetry="+bench.name, func(b *testing.B) {
			rt := start(b, bench.obs)
			def := build(b, func(_ context.Context, n int) (int, error) { return n, nil })
			b.ReportAllocs()
			for b.Loop() {
				if _, err := runtime.Execute(b.Context(), rt, def, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A deaf observer ignores what it is told.
type deaf struct{}

func (deaf) RunStarted(ctx context.Context, _ *runtime.Event) context.Context     { return ctx }
func (deaf) RunEnded(context.Context, *runtime.Event)                             {}
func (deaf) AttemptStarted(ctx context.Context, _ *runtime.Event) context.Context { return ctx }
func (deaf) AttemptEnded(context.Context, *runtime.Event)                         {}
func (deaf) Noticed(*runtime.Event, runtime.Notice)                               {}

// nowhere takes log lines and does nothing with them.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
