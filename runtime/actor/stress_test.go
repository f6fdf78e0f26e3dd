package actor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// within returns a context that ends long after any of these tests should: what
// still waits then would wait for good.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func await(t testing.TB, done <-chan struct{}, state func() string) {
	t.Helper()
	select {
	case <-done:
	case <-within(t).Done():
		t.Fatalf("stuck: %s", state())
	}
}

func iterations(full int) int {
	if testing.Short() {
		return full / 5
	}
	return full
}

// TestNoMessageIsLost: tokens wander among actors until their hops are made or a full
// mailbox refuses them; every one comes to an end, over many shapes of the system.
// A lost wake-up would leave a token in a mailbox.
func TestNoMessageIsLost(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for _, workers := range []int{1, 2, 4, 50} {
				for _, actors := range []int{1, 2, 9, 60} {
					for _, capacity := range []int{1, 2, 64} {
						for _, blocking := range []bool{false, true} {
							passTokens(t, workers, actors, capacity, blocking)
						}
					}
				}
			}
		})
	})
}

func passTokens(t testing.TB, workers, actors, capacity int, blocking bool) {
	t.Helper()
	seed := rand.Uint64()
	sys := newTestSystem(t, actor.SystemConfig{Workers: workers, BlockingWorkers: workers})
	defer stopSystem(t, sys)
	tokens, hops := int64(iterations(200)), 20
	var alive atomic.Int64
	done := make(chan struct{})
	end := func() {
		if alive.Add(-1) == 0 {
			close(done)
		}
	}
	alive.Store(tokens)
	refs := make([]actor.Ref[int], actors)
	for i := range refs {
		rng, inside := rand.New(rand.NewPCG(seed, uint64(i))), false
		refs[i] = actor.Spawn(sys, func(c *actor.Context[int], hops int) error {
			if inside {
				t.Error("a handler runs twice at the same time")
			}
			inside = true
			next := refs[rng.IntN(actors)]
			tell := func() error { return next.Tell(hops - 1) }
			if rng.IntN(2) == 0 {
				tell = func() error { return next.TellFrom(c, hops-1) }
			}
			if hops == 0 || tell() != nil {
				end()
			}
			inside = false
			return nil
		}, actor.Config{MailboxCapacity: capacity, Blocking: blocking && i%2 == 0})
	}
	rng, ctx := rand.New(rand.NewPCG(seed, 1<<32)), within(t)
	for range tokens {
		if err := refs[rng.IntN(actors)].TellWait(ctx, hops); err != nil {
			t.Fatalf("seed %d: TellWait: %v", seed, err)
		}
	}
	await(t, done, func() string {
		return fmt.Sprintf("seed %d, %d workers, %d actors, capacity %d: %d tokens left, %+v, %+v",
			seed, workers, actors, capacity, alive.Load(), sys.Stats(), sys.Executor(false).Stats())
	})
}

func newTestSystem(t testing.TB, cfg actor.SystemConfig) *actor.System {
	t.Helper()
	sys, err := actor.NewSystem(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sys
}

func stopSystem(t testing.TB, sys *actor.System) {
	t.Helper()
	if err := sys.Stop(within(t)); err != nil {
		t.Errorf("System.Stop: %v", err)
	}
}

// TestFullCycleDoesNotDeadlock: actors in a ring, all mailboxes of capacity 1 and full.
// A refused message stays with its actor, which tries again on a signal; every
// message gets round.
func TestFullCycleDoesNotDeadlock(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		const actors = 8
		sys := newSystem(t, actor.SystemConfig{Workers: 2})
		tokens := iterations(200)
		var alive atomic.Int64
		alive.Store(int64(tokens))
		done := make(chan struct{})
		refs := make([]actor.Ref[int], actors)
		for i := range refs {
			var backlog []int // bounded by the tokens
			pass := func() {
				for len(backlog) > 0 && refs[(i+1)%actors].Tell(backlog[0]) == nil {
					backlog = backlog[1:]
				}
				if len(backlog) > 0 {
					refs[i].Signal()
				}
			}
			refs[i] = actor.Spawn(sys, func(_ *actor.Context[int], hops int) error {
				if hops == 0 {
					if alive.Add(-1) == 0 {
						close(done)
					}
					return nil
				}
				backlog = append(backlog, hops-1)
				pass()
				return nil
			}, actor.Config{MailboxCapacity: 1, OnSignal: pass})
		}
		for i := range tokens {
			if err := refs[i%actors].TellWait(within(t), 3*actors); err != nil {
				t.Fatal(err)
			}
		}
		await(t, done, func() string { return fmt.Sprintf("%d tokens left", alive.Load()) })
	})
}

// TestTellWaitStress: many senders wait for the room of a tiny mailbox; some give
// up. All others get through, and what was accepted is handled.
func TestTellWaitStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for _, capacity := range []int{1, 3} {
				stressTellWait(t, capacity)
			}
		})
	})
}

func stressTellWait(t testing.TB, capacity int) {
	t.Helper()
	sys := newTestSystem(t, actor.SystemConfig{})
	handled := int64(0)
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
		handled++
		return nil
	}, actor.Config{MailboxCapacity: capacity})
	var accepted atomic.Int64
	var wg sync.WaitGroup
	ctx := within(t)
	for sender := range 16 {
		wg.Go(func() {
			for i := range iterations(500) {
				ctx := ctx
				if (sender+i)%7 == 0 {
					short, cancel := context.WithCancel(ctx)
					go cancel()
					ctx = short
				}
				switch err := ref.TellWait(ctx, i); {
				case err == nil:
					accepted.Add(1)
				case !errors.Is(err, context.Canceled):
					t.Errorf("TellWait: %v", err)
				}
			}
		})
	}
	wg.Wait()
	stopSystem(t, sys)
	if handled != accepted.Load() {
		t.Errorf("accepted %d, handled %d", accepted.Load(), handled)
	}
}

// TestTellWaitEndsWithTheActor: whoever waits when the actor is closed is told.
func TestTellWaitEndsWithTheActor(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	entered, release := make(chan struct{}, 2), make(chan struct{})
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
		entered <- struct{}{}
		<-release
		return nil
	}, actor.Config{MailboxCapacity: 1, Blocking: true})
	for range 2 {
		if err := ref.TellWait(within(t), 0); err != nil { // one in the handler, one in the mailbox
			t.Fatal(err)
		}
	}
	<-entered
	errs := make(chan error)
	for range 5 {
		go func() { errs <- ref.TellWait(within(t), 0) }()
	}
	ref.Close()
	for range 5 {
		if err := <-errs; err != mailbox.ErrClosed {
			t.Errorf("TellWait = %v, want ErrClosed", err)
		}
	}
	close(release)
}

// TestTellWaitRacesClose: however an actor ends, nobody goes on waiting for its room.
func TestTellWaitRacesClose(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			sys, ctx := newTestSystem(t, actor.SystemConfig{}), within(t)
			for range iterations(300) {
				ref := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{MailboxCapacity: 1})
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for range 5 {
							if err := ref.TellWait(ctx, 0); err != nil && err != mailbox.ErrClosed {
								t.Errorf("TellWait: %v", err)
							}
						}
					})
				}
				goruntime.Gosched()
				ref.Close()
				wg.Wait()
			}
			stopSystem(t, sys)
		})
	})
}

// TestNoSignalIsLost: each signal is followed by a call of OnSignal that sees what the
// signaller wrote before, never beside the handler.
func TestNoSignalIsLost(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for _, blocking := range []bool{false, true} {
				stressSignals(t, blocking)
			}
		})
	})
}

func stressSignals(t testing.TB, blocking bool) {
	t.Helper()
	const signallers = 4
	sys := newTestSystem(t, actor.SystemConfig{})
	var written, seen [signallers]atomic.Int64
	inside := false // not atomic: the race detector watches it too
	enter := func() {
		if inside {
			t.Error("OnSignal and the handler run at the same time")
		}
		inside = true
		inside = false
	}
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error { enter(); return nil }, actor.Config{
		Blocking: blocking,
		OnSignal: func() {
			enter()
			for i := range seen {
				seen[i].Store(written[i].Load())
			}
		},
	})
	var wg sync.WaitGroup
	for s := range signallers {
		wg.Go(func() {
			for i := range iterations(1000) {
				written[s].Store(int64(i + 1))
				ref.Signal()
				if i%3 == s%3 {
					_ = ref.Tell(i)
				}
				if i%50 == 0 { // wait for it: the actor has nothing else that would wake it
					for deadline := within(t); seen[s].Load() < int64(i+1); goruntime.Gosched() {
						if deadline.Err() != nil {
							t.Errorf("signal %d of %d was lost", i, s)
							return
						}
					}
				}
			}
		})
	}
	wg.Wait()
	stopSystem(t, sys) // attends to the last signals
	for s := range signallers {
		if got, want := seen[s].Load(), written[s].Load(); got != want {
			t.Errorf("signaller %d wrote %d, OnSignal has seen %d", s, want, got)
		}
	}
}

// TestStopRacesTell: every Tell that was accepted before or during Stop is handled.
func TestStopRacesTell(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for range iterations(100) {
				raceStop(t, context.Background())
			}
		})
	})
}

// TestStopAtItsDeadlineRacesTell: or becomes a dead letter, if Stop has no time.
func TestStopAtItsDeadlineRacesTell(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for range iterations(100) {
				over, cancel := context.WithCancel(context.Background())
				cancel()
				raceStop(t, over)
			}
		})
	})
}

func raceStop(t testing.TB, ctx context.Context) {
	t.Helper()
	var abandoned atomic.Int64
	sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) {
		if d.Reason == actor.ErrAbandoned {
			abandoned.Add(1)
		}
	}})
	handled, stopped := int64(0), 0
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
		handled++
		return nil
	}, actor.Config{MailboxCapacity: 4, OnStop: func() { stopped++ }})
	var accepted atomic.Int64
	var wg sync.WaitGroup
	started := make(chan struct{}, 3)
	for range 3 {
		wg.Go(func() {
			started <- struct{}{}
			for {
				switch err := ref.Tell(1); err {
				case nil:
					accepted.Add(1)
				case mailbox.ErrClosed:
					return
				default:
					goruntime.Gosched()
				}
			}
		})
	}
	<-started
	wg.Go(func() { _ = ref.Stop(ctx) })
	wg.Wait()
	stopSystem(t, sys)
	if got := handled + abandoned.Load(); got != accepted.Load() || stopped != 1 {
		t.Fatalf("accepted %d, handled %d, dead letters %d, OnStop %d times", accepted.Load(), handled, abandoned.Load(), stopped)
	}
	if got := sys.Stats(); got.Handled != uint64(handled) || got.Actors != 0 {
		t.Fatalf("%+v, handled %d", got, handled)
	}
}

// TestSpawnStopTellStress: actors come and go while others tell them things and the system
// stops; accepted = handled in the end.
func TestSpawnStopTellStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			sys := newTestSystem(t, actor.SystemConfig{})
			var accepted, handled atomic.Int64
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range iterations(300) {
						ref := actor.Spawn(sys, func(c *actor.Context[int], n int) error {
							handled.Add(1)
							if n == 2 {
								c.Stop()
							}
							return nil
						}, actor.Config{MailboxCapacity: 4})
						for n := range 4 {
							if ref.Tell(n) == nil {
								accepted.Add(1)
							}
						}
					}
				})
			}
			wg.Go(func() { _ = sys.Stop(within(t)) }) // somewhere in between
			wg.Wait()
			stopSystem(t, sys)
			if accepted.Load() != handled.Load() || sys.Stats().Actors != 0 {
				t.Errorf("accepted %d, handled %d, %+v", accepted.Load(), handled.Load(), sys.Stats())
			}
		})
	})
}
