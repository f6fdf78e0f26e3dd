package scheduler_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/scheduler"
)

func newExecutor(t testing.TB, cfg scheduler.ExecutorConfig) *scheduler.Executor {
	t.Helper()
	e, err := scheduler.NewExecutor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return e
}

// runFunc is an activation that is given as a function.
type runFunc func(w *scheduler.Worker) bool

func (f runFunc) Run(w *scheduler.Worker) bool { return f(w) }

// once is an activation that runs f once.
func once(f func()) runFunc {
	return func(*scheduler.Worker) bool { f(); return false }
}

// scheduleAndWait schedules f and waits until it has run.
func scheduleAndWait(e *scheduler.Executor, f func(w *scheduler.Worker)) {
	done := make(chan struct{})
	e.Schedule(runFunc(func(w *scheduler.Worker) bool {
		defer close(done)
		f(w)
		return false
	}))
	<-done
}

func TestExecutorConfigErrors(t *testing.T) {
	tests := []struct {
		cfg  scheduler.ExecutorConfig
		want string
	}{
		{scheduler.ExecutorConfig{MaxWorkers: -1}, "executor: MaxWorkers is -1; want 1 to 65536"},
		{scheduler.ExecutorConfig{Name: "tasks", MaxWorkers: 65537}, "tasks: MaxWorkers is 65537; want 1 to 65536"},
		{scheduler.ExecutorConfig{Capacity: -2}, "Capacity is -2; want 1 to 1048576"},
		{scheduler.ExecutorConfig{Capacity: 1 << 21}, "Capacity is 2097152; want 1 to 1048576"},
	}
	for _, test := range tests {
		if _, err := scheduler.NewExecutor(test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("NewExecutor(%+v) = %v, want %q", test.cfg, err, test.want)
		}
	}
}

func TestExecutorRunsAndComesAgain(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{})
	done := make(chan struct{})
	n := 0
	e.Schedule(runFunc(func(w *scheduler.Worker) bool {
		if w.Executor() != e {
			t.Errorf("Worker.Executor is another one")
		}
		n++
		if n == 1000 {
			close(done)
		}
		return n < 1000
	}))
	<-done
}

// TestExecutorAgainTakesTurns: of two activations that never have enough, on one worker,
// each runs after the other.
func TestExecutorAgainTakesTurns(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 1})
	var order []int
	done := make(chan struct{}, 2)
	take := func(id int) runFunc {
		left := 10
		return func(*scheduler.Worker) bool {
			order = append(order, id)
			left--
			if left == 0 {
				done <- struct{}{}
			}
			return left > 0
		}
	}
	scheduleAndWait(e, func(*scheduler.Worker) { // holds the one worker until both wait
		e.Schedule(take(1))
		e.Schedule(take(2))
	})
	<-done
	<-done
	for i, id := range order {
		if id != i%2+1 {
			t.Fatalf("order %v, want turns", order)
		}
	}
}

// TestWorkerLIFOSlotGivesWay: two activations that schedule each other through the slot do
// not keep a third from the only worker.
func TestWorkerLIFOSlotGivesWay(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 1})
	hops, third := 0, 0
	done := make(chan struct{})
	var ping, pong runFunc
	ping = func(w *scheduler.Worker) bool {
		if hops++; hops == 1000 {
			close(done)
		} else {
			w.Schedule(pong)
		}
		return false
	}
	pong = func(w *scheduler.Worker) bool { w.Schedule(ping); return false }
	scheduleAndWait(e, func(w *scheduler.Worker) {
		e.Schedule(once(func() { third = hops }))
		w.Schedule(ping)
	})
	<-done
	if third == 0 || third > 20 { // 32 slots in a row are 16 rounds
		t.Errorf("the third activation ran after %d rounds, want within 16", third)
	}
}

// TestWorkerScheduleOnBlockingExecutor: nothing waits behind an activation that blocks.
func TestWorkerScheduleOnBlockingExecutor(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 2, Blocking: true})
	scheduleAndWait(e, func(w *scheduler.Worker) {
		ran := make(chan struct{})
		w.Schedule(once(func() { close(ran) }))
		<-ran
	})
}

// TestWorkerFlush: after Flush the same holds on a non-blocking one.
func TestWorkerFlush(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 2})
	scheduleAndWait(e, func(w *scheduler.Worker) {
		ran := make(chan struct{})
		w.Schedule(once(func() { close(ran) }))
		w.Flush()
		<-ran
	})
}

func TestExecutorKeepsToMaxWorkers(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 3, Blocking: true})
	var running, worst atomic.Int64
	started, release, done := make(chan struct{}, 20), make(chan struct{}), make(chan struct{}, 20)
	for range 20 {
		e.Schedule(once(func() {
			for n := running.Add(1); ; {
				old := worst.Load()
				if n <= old || worst.CompareAndSwap(old, n) {
					break
				}
			}
			started <- struct{}{}
			<-release
			running.Add(-1)
			done <- struct{}{}
		}))
	}
	for range 3 {
		<-started
	}
	if got := e.Stats(); got.Workers != 3 || got.Queued != 17 {
		t.Errorf("with all workers busy Stats = %+v, want 3 workers, 17 queued", got)
	}
	close(release)
	for range 20 {
		<-done
	}
	if worst.Load() != 3 {
		t.Errorf("%d ran at once, MaxWorkers 3", worst.Load())
	}
}

// TestExecutorAddWorkers: a stuck worker's place is given to another, and taken back.
func TestExecutorAddWorkers(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 1, Blocking: true})
	stuck, release, ran := make(chan struct{}), make(chan struct{}), make(chan struct{})
	e.Schedule(once(func() { close(stuck); <-release }))
	<-stuck
	e.Schedule(once(func() { close(ran) }))
	select {
	case <-ran:
		t.Fatal("two ran at once with MaxWorkers 1")
	default:
	}
	e.AddWorkers(+1)
	<-ran
	e.AddWorkers(-1)
	e.AddWorkers(-100)
	if got := e.Stats().MaxWorkers; got != 1 {
		t.Errorf("MaxWorkers = %d, want no less than 1", got)
	}
	close(release)
	scheduleAndWait(e, func(*scheduler.Worker) {})
}

func TestExecutorSurvivesPanicAndGoexit(t *testing.T) {
	oops := errors.New("oops")
	tests := []struct {
		name string
		end  func()
		want any
	}{
		{"panic", func() { panic(oops) }, oops},
		{"Goexit", goruntime.Goexit, scheduler.ErrGoexit},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reports := make(chan any, 1)
			e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 1, OnPanic: func(v any, stack []byte) {
				if len(stack) == 0 {
					t.Error("no stack")
				}
				reports <- v
				panic("OnPanic itself fails")
			}})
			inSlot, queued := make(chan struct{}), make(chan struct{})
			scheduleAndWait(e, func(w *scheduler.Worker) {
				e.Schedule(runFunc(func(w *scheduler.Worker) bool {
					e.Schedule(once(func() { close(queued) }))
					w.Schedule(once(func() { close(inSlot) }))
					test.end()
					return true
				}))
			})
			if got := <-reports; got != test.want {
				t.Errorf("OnPanic was told %v, want %v", got, test.want)
			}
			<-inSlot
			<-queued
			if got := e.Stats().Panics; got != 2 { // with the one of OnPanic
				t.Errorf("Panics = %d, want 2", got)
			}
		})
	}
}

func TestExecutorStopWaitsForWhatIsQueued(t *testing.T) {
	e, err := scheduler.NewExecutor(scheduler.ExecutorConfig{MaxWorkers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var ran atomic.Int64
	for range 1000 {
		e.Schedule(once(func() { ran.Add(1) }))
	}
	for range 2 { // Stop is idempotent
		if err := e.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if ran.Load() != 1000 {
			t.Fatalf("%d of 1000 ran before Stop returned", ran.Load())
		}
	}
	scheduleAndWait(e, func(*scheduler.Worker) {}) // also after Stop
}

func TestExecutorStopAtItsDeadline(t *testing.T) {
	e, err := scheduler.NewExecutor(scheduler.ExecutorConfig{Name: "tasks", MaxWorkers: 1, Blocking: true})
	if err != nil {
		t.Fatal(err)
	}
	started, release := make(chan struct{}), make(chan struct{})
	e.Schedule(once(func() { close(started); <-release }))
	<-started
	e.Schedule(once(func() {}))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = e.Stop(ctx)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "tasks: stopped with 1 activations waiting and 1 workers still running") {
		t.Errorf("Stop = %v", err)
	}
	close(release)
	if err := e.Stop(context.Background()); err != nil {
		t.Errorf("the second Stop = %v", err)
	}
}

// TestExecutorIdle: when nothing is left to run no worker is left either, so
// nothing can spin or poll.
func TestExecutorIdle(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{})
	scheduleAndWait(e, func(*scheduler.Worker) {})
	for e.Stats().Workers > 0 { // on its way out
		goruntime.Gosched()
	}
	if got := e.Stats(); got.Searching != 0 || got.Queued != 0 {
		t.Errorf("idle: %+v", got)
	}
}

func TestScheduleDoesNotAllocate(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{})
	done := make(chan struct{})
	var a scheduler.Activation = once(func() { done <- struct{}{} })
	allocs := testing.AllocsPerRun(1000, func() {
		e.Schedule(a)
		<-done
		for e.Stats().Workers > 0 { // so that every Schedule wakes a worker
			goruntime.Gosched()
		}
	})
	if allocs >= 1 { // a garbage collection may empty the pools that ants and the executor use
		t.Errorf("%v allocations for each Schedule with a wake-up", allocs)
	}
}

func TestOnWorker(t *testing.T) {
	if scheduler.OnWorker() {
		t.Error("OnWorker outside of an executor")
	}
	e := newExecutor(t, scheduler.ExecutorConfig{})
	beside := make(chan bool)
	scheduleAndWait(e, func(*scheduler.Worker) {
		if !deep(100) {
			t.Error("not OnWorker inside an activation")
		}
		go func() { beside <- scheduler.OnWorker() }()
	})
	if <-beside {
		t.Error("OnWorker on a goroutine that an activation started")
	}
	// The flag that tells goroutines apart is the program's too.
	was := debug.SetPanicOnFault(true)
	if scheduler.OnWorker() {
		t.Error("OnWorker on a goroutine with PanicOnFault")
	}
	if !debug.SetPanicOnFault(was) {
		t.Error("OnWorker has changed the goroutine's PanicOnFault")
	}
	scheduler.OnWorker()
	scheduler.RunInline(runFunc(func(*scheduler.Worker) bool {
		if !scheduler.OnWorker() {
			t.Error("not OnWorker in RunInline")
		}
		return false
	}))
	if debug.SetPanicOnFault(was) != was {
		t.Error("OnWorker or RunInline has left PanicOnFault set")
	}
	scheduleAndWait(e, func(*scheduler.Worker) { debug.SetPanicOnFault(false) })
	for range 10 { // the worker that was told so marks itself again when it is woken
		for e.Parked() == nil {
			goruntime.Gosched()
		}
		scheduleAndWait(e, func(*scheduler.Worker) {
			if !scheduler.OnWorker() {
				t.Error("not OnWorker after an activation that has taken its mark off")
			}
		})
	}
}

// TestOnWorkerWithoutRest: a worker that always has work marks itself again when it yields.
func TestOnWorkerWithoutRest(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 1})
	on := make(chan bool, 1)
	scheduleAndWait(e, func(w *scheduler.Worker) {
		debug.SetPanicOnFault(false)
		e.Schedule(once(func() { on <- scheduler.OnWorker() }))
		w.Hurry() // it yields before it goes on with that
	})
	if !<-on {
		t.Error("not OnWorker after a yield of a worker whose mark was taken off")
	}
}

// deep asks OnWorker below a stack of many frames.
func deep(n int) bool {
	if n == 0 {
		return scheduler.OnWorker()
	}
	return deep(n-1) && n > 0
}
