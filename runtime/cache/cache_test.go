package cache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/runtime/cache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errLoad = errors.New("load")

func mustNew(t testing.TB, cfg cache.Config) *cache.Cache {
	t.Helper()
	c, err := cache.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, loads := mustNew(t, cache.Config{}), 0
		load := func(context.Context) (any, error) { loads++; return loads, nil }
		for i, want := range []struct {
			key  string
			wait time.Duration
			v    int
			hit  bool
		}{{"a", 0, 1, false}, {"a", 0, 1, true}, {"b", 0, 2, false}, {"a", 59 * time.Second, 1, true}, {"a", 2 * time.Second, 3, false}} {
			<-time.After(want.wait)
			v, hit, err := c.Do(t.Context(), want.key, time.Minute, load)
			if err != nil || v != want.v || hit != want.hit {
				t.Errorf("%d: %v, %t, %v; want %d, %t", i, v, hit, err, want.v, want.hit)
			}
		}
		if s := c.Stats(); s.Hits != 2 || s.Misses != 3 {
			t.Errorf("%+v", s)
		}
		c.Delete("a")
		if _, hit, _ := c.Do(t.Context(), "a", 0, load); hit {
			t.Error("a deleted key hit")
		}
		<-time.After(10000 * time.Hour)
		if _, hit, _ := c.Do(t.Context(), "a", 0, load); !hit {
			t.Error("without a TTL a result must stay")
		}
	})
}

// TestSingleFlight: many at once load once; when that fails another one does; a
// cancelled one leaves; a panic frees the key.
func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, cache.Config{})
		var loads, hits, failed atomic.Int64
		load := func(context.Context) (any, error) {
			<-time.After(time.Second)
			if loads.Add(1) == 1 {
				return nil, errLoad
			}
			return "v", nil
		}
		for range 20 {
			go func() {
				v, hit, err := c.Do(t.Context(), "k", time.Hour, load)
				switch {
				case err != nil:
					failed.Add(1)
				case v != "v":
					t.Error(v)
				case hit:
					hits.Add(1)
				}
			}()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		synctest.Wait()
		if _, _, err := c.Do(ctx, "k", 0, load); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a follower that was cancelled got %v", err)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if loads.Load() != 2 || failed.Load() != 1 || hits.Load() != 18 {
			t.Errorf("%d loads, %d failed, %d hits", loads.Load(), failed.Load(), hits.Load())
		}
		func() {
			defer func() { _ = recover() }()
			_, _, _ = c.Do(t.Context(), "p", 0, func(context.Context) (any, error) { panic("x") })
		}()
		if _, _, outcome := c.Begin("p", nil); outcome != cache.Lead {
			t.Error("a panic left the key taken")
		}
	})
}

func TestBounds(t *testing.T) {
	byCount := mustNew(t, cache.Config{Entries: 100})
	byBytes := mustNew(t, cache.Config{Bytes: 100 * (1000 + 64 + 4)})
	for i := range 5000 {
		key := fmt.Sprintf("%04d", i)
		for _, c := range []*cache.Cache{byCount, byBytes} {
			c.Begin(key, nil)
			c.Succeed(key, strings.Repeat("x", 1000), 0)
		}
	}
	for name, c := range map[string]*cache.Cache{"count": byCount, "bytes": byBytes} {
		if n := c.Stats().Length; n > 100 || n < 50 {
			t.Errorf("by %s: %d results, bound 100", name, n)
		}
	}
	_, err := cache.New(cache.Config{Entries: -1, Bytes: -1})
	if err == nil || !strings.Contains(err.Error(), "Entries is -1") || !strings.Contains(err.Error(), "Bytes is -1") {
		t.Error(err)
	}
}

// TestStress: under contention one leads a key at a time (I1) and every follower
// hears once (I2).
func TestStress(t *testing.T) {
	c := mustNew(t, cache.Config{Entries: 50})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rounds := 20_000
	if testing.Short() {
		rounds = 2000
	}
	var leaders [100]atomic.Int64
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range rounds {
				k := random.IntN(len(leaders))
				key := fmt.Sprint(k)
				heard := make(chan struct{})
				v, f, outcome := c.Begin(key, func(any, bool) { close(heard) })
				switch outcome {
				case cache.Hit:
					if v != key {
						t.Errorf("key %s holds %v", key, v)
					}
				case cache.Lead:
					if leaders[k].Add(1) != 1 {
						t.Errorf("two lead %s", key)
					}
					leaders[k].Add(-1)
					if random.IntN(2) == 0 {
						c.Succeed(key, key, time.Nanosecond)
					} else {
						c.Fail(key)
					}
				case cache.Follow:
					if random.IntN(2) == 0 && c.Leave(f) {
						continue
					}
					<-heard
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkBegin(b *testing.B) {
	c := mustNew(b, cache.Config{})
	c.Begin("k", nil)
	c.Succeed("k", 1, 0)
	b.Run("outcome=hit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Begin("k", nil)
		}
	})
	b.Run("outcome=lead", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Begin("m", nil)
			c.Fail("m")
		}
	})
}
