package actor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

type errand struct {
	n     int
	reply actor.ReplyTo[int]
}

// TestForward: the answer of the last in a chain comes back, also when those before it have stopped.
func TestForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		answer := actor.Spawn(sys, func(c *actor.Context[errand], q errand) error {
			time.Sleep(time.Second) // of the test's own clock: the others stop meanwhile
			return q.reply.Reply(2 * q.n)
		}, actor.Config{})
		next := answer
		for range 3 {
			to := next
			next = actor.Spawn(sys, func(c *actor.Context[errand], q errand) error {
				c.Stop()
				return actor.Forward(c, to, q.reply, errand{q.n + 1, q.reply})
			}, actor.Config{})
		}
		got, err := actor.Ask(context.Background(), next, func(r actor.ReplyTo[int]) errand { return errand{1, r} })
		if got != 8 || err != nil {
			t.Errorf("got %d, %v", got, err)
		}
		stopSystem(t, sys)
	})
}

// TestForwardToOneThatStops: the Ask ends at once with ErrNoReply, though the actor asked lives, and
// also when it has stopped before.
func TestForwardToOneThatStops(t *testing.T) {
	for _, first := range []string{"asked", "forwarded to"} {
		t.Run(first+" stops first", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sys := newTestSystem(t, actor.SystemConfig{})
				silent := actor.Spawn(sys, func(*actor.Context[errand], errand) error { return nil }, actor.Config{Name: "silent"})
				asked := actor.Spawn(sys, func(c *actor.Context[errand], q errand) error {
					return actor.Forward(c, silent, q.reply, q)
				}, actor.Config{Name: "asked"})
				start := time.Now()
				go func() {
					time.Sleep(time.Second)
					if first == "asked" {
						asked.Close()
						time.Sleep(time.Second)
					}
					silent.Close()
				}()
				_, err := actor.Ask(context.Background(), asked, func(r actor.ReplyTo[int]) errand { return errand{1, r} })
				want := time.Second
				if first == "asked" {
					want = 2 * time.Second
				}
				if !errors.Is(err, actor.ErrNoReply) || time.Since(start) != want {
					t.Errorf("%v after %v", err, time.Since(start))
				}
				stopSystem(t, sys)
			})
		})
	}
}

// TestForwardRefused: after an error the one who was asked still owes the reply, and a
// deadline ends a forwarded Ask too.
func TestForwardRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		gone := actor.Spawn(sys, func(*actor.Context[errand], errand) error { return nil }, actor.Config{})
		gone.Close()
		silent := actor.Spawn(sys, func(*actor.Context[errand], errand) error { return nil }, actor.Config{})
		synctest.Wait()
		asked := actor.Spawn(sys, func(c *actor.Context[errand], q errand) error {
			if err := actor.Forward(c, gone, q.reply, q); err != mailbox.ErrClosed {
				t.Errorf("Forward = %v", err)
			}
			if err := actor.Forward(c, actor.Ref[errand]{}, q.reply, q); err != mailbox.ErrClosed {
				t.Errorf("Forward to nobody = %v", err)
			}
			if q.n == 1 {
				return q.reply.Reply(7)
			}
			return actor.Forward(c, silent, q.reply, q)
		}, actor.Config{})
		ask := func(n int) (int, error) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			return actor.Ask(ctx, asked, func(r actor.ReplyTo[int]) errand { return errand{n, r} })
		}
		if got, err := ask(1); got != 7 || err != nil {
			t.Errorf("got %d, %v", got, err)
		}
		if _, err := ask(2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got, err := ask(1); got != 7 || err != nil { // its slot has been forwarded before
			t.Errorf("got %d, %v", got, err)
		}
		stopSystem(t, sys)
	})
}
