package actor_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

// tick is how late a timer may be.
const tick = time.Millisecond

// TestAfter: the message comes once, not early, in time, also to a full mailbox, and before what
// waits there.
func TestAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		start := time.Now()
		var got []string
		release := make(chan struct{})
		ref := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
			switch m {
			case "start":
				c.After(50*time.Millisecond, "soon")
				c.After(20*time.Millisecond, "sooner")
				c.After(-1, "now")
			case "block":
				<-release
			case "soon":
				if d := time.Since(start); d < time.Second {
					t.Errorf("after %v, while the actor was blocked", d)
				}
			}
			got = append(got, m)
			return nil
		}, actor.Config{MailboxCapacity: 2})
		tellAll(t, ref, "start")
		time.Sleep(10 * time.Millisecond)
		tellAll(t, ref, "block")
		synctest.Wait()
		tellAll(t, ref, "a", "b") // full
		time.Sleep(time.Second)
		close(release)
		stopSystem(t, sys)
		// The blocked slice goes on with what it finds; the timers come first in the next.
		slices.Sort(got)
		if want := []string{"a", "b", "block", "now", "soon", "sooner", "start"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestEvery: the beat does not drift, a slow actor gets one tick for all it missed, and
// Stop inside the handler is exact.
func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		start := time.Now()
		var at []time.Duration
		var timer *actor.Timer
		ref := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
			if m == "start" {
				timer = c.Every(100*time.Millisecond, "tick")
				return nil
			}
			at = append(at, time.Since(start))
			switch len(at) {
			case 3:
				time.Sleep(350 * time.Millisecond) // of the test's own clock: the handler is slow
			case 6:
				if !timer.Stop() || timer.Stop() {
					t.Error("Stop answers true once")
				}
			}
			return nil
		}, actor.Config{})
		tellAll(t, ref, "start")
		time.Sleep(time.Minute)
		stopSystem(t, sys)
		want := []int{100, 200, 300, 650, 700, 800} // 400, 500 and 600 in one, late
		if len(at) != len(want) {
			t.Fatalf("ticks at %v, want %v", at, want)
		}
		for i, ms := range want {
			if late := at[i] - time.Duration(ms)*time.Millisecond; late < 0 || late > tick {
				t.Errorf("tick %d at %v, want %d ms", i, at[i], ms)
			}
		}
		if timer.Missed() != 2 {
			t.Errorf("missed %d ticks, want 2", timer.Missed())
		}
	})
}

// TestTimersEndWithTheirActor: by Close, by Kill, and at a restart, also those that have fired and
// are not handled yet.
func TestTimersEndWithTheirActor(t *testing.T) {
	for _, how := range []string{"close", "kill", "restart"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sys := newTestSystem(t, actor.SystemConfig{})
				ticks := 0
				var timers []*actor.Timer
				ref := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
					switch m {
					case "start":
						timers = append(timers, c.Every(10*time.Millisecond, "tick"), c.After(time.Second, "tick"))
					case "fail":
						time.Sleep(15 * time.Millisecond) // a tick has fired meanwhile
						return errOops
					case "tick":
						ticks++
					}
					return nil
				}, actor.Config{Supervision: &actor.Supervision{Backoff: time.Millisecond}})
				tellAll(t, ref, "start")
				synctest.Wait()
				switch how {
				case "close":
					ref.Close()
				case "kill":
					ref.Kill()
				case "restart":
					tellAll(t, ref, "fail")
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if ticks != 0 {
					t.Errorf("%d ticks after the end", ticks)
				}
				for i, timer := range timers {
					if timer.Stop() {
						t.Errorf("timer %d had not ended", i)
					}
				}
				stopSystem(t, sys)
			})
		})
	}
}

// TestEveryMistake: the panic is the handler's failure, not the program's.
func TestEveryMistake(t *testing.T) {
	failures := make(chan actor.Failure, 1)
	sys := newSystem(t, actor.SystemConfig{OnFailure: func(f actor.Failure) { failures <- f }})
	ref := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
		c.Every(0, m)
		return nil
	}, actor.Config{Name: "metronome"})
	tellAll(t, ref, 1)
	if got, want := fmt.Sprint((<-failures).Err), `panic: actor: "metronome": Context.Every(0s): want more than 0`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTimersWithoutMessages: a timer whose message is a nil interface, and a watch likewise, come as such.
func TestTimersWithoutMessages(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	got := make(chan error, 3)
	ref := actor.Spawn(sys, func(c *actor.Context[error], m error) error {
		if m == errOops {
			c.After(0, nil)
			actor.Watch[error, int](c.Self(), actor.Ref[int]{}, nil)
			return nil
		}
		got <- m
		return nil
	}, actor.Config{})
	tellAll(t, ref, error(errOops))
	for range 2 {
		if m := <-got; m != nil {
			t.Errorf("got %v", m)
		}
	}
}

// TestTimerStress: timers that start, fire and are stopped from elsewhere, while their
// actors stop.
func TestTimerStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for range iterations(20) {
				sys := newTestSystem(t, actor.SystemConfig{})
				timers := make(chan *actor.Timer, 1024)
				offer := func(timer *actor.Timer) {
					select {
					case timers <- timer:
					default: // there are more than are looked at: a handler must not wait for that
					}
				}
				for i := range 20 {
					ref := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
						if m < 8 {
							offer(c.After(time.Duration(m)*100*time.Microsecond, m+1))
							offer(c.Every(time.Millisecond, m+1))
						}
						if m == 6 && i%3 == 0 {
							c.Self().Kill()
						}
						return nil
					}, actor.Config{Name: "t"})
					tellAll(t, ref, 5)
					if i%3 == 1 {
						go ref.Close()
					}
				}
				for range 40 {
					select {
					case timer := <-timers:
						timer.Stop()
					case <-time.After(5 * time.Millisecond): // actors that were stopped start none
					}
				}
				stopSystem(t, sys)
			}
		})
	})
}
