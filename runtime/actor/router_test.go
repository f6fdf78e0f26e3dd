package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// TestRouters: with member 0 stuck and some messages waiting there, where the next ones go.
func TestRouters(t *testing.T) {
	for _, router := range append(actor.Routers(), "") {
		t.Run("router="+router, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sys := newTestSystem(t, actor.SystemConfig{})
				cfg := actor.PoolConfig{Router: router}
				if router == actor.RouterHash {
					cfg.Key = actor.KeyBy(func(m pooled) uint64 { return uint64(m.n) })
				}
				pool := actor.NewPool(sys, 4, numbered(), cfg)
				var mu sync.Mutex
				var got [4][]int
				release := make(chan struct{})
				note := func(member, n int) {
					mu.Lock()
					got[member] = append(got[member], n)
					mu.Unlock()
				}
				if router == actor.RouterHash {
					for n := range 40 { // ten messages of four keys
						tellPool(t, pool, pooled{n % 4, note})
						synctest.Wait()
					}
					for _, members := range got {
						for n := range 4 {
							if c := countOf(members, n); c != 0 && c != 10 {
								t.Errorf("key %d is spread: %v", n, got)
							}
						}
					}
					stopSystem(t, sys)
					return
				}
				if router == actor.RouterBroadcast {
					tellPool(t, pool, pooled{7, note})
					stopSystem(t, sys)
					for member := range got {
						if !slices.Equal(got[member], []int{7}) {
							t.Errorf("got %v", got)
						}
					}
					return
				}
				stuck := -1
				tellPool(t, pool, pooled{-1, func(member, _ int) { stuck = member; <-release }})
				synctest.Wait()
				for n := range 40 {
					tellPool(t, pool, pooled{n, note})
					synctest.Wait()
				}
				close(release)
				stopSystem(t, sys)
				want := map[string]int{"": 10, actor.RouterRoundRobin: 10, actor.RouterIdle: 0, actor.RouterLeastLoaded: 0}[router]
				if n := len(got[stuck]); n != want {
					t.Errorf("the stuck member was given %d of 40 messages, want %d: %v", n, want, got)
				}
				for member, n := range got {
					if len(n) == 0 && member != stuck {
						t.Errorf("member %d had nothing to do: %v", member, got)
					}
				}
			})
		})
	}
}

func tellPool[M any](t *testing.T, pool *actor.Pool[M], m M) {
	t.Helper()
	if err := pool.Tell(m); err != nil {
		t.Fatal(err)
	}
}

func countOf(all []int, n int) (count int) {
	for _, x := range all {
		if x == n {
			count++
		}
	}
	return count
}

// TestRoutersWhenFull: a refusal means that nobody has room (for that key), and members
// that have stopped by themselves are passed over.
func TestRoutersWhenFull(t *testing.T) {
	for _, router := range []string{actor.RouterRoundRobin, actor.RouterIdle, actor.RouterLeastLoaded} {
		t.Run(router, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sys := newTestSystem(t, actor.SystemConfig{})
				release := make(chan struct{})
				pool := actor.NewPool(sys, 3, func() func(*actor.Context[string], string) error {
					return func(c *actor.Context[string], m string) error {
						switch m {
						case "stop":
							c.Stop()
						case "block":
							<-release
						}
						return nil
					}
				}, actor.PoolConfig{Router: router, MailboxCapacity: 2})
				tellPool(t, pool, "stop")
				synctest.Wait()
				accepted := 0
				for {
					err := pool.Tell("block")
					synctest.Wait()
					if err != nil {
						if err != mailbox.ErrFull {
							t.Error(err)
						}
						break
					}
					accepted++
				}
				if accepted != 2*(1+2) {
					t.Errorf("accepted %d, want 2 at work and 4 waiting", accepted)
				}
				close(release)
				stopSystem(t, sys)
				if err := pool.Tell("late"); err != mailbox.ErrClosed {
					t.Errorf("Tell to a stopped pool = %v", err)
				}
			})
		})
	}
}

func TestRouterMistakes(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	for want, cfg := range map[string]actor.PoolConfig{
		`Router is "random"; want one of broadcast, hash, idle, least-loaded, round-robin`: {Router: "random"},
		`Key is a <nil>; Router "hash" wants KeyBy for the pool's messages, int`:           {Router: actor.RouterHash},
		`Key is a func(string) uint64`:  {Router: actor.RouterHash, Key: actor.KeyBy(func(string) uint64 { return 0 })},
		`Key is set with Router "idle"`: {Router: actor.RouterIdle, Key: actor.KeyBy(func(int) uint64 { return 0 })},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) || !strings.Contains(got, `NewPool("pool")`) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			actor.NewPool(sys, 1, func() func(*actor.Context[int], int) error {
				return func(*actor.Context[int], int) error { return nil }
			}, cfg)
		}()
	}
}

// TestRoutersResizeStress: whatever the router, under constant Resize nothing is refused but for want of room,
// and what is accepted is handled; a broadcast reaches nobody twice.
func TestRoutersResizeStress(t *testing.T) {
	for _, router := range actor.Routers() {
		t.Run(router, func(t *testing.T) {
			sys := newTestSystem(t, actor.SystemConfig{})
			cfg := actor.PoolConfig{Router: router, Configure: func() actor.Config { return actor.Config{MailboxCapacity: 256} }}
			if router == actor.RouterHash {
				cfg.Key = actor.KeyBy(func(n int) uint64 { return uint64(n) * 0x9e3779b97f4a7c15 })
			}
			var handled, accepted atomic.Int64
			pool := actor.NewPool(sys, 4, func() func(*actor.Context[int], int) error {
				last := -1
				return func(_ *actor.Context[int], n int) error {
					handled.Add(1)
					if router == actor.RouterBroadcast && n <= last {
						t.Errorf("%d after %d", n, last)
					}
					last = n
					return nil
				}
			}, cfg)
			resized := make(chan struct{})
			stop := make(chan struct{})
			go func() {
				defer close(resized)
				for size := 1; ; size++ {
					select {
					case <-stop:
						return
					default:
						if err := pool.Resize(1 + size%7); err != nil {
							t.Error(err)
						}
					}
				}
			}()
			for n := range iterations(5000) {
				switch err := pool.Tell(n); {
				case err == nil:
					accepted.Add(1)
				case !errors.Is(err, mailbox.ErrFull):
					t.Fatal(err)
				}
			}
			close(stop)
			<-resized
			stopSystem(t, sys)
			if router != actor.RouterBroadcast && handled.Load() != accepted.Load() {
				t.Errorf("accepted %d, handled %d", accepted.Load(), handled.Load())
			}
		})
	}
}

// TestRoutersAllocateNothing: choosing a member costs no allocation, whatever the router.
func TestRoutersAllocateNothing(t *testing.T) {
	for _, router := range actor.Routers() {
		sys := newSystem(t, actor.SystemConfig{})
		cfg := actor.PoolConfig{Router: router, MailboxCapacity: 1 << 12}
		if router == actor.RouterHash {
			cfg.Key = actor.KeyBy(func(n int) uint64 { return uint64(n) })
		}
		pool := actor.NewPool(sys, 4, func() func(*actor.Context[int], int) error {
			return func(*actor.Context[int], int) error { return nil }
		}, cfg)
		_, _ = pool.Broadcast(0) // makes the rings
		if n := testing.AllocsPerRun(200, func() { _ = pool.Tell(1) }); n >= 1 {
			t.Errorf("%s: %v allocations", router, n)
		}
	}
}

// A pool whose router asks the message for its key keeps what belongs together in order, on one member.
func ExamplePoolConfig() {
	type order struct {
		customer uint64
		item     string
	}
	sys := exampleSystem(actor.SystemConfig{})
	pool := actor.NewPool(sys, 8, func() func(*actor.Context[order], order) error {
		return func(_ *actor.Context[order], o order) error {
			fmt.Println(o.customer, o.item)
			return nil
		}
	}, actor.PoolConfig{Router: actor.RouterHash, Key: actor.KeyBy(func(o order) uint64 { return o.customer })})
	for _, item := range []string{"tea", "milk", "sugar"} {
		_ = pool.Tell(order{42, item})
	}
	_ = sys.Stop(context.Background())
	// Output:
	// 42 tea
	// 42 milk
	// 42 sugar
}
