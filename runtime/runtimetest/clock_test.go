package runtimetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/limit"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/runtimetest"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// ants starts two goroutines for its default pool when it is linked.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

var errBusy = errors.New("busy")

// A job is succeeds at the attempt of its number.
func failsUntil(attempt int64) func(context.Context, string) (string, error) {
	var calls atomic.Int64
	return func(_ context.Context, name string) (string, error) {
		if calls.Add(1) < attempt {
			return "", errBusy
		}
		return "hello " + name, nil
	}
}

func definition[A, B any](t testing.TB, body func(context.Context, A) (B, error), opts ...workflow.Option) *workflow.Definition[A, B] {
	t.Helper()
	b := workflow.New[A]("job")
	def, err := workflow.Build(b, workflow.Task(b, "work", body, b.Input(), opts...))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

func start(t testing.TB, cfg runtime.Config) *runtime.Runtime {
	t.Helper()
	rt, err := runtime.New(cfg)
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

// within bounds what only a defect makes long, in real time.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// A retry an hour later, in no time.
func ExampleClock() {
	clock := runtimetest.NewClock()
	rt, _ := runtime.New(runtime.Config{Clock: clock})
	defer func() { _ = rt.Stop(context.Background()) }()
	b := workflow.New[string]("greet")
	def, _ := workflow.Build(b, workflow.Task(b, "hello", failsUntil(2), b.Input(),
		workflow.Retry(retry.Constant{MaxAttempts: 2, Wait: time.Hour})))

	ctx := context.Background()
	run, _ := runtime.Start(ctx, rt, def, "Ada")
	_ = clock.Await(ctx, time.Hour) // the first attempt has failed
	fmt.Println(run.Status())
	clock.Advance(time.Hour)
	fmt.Println(run.Result(ctx))
	// Output:
	// running
	// hello Ada <nil>
}

// TestSynctest: the whole Runtime works in a bubble, as the package's documentation says.
func TestSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt, err := runtime.New(runtime.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer rt.Stop(t.Context())
		def := definition(t, failsUntil(3), workflow.Retry(retry.Constant{MaxAttempts: 3, Wait: 10 * time.Minute}))
		began := time.Now()
		if out, err := runtime.Execute(t.Context(), rt, def, "Ada"); out != "hello Ada" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
		if took := time.Since(began); took < 20*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// TestClock: everything that waits goes by the clock, and by nothing else: none of these hours passes, and nothing ends early.
func TestClock(t *testing.T) {
	clock := runtimetest.NewClock()
	rt := start(t, runtime.Config{Clock: clock, CancelGrace: time.Hour, RunRetention: time.Hour, TaskTimings: true})
	ctx := within(t)
	pass := func(d time.Duration) {
		t.Helper()
		if err := clock.Await(ctx, d); err != nil {
			t.Fatal(err)
		}
		clock.Advance(d)
	}
	hang := func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
	deaf := make(chan struct{})
	for _, c := range []struct {
		name string
		body func(context.Context, int) (int, error)
		opts []workflow.Option
		run  []runtime.RunOption
		wait []time.Duration
		want error
	}{
		{name: "timeout", body: hang, opts: []workflow.Option{workflow.Timeout(time.Hour)}, wait: []time.Duration{time.Hour}, want: context.DeadlineExceeded},
		{name: "task timeout", body: hang, opts: []workflow.Option{workflow.TaskTimeout(time.Hour)}, wait: []time.Duration{time.Hour}, want: context.DeadlineExceeded},
		{name: "run timeout", body: hang, run: []runtime.RunOption{runtime.RunTimeout(time.Hour)}, wait: []time.Duration{time.Hour}, want: context.DeadlineExceeded},
		{name: "heartbeat", body: hang, opts: []workflow.Option{workflow.HeartbeatTimeout(time.Hour)}, wait: []time.Duration{time.Hour}, want: context.DeadlineExceeded},
		{name: "grace", body: func(context.Context, int) (int, error) { <-deaf; return 0, nil }, opts: []workflow.Option{workflow.Timeout(time.Hour)},
			wait: []time.Duration{2 * time.Hour}, want: context.DeadlineExceeded},
		{name: "back-off", body: func(context.Context, int) (int, error) { return 0, errBusy },
			opts: []workflow.Option{workflow.Retry(retry.Constant{MaxAttempts: 3, Wait: time.Hour})}, wait: []time.Duration{time.Hour, time.Hour}, want: errBusy},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, err := runtime.Start(context.Background(), rt, definition(t, c.body, c.opts...), 1, c.run...)
			if err != nil {
				t.Fatal(err)
			}
			total := time.Duration(0)
			for _, d := range c.wait {
				pass(d)
				total += d
			}
			if _, err := run.Result(ctx); !errors.Is(err, c.want) {
				t.Errorf("error = %v", err)
			}
			if took := run.Report().Makespan; took < total || took > total+time.Second {
				t.Errorf("took %v; want %v", took, total)
			}
		})
	}
	close(deaf)

	var calls atomic.Int64
	counts := func(context.Context, int) (int, error) { return int(calls.Add(1)), nil }
	execute := func(def *workflow.Definition[int, int], opts ...runtime.RunOption) int {
		t.Helper()
		out, err := runtime.Execute(ctx, rt, def, 1, opts...)
		if err != nil {
			t.Error(err)
		}
		return out
	}
	cached := definition(t, counts, workflow.Cache(time.Hour))
	first := execute(cached)
	clock.Advance(59 * time.Minute)
	same := execute(cached)
	clock.Advance(2 * time.Minute)
	if later := execute(cached); same != first || later == first {
		t.Errorf("cached: %d, %d, %d", first, same, later)
	}
	plain := definition(t, counts)
	first = execute(plain, runtime.ID("x"))
	clock.Advance(59 * time.Minute)
	same = execute(plain, runtime.ID("x"))
	clock.Advance(2 * time.Minute)
	if later := execute(plain, runtime.ID("x")); same != first || later == first {
		t.Errorf("kept: %d, %d, %d", first, same, later)
	}
}

// TestClockOfPolicies: breakers and rate limits, of Go and of files, go by the clock that they were given.
func TestClockOfPolicies(t *testing.T) {
	clock := runtimetest.NewClock()
	rt := start(t, runtime.Config{Clock: clock})
	ctx := within(t)
	open, err := breaker.New(breaker.Config{Failures: 1, OpenFor: time.Hour, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	braked := definition(t, failsUntil(2), workflow.Breaker(open))
	if _, err := runtime.Execute(ctx, rt, braked, "Ada"); !errors.Is(err, errBusy) {
		t.Errorf("error = %v", err)
	}
	if _, err := runtime.Execute(ctx, rt, braked, "Ada"); !errors.Is(err, breaker.ErrOpen) {
		t.Errorf("error = %v", err)
	}
	clock.Advance(time.Hour)
	if _, err := runtime.Execute(ctx, rt, braked, "Ada"); err != nil {
		t.Error(err)
	}

	rate, err := limit.NewRate(limit.RateConfig{PerSecond: 1.0 / 60, MaxWait: time.Hour, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	echo := func(_ context.Context, in json.RawMessage) (any, error) { return in, nil }
	file, err := workflow.ParseYAML([]byte(`{"rate_limits": {"r": {"per_second": 0.01, "max_wait": "1h"}}, "tasks": {"a": {"go": "Echo", "rate_limit": "r"}}}`),
		workflow.Funcs(map[string]workflow.Func{"Echo": echo}), workflow.Now(clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	inGo := definition(t, func(_ context.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil }, workflow.RateLimit(rate))
	for _, c := range []struct {
		def  *workflow.Definition[json.RawMessage, json.RawMessage]
		wait time.Duration
	}{{inGo, time.Minute}, {file, 100 * time.Second}} {
		if _, err := runtime.Execute(ctx, rt, c.def, nil); err != nil {
			t.Error(err)
		}
		run, err := runtime.Start(ctx, rt, c.def, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := clock.Await(ctx, c.wait); err != nil {
			t.Fatal(err)
		}
		clock.Advance(c.wait - time.Second)
		if run.Status().Ended() {
			t.Error("ended too early")
		}
		clock.Advance(time.Second)
		if _, err := run.Result(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestAwait: it ends with its context where nothing is due.
func TestAwait(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := runtimetest.NewClock().Await(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if now := time.Now(); !runtimetest.NewClockAt(now).Now().Equal(now) {
		t.Error("the clock does not stand where it should")
	}
}
