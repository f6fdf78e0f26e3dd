package actor_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

var errOops = errors.New("oops")

// A restarted actor begins with a new handler, and so with new state; its mailbox stays.
func ExampleSupervision() {
	sys := exampleSystem(actor.SystemConfig{})
	counter := actor.SpawnFunc(sys, func() func(*actor.Context[string], string) error {
		count := 0
		return func(_ *actor.Context[string], m string) error {
			count++
			fmt.Println(m, count)
			if m == "bad" {
				return errors.New("cannot go on")
			}
			return nil
		}
	}, actor.Config{Supervision: &actor.Supervision{MaxRestarts: 3, Backoff: time.Millisecond}})
	for _, m := range []string{"good", "bad", "good"} {
		_ = counter.Tell(m)
	}
	_ = sys.Stop(context.Background())
	// Output:
	// good 1
	// bad 2
	// good 1
}

// handledAt is when an actor handled which message, since the test began.
type handledAt struct {
	message string
	at      time.Duration
}

func TestSupervision(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	tests := []struct {
		name        string
		supervision actor.Supervision
		messages    []string
		want        []handledAt
		letters     int
		restarts    uint64
	}{
		{
			name:     "back-off doubles up to its maximum",
			messages: []string{"error", "panic", "goexit", "error", "ok", "ok"},
			supervision: actor.Supervision{
				Backoff: ms(100), MaxBackoff: ms(300),
			},
			want: []handledAt{{"error", 0}, {"panic", ms(100)}, {"goexit", ms(300)}, {"error", ms(600)},
				{"ok", ms(900)}, {"ok", ms(900)}},
			restarts: 4,
		},
		{
			name:        "one restart too many stops the actor",
			messages:    []string{"error", "panic", "error", "ok", "ok"},
			supervision: actor.Supervision{MaxRestarts: 2, Backoff: ms(10)},
			want:        []handledAt{{"error", 0}, {"panic", ms(10)}, {"error", ms(30)}},
			letters:     2,
			restarts:    2,
		},
		{
			name:        "restarts out of the window do not count",
			messages:    []string{"error", "error", "error", "ok"},
			supervision: actor.Supervision{MaxRestarts: 1, Window: ms(5), Backoff: ms(10)},
			want:        []handledAt{{"error", 0}, {"error", ms(10)}, {"error", ms(20)}, {"ok", ms(30)}},
			restarts:    3,
		},
		{
			name:     "resume",
			messages: []string{"error", "panic", "goexit", "ok"},
			supervision: actor.Supervision{
				Decide: func(actor.Failure) actor.Directive { return actor.Resume },
			},
			want: []handledAt{{"error", 0}, {"panic", 0}, {"goexit", 0}, {"ok", 0}},
		},
		{
			name:     "decided by the failure",
			messages: []string{"error", "panic", "ok"},
			supervision: actor.Supervision{
				Decide: func(f actor.Failure) actor.Directive {
					if errors.Is(f.Err, errOops) && f.Message == "error" {
						return actor.Resume
					}
					return actor.Stop
				},
			},
			want:    []handledAt{{"error", 0}, {"panic", 0}},
			letters: 1,
		},
		{
			name:     "a Decide that panics restarts",
			messages: []string{"error", "ok"},
			supervision: actor.Supervision{
				Decide:  func(actor.Failure) actor.Directive { panic("undecided") },
				Backoff: ms(10),
			},
			want:     []handledAt{{"error", 0}, {"ok", ms(10)}},
			restarts: 1,
		},
		{
			name:        "the defaults",
			messages:    []string{"error", "ok"},
			supervision: actor.Supervision{},
			want:        []handledAt{{"error", 0}, {"ok", ms(100)}},
			restarts:    1,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var letters []actor.DeadLetter
				sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) { letters = append(letters, d) }})
				start, told := time.Now(), make(chan struct{})
				var got []handledAt
				stopped := 0
				ref := actor.Spawn(sys, func(_ *actor.Context[string], m string) error {
					<-told // all messages are there before the first one fails
					got = append(got, handledAt{m, time.Since(start)})
					switch m {
					case "error":
						return errOops
					case "panic":
						panic(errOops)
					case "goexit":
						goruntime.Goexit()
					}
					return nil
				}, actor.Config{Supervision: &test.supervision, OnStop: func() { stopped++ }})
				for _, m := range test.messages {
					if err := ref.Tell(m); err != nil {
						t.Fatal(err)
					}
				}
				close(told)
				time.Sleep(time.Minute) // of the test's own clock
				stopSystem(t, sys)
				if !slices.Equal(got, test.want) || stopped != 1 {
					t.Errorf("handled %v\n   want %v; OnStop %d times", got, test.want, stopped)
				}
				for _, d := range letters {
					if d.Reason != actor.ErrGaveUp || d.Message != "ok" {
						t.Errorf("dead letter %+v", d)
					}
				}
				if n := sys.Stats().Restarts; len(letters) != test.letters || n != test.restarts {
					t.Errorf("%d dead letters, %d restarts; want %d and %d", len(letters), n, test.letters, test.restarts)
				}
			})
		})
	}
}

// TestSupervisionOfHooks: newHandler and OnSignal are supervised like the handler.
func TestSupervisionOfHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures []actor.Failure
		sys := newTestSystem(t, actor.SystemConfig{OnFailure: func(f actor.Failure) { failures = append(failures, f) }})
		lives, start := 0, time.Now()
		var at time.Duration
		ref := actor.SpawnFunc(sys, func() func(*actor.Context[int], int) error {
			if lives++; lives == 2 {
				panic(errOops)
			}
			return func(*actor.Context[int], int) error {
				at = time.Since(start)
				return nil
			}
		}, actor.Config{
			Supervision: &actor.Supervision{Backoff: time.Second},
			OnSignal:    func() { panic(errOops) },
		})
		ref.Signal()
		synctest.Wait()
		if err := ref.Tell(1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stopSystem(t, sys)
		if lives != 3 || at != 3*time.Second || len(failures) != 2 {
			t.Errorf("%d lives, handled after %v, failures %v; want 3 lives, 3s, 2 failures", lives, at, failures)
		}
		for _, f := range failures {
			if f.Message != nil || !errors.Is(f.Err, errOops) {
				t.Errorf("failure %+v", f)
			}
		}
	})
}

// TestStopEndsBackoff: an actor that backs off is drained at once when it is stopped.
func TestStopEndsBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		handled := 0
		ref := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
			handled++
			if m < 2 {
				return errOops
			}
			return nil
		}, actor.Config{Supervision: &actor.Supervision{Backoff: time.Hour}})
		for m := range 4 {
			if err := ref.Tell(m); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if handled != 1 {
			t.Fatalf("handled %d messages before the back-off, want 1", handled)
		}
		start := time.Now()
		if err := ref.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); handled != 4 || took != 0 {
			t.Errorf("handled %d of 4 messages, Stop took %v", handled, took)
		}
		stopSystem(t, sys)
	})
}

func TestSupervisionJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		var last time.Time
		seen := make(map[time.Duration]bool)
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
			now := time.Now()
			if d := now.Sub(last); !last.IsZero() {
				if d < 50*time.Millisecond || d > 150*time.Millisecond {
					t.Errorf("back-off %v, want 50ms to 150ms", d)
				}
				seen[d] = true
			}
			last = now
			return errOops
		}, actor.Config{Supervision: &actor.Supervision{
			MaxRestarts: 100, Backoff: 100 * time.Millisecond, MaxBackoff: 100 * time.Millisecond, Jitter: 0.5,
		}})
		for range 20 {
			if err := ref.Tell(0); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		stopSystem(t, sys)
		if len(seen) < 15 {
			t.Errorf("%d different back-offs of 19", len(seen))
		}
	})
}

func TestSupervisionMistakes(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	for want, s := range map[string]actor.Supervision{
		"MaxRestarts is -1": {MaxRestarts: -1},
		"Window is -1s":     {Window: -time.Second},
		"Backoff -1s":       {Backoff: -time.Second},
		"MaxBackoff is 1s":  {Backoff: time.Minute, MaxBackoff: time.Second},
		"Jitter is 1.5":     {Jitter: 1.5},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) || !strings.Contains(got, `Spawn("s")`) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{Name: "s", Supervision: &s})
		}()
	}
}

// TestSupervisionStress: with actors that fail, back off and give up while others tell and
// stop them, accepted = handled + dead letters.
func TestSupervisionStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			for range iterations(30) {
				stressSupervision(t)
			}
		})
	})
}

func stressSupervision(t testing.TB) {
	var letters, accepted, handled atomic.Int64
	sys := newTestSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) {
		if d.Reason == actor.ErrGaveUp || d.Reason == actor.ErrAbandoned {
			letters.Add(1)
		}
	}})
	ctx := within(t)
	var wg sync.WaitGroup
	for a := range 3 {
		ref := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
			handled.Add(1)
			switch m % 7 {
			case 0:
				return errOops
			case 1:
				panic(errOops)
			}
			return nil
		}, actor.Config{MailboxCapacity: 8, Supervision: &actor.Supervision{
			MaxRestarts: 1 + 40*a, Backoff: time.Nanosecond, MaxBackoff: time.Microsecond,
		}})
		for range 2 {
			wg.Go(func() {
				for m := range 200 {
					if ref.TellWait(ctx, m) == nil {
						accepted.Add(1)
					}
				}
			})
		}
		if a == 2 {
			wg.Go(ref.Close)
		}
	}
	wg.Wait()
	stopSystem(t, sys)
	if accepted.Load() != handled.Load()+letters.Load() {
		t.Fatalf("accepted %d, handled %d, dead letters %d", accepted.Load(), handled.Load(), letters.Load())
	}
}
