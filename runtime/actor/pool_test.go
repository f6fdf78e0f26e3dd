package actor_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

func ExampleNewPool() {
	sys := exampleSystem(actor.SystemConfig{})
	var sum atomic.Int64
	adders := actor.NewPool(sys, 4, func() func(*actor.Context[int], int) error {
		return func(_ *actor.Context[int], n int) error {
			sum.Add(int64(n))
			return nil
		}
	}, actor.PoolConfig{Name: "adder"})
	for n := range 10 {
		_ = adders.Tell(n)
	}
	_ = adders.Resize(2) // the two that go handle what they have
	_ = adders.Tell(100)
	_ = sys.Stop(context.Background())
	fmt.Println(sum.Load())
	// Output: 145
}

// pooled is a message that tells the test which member handled it.
type pooled struct {
	n  int
	by func(member, n int)
}

// numbered makes handlers that know which member they are, from 0.
func numbered() func() func(*actor.Context[pooled], pooled) error {
	var members atomic.Int64
	return func() func(*actor.Context[pooled], pooled) error {
		member := int(members.Add(1) - 1)
		return func(_ *actor.Context[pooled], m pooled) error {
			m.by(member, m.n)
			return nil
		}
	}
}

func TestPoolGoesRound(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	pool := actor.NewPool(sys, 3, numbered(), actor.PoolConfig{})
	for n := range 9 {
		at := make(chan int)
		if err := pool.Tell(pooled{n, func(member, _ int) { at <- member }}); err != nil {
			t.Fatal(err)
		}
		if member := <-at; member != n%3 {
			t.Errorf("message %d went to member %d, want %d", n, member, n%3)
		}
	}
}

// TestPoolPassesOverFullMembers: a message goes round once before it is refused.
func TestPoolPassesOverFullMembers(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	release := make(chan struct{})
	var handled atomic.Int64
	pool := actor.NewPool(sys, 3, func() func(*actor.Context[int], int) error {
		return func(*actor.Context[int], int) error {
			handled.Add(1)
			<-release
			return nil
		}
	}, actor.PoolConfig{MailboxCapacity: 2, Blocking: true})
	accepted := 0
	for deadline := within(t); handled.Load() < 3 || accepted < 9; goruntime.Gosched() {
		switch err := pool.Tell(0); err { // until each has one in its handler and two in its mailbox
		case nil:
			accepted++
		case mailbox.ErrFull:
		default:
			t.Fatal(err)
		}
		if deadline.Err() != nil {
			t.Fatalf("accepted %d, handled %d", accepted, handled.Load())
		}
	}
	if err := pool.Tell(0); err != mailbox.ErrFull {
		t.Errorf("Tell = %v, want ErrFull", err)
	}
	if told, err := pool.Broadcast(0); told != 0 || err != mailbox.ErrFull {
		t.Errorf("Broadcast = %d, %v", told, err)
	}
	close(release)
	if err := pool.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	if handled.Load() != 9 {
		t.Errorf("handled %d of 9", handled.Load())
	}
	for name, err := range map[string]error{"Tell": pool.Tell(0), "TellKey": pool.TellKey(1, 0), "Resize": pool.Resize(2)} {
		if err != mailbox.ErrClosed {
			t.Errorf("%s after Stop = %v, want ErrClosed", name, err)
		}
	}
	if told, err := pool.Broadcast(0); told != 0 || err != mailbox.ErrClosed {
		t.Errorf("Broadcast after Stop = %d, %v", told, err)
	}
	if got := sys.Stats().DeadLetters; got != 2 {
		t.Errorf("%d dead letters, want those of Tell and TellKey", got)
	}
}

// TestPoolKeys: a key stays with its member, in order, and a resize by one moves few keys.
func TestPoolKeys(t *testing.T) {
	const keys = 1000
	sys := newSystem(t, actor.SystemConfig{})
	pool := actor.NewPool(sys, 10, numbered(), actor.PoolConfig{})
	round := func() (member [keys]int, perMember map[int]int) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		perMember = make(map[int]int)
		for k := range keys {
			wg.Add(1)
			m := pooled{k, func(by, n int) {
				mu.Lock()
				defer mu.Unlock()
				member[n] = by
				perMember[by]++
				wg.Done()
			}}
			if err := pool.TellKey(uint64(k), m); err != nil {
				t.Fatal(err)
			}
		}
		wg.Wait()
		return member, perMember
	}
	before, perMember := round()
	if again, _ := round(); again != before {
		t.Error("keys moved although the size stayed the same")
	}
	for member, n := range perMember {
		if n < keys/20 || n > keys/5 {
			t.Errorf("member %d has %d keys of %d among 10 members", member, n, keys)
		}
	}
	if err := pool.Resize(11); err != nil {
		t.Fatal(err)
	}
	after, _ := round()
	moved := 0
	for k := range before {
		if before[k] != after[k] {
			moved++
			if after[k] != 10 {
				t.Errorf("key %d moved from %d to %d, want none but to the new member", k, before[k], after[k])
			}
		}
	}
	if moved == 0 || moved > keys/5 {
		t.Errorf("%d of %d keys moved, want about one in 11", moved, keys)
	}
}

func TestPoolBroadcast(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	pool := actor.NewPool(sys, 5, numbered(), actor.PoolConfig{})
	at := make(chan int, 5)
	if told, err := pool.Broadcast(pooled{0, func(member, _ int) { at <- member }}); told != 5 || err != nil {
		t.Fatalf("Broadcast = %d, %v", told, err)
	}
	seen := make(map[int]bool)
	for range 5 {
		seen[<-at] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d members were told, want 5", len(seen))
	}
}

func TestPoolTellFrom(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	pool := actor.NewPool(sys, 2, numbered(), actor.PoolConfig{})
	done := make(chan int)
	ref := actor.Spawn(sys, func(c *actor.Context[int], n int) error {
		return pool.TellFrom(c, pooled{n, func(_, n int) { done <- n }})
	}, actor.Config{})
	if err := ref.Tell(7); err != nil {
		t.Fatal(err)
	}
	if n := <-done; n != 7 {
		t.Errorf("got %d, want 7", n)
	}
}

func TestPoolMistakes(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	pool := actor.NewPool(sys, 1, numbered(), actor.PoolConfig{Name: "p"})
	for _, size := range []int{0, -1, 1<<20 + 1} {
		if err := pool.Resize(size); err == nil || !strings.Contains(err.Error(), fmt.Sprintf(`pool "p": size is %d; want 1 to`, size)) {
			t.Errorf("Resize(%d) = %v", size, err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewPool of %d did not panic", size)
				}
			}()
			actor.NewPool(sys, size, numbered(), actor.PoolConfig{})
		}()
	}
	handler := actor.Spawn(sys, func(c *actor.Context[chan error], errs chan error) error {
		errs <- pool.Stop(context.Background())
		return nil
	}, actor.Config{})
	errs := make(chan error, 1)
	if err := handler.Tell(errs); err != nil {
		t.Fatal(err)
	}
	if err := <-errs; err != actor.ErrInHandler {
		t.Errorf("Stop in a handler = %v", err)
	}
}

// TestPoolResizeStress: while the size changes all the time nothing that was accepted is lost
// and nothing is refused as closed.
func TestPoolResizeStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			var handled, accepted atomic.Int64
			sys := newTestSystem(t, actor.SystemConfig{})
			pool := actor.NewPool(sys, 1, func() func(*actor.Context[int], int) error {
				return func(*actor.Context[int], int) error { handled.Add(1); return nil }
			}, actor.PoolConfig{MailboxCapacity: 4})
			stop := make(chan struct{})
			var senders, resizer sync.WaitGroup
			resizer.Go(func() {
				for size := 1; ; size = size%9 + 1 {
					select {
					case <-stop:
						return
					default:
					}
					if err := pool.Resize(size); err != nil {
						t.Error(err)
					}
					goruntime.Gosched()
				}
			})
			for g := range 4 {
				senders.Go(func() {
					for i := range iterations(2000) {
						err := pool.Tell(i)
						if (g+i)%2 == 0 {
							accepted.Add(boolToInt(err == nil))
							err = pool.TellKey(uint64(i), i)
						}
						accepted.Add(boolToInt(err == nil))
						if errors.Is(err, mailbox.ErrClosed) {
							t.Errorf("refused as closed")
						}
					}
				})
			}
			senders.Wait()
			close(stop)
			resizer.Wait()
			stopSystem(t, sys)
			if handled.Load() != accepted.Load() || sys.Stats().DeadLetters != 0 {
				t.Errorf("accepted %d, handled %d, %d dead letters", accepted.Load(), handled.Load(), sys.Stats().DeadLetters)
			}
		})
	})
}

func boolToInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func TestPoolTellDoesNotAllocate(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	done := make(chan struct{})
	pool := actor.NewPool(sys, 8, func() func(*actor.Context[int], int) error {
		return func(*actor.Context[int], int) error { done <- struct{}{}; return nil }
	}, actor.PoolConfig{MailboxCapacity: 8})
	for range 8 {
		_ = pool.Tell(0)
		<-done
	}
	allocs := testing.AllocsPerRun(500, func() {
		_ = pool.Tell(0)
		<-done
	})
	if allocs >= 1 {
		t.Errorf("%v allocations for a Tell", allocs)
	}
}
