package actor_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// logging makes a Middleware that writes down what it goes around.
func logging(name string, log *[]string) actor.Middleware {
	return actor.Wrap(func(next func(*actor.Context[string], string) error) func(*actor.Context[string], string) error {
		return func(c *actor.Context[string], m string) error {
			*log = append(*log, name+" "+m)
			return next(c, m)
		}
	})
}

// TestMiddlewareOrder: the system's is outside the actor's, the first outermost, also around
// what Become puts up and around the handler of a restart.
func TestMiddlewareOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		around := actor.Around(func(name string, next func() error) error {
			log = append(log, "around "+name)
			return next()
		})
		other := actor.Wrap(func(next func(*actor.Context[int], int) error) func(*actor.Context[int], int) error {
			t.Error("a middleware for other messages is used")
			return next
		})
		sys := newTestSystem(t, actor.SystemConfig{Middleware: []actor.Middleware{other, logging("system", &log), around}})
		ref := actor.SpawnFunc(sys, func() func(*actor.Context[string], string) error {
			return func(c *actor.Context[string], m string) error {
				log = append(log, "first "+m)
				return c.Become(func(c *actor.Context[string], m string) error {
					log = append(log, "second "+m)
					return errOops
				})
			}
		}, actor.Config{
			Name: "x", Middleware: []actor.Middleware{logging("a", &log), logging("b", &log)},
			Supervision: &actor.Supervision{Backoff: time.Millisecond},
		})
		tellAll(t, ref, "1", "2", "3")
		time.Sleep(time.Second)
		stopSystem(t, sys)
		var want []string
		for i, handler := range []string{"first", "second", "first"} {
			for _, s := range []string{"system", "around x", "a", "b", handler} {
				if s != "around x" {
					s = fmt.Sprint(s, " ", i+1)
				}
				want = append(want, s)
			}
		}
		if !slices.Equal(log, want) {
			t.Errorf("got  %q\nwant %q", log, want)
		}
	})
}

// TestMiddlewareFailures: its errors and panics are the handler's, and one that keeps a message back
// keeps it from the handler.
func TestMiddlewareFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures []actor.Failure
		handled := 0
		sys := newTestSystem(t, actor.SystemConfig{OnFailure: func(f actor.Failure) { failures = append(failures, f) }})
		n := 0
		ref := actor.Spawn(sys, func(*actor.Context[int], int) error { handled++; return nil }, actor.Config{
			Middleware: []actor.Middleware{actor.Around(func(_ string, next func() error) error {
				switch n++; n {
				case 1:
					return errOops
				case 2:
					panic(errOops)
				case 3:
					return nil
				}
				return next()
			})},
		})
		tellAll(t, ref, 1, 2, 3, 4)
		stopSystem(t, sys)
		if handled != 1 || len(failures) != 2 || !errors.Is(failures[0].Err, errOops) || failures[1].Message != 2 {
			t.Errorf("handled %d, failures %v", handled, failures)
		}
	})
}

// TestConfigMistakes: what Spawn refuses, with the actor, the value and what to do.
func TestConfigMistakes(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	level := actor.PriorityBy(func(int) mailbox.Level { return mailbox.High })
	for want, cfg := range map[string]actor.Config{
		"Middleware[0] is empty; make it by Wrap or Around":            {Middleware: make([]actor.Middleware, 1)},
		"want one for the actor's messages, int":                       {Middleware: []actor.Middleware{logging("a", new([]string))}},
		"Priority is a func(string) mailbox.Level":                     {Priority: actor.PriorityBy(func(string) mailbox.Level { return 0 })},
		`MailboxKind is "chan" with a Priority`:                        {Priority: level, MailboxKind: "chan"},
		"Overflow is DropOldest with a Priority":                       {Priority: level, Overflow: mailbox.DropOldest},
		"Overflow is 1; want mailbox.Fail, DropNewest or DropOldest":   {Overflow: mailbox.Wait},
		`MailboxKind is "mutex" with Overflow DropOldest; want "mpsc"`: {Overflow: mailbox.DropOldest, MailboxKind: "mutex"},
		"StashCapacity is -1; want 1 to":                               {StashCapacity: -1},
		"PassivateAfter is 1µs; want 1ms or more, or 0 for never":      {PassivateAfter: time.Microsecond},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) || !strings.Contains(got, `Spawn("s")`) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			cfg.Name = "s"
			actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, cfg)
		}()
	}
	for want, cfg := range map[string]actor.SystemConfig{
		"KeepDeadLetters is -1; want 0 to 65536":            {KeepDeadLetters: -1},
		"StallAfter is 1µs; want 1ms or more, or 0 for off": {StallAfter: time.Microsecond},
	} {
		if _, err := actor.NewSystem(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewSystem = %v, want %q", err, want)
		}
	}
}

// TestMessagesAllocateNothing: with middleware, samples, priorities, a passivation and a
// Become a message still costs no allocation.
func TestMessagesAllocateNothing(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	done := make(chan struct{}, 1)
	for name, cfg := range map[string]actor.Config{
		"around":      {Middleware: []actor.Middleware{actor.Around(func(_ string, next func() error) error { return next() })}},
		"sample":      {Sample: true},
		"priority":    {Priority: actor.PriorityBy(func(n int) mailbox.Level { return mailbox.Level(n % 4) })},
		"drop oldest": {Overflow: mailbox.DropOldest},
		"passivate":   {PassivateAfter: time.Hour},
		"all but one": {Sample: true, Overflow: mailbox.DropNewest, PassivateAfter: time.Hour, Priority: actor.PriorityBy(func(n int) mailbox.Level { return 0 })},
	} {
		h := func(_ *actor.Context[int], n int) error {
			if n == 64 {
				done <- struct{}{}
			}
			return nil
		}
		ref := actor.Spawn(sys, func(c *actor.Context[int], n int) error {
			_ = c.Become(h)
			return h(c, n)
		}, cfg)
		send := func() {
			for n := range 65 {
				_ = ref.Tell(n)
			}
			<-done
		}
		send()
		if n := testing.AllocsPerRun(100, send); n >= 5 { // of 65 messages; a worker's start may allocate
			t.Errorf("%s: %v allocations for 65 messages", name, n)
		}
	}
}
