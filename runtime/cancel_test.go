package runtime_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// signalled returns a body that says when it runs and ends with its context.
func signalled(running chan<- struct{}) func(context.Context, int) (int, error) {
	return func(ctx context.Context, _ int) (int, error) {
		running <- struct{}{}
		<-ctx.Done()
		return 0, ctx.Err()
	}
}

// TestCancel: a run ends as cancelled, whoever asks for it and wherever its task
// is at that moment.
func TestCancel(t *testing.T) {
	running := make(chan struct{}, 1)
	rt := start(t, runtime.Config{TaskActors: 1})
	def := one(t, signalled(running))
	check := func(t *testing.T, err error, want error) {
		t.Helper()
		re, ok := errors.AsType[*runtime.RunError](err)
		if !ok || re.Status != workflow.StatusCancelled || !errors.Is(err, want) {
			t.Errorf("error = %v (%T), want a cancelled *RunError that is %v", err, err, want)
		}
	}
	t.Run("Cancel of a running task", func(t *testing.T) {
		run, err := runtime.Start(context.Background(), rt, def, 0)
		if err != nil {
			t.Fatal(err)
		}
		<-running
		run.Cancel()
		run.Cancel()
		_, err = run.Result(within(t))
		check(t, err, context.Canceled)
		run.Cancel()
		if run.Status() != workflow.StatusCancelled {
			t.Errorf("status %v", run.Status())
		}
	})
	t.Run("Execute's context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		go func() { <-running; cancel() }()
		_, err := runtime.Execute(ctx, rt, def, 0)
		check(t, err, context.Canceled)
	})
	t.Run("Execute's deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		_, err := runtime.Execute(ctx, rt, def, 0)
		if err == context.DeadlineExceeded {
			return // it came before Execute: there is no run
		}
		check(t, err, context.DeadlineExceeded)
		select {
		case <-running:
		default: // the deadline came before the body
		}
	})
	t.Run("Execute's cause", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		go func() { <-running; cancel(errCard) }()
		_, err := runtime.Execute(ctx, rt, def, 0)
		check(t, err, context.Canceled)
		check(t, err, errCard)
	})
	t.Run("waiting for a task actor", func(t *testing.T) {
		hog, err := runtime.Start(context.Background(), rt, def, 0)
		if err != nil {
			t.Fatal(err)
		}
		<-running
		run, err := runtime.Start(context.Background(), rt, def, 0)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the task to be queued", func() bool { return rt.Stats().Queued == 1 })
		run.Cancel()
		_, err = run.Result(within(t)) // although the only task actor is still taken
		check(t, err, context.Canceled)
		if rep := run.Report().Tasks[0]; rep.Status != workflow.StatusCancelled || rep.Attempts != 0 {
			t.Errorf("task = %+v", rep)
		}
		hog.Cancel()
		_, err = hog.Result(within(t))
		check(t, err, context.Canceled)
	})
	t.Run("Result's context only bounds the wait", func(t *testing.T) {
		run, err := runtime.Start(context.Background(), rt, def, 0)
		if err != nil {
			t.Fatal(err)
		}
		<-running
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := run.Result(ctx); !errors.Is(err, context.Canceled) || run.Status() != workflow.StatusRunning {
			t.Errorf("Result = %v, status %v", err, run.Status())
		}
		run.Cancel()
		_, err = run.Result(within(t))
		check(t, err, context.Canceled)
	})
}

// TestCancelIgnored: a body that ignores cancellation is given up after
// CancelGrace, and its run ends.
func TestCancelIgnored(t *testing.T) {
	release, running := make(chan struct{}), make(chan struct{})
	rt := start(t, runtime.Config{CancelGrace: 5 * time.Millisecond})
	def := one(t, func(_ context.Context, n int) (int, error) { close(running); <-release; return n, nil })
	run, err := runtime.Start(context.Background(), rt, def, 0)
	if err != nil {
		t.Fatal(err)
	}
	<-running
	run.Cancel()
	_, err = run.Result(within(t))
	if !errors.Is(err, context.Canceled) || run.Report().Tasks[0].Status != workflow.StatusCancelled {
		t.Errorf("error = %v, task %+v", err, run.Report().Tasks[0])
	}
	if got := rt.Stats().Leaked; got != 1 {
		t.Errorf("leaked = %d, want 1", got)
	}
	close(release)
	eventually(t, "the body to return", func() bool { return rt.Stats().Leaked == 0 })
}

// TestStop: it drains what was accepted, refuses what comes later, and may be
// called again.
func TestStop(t *testing.T) {
	rt, err := runtime.New(runtime.Config{WorkflowActors: 2, TaskActors: 2})
	if err != nil {
		t.Fatal(err)
	}
	def := threeSteps(t)
	runs := make([]*runtime.Run[int], 500)
	for i := range runs {
		if runs[i], err = runtime.Start(context.Background(), rt, def, i); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := rt.Stop(within(t)); err != nil {
			t.Fatalf("Stop: %v", err)
		}
	}
	for i, r := range runs {
		if got, err := r.Result(within(t)); got != i+3 || err != nil {
			t.Fatalf("run %d after Stop = %d, %v", i, got, err)
		}
	}
	if _, err := runtime.Start(context.Background(), rt, def, 0); !errors.Is(err, runtime.ErrStopped) {
		t.Errorf("Start after Stop: %v", err)
	}
	if _, err := runtime.Execute(context.Background(), rt, def, 0); !errors.Is(err, runtime.ErrStopped) {
		t.Errorf("Execute after Stop: %v", err)
	}
	checkCounts(t, rt)
}

// TestStopDeadline: what is left at the deadline is cancelled, counted, and
// leaves nothing behind, in mailboxes and ready lists too.
func TestStopDeadline(t *testing.T) {
	running := make(chan struct{}, 2)
	rt, err := runtime.New(runtime.Config{WorkflowActors: 1, TaskActors: 2, CancelGrace: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	def := one(t, signalled(running))
	runs := make([]*runtime.Run[int], 200)
	for i := range runs {
		if runs[i], err = runtime.Start(context.Background(), rt, def, i); err != nil {
			t.Fatal(err)
		}
	}
	<-running
	<-running
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = rt.Stop(ctx)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "cancelled 200 runs at the deadline") {
		t.Errorf("Stop = %v", err)
	}
	for i, r := range runs {
		if _, err := r.Result(within(t)); !errors.Is(err, runtime.ErrStopped) || !errors.Is(err, context.Canceled) {
			t.Fatalf("run %d: %v", i, err)
		}
	}
	checkCounts(t, rt)
	if s := rt.Stats(); s.Cancelled != 200 {
		t.Errorf("cancelled %d, want 200", s.Cancelled)
	}
}

// TestStopWithLeak: Stop does not wait for a body that never returns, and says
// that it is there.
func TestStopWithLeak(t *testing.T) {
	release, running := make(chan struct{}), make(chan struct{})
	rt, err := runtime.New(runtime.Config{CancelGrace: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	def := one(t, func(_ context.Context, n int) (int, error) { close(running); <-release; return n, nil })
	run, err := runtime.Start(context.Background(), rt, def, 0)
	if err != nil {
		t.Fatal(err)
	}
	<-running
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := rt.Stop(ctx); err == nil || !strings.Contains(err.Error(), "1 task bodies ignore") {
		t.Errorf("Stop = %v", err)
	}
	if run.Status() != workflow.StatusCancelled {
		t.Errorf("status %v", run.Status())
	}
	checkCounts(t, rt)
	close(release)
}

// TestStopRace: runs that are submitted while Stop begins are either refused or
// end, and the counts agree.
func TestStopRace(t *testing.T) {
	for range iterations(t, 20, 200) {
		rt, err := runtime.New(runtime.Config{WorkflowActors: 2, TaskActors: 2, MailboxCapacity: 2})
		if err != nil {
			t.Fatal(err)
		}
		def := threeSteps(t)
		var accepted, refused atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					_, err := runtime.Execute(within(t), rt, def, 0)
					switch {
					case err == nil:
						accepted.Add(1)
					case errors.Is(err, runtime.ErrStopped):
						refused.Add(1)
						return
					default:
						t.Errorf("Execute: %v", err)
						return
					}
				}
			})
		}
		eventually(t, "the first runs", func() bool { return accepted.Load() > 3 })
		if err := rt.Stop(within(t)); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		checkCounts(t, rt)
		if s := rt.Stats(); s.Accepted != uint64(accepted.Load()) || refused.Load() != 4 {
			t.Fatalf("accepted %d, succeeded for the callers %d, refused %d", s.Accepted, accepted.Load(), refused.Load())
		}
	}
}

// iterations returns how often a stress loop runs: few under -short.
func iterations(t testing.TB, short, long int) int {
	t.Helper()
	if testing.Short() {
		return short
	}
	return long
}
