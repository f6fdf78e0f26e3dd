package runtime_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

var errCard = errors.New("card declined")

// ignoring returns a body that does not return before release is closed,
// whatever its context says.
func ignoring(release <-chan struct{}) func(context.Context, int) (int, error) {
	return func(_ context.Context, n int) (int, error) { <-release; return n, nil }
}

// obedient is a body that waits for the end of its context.
func obedient(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }

// TestFailureIsIsolated: a task that fails, in whatever way, fails its own run
// with an error that says where and why; runs beside it do not notice.
func TestFailureIsIsolated(t *testing.T) {
	release := make(chan struct{})
	cases := []struct {
		name   string
		body   func(context.Context, int) (int, error)
		opts   []workflow.Option
		check  func(error) bool
		status workflow.Status
	}{
		{"error", func(context.Context, int) (int, error) { return 0, errCard }, nil,
			func(err error) bool { return errors.Is(err, errCard) }, workflow.StatusFailed},
		{"panic", func(context.Context, int) (int, error) { panic(errCard) }, nil,
			func(err error) bool {
				p, ok := errors.AsType[*workflow.PanicError](err)
				return ok && errors.Is(err, errCard) && strings.Contains(string(p.Stack), "failure_test.go")
			}, workflow.StatusFailed},
		{"index out of range", func(_ context.Context, n int) (int, error) { return []int{}[n], nil }, nil,
			func(err error) bool { _, ok := errors.AsType[goruntime.Error](err); return ok }, workflow.StatusFailed},
		{"goexit", func(context.Context, int) (int, error) { goruntime.Goexit(); return 0, nil }, nil,
			func(err error) bool { return strings.Contains(err.Error(), "Goexit") }, workflow.StatusFailed},
		{"timeout", obedient, []workflow.Option{workflow.Timeout(5 * time.Millisecond)},
			func(err error) bool {
				return errors.Is(err, context.DeadlineExceeded) && strings.Contains(err.Error(), "attempt timed out after 5ms")
			}, workflow.StatusTimedOut},
		{"ignores its context", ignoring(release), []workflow.Option{workflow.Timeout(100 * time.Millisecond)},
			func(err error) bool {
				return errors.Is(err, context.DeadlineExceeded) && strings.Contains(err.Error(), "ignored its cancelled context for 10ms")
			}, workflow.StatusTimedOut},
		{"retry policy panics", func(context.Context, int) (int, error) { return 0, errCard },
			[]workflow.Option{workflow.Retry(retry.Exponential{If: func(error) bool { panic("policy") }})},
			func(err error) bool { return errors.Is(err, errCard) && strings.Contains(err.Error(), "policy") }, workflow.StatusFailed},
	}
	rt := start(t, runtime.Config{CancelGrace: 10 * time.Millisecond, TaskActors: 4})
	healthy := threeSteps(t)
	stop := make(chan struct{})
	var beside sync.WaitGroup
	for range 4 {
		beside.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if got, err := runtime.Execute(within(t), rt, healthy, n); err != nil || got != n+3 {
					t.Errorf("a healthy run = %d, %v; want %d", got, err, n+3)
					return
				}
			}
		})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			run, err := runtime.Start(context.Background(), rt, one(t, c.body, c.opts...), 1, runtime.ID("r-"+c.name))
			if err != nil {
				t.Fatal(err)
			}
			_, err = run.Result(within(t))
			te := taskError(t, err)
			if te.Workflow != "one" || te.RunID != "r-"+c.name || te.Task != "work" || te.Attempt != 1 {
				t.Errorf("error names %+v", te)
			}
			if !c.check(err) {
				t.Errorf("error = %v", err)
			}
			if got := run.Report().Tasks[0].Status; got != c.status || run.Status() != workflow.StatusFailed {
				t.Errorf("task %v, run %v; want %v, failed", got, run.Status(), c.status)
			}
		})
	}
	close(stop)
	beside.Wait()
	if got := rt.Stats().Leaked; got != 1 {
		t.Errorf("leaked = %d, want the one that ignores its context", got)
	}
	close(release)
	eventually(t, "the leaked body to be counted back", func() bool { return rt.Stats().Leaked == 0 })
}

// TestFailFast: when a task fails, running siblings see their context cancelled
// and are awaited, waiting ones never start, finished ones keep their state.
func TestFailFast(t *testing.T) {
	rt := start(t, runtime.Config{})
	running, ended := make(chan struct{}), atomic.Bool{}
	b := workflow.New[int]("fail-fast")
	first := workflow.Task(b, "first", func(context.Context, int) (int, error) { return 1, nil }, b.Input())
	workflow.Task(b, "sibling", func(ctx context.Context, _ int) (int, error) {
		close(running)
		<-ctx.Done()
		ended.Store(true)
		return 0, ctx.Err()
	}, first)
	bad := workflow.Task(b, "bad", func(context.Context, int) (int, error) { <-running; return 0, errCard }, first)
	after := workflow.Task(b, "after", func(context.Context, int) (int, error) { t.Error("after ran"); return 0, nil }, bad)
	run, err := runtime.Start(context.Background(), rt, build(t, b, after), 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = run.Result(within(t))
	if te := taskError(t, err); te.Task != "bad" || !errors.Is(err, errCard) {
		t.Errorf("error = %v", err)
	}
	if !ended.Load() {
		t.Error("the run ended before its running sibling did")
	}
	want := map[string]workflow.Status{
		"first": workflow.StatusSucceeded, "sibling": workflow.StatusCancelled,
		"bad": workflow.StatusFailed, "after": workflow.StatusCancelled,
	}
	for _, task := range run.Report().Tasks {
		if task.Status != want[task.Name] {
			t.Errorf("%s: %v, want %v", task.Name, task.Status, want[task.Name])
		}
	}
}

// TestRetry: attempts are numbered, permanent errors are not tried again, and
// the error tells the last attempt.
func TestRetry(t *testing.T) {
	rt := start(t, runtime.Config{})
	policy := workflow.Retry(retry.Exponential{MaxAttempts: 4, Base: time.Millisecond, Max: 2 * time.Millisecond})
	for _, c := range []struct {
		name             string
		succeedsAt       int64
		err              error
		attempts         int64
		wantErr, retries bool
	}{
		{"first", 1, errCard, 1, false, false},
		{"third", 3, errCard, 3, false, true},
		{"never", 99, errCard, 4, true, true},
		{"permanent", 99, retry.Permanent(errCard), 1, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int64
			def := one(t, func(context.Context, int) (int, error) {
				if n := calls.Add(1); n < c.succeedsAt {
					return 0, c.err
				}
				return 7, nil
			}, policy)
			before := rt.Stats().Retries
			got, err := runtime.Execute(within(t), rt, def, 0)
			if calls.Load() != c.attempts || rt.Stats().Retries-before != uint64(c.attempts-1) {
				t.Errorf("%d calls, %d retries; want %d, %d", calls.Load(), rt.Stats().Retries-before, c.attempts, c.attempts-1)
			}
			switch {
			case !c.wantErr && (got != 7 || err != nil):
				t.Errorf("Execute = %d, %v", got, err)
			case c.wantErr && (taskError(t, err).Attempt != int(c.attempts) || !errors.Is(err, errCard)):
				t.Errorf("error = %v", err)
			}
		})
	}
}

// TestRetryMapItem: each item of a Map has attempts of its own.
func TestRetryMapItem(t *testing.T) {
	rt := start(t, runtime.Config{})
	var calls [3]atomic.Int64
	b := workflow.New[[]int]("map")
	def := build(t, b, workflow.Map(b, "item", func(_ context.Context, i int) (int, error) {
		if calls[i].Add(1) <= int64(i) {
			return 0, errCard
		}
		return i, nil
	}, b.Input(), workflow.Retry(retry.Constant{MaxAttempts: 3})))
	out, err := runtime.Execute(within(t), rt, def, []int{0, 1, 2})
	if err != nil || fmt.Sprint(out) != "[0 1 2]" {
		t.Fatalf("Execute = %v, %v", out, err)
	}
	for i := range calls {
		if got := calls[i].Load(); got != int64(i+1) {
			t.Errorf("item %d ran %d times, want %d", i, got, i+1)
		}
	}
}

// TestTaskTimeout: it bounds all attempts and their back-offs, while Timeout
// bounds one.
func TestTaskTimeout(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 1})
	forever := workflow.Retry(retry.Constant{MaxAttempts: 1 << 30, Wait: time.Millisecond})
	t.Run("attempts", func(t *testing.T) {
		def := one(t, func(context.Context, int) (int, error) { return 0, errCard }, forever, workflow.TaskTimeout(200*time.Millisecond))
		_, err := runtime.Execute(within(t), rt, def, 0)
		te := taskError(t, err)
		if te.Attempt < 2 || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errCard) {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("back-off", func(t *testing.T) {
		long := workflow.Retry(retry.Constant{MaxAttempts: 2, Wait: time.Hour})
		def := one(t, func(context.Context, int) (int, error) { return 0, errCard }, long, workflow.TaskTimeout(200*time.Millisecond))
		_, err := runtime.Execute(within(t), rt, def, 0)
		if taskError(t, err).Attempt != 1 || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errCard) {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("running", func(t *testing.T) {
		_, err := runtime.Execute(within(t), rt, one(t, obedient, forever, workflow.TaskTimeout(5*time.Millisecond)), 0)
		if !errors.Is(taskError(t, err), context.DeadlineExceeded) || !strings.Contains(err.Error(), "task timed out after 5ms") {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("queueing", func(t *testing.T) {
		busy, release := make(chan struct{}), make(chan struct{})
		hog, err := runtime.Start(context.Background(), rt, one(t, func(context.Context, int) (int, error) { close(busy); <-release; return 0, nil }), 0)
		if err != nil {
			t.Fatal(err)
		}
		<-busy // the only task actor is taken
		_, err = runtime.Execute(within(t), rt, one(t, obedient, workflow.TaskTimeout(5*time.Millisecond)), 0)
		if te := taskError(t, err); te.Attempt != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v", err)
		}
		close(release)
		if _, err := hog.Result(within(t)); err != nil {
			t.Error(err)
		}
	})
	t.Run("attempt then retry", func(t *testing.T) {
		var calls atomic.Int64
		def := one(t, func(ctx context.Context, _ int) (int, error) {
			if calls.Add(1) == 1 {
				return obedient(ctx, 0)
			}
			return 7, nil
		}, workflow.Retry(retry.Constant{}), workflow.Timeout(5*time.Millisecond))
		if got, err := runtime.Execute(within(t), rt, def, 0); got != 7 || err != nil {
			t.Errorf("Execute = %d, %v", got, err)
		}
	})
}

// TestRunTimeout: the run fails with its own deadline, whatever its tasks do.
func TestRunTimeout(t *testing.T) {
	release := make(chan struct{})
	rt := start(t, runtime.Config{CancelGrace: 10 * time.Millisecond})
	for name, body := range map[string]func(context.Context, int) (int, error){"obedient": obedient, "ignoring": ignoring(release)} {
		t.Run(name, func(t *testing.T) {
			run, err := runtime.Start(context.Background(), rt, one(t, body), 0, runtime.RunTimeout(5*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			_, err = run.Result(within(t))
			re, ok := errors.AsType[*runtime.RunError](err)
			if !ok || !errors.Is(err, context.DeadlineExceeded) || re.Status != workflow.StatusFailed || run.Status() != workflow.StatusFailed {
				t.Errorf("error = %v, status %v", err, run.Status())
			}
		})
	}
	close(release)
	eventually(t, "the leaked body to return", func() bool { return rt.Stats().Leaked == 0 })
	if _, err := runtime.Start(context.Background(), rt, one(t, obedient), 0, runtime.RunTimeout(-1)); err == nil {
		t.Error("a negative RunTimeout was accepted")
	}
}

// TestLeakedTasksAreReplaced: with every task actor stuck in a body that ignores
// its context, new ones take their places, up to as many again.
func TestLeakedTasksAreReplaced(t *testing.T) {
	const actors = 4
	release := make(chan struct{})
	rt := start(t, runtime.Config{TaskActors: actors, CancelGrace: time.Millisecond})
	stuck := one(t, ignoring(release), workflow.Timeout(time.Millisecond))
	for rt.Stats().Leaked < actors { // the millisecond may pass before a body begins
		if _, err := runtime.Execute(within(t), rt, stuck, 0); err == nil {
			t.Fatal("a stuck task succeeded")
		}
	}
	if got, err := runtime.Execute(within(t), rt, threeSteps(t), 0); got != 3 || err != nil {
		t.Fatalf("a run on the replacements = %d, %v", got, err)
	}
	close(release)
	eventually(t, "the leaked bodies to return", func() bool { return rt.Stats().Leaked == 0 })
	var wg sync.WaitGroup
	for i := range 100 { // the places are intact
		wg.Go(func() {
			if got, err := runtime.Execute(within(t), rt, threeSteps(t), i); got != i+3 || err != nil {
				t.Errorf("a run afterwards = %d, %v", got, err)
			}
		})
	}
	wg.Wait()
	eventually(t, "all task actors to be idle", func() bool { return rt.Stats().IdleTaskActors == actors })
}
