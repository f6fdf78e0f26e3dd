package actor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

type question struct {
	n     int
	reply actor.ReplyTo[int]
}

// ask asks for twice n.
func ask(ctx context.Context, ref actor.Ref[question], n int) (int, error) {
	return actor.Ask(ctx, ref, func(r actor.ReplyTo[int]) question { return question{n, r} })
}

func double(_ *actor.Context[question], q question) error { return q.reply.Reply(2 * q.n) }

func ExampleAsk() {
	sys := exampleSystem(actor.SystemConfig{})
	type get struct{ reply actor.ReplyTo[string] }
	greeter := actor.Spawn(sys, func(_ *actor.Context[get], m get) error {
		return m.reply.Reply("hello")
	}, actor.Config{})
	fmt.Println(actor.Ask(context.Background(), greeter, func(r actor.ReplyTo[string]) get { return get{r} }))
	_ = sys.Stop(context.Background())
	// Output: hello <nil>
}

// TestAskStress: every asker gets its own answer, also when slots are reused while
// others give up and late replies arrive.
func TestAskStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			sys := newTestSystem(t, actor.SystemConfig{})
			var late []question // replied to once more, long after
			ref := actor.Spawn(sys, func(c *actor.Context[question], q question) error {
				if late = append(late, q); len(late) > 20 {
					_ = late[0].reply.Reply(-1)
					late = late[1:]
				}
				if q.n%5 == 0 && q.n%10 != 0 {
					return nil // never answered in time
				}
				_ = q.reply.Reply(2 * q.n)
				return nil
			}, actor.Config{})
			base := within(t)
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for n := range iterations(1000) {
						ctx := base
						if n%5 == 0 {
							short, cancel := context.WithCancel(ctx)
							go cancel()
							ctx = short
						}
						got, err := ask(ctx, ref, n)
						if err == nil && got != 2*n && (got != -1 || n%10 != 5) {
							t.Errorf("asked for twice %d, got %d", n, got)
						}
						if err != nil && !errors.Is(err, context.Canceled) {
							t.Errorf("Ask: %v", err)
						}
					}
				})
			}
			wg.Wait()
			stopSystem(t, sys)
		})
	})
}

func TestReplyAnswersOnce(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	var won atomic.Int64
	done := make(chan struct{})
	ref := actor.Spawn(sys, func(_ *actor.Context[question], q question) error {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				switch err := q.reply.Reply(1); err {
				case nil:
					won.Add(1)
				case actor.ErrNotAsking:
				default:
					t.Errorf("Reply = %v", err)
				}
			})
		}
		wg.Wait()
		close(done)
		return nil
	}, actor.Config{Blocking: true})
	if got, err := ask(within(t), ref, 0); got != 1 || err != nil {
		t.Errorf("Ask = %d, %v", got, err)
	}
	<-done
	if won.Load() != 1 {
		t.Errorf("%d replies were accepted", won.Load())
	}
	if err := (actor.ReplyTo[int]{}).Reply(1); err != actor.ErrNotAsking {
		t.Errorf("Reply on the zero ReplyTo = %v", err)
	}
}

func TestAskErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newTestSystem(t, actor.SystemConfig{})
		var kept []actor.ReplyTo[int]
		ref := actor.Spawn(sys, func(c *actor.Context[question], q question) error {
			kept = append(kept, q.reply)
			if q.n < 0 {
				c.Stop()
			}
			return nil
		}, actor.Config{Name: "mute"})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := ask(ctx, ref, 1); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `"mute": waiting for the reply`) {
			t.Errorf("Ask of one that does not answer = %v", err)
		}
		if _, err := ask(context.Background(), ref, -1); !errors.Is(err, actor.ErrNoReply) {
			t.Errorf("Ask of one that stops = %v", err)
		}
		if _, err := ask(context.Background(), ref, 1); err != mailbox.ErrClosed {
			t.Errorf("Ask of one that has stopped = %v", err)
		}
		if _, err := ask(context.Background(), actor.Ref[question]{}, 1); err != mailbox.ErrClosed {
			t.Errorf("Ask of the zero Ref = %v", err)
		}
		for _, r := range kept {
			if err := r.Reply(1); err != actor.ErrNotAsking {
				t.Errorf("a late Reply = %v", err)
			}
		}
		stopSystem(t, sys)
	})
}

// TestReplyToWhatWasRefused: a reply to a message that the actor did not accept, by OnDeadLetter or by build, answers that Ask and
// no later one.
func TestReplyToWhatWasRefused(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) {
		_ = d.Message.(question).reply.Reply(-1)
	}})
	for _, inline := range []bool{false, true} {
		gone := actor.Spawn(sys, double, actor.Config{Inline: inline})
		if err := gone.Stop(within(t)); err != nil {
			t.Fatal(err)
		}
		ref := actor.Spawn(sys, double, actor.Config{Inline: inline})
		for n := range 20 { // the pool of slots may give another one
			if got, err := ask(within(t), gone, n); got != -1 || err != nil {
				t.Errorf("inline %v: Ask of one that has stopped = %d, %v; want the reply of OnDeadLetter", inline, got, err)
			}
			if got, err := ask(within(t), ref, n); got != 2*n || err != nil {
				t.Errorf("inline %v: Ask = %d, %v; want %d", inline, got, err, 2*n)
			}
		}
	}
}

// TestMutualAsk: two actors that ask each other get an error that explains itself and
// do not hang.
func TestMutualAsk(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{Workers: 2})
	var refs [2]actor.Ref[question]
	errs := make(chan error, 4)
	for i := range refs {
		refs[i] = actor.Spawn(sys, func(c *actor.Context[question], q question) error {
			if q.n == 0 {
				_, err := ask(context.Background(), refs[1-i], 1)
				errs <- err
				_, err = ask(c.Context(), refs[1-i], 1)
				errs <- err
			}
			return nil
		}, actor.Config{})
	}
	for _, ref := range refs {
		if err := ref.Tell(question{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		if err := <-errs; err != actor.ErrInHandler {
			t.Errorf("Ask in a handler = %v, want ErrInHandler", err)
		}
	}
}

func TestAskDoesNotAllocate(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	ref := actor.Spawn(sys, double, actor.Config{})
	ctx := context.Background()
	allocs := testing.AllocsPerRun(1000, func() {
		if got, err := ask(ctx, ref, 21); got != 42 || err != nil {
			t.Fatalf("Ask = %d, %v", got, err)
		}
	})
	if allocs >= 2 { // a garbage collection may empty the pools, and under -race they drop one slot in four
		t.Errorf("%v allocations for an Ask", allocs)
	}
}
