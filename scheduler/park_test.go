package scheduler_test

import (
	"context"
	goruntime "runtime"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/scheduler"
)

// TestWorkerParks: one worker after the other needs one goroutine of ants, as the one that has left is woken again.
func TestWorkerParks(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{})
	var submits atomic.Int64
	e.RefuseSubmits(func() bool { submits.Add(1); return false })
	for range 100 {
		scheduleAndWait(e, func(*scheduler.Worker) {})
		for e.Parked() == nil {
			goruntime.Gosched()
		}
	}
	if n := submits.Load(); n != 1 {
		t.Errorf("%d goroutines were asked for, want 1", n)
	}
}

// TestParkRacesStop: a worker that goes to sleep while Stop looks for it does not sleep on. Stop waits for its goroutine.
func TestParkRacesStop(t *testing.T) {
	for range 500 {
		e, err := scheduler.NewExecutor(scheduler.ExecutorConfig{MaxWorkers: 2})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			e.Schedule(once(func() {}))
		}
		if err := e.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if e.Parked() != nil {
			t.Fatal("a worker sleeps after Stop")
		}
	}
}

// TestHurry: on one processor a goroutine that an activation has woken runs after the next few activations of a worker that
// has no end of them, not after the worker's turn of 100 us.
func TestHurry(t *testing.T) {
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 1})
	ask, answer := make(chan struct{}, 1), make(chan struct{}, 1)
	var activations atomic.Int64 // since the answer
	var over atomic.Bool
	e.Schedule(runFunc(func(w *scheduler.Worker) bool {
		activations.Add(1)
		select {
		case <-ask:
			activations.Store(0)
			answer <- struct{}{}
			w.Hurry()
		default:
		}
		return !over.Load()
	}))
	const rounds = 100
	late := 0
	for range rounds {
		ask <- struct{}{}
		<-answer
		if activations.Load() > 2 {
			late++
		}
	}
	over.Store(true)
	if late > rounds/10 { // Go lets the one that yielded go first now and then
		t.Errorf("%d times in %d other activations ran before the goroutine that was woken", late, rounds)
	}
}

// TestScheduleAwaited: beside pairs that schedule one another without end, through the LIFO slot, an activation that is awaited runs
// after those that were queued before it have run once each, not 32 times.
func TestScheduleAwaited(t *testing.T) {
	const pairs, rounds = 4, 200
	e := newExecutor(t, scheduler.ExecutorConfig{MaxWorkers: 1})
	var activations atomic.Int64
	var over atomic.Bool
	for range pairs {
		var balls [2]scheduler.Activation
		for i := range balls {
			balls[i] = runFunc(func(w *scheduler.Worker) bool {
				activations.Add(1)
				if !over.Load() {
					w.Schedule(balls[1-i])
				}
				return false
			})
		}
		e.Schedule(balls[0])
	}
	at := make(chan int64, 1)
	for range rounds {
		e.ScheduleAwaited(once(func() { at <- activations.Load() }))
		asked := activations.Load() // those that came before do not count
		if n := <-at - asked; n > 2*pairs {
			t.Errorf("%d activations ran first, want %d at most", n, 2*pairs)
		}
	}
	over.Store(true)
}
