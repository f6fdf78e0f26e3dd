package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestAbandonRace: a body that returns at the moment when it is given up, with an
// observer that looks at everything. The race detector proves it.
func TestAbandonRace(t *testing.T) {
	rt := start(t, runtime.Config{CancelGrace: 2 * time.Millisecond, Observer: &balance{t: t}})
	def := one(t, func(context.Context, int) (int, error) {
		<-time.After(4 * time.Millisecond) // the deadline and CancelGrace together
		return 0, nil
	}, workflow.Timeout(2*time.Millisecond))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range iterations(t, 5, 20) {
				if _, err := runtime.Execute(within(t), rt, def, 0); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error = %v", err)
				}
			}
		})
	}
	wg.Wait()
	eventually(t, "the leaked bodies to return", func() bool { return rt.Stats().Leaked == 0 })
}

// occupied returns a runtime whose one task actor is taken, and what frees it.
func occupied(t *testing.T) (rt *runtime.Runtime, free func()) {
	t.Helper()
	rt = start(t, runtime.Config{WorkflowActors: 1, TaskActors: 1})
	busy, gate := make(chan struct{}), make(chan struct{})
	if _, err := runtime.Start(context.Background(), rt, one(t, func(context.Context, int) (int, error) { close(busy); <-gate; return 0, nil }), 0); err != nil {
		t.Fatal(err)
	}
	<-busy
	free = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(free)
	return rt, free
}

// TestCancelledRunsLeaveTheReadyList: runs that are cancelled while their tasks
// wait for a task actor leave nothing behind, although no task actor comes free.
func TestCancelledRunsLeaveTheReadyList(t *testing.T) {
	rt, free := occupied(t)
	def := one(t, func(context.Context, int) (int, error) { return 0, nil })
	for range 500 {
		run, err := runtime.Start(context.Background(), rt, def, 0)
		if err != nil {
			t.Fatal(err)
		}
		run.Cancel()
		if _, err := run.Result(within(t)); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if s := rt.Stats(); s.Ready != 0 || s.InFlight != 1 {
		t.Errorf("ready %d, in flight %d; want 0, 1", s.Ready, s.InFlight)
	}
	free()
}

// TestTimersDoNotPinRuns: a run that was cancelled in a long back-off, or whose
// bodies returned long before CancelGrace, can be collected.
func TestTimersDoNotPinRuns(t *testing.T) {
	rt := start(t, runtime.Config{CancelGrace: time.Hour})
	collected := new(atomic.Int64)
	input := func() *[64]byte {
		in := new([64]byte)
		goruntime.AddCleanup(in, func(*atomic.Int64) { collected.Add(1) }, collected)
		return in
	}
	failed := make(chan struct{}, 1)
	backOff := one(t, func(context.Context, *[64]byte) (int, error) { failed <- struct{}{}; return 0, errCard },
		workflow.Retry(retry.Constant{MaxAttempts: 2, Wait: time.Hour}))
	obeys := one(t, func(ctx context.Context, _ *[64]byte) (int, error) {
		failed <- struct{}{}
		<-ctx.Done()
		return 0, ctx.Err()
	})
	for _, def := range []*workflow.Definition[*[64]byte, int]{backOff, obeys} {
		run, err := runtime.Start(context.Background(), rt, def, input())
		if err != nil {
			t.Fatal(err)
		}
		<-failed
		run.Cancel()
		if _, err := run.Result(within(t)); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	eventually(t, "both inputs to be collected", func() bool { goruntime.GC(); return collected.Load() == 2 })
}

// TestTaskTimeoutOfMap: items that have not begun when the time is over never do.
func TestTaskTimeoutOfMap(t *testing.T) {
	rt := start(t, runtime.Config{})
	var ran atomic.Int64
	b := workflow.New[[]int]("map")
	def := build(t, b, workflow.Map(b, "slow", func(ctx context.Context, _ int) (int, error) {
		if ran.Add(1) > 2 {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return 0, nil
	}, b.Input(), workflow.Limit(1), workflow.TaskTimeout(20*time.Millisecond)))
	_, err := runtime.Execute(within(t), rt, def, make([]int, 50))
	if te := taskError(t, err); te.Task != "slow" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v", err)
	}
	if n := ran.Load(); n > 3 {
		t.Errorf("%d items ran", n)
	}
}

// TestLateSuccess: a body that returns without an error after its deadline was
// too late.
func TestLateSuccess(t *testing.T) {
	rt := start(t, runtime.Config{})
	def := one(t, func(ctx context.Context, n int) (int, error) { <-ctx.Done(); return n, nil }, workflow.Timeout(time.Millisecond))
	if _, err := runtime.Execute(within(t), rt, def, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v", err)
	}
}

// TestLongestTimeouts: a bound that is as long as a Duration can say is no bound.
func TestLongestTimeouts(t *testing.T) {
	rt := start(t, runtime.Config{})
	def := one(t, func(_ context.Context, n int) (int, error) { return n, nil },
		workflow.Timeout(math.MaxInt64), workflow.TaskTimeout(math.MaxInt64))
	if got, err := runtime.Execute(within(t), rt, def, 7, runtime.RunTimeout(math.MaxInt64)); got != 7 || err != nil {
		t.Errorf("Execute = %d, %v", got, err)
	}
}

// TestNothingBeginsAfterCancel: once Cancel has returned no further body of the
// run begins, although the workflow actor may not know yet.
func TestNothingBeginsAfterCancel(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 1})
	var cancelled atomic.Bool
	var late atomic.Int64
	first := make(chan *runtime.Run[int], 1)
	def := links(t, 50, func(context.Context, int) (int, error) {
		if cancelled.Load() {
			late.Add(1)
		}
		if run := <-first; run != nil {
			run.Cancel()
			cancelled.Store(true)
			close(first)
		}
		return 0, nil
	})
	run, err := runtime.Start(context.Background(), rt, def, 0)
	if err != nil {
		t.Fatal(err)
	}
	first <- run
	if _, err := run.Result(within(t)); !errors.Is(err, context.Canceled) || late.Load() != 0 {
		t.Errorf("error = %v; %d bodies began after Cancel", err, late.Load())
	}
}

// TestStopInsideTaskOfAnother: a task may start and stop a Runtime of its own.
func TestStopInsideTaskOfAnother(t *testing.T) {
	rt, inner := start(t, runtime.Config{}), threeSteps(t)
	def := one(t, func(ctx context.Context, n int) (out int, err error) {
		own, err := runtime.New(runtime.Config{TaskActors: 2})
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, own.Stop(ctx)) }()
		return runtime.Execute(ctx, own, inner, n)
	})
	if got, err := runtime.Execute(within(t), rt, def, 4); got != 7 || err != nil {
		t.Errorf("Execute = %d, %v", got, err)
	}
}

// TestStopIdleWithEndedContext: with nothing to wait for, Stop succeeds.
func TestStopIdleWithEndedContext(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for range 20 {
		rt, err := runtime.New(runtime.Config{WorkflowActors: 1, TaskActors: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := rt.Stop(ended); err != nil {
			t.Fatalf("Stop: %v", err)
		}
	}
}

// TestSecondStopHurries: a later Stop whose context ends cancels what the first
// one waits for.
func TestSecondStopHurries(t *testing.T) {
	running := make(chan struct{}, 1)
	rt, err := runtime.New(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	run, err := runtime.Start(context.Background(), rt, one(t, signalled(running)), 0)
	if err != nil {
		t.Fatal(err)
	}
	<-running
	first := make(chan error, 1)
	go func() { first <- rt.Stop(context.Background()) }()
	eventually(t, "the first Stop to begin", func() bool {
		_, err := runtime.Start(context.Background(), rt, one(t, obedient), 0)
		return errors.Is(err, runtime.ErrStopped)
	})
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := rt.Stop(ended); err == nil || !strings.Contains(err.Error(), "runs at the deadline") {
		t.Errorf("the second Stop: %v", err)
	}
	if err := <-first; err != nil {
		t.Errorf("the first Stop: %v", err)
	}
	if _, err := run.Result(within(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("the run: %v", err)
	}
	checkCounts(t, rt)
}

// TestEmptyPlacesAreRefilled: when more bodies have leaked than may be replaced
// and some return, the places of the others come back to life.
func TestEmptyPlacesAreRefilled(t *testing.T) {
	const actors = 2
	var gates [2 * actors]chan struct{}
	for i := range gates {
		gates[i] = make(chan struct{})
	}
	rt := start(t, runtime.Config{TaskActors: actors, CancelGrace: time.Millisecond})
	for i := range gates {
		b := workflow.New[int](fmt.Sprintf("stuck-%d", i)) // each a kind of its own, which no breaker refuses
		stuck := build(t, b, workflow.Task(b, "work", func(_ context.Context, i int) (int, error) { <-gates[i]; return i, nil },
			b.Input(), workflow.Timeout(time.Millisecond)))
		for rt.Stats().Leaked <= i { // the millisecond may pass before the body begins
			if _, err := runtime.Execute(within(t), rt, stuck, i); err == nil {
				t.Fatal("a stuck task succeeded")
			}
		}
	}
	close(gates[0])
	close(gates[1])
	if got, err := runtime.Execute(within(t), rt, threeSteps(t), 0); got != 3 || err != nil {
		t.Errorf("a run afterwards = %d, %v", got, err)
	}
	close(gates[2])
	close(gates[3])
	eventually(t, "all bodies to return", func() bool { s := rt.Stats(); return s.Leaked == 0 && s.IdleTaskActors == actors })
}

// hostile panics, or returns nil, wherever an observer can.
type hostile struct{}

func (hostile) RunStarted(context.Context, *runtime.Event) context.Context { return nil }
func (hostile) RunEnded(context.Context, *runtime.Event)                   { panic("RunEnded") }
func (hostile) AttemptStarted(context.Context, *runtime.Event) context.Context {
	panic("AttemptStarted")
}
func (hostile) AttemptEnded(context.Context, *runtime.Event) { panic("AttemptEnded") }
func (hostile) Noticed(*runtime.Event, runtime.Notice)       { panic("Noticed") }

// TestHostileObserver: an observer's mistakes are contained and counted.
func TestHostileObserver(t *testing.T) {
	rt := start(t, runtime.Config{Observer: hostile{}})
	if got, err := runtime.Execute(within(t), rt, threeSteps(t), 0); got != 3 || err != nil {
		t.Errorf("Execute = %d, %v", got, err)
	}
	if s := rt.Stats(); s.ObserverPanics != 7 || s.Defects != 0 {
		t.Errorf("observer panics %d, defects %d; want 7, 0", s.ObserverPanics, s.Defects)
	}
}

// TestGoexitInPolicy: user code that ends the goroutine it is called on fails its
// task and nothing else.
func TestGoexitInPolicy(t *testing.T) {
	rt := start(t, runtime.Config{WorkflowActors: 1})
	def := one(t, func(context.Context, int) (int, error) { return 0, errCard },
		workflow.Retry(retry.Exponential{If: func(error) bool { goruntime.Goexit(); return true }}))
	for range 3 {
		_, err := runtime.Execute(within(t), rt, def, 0)
		if te := taskError(t, err); te.Task != "work" || !strings.Contains(err.Error(), "Goexit") {
			t.Errorf("error = %v", err)
		}
	}
	if got, err := runtime.Execute(within(t), rt, threeSteps(t), 0); got != 3 || err != nil {
		t.Errorf("a run afterwards = %d, %v", got, err)
	}
}

// TestNestedTimeouts: a run that is cancelled because the run around it timed out
// was cancelled, and did not time out itself.
func TestNestedTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outer, inner := start(t, runtime.Config{}), start(t, runtime.Config{})
		var innerErr error
		def := one(t, func(ctx context.Context, n int) (int, error) {
			_, innerErr = runtime.Execute(ctx, inner, one(t, obedient), n)
			return 0, innerErr
		})
		if _, err := runtime.Execute(within(t), outer, def, 0, runtime.RunTimeout(5*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the outer run: %v", err)
		}
		if re, ok := errors.AsType[*runtime.RunError](innerErr); !ok || re.Status != workflow.StatusCancelled {
			t.Errorf("the inner run: %v", innerErr)
		}
	})
}

// TestResultThenStart: who has seen the end of a run finds its place free.
func TestResultThenStart(t *testing.T) {
	rt, def := start(t, runtime.Config{MaxRuns: 1}), threeSteps(t)
	for i := range iterations(t, 500, 5000) {
		run, err := runtime.Start(context.Background(), rt, def, 0)
		if err != nil {
			t.Fatalf("run %d: %v", i, err)
		}
		<-run.Done()
	}
}

// TestNilArguments: what cannot be meant is an error that says so.
func TestNilArguments(t *testing.T) {
	rt, def := start(t, runtime.Config{}), threeSteps(t)
	for name, f := range map[string]func() error{
		"Runtime":    func() error { _, err := runtime.Execute(context.Background(), nil, def, 0); return err },
		"definition": func() error { _, err := runtime.Start[int, int](context.Background(), rt, nil, 0); return err },
		"RunOption":  func() error { _, err := runtime.Start(context.Background(), rt, def, 0, nil); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), name+" is nil") {
			t.Errorf("nil %s: %v", name, err)
		}
	}
}

// TestAllocations holds what one run allocates: a fixed part, and nothing for
// each task that a task actor goes straight on to.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	rt := start(t, runtime.Config{})
	per := func(n int) float64 {
		def := links(t, n, func(_ context.Context, n int) (int, error) { return 0, nil })
		return testing.AllocsPerRun(200, func() {
			if _, err := runtime.Execute(context.Background(), rt, def, 0); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := per(2), per(102); few > 12 || many > few+10 {
		t.Errorf("a run of 2 tasks allocates %v times, one of 102 tasks %v times", few, many)
	}
}
