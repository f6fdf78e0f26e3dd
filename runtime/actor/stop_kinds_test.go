package actor_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// TestImmediateStop: Kill, and Stop with a context that has ended, make dead letters of all that waits, in
// the children too, and OnStop is called.
func TestImmediateStop(t *testing.T) {
	for _, how := range []string{"kill", "stop"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var letters []actor.DeadLetter
				sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) { letters = append(letters, d) }})
				release, stops := make(chan struct{}), 0
				handled := 0
				var child actor.Ref[int]
				onStop := func() { stops++ }
				ref := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
					handled++
					if m == 0 {
						child = actor.SpawnChild(c, func(*actor.Context[int], int) error { handled++; <-release; return nil }, actor.Config{OnStop: onStop})
						tellAll(t, child, 1, 2, 3)
					}
					<-release
					return nil
				}, actor.Config{OnStop: onStop})
				tellAll(t, ref, 0, 1, 2)
				synctest.Wait() // both are in their handlers
				reason := actor.ErrKilled
				if how == "kill" {
					ref.Kill()
					ref.Kill()
				} else {
					reason = actor.ErrAbandoned
					ctx, cancel := context.WithCancel(context.Background())
					cancel()
					if err := ref.Stop(ctx); !errors.Is(err, context.Canceled) {
						t.Errorf("Stop = %v", err)
					}
				}
				if err := ref.Tell(9); err != mailbox.ErrClosed {
					t.Errorf("Tell = %v", err)
				}
				letters = slices.DeleteFunc(letters, func(d actor.DeadLetter) bool { return d.Message == 9 })
				close(release)
				stopSystem(t, sys)
				if handled != 2 || len(letters) != 4 || stops != 2 {
					t.Errorf("handled %d, %d stops, letters %v; want 2, 2, and 4 letters", handled, stops, letters)
				}
				for _, d := range letters {
					if d.Reason != reason {
						t.Errorf("letter %+v, want %v", d, reason)
					}
				}
				(actor.Ref[int]{}).Kill()
			})
		})
	}
}

// TestKillOfAnIdleActorAndOneThatDrains: at once in both cases.
func TestKillOfAnIdleActorAndOneThatDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		never := make(chan struct{})
		idle := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{})
		idle.Kill()
		<-idle.Stopped()
		var child actor.Ref[int]
		parent := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
			child = actor.SpawnChild(c, func(_ *actor.Context[int], m int) error { <-never; return nil }, actor.Config{})
			return nil
		}, actor.Config{})
		tellAll(t, parent, 1)
		synctest.Wait()
		tellAll(t, child, 1, 2, 3)
		parent.Close() // waits for the child
		synctest.Wait()
		parent.Kill() // passes it on
		synctest.Wait()
		close(never)
		<-parent.Stopped()
		if n := sys.Stats().DeadLetters; n != 2 {
			t.Errorf("%d dead letters, want 2", n)
		}
		stopSystem(t, sys)
	})
}

// TestDeadLettersAreRead: by subscribers, whose own are not told, and in the list of the latest.
func TestDeadLettersAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{KeepDeadLetters: 3})
		var told []any
		reader := actor.Spawn(sys, func(_ *actor.Context[actor.DeadLetter], d actor.DeadLetter) error {
			told = append(told, d.Message)
			return nil
		}, actor.Config{})
		all := func(d actor.DeadLetter) (actor.DeadLetter, bool) { return d, d.Message != 2 }
		cancel := actor.SubscribeDeadLetters(sys, reader, all)
		actor.SubscribeDeadLetters(sys, actor.Ref[actor.DeadLetter]{}, all)()
		gone := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{Name: "gone"})
		gone.Close()
		<-gone.Stopped()
		for m := range 5 {
			_ = gone.Tell(m)
		}
		if got := sys.DeadLetters(); len(got) != 3 || got[0].Message != 2 || got[2].Message != 4 || got[2].Actor != "gone" {
			t.Errorf("the latest are %v", got)
		}
		synctest.Wait()
		if want := []any{0, 1, 3, 4}; !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
		cancel()
		_ = gone.Tell(5)

		var breeding atomic.Int64
		stopped := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{})
		actor.SubscribeDeadLetters(sys, stopped, func(actor.DeadLetter) (int, bool) { breeding.Add(1); return 0, true })
		full := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{MailboxCapacity: 1, Overflow: mailbox.DropNewest})
		actor.SubscribeDeadLetters(sys, full, func(actor.DeadLetter) (int, bool) { panic(errOops) })
		stopped.Close()
		<-stopped.Stopped()
		_ = stopped.Tell(1) // a letter of a subscriber's own
		_ = gone.Tell(6)
		_ = gone.Tell(7)
		if n := breeding.Load(); n > 2 {
			t.Errorf("a stopped subscriber was told %d letters", n)
		}
		if n := sys.Stats().Panics; n != 2 {
			t.Errorf("%d panics, want the two of convert", n)
		}
		stopSystem(t, sys)
	})
}
