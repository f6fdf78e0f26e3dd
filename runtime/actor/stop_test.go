package actor_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// TestStopAtItsDeadline: Stop returns at its deadline though the handler does not; the
// messages behind it become dead letters, but not before the handler has returned,
// since nobody else may take them out.
func TestStopAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var letters atomic.Int64
		sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) {
			if d.Actor != "stuck" || d.Message != 7 || d.Reason != actor.ErrAbandoned {
				t.Errorf("dead letter %+v", d)
			}
			letters.Add(1)
		}})
		release, stopped := make(chan struct{}), false
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
			<-release
			return nil
		}, actor.Config{Name: "stuck", Blocking: true, OnStop: func() { stopped = true }})
		for range 1000 {
			if err := ref.Tell(7); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // the first is in the handler
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		start := time.Now()
		err := ref.Stop(ctx)
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("Stop took %v, want its 5s", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `"stuck": the deadline of Stop came with 999 messages left`) {
			t.Errorf("Stop = %v", err)
		}
		if n := letters.Load(); n != 0 {
			t.Errorf("%d dead letters beside a running handler", n)
		}
		close(release)
		if err := ref.Stop(context.Background()); err != nil {
			t.Errorf("the second Stop = %v", err)
		}
		if n := letters.Load(); n != 999 || !stopped {
			t.Errorf("%d dead letters of 999, OnStop called: %v", n, stopped)
		}
		stopSystem(t, sys)
		if got := sys.Stats(); got.Handled != 1 || got.DeadLetters != 999 {
			t.Errorf("%+v", got)
		}
	})
}

// TestSystemStopAtItsDeadline: with every worker stuck in a handler, Stop says how many are,
// and still makes dead letters of what waits in the other actors.
func TestSystemStopAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var letters atomic.Int64
		sys := newTestSystem(t, actor.SystemConfig{
			BlockingWorkers: 2,
			OnDeadLetter:    func(actor.DeadLetter) { letters.Add(1) },
		})
		release := make(chan struct{})
		refs := make([]actor.Ref[int], 5)
		for i := range refs {
			refs[i] = actor.Spawn(sys, func(*actor.Context[int], int) error {
				<-release
				return nil
			}, actor.Config{Blocking: true})
			for range 10 {
				if err := refs[i].Tell(0); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		err := sys.Stop(ctx)
		if took := time.Since(start); took < time.Second || took > 1100*time.Millisecond {
			t.Errorf("Stop took %v, want 1s to 1.1s", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "5 actors at work; 2 are still inside their handlers") {
			t.Errorf("Stop = %v", err)
		}
		if n := letters.Load(); n != 30 {
			t.Errorf("%d dead letters, want the 30 of the three actors that had no worker", n)
		}
		close(release)
		if err := sys.Stop(context.Background()); err != nil {
			t.Errorf("the second Stop = %v", err)
		}
		if got := sys.Stats(); got.Handled != 2 || got.DeadLetters != 48 || got.Actors != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// TestSystemStopDrainsEveryMailbox: the thousand messages that others lose.
func TestSystemStopDrainsEveryMailbox(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		sys := newTestSystem(t, actor.SystemConfig{})
		var handled, stopped atomic.Int64
		for range 10 {
			ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
				handled.Add(1)
				return nil
			}, actor.Config{Blocking: blocking, OnStop: func() { stopped.Add(1) }})
			for range 1000 {
				if err := ref.Tell(0); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := sys.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if handled.Load() != 10_000 || stopped.Load() != 10 {
			t.Errorf("handled %d of 10000, OnStop of %d of 10", handled.Load(), stopped.Load())
		}
	}
}

func TestTellWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		release := make(chan struct{})
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
			<-release
			return nil
		}, actor.Config{Name: "slow", MailboxCapacity: 1, Blocking: true})
		for range 2 {
			if err := ref.TellWait(context.Background(), 0); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		err := ref.TellWait(ctx, 0)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `"slow": waiting for room`) || time.Since(start) != time.Second {
			t.Errorf("TellWait = %v after %v", err, time.Since(start))
		}
		if err := ref.Tell(0); err != mailbox.ErrFull {
			t.Errorf("Tell = %v, want ErrFull", err)
		}
		close(release)
		stopSystem(t, sys)
	})
}

// TestQuietActorWaitsOneSliceAtMost: on a single worker a flooded actor handles no more than
// one slice of 64 messages before a quiet one that has just been told something.
func TestQuietActorWaitsOneSliceAtMost(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{Workers: 1})
	var handled atomic.Int64
	hot := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
		handled.Add(1)
		if m == 0 {
			return c.Self().Tell(0) // never runs dry
		}
		return nil
	}, actor.Config{})
	for range 1000 {
		if err := hot.Tell(0); err != nil {
			t.Fatal(err)
		}
	}
	at := make(chan int64)
	quiet := actor.Spawn(sys, func(*actor.Context[int], int) error {
		at <- handled.Load()
		return nil
	}, actor.Config{})
	for range iterations(500) {
		if err := quiet.Tell(0); err != nil {
			t.Fatal(err)
		}
		told := handled.Load() // after Tell: what the hot one did before does not count
		if waited := <-at - told; waited > 64 {
			t.Fatalf("%d messages of the hot actor came first, want 64 at most", waited)
		}
		goruntime.Gosched()
	}
	if err := hot.Tell(1); err != mailbox.ErrFull && err != nil {
		t.Fatal(err)
	}
}

// TestIdleActorsCostNothing: a thousand actors that have been at work leave no worker behind.
func TestIdleActorsCostNothing(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	for i := range 1000 {
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{Blocking: i%2 == 0})
		if err := ref.Tell(0); err != nil {
			t.Fatal(err)
		}
	}
	for _, blocking := range []bool{false, true} {
		deadline := within(t)
		for sys.Executor(blocking).Stats().Workers > 0 {
			if deadline.Err() != nil {
				t.Fatalf("workers remain: %+v", sys.Executor(blocking).Stats())
			}
			goruntime.Gosched()
		}
	}
	if got := sys.Stats().Handled; got != 1000 {
		t.Errorf("handled %d of 1000", got)
	}
}

// TestTellDoesNotAllocate: neither when it wakes the actor nor between actors.
func TestTellDoesNotAllocate(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	done := make(chan struct{})
	echo := actor.Spawn(sys, func(c *actor.Context[ball], b ball) error { return b.back.TellFrom(c, b) }, actor.Config{})
	start := actor.Spawn(sys, func(c *actor.Context[ball], b ball) error {
		if b.left == 0 {
			done <- struct{}{}
			return nil
		}
		return echo.TellFrom(c, ball{left: b.left - 1, back: c.Self()})
	}, actor.Config{})
	allocs := testing.AllocsPerRun(200, func() {
		if err := start.Tell(ball{left: 100}); err != nil {
			t.Fatal(err)
		}
		<-done
	})
	if allocs >= 1 { // a garbage collection may empty the pools that ants and the executor use
		t.Errorf("%v allocations for 200 messages", allocs)
	}
}
