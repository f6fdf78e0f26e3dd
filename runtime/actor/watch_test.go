package actor_test

import (
	"context"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/runtime/actor"
)

func ExampleWatch() {
	sys := exampleSystem(actor.SystemConfig{})
	done := make(chan struct{})
	worker := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
		c.Stop()
		return nil
	}, actor.Config{})
	boss := actor.Spawn(sys, func(_ *actor.Context[string], news string) error {
		fmt.Println(news)
		close(done)
		return nil
	}, actor.Config{})
	actor.Watch(boss, worker, "the worker has stopped")
	_ = worker.Tell(1)
	<-done
	_ = sys.Stop(context.Background())
	// Output: the worker has stopped
}

// TestWatchNeedsNoRoom: notices reach a watcher whose mailbox is full, each once, also
// those of actors that had stopped before.
func TestWatchNeedsNoRoom(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	noop := func(*actor.Context[int], int) error { return nil }
	entered, release := make(chan struct{}, 1), make(chan struct{})
	var got []int
	watcher := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
		if m == 0 {
			entered <- struct{}{}
			<-release
			return nil
		}
		got = append(got, m)
		return nil
	}, actor.Config{MailboxCapacity: 1, Blocking: true})
	if err := watcher.Tell(0); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := watcher.Tell(1); err != nil { // full
		t.Fatal(err)
	}
	for i := range 10 {
		ref := actor.Spawn(sys, noop, actor.Config{})
		if i%2 == 0 {
			actor.Watch(watcher, ref, 100+i)
		}
		if err := ref.Stop(within(t)); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			actor.Watch(watcher, ref, 100+i)
		}
	}
	actor.Watch(watcher, actor.Ref[string]{}, 110)
	close(release)
	if err := watcher.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if want := []int{1, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWatchEnds(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	noop := func(*actor.Context[int], int) error { return nil }
	told := 0
	watcher := actor.Spawn(sys, func(*actor.Context[int], int) error { told++; return nil }, actor.Config{})
	cancelled, unwatched := actor.Spawn(sys, noop, actor.Config{}), actor.Spawn(sys, noop, actor.Config{})
	cancel := actor.Watch(watcher, cancelled, 1)
	cancel()
	cancel()
	actor.Watch(watcher, unwatched, 2)
	if err := cancelled.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := watcher.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := unwatched.Stop(within(t)); err != nil { // its watcher is gone
		t.Fatal(err)
	}
	actor.Watch(watcher, unwatched, 3)()
	actor.Watch(actor.Ref[int]{}, unwatched, 4)()
	if told != 0 {
		t.Errorf("told %d notices, want none", told)
	}
}

// TestWatchStress: with watches, cancels and stops of both ends at the same time, every
// watch is told exactly once, or not more than once if it was cancelled.
func TestWatchStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) { stressWatch(t) })
	})
}

func stressWatch(t testing.TB) {
	const watchers = 4
	sys := newTestSystem(t, actor.SystemConfig{})
	noop := func(*actor.Context[int], int) error { return nil }
	told := make([]atomic.Int64, watchers*iterations(300))
	watcher := actor.Spawn(sys, func(_ *actor.Context[int], m int) error { told[m].Add(1); return nil }, actor.Config{})
	isCancelled := func(m int) bool { return m%3 == 0 }
	var wg sync.WaitGroup
	for g := range watchers {
		wg.Go(func() {
			for m := g; m < len(told); m += watchers {
				ref, mortal := actor.Spawn(sys, noop, actor.Config{}), actor.Spawn(sys, noop, actor.Config{})
				wg.Go(ref.Close)
				wg.Go(mortal.Close)
				actor.Watch(mortal, ref, m)
				cancel := actor.Watch(watcher, ref, m)
				if isCancelled(m) {
					cancel()
				}
			}
		})
	}
	wg.Wait()
	deadline := within(t)
	for m := range told {
		for !isCancelled(m) && told[m].Load() == 0 {
			if deadline.Err() != nil {
				t.Fatalf("watch %d was never told", m)
			}
			goruntime.Gosched()
		}
	}
	stopSystem(t, sys)
	for m := range told {
		if n := told[m].Load(); n > 1 {
			t.Errorf("watch %d was told %d times", m, n)
		}
	}
}
