package actor_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// tellAll tells the messages, each of which must be accepted.
func tellAll[M any](t testing.TB, ref actor.Ref[M], messages ...M) {
	t.Helper()
	for _, m := range messages {
		if err := ref.Tell(m); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnstashKeepsTheOrder: what was stashed is handled before what came after it,
// also over many slices, with a stash inside the redelivery, and with everything told at once or one by one.
func TestUnstashKeepsTheOrder(t *testing.T) {
	for _, atOnce := range []bool{true, false} {
		for _, n := range []int{1, 2, 63, 64, 65, 300} {
			t.Run(fmt.Sprintf("n=%d/atOnce=%v", n, atOnce), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sys := newTestSystem(t, actor.SystemConfig{})
					var got []int
					gate := make(chan struct{})
					opened := 0
					ref := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
						<-gate
						switch {
						case m < 0: // opens the gate a little: the first time only half may pass
							opened++
							c.UnstashAll()
						case opened == 0 || opened == 1 && m >= n/2:
							return c.Stash(m)
						default:
							got = append(got, m)
						}
						return nil
					}, actor.Config{})
					if !atOnce {
						close(gate)
					}
					for m := range n {
						tellAll(t, ref, m)
						if !atOnce {
							synctest.Wait()
						}
					}
					tellAll(t, ref, -1, n, -1, n+1)
					if atOnce {
						close(gate)
					}
					stopSystem(t, sys)
					want := make([]int, n+2)
					for m := range want {
						want[m] = m
					}
					if !slices.Equal(got, want) {
						t.Errorf("got %v", got)
					}
				})
			})
		}
	}
}

// TestStashIsBounded: StashCapacity is exact, full is an answer, and stashing all again and again needs
// no more room.
func TestStashIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		full, deliveries := 0, 0
		ref := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
			deliveries++
			err := c.Stash(m)
			if errors.Is(err, actor.ErrStashFull) {
				full++
				if c.Stashed() != 3 {
					t.Errorf("full with %d messages", c.Stashed())
				}
				if deliveries < 100 {
					c.UnstashAll()
				}
				return nil
			}
			return err
		}, actor.Config{StashCapacity: 3})
		for m := range 200 {
			tellAll(t, ref, m)
		}
		synctest.Wait()
		st := sys.Stats()
		if full != 197 || st.Handled != uint64(deliveries) {
			t.Errorf("full %d times, %d deliveries, handled %d; want 197 and the same", full, deliveries, st.Handled)
		}
		stopSystem(t, sys)
		if n := sys.Stats().DeadLetters; n != 3 {
			t.Errorf("%d dead letters, want the 3 in the stash", n)
		}
	})
}

// TestStashAtTheEnd: every way to stop makes dead letters of the stash, and of what is unstashed
// and not handled, with its own reason.
func TestStashAtTheEnd(t *testing.T) {
	tests := []struct {
		name   string
		end    func(actor.Ref[string])
		reason error
	}{
		{"close", actor.Ref[string].Close, actor.ErrStashed},
		{"kill", actor.Ref[string].Kill, actor.ErrKilled},
		{"give up", func(r actor.Ref[string]) { _ = r.Tell("fail") }, actor.ErrGaveUp},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var letters []actor.DeadLetter
				sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) { letters = append(letters, d) }})
				ref := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
					if m == "fail" {
						return errOops
					}
					return c.Stash(m)
				}, actor.Config{Supervision: &actor.Supervision{Decide: func(actor.Failure) actor.Directive { return actor.Stop }}})
				tellAll(t, ref, "a", "b")
				synctest.Wait()
				test.end(ref)
				stopSystem(t, sys)
				if len(letters) != 2 || letters[0].Message != "a" || letters[1].Message != "b" ||
					letters[0].Reason != test.reason || letters[1].Reason != test.reason {
					t.Errorf("dead letters %v", letters)
				}
			})
		})
	}
}

// TestKillDuringRedelivery: accepted = handled + dead letters when the actor is killed
// while unstashed messages wait.
func TestKillDuringRedelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		stash, handled := true, 0
		told := make(chan struct{}) // closed when all is accepted: a killed actor refuses
		ref := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
			switch {
			case m < 0:
				<-told
				stash = false
				c.UnstashAll()
			case stash:
				return c.Stash(m)
			default:
				if handled++; handled == 10 {
					c.Self().Kill()
				}
			}
			return nil
		}, actor.Config{})
		for m := range 100 {
			tellAll(t, ref, m)
		}
		tellAll(t, ref, -1, 100, 101)
		close(told)
		stopSystem(t, sys)
		if n := sys.Stats().DeadLetters; handled != 10 || n != 92 {
			t.Errorf("handled %d, dead letters %d; want 10 and 92", handled, n)
		}
	})
}

// TestRestartUnstashes: a restart drops what Become put up, and gives the stash to the
// new handler before anything newer.
func TestRestartUnstashes(t *testing.T) {
	for _, fresh := range []bool{true, false} {
		t.Run(fmt.Sprintf("fresh=%v", fresh), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sys := newTestSystem(t, actor.SystemConfig{})
				var got []string
				lives := 0
				first := func(c *actor.Context[string], m string) error {
					got = append(got, fmt.Sprint(lives, m))
					return c.Become(func(c *actor.Context[string], m string) error {
						if m == "fail" {
							return errOops
						}
						return c.Stash(m)
					})
				}
				cfg := actor.Config{Supervision: &actor.Supervision{Backoff: time.Second}}
				var ref actor.Ref[string]
				if fresh {
					ref = actor.SpawnFunc(sys, func() func(*actor.Context[string], string) error {
						lives++
						return first
					}, cfg)
				} else {
					ref = actor.Spawn(sys, first, cfg)
				}
				tellAll(t, ref, "a", "b", "c", "fail", "d")
				time.Sleep(time.Minute)
				synctest.Wait()
				want := []string{"1a", "2b"}
				if !fresh {
					want = []string{"0a", "0b"}
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				stopSystem(t, sys)
				if n := sys.Stats().DeadLetters; n != 2 { // c and d, in the stash again
					t.Errorf("%d dead letters, want 2", n)
				}
			})
		})
	}
}

func TestBecome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		var got []string
		var second func(c *actor.Context[string], m string) error
		first := func(c *actor.Context[string], m string) error {
			got = append(got, "first "+m)
			if c.Unbecome() {
				t.Error("there is nothing to go back to")
			}
			return c.Become(second)
		}
		second = func(c *actor.Context[string], m string) error {
			got = append(got, "second "+m)
			if m == "back" && !c.Unbecome() {
				t.Error("Unbecome answers false")
			}
			return nil
		}
		ref := actor.Spawn(sys, first, actor.Config{})
		tellAll(t, ref, "a", "b", "back", "c")
		deep := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
			h := func(*actor.Context[int], int) error { return nil }
			for range 64 {
				if err := c.Become(h); err != nil {
					t.Error(err)
				}
			}
			if err := c.Become(h); !errors.Is(err, actor.ErrBecomeDepth) {
				t.Errorf("the 65th Become = %v", err)
			}
			return nil
		}, actor.Config{})
		tellAll(t, deep, 1)
		stopSystem(t, sys)
		if want := []string{"first a", "second b", "second back", "first c"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestStashStress: actors that stash and unstash at random, fail and are stopped or killed, by several
// senders that wait for room: each accepted message is handled in the end, or a dead letter, once.
func TestStashStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for range iterations(20) {
				stressStash(t)
			}
		})
	})
}

func stressStash(t testing.TB) {
	var letters, accepted, done atomic.Int64
	sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) {
		if d.Reason != mailbox.ErrClosed {
			letters.Add(1)
		}
	}})
	ctx := within(t)
	wait := make(chan struct{}, 6)
	for a := range 3 {
		delivered := 0
		ref := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
			delivered++
			if delivered%5 == 0 {
				c.UnstashAll()
			}
			if delivered%3 == 0 && c.Stash(m) == nil {
				return nil
			}
			done.Add(1)
			if m%17 == 0 {
				return errOops
			}
			return nil
		}, actor.Config{MailboxCapacity: 4, StashCapacity: 7, Supervision: &actor.Supervision{MaxRestarts: 1000, Backoff: time.Nanosecond, MaxBackoff: time.Microsecond}})
		for range 2 {
			go func() {
				defer func() { wait <- struct{}{} }()
				for m := range 200 {
					if ref.TellWait(ctx, m) == nil {
						accepted.Add(1)
					}
					if m == 150 && a == 1 {
						ref.Close()
					}
					if m == 150 && a == 2 {
						ref.Kill()
					}
				}
			}()
		}
	}
	for range 6 {
		<-wait
	}
	stopSystem(t, sys)
	if accepted.Load() != done.Load()+letters.Load() {
		t.Fatalf("accepted %d, done %d, dead letters %d", accepted.Load(), done.Load(), letters.Load())
	}
}
