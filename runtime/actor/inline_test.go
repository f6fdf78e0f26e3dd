package actor_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/scheduler"
)

// TestInlineAsk: an idle inline actor answers on the asking goroutine, also inside a handler, and its handler is known as one.
func TestInlineAsk(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	handled := 0 // belongs to this goroutine while it asks: the race detector would see another
	inner := actor.Spawn(sys, func(_ *actor.Context[question], q question) error {
		handled++
		return q.reply.Reply(2 * q.n)
	}, actor.Config{Inline: true})
	outer := actor.Spawn(sys, func(c *actor.Context[question], q question) error {
		if !scheduler.OnWorker() {
			t.Error("OnWorker in an inline handler = false")
		}
		if q.n < 0 { // the question to oneself
			return nil
		}
		n, err := ask(context.Background(), inner, q.n)
		if err != nil {
			t.Errorf("Ask of an idle inline actor in a handler: %v", err)
		}
		if _, err := ask(context.Background(), c.Self(), -1); err != actor.ErrInHandler {
			t.Errorf("Ask of oneself = %v, want ErrInHandler", err)
		}
		return q.reply.Reply(n + 1)
	}, actor.Config{Inline: true})
	for n := range 100 {
		if got, err := ask(context.Background(), outer, n); got != 2*n+1 || err != nil {
			t.Fatalf("Ask = %d, %v, want %d", got, err, 2*n+1)
		}
		handled++
	}
	if scheduler.OnWorker() {
		t.Error("OnWorker after an inline Ask = true")
	}
}

// TestInlineAskErrors: a handler that panics, does not reply, or stops its actor leaves Ask as it leaves it with a worker.
func TestInlineAskErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures []error
		sys := newTestSystem(t, actor.SystemConfig{OnFailure: func(f actor.Failure) { failures = append(failures, f.Err) }})
		stopped := false
		ref := actor.Spawn(sys, func(c *actor.Context[question], q question) error {
			switch q.n {
			case 0:
				panic("zero")
			case 1: // no reply
			case 2:
				c.Stop()
			default:
				_ = q.reply.Reply(q.n)
			}
			return nil
		}, actor.Config{Inline: true, OnStop: func() { stopped = true }})
		for n := range 2 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			if _, err := ask(ctx, ref, n); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Ask that gets no reply = %v", err)
			}
			cancel()
		}
		var panicked *actor.PanicError
		if len(failures) != 1 || !errors.As(failures[0], &panicked) {
			t.Errorf("failures %v, want the panic", failures)
		}
		if n, err := ask(context.Background(), ref, 3); n != 3 || err != nil {
			t.Errorf("Ask after a panic = %d, %v", n, err)
		}
		if _, err := ask(context.Background(), ref, 2); !errors.Is(err, actor.ErrNoReply) || !stopped {
			t.Errorf("Ask of one that stops = %v, stopped %v", err, stopped)
		}
		if _, err := ask(context.Background(), ref, 3); err != mailbox.ErrClosed {
			t.Errorf("Ask of one that has stopped = %v", err)
		}
		stopSystem(t, sys)
	})
}

// TestInlineGoexit: a handler that breaks its promise ends the asker, but neither the actor nor what waits for it.
func TestInlineGoexit(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	ref := actor.Spawn(sys, func(_ *actor.Context[question], q question) error {
		if q.n == 0 {
			goruntime.Goexit()
		}
		return q.reply.Reply(q.n)
	}, actor.Config{Inline: true})
	var asker sync.WaitGroup
	asker.Go(func() {
		_, _ = ask(context.Background(), ref, 0)
		t.Error("the asker lived on")
	})
	asker.Wait()
	if n, err := ask(within(t), ref, 1); n != 1 || err != nil {
		t.Errorf("Ask after a Goexit = %d, %v", n, err)
	}
	if p := sys.Stats().Panics; p != 1 {
		t.Errorf("Stats().Panics = %d, want 1", p)
	}
}

// TestInlineAskStress: askers of one inline actor and others that tell it share it; the actor is never entered twice at once
// and everybody gets the own answer.
func TestInlineAskStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			sys := newTestSystem(t, actor.SystemConfig{})
			handled := 0 // the race detector sees a second goroutine inside
			each := iterations(1000)
			ref := actor.Spawn(sys, func(_ *actor.Context[question], q question) error {
				handled++
				_ = q.reply.Reply(2 * q.n)
				return nil
			}, actor.Config{Inline: true, MailboxCapacity: 8 * each}) // Ask does not wait for room
			ctx := within(t)
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					for n := range each {
						if i%4 == 0 {
							if err := ref.TellWait(ctx, question{}); err != nil {
								t.Error(err)
							}
						} else if got, err := ask(ctx, ref, n); got != 2*n || err != nil {
							t.Errorf("Ask = %d, %v, want %d", got, err, 2*n)
						}
					}
				})
			}
			wg.Wait()
			stopSystem(t, sys)
			if handled != 8*each {
				t.Errorf("%d handled, want %d", handled, 8*each)
			}
		})
	})
}

func TestInlineExcludesBlocking(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	defer func() {
		if recover() == nil {
			t.Error("Spawn took Inline with Blocking")
		}
	}()
	actor.Spawn(sys, double, actor.Config{Inline: true, Blocking: true})
}
