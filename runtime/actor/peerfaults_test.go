package actor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// The faults that users of other actor systems complain about, each as a test.

// TestPeerFaultStopLosesMessages: a plain stop handles every message that was queued.
func TestPeerFaultStopLosesMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		handled := 0
		release := make(chan struct{})
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
			<-release
			handled++
			return nil
		}, actor.Config{})
		for m := range 1000 {
			tellAll(t, ref, m)
		}
		synctest.Wait()
		ref.Close()
		close(release)
		if err := ref.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := sys.Stats().DeadLetters; handled != 1000 || n != 0 {
			t.Errorf("handled %d of 1000, %d dead letters", handled, n)
		}
		stopSystem(t, sys)
	})
}

// TestPeerFaultFullMailboxLocksUp: two actors flood one whose mailbox is full, and it floods them back; all
// mailboxes hold one message. Full is an answer: nobody waits, and everything comes to an end.
func TestPeerFaultFullMailboxLocksUp(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{Workers: 1})
		var refs [3]actor.Ref[int]
		var wg sync.WaitGroup
		wg.Add(2)
		rounds := iterations(2_000)
		for i := range refs {
			sent := 0
			var full int
			refs[i] = actor.Spawn(sys, func(c *actor.Context[int], m int) error {
				if i == 2 { // the one in the middle answers both, and gets ErrFull as they do
					for _, to := range refs[:2] {
						if err := to.TellFrom(c, m); err != nil && err != mailbox.ErrFull && err != mailbox.ErrClosed {
							t.Error(err)
						}
					}
					return nil
				}
				if sent == rounds {
					return nil
				}
				for range 3 {
					if err := refs[2].TellFrom(c, m); err == mailbox.ErrFull {
						full++
					}
				}
				if sent++; sent == rounds {
					if full < rounds {
						t.Errorf("actor %d found it full %d times", i, full)
					}
					wg.Done()
				}
				_ = c.Self().TellFrom(c, m)
				return nil
			}, actor.Config{MailboxCapacity: 1})
		}
		tellAll(t, refs[0], 0)
		_ = refs[1].Tell(1) // or the one in the middle was faster
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		await(t, done, func() string { return "two actors that send to a full mailbox" })
		// A handler that would wait for room is told so.
		told := make(chan error, 1)
		waiting := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
			told <- refs[2].TellWait(c.Context(), 0)
			return nil
		}, actor.Config{})
		tellAll(t, waiting, 1)
		if err := <-told; !errors.Is(err, actor.ErrInHandler) {
			t.Errorf("TellWait in a handler = %v", err)
		}
		stopSystem(t, sys)
	})
}

// TestPeerFaultMutualAsk: two actors that ask one another get an error each that explains itself, at once,
// without a context to tell that they are handlers, and can go on.
func TestPeerFaultMutualAsk(t *testing.T) {
	type ask struct{ first bool }
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		var mu sync.Mutex
		var got []error
		var askers [2]actor.Ref[ask]
		start := make(chan struct{})
		began := time.Now()
		for i := range askers {
			askers[i] = actor.Spawn(sys, func(_ *actor.Context[ask], m ask) error {
				if !m.first {
					return nil
				}
				<-start // both are in their handlers
				_, err := actor.Ask(context.Background(), askers[1-i], func(actor.ReplyTo[int]) ask { return ask{} })
				mu.Lock()
				got = append(got, err)
				mu.Unlock()
				return nil
			}, actor.Config{})
			tellAll(t, askers[i], ask{first: true})
		}
		synctest.Wait()
		close(start)
		synctest.Wait()
		mu.Lock()
		if len(got) != 2 {
			t.Errorf("got %v, want two errors", got)
		}
		for _, err := range got {
			if !errors.Is(err, actor.ErrInHandler) {
				t.Errorf("Ask = %v", err)
			}
		}
		mu.Unlock()
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v", d)
		}
		stopSystem(t, sys)
	})
}

// TestPeerFaultBlockedHandlerDelaysStrangers: with every worker for blocking actors blocked, an idle actor
// answers without delay.
func TestPeerFaultBlockedHandlerDelaysStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{Workers: 1, BlockingWorkers: 2})
		for range 5 {
			ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
				time.Sleep(time.Second)
				return nil
			}, actor.Config{Blocking: true})
			tellAll(t, ref, 1)
		}
		synctest.Wait()
		stranger := actor.Spawn(sys, func(_ *actor.Context[actor.ReplyTo[int]], r actor.ReplyTo[int]) error {
			return r.Reply(7)
		}, actor.Config{})
		start := time.Now()
		got, err := actor.Ask(context.Background(), stranger, func(r actor.ReplyTo[int]) actor.ReplyTo[int] { return r })
		if d := time.Since(start); got != 7 || err != nil || d != 0 {
			t.Errorf("answered %d, %v after %v", got, err, d)
		}
		stopSystem(t, sys)
	})
}

// TestPeerFaultMaxRestartsKillsTheProcess: one restart too many stops that actor, with an event and dead letters,
// and nothing else.
func TestPeerFaultMaxRestartsKillsTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var letters []actor.DeadLetter
		sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) { letters = append(letters, d) }})
		var kinds []actor.EventKind
		listener := actor.Spawn(sys, func(_ *actor.Context[actor.Event], e actor.Event) error {
			kinds = append(kinds, e.Kind)
			return nil
		}, actor.Config{})
		bad := actor.Spawn(sys, func(*actor.Context[int], int) error { panic("always") },
			actor.Config{Name: "bad", Supervision: &actor.Supervision{MaxRestarts: 3}})
		actor.Subscribe(sys, listener, func(e actor.Event) (actor.Event, bool) {
			return e, e.Actor == "bad" && (e.Kind == actor.GaveUp || e.Kind == actor.Stopped)
		})
		good := 0
		other := actor.Spawn(sys, func(*actor.Context[int], int) error { good++; return nil }, actor.Config{})
		for m := range 10 {
			tellAll(t, bad, m)
		}
		<-bad.Stopped()
		tellAll(t, other, 1)
		stopSystem(t, sys)
		if good != 1 || len(letters) != 6 || letters[0].Reason != actor.ErrGaveUp || sys.Stats().Restarts != 3 {
			t.Errorf("the other handled %d, letters %v, %d restarts", good, letters, sys.Stats().Restarts)
		}
		if len(kinds) != 2 || kinds[0] != actor.GaveUp || kinds[1] != actor.Stopped {
			t.Errorf("events %v", kinds)
		}
	})
}
