package limit_test

import (
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
	"pgregory.net/rapid"

	"github.com/ringmill/ringmill/runtime/limit"
	"github.com/ringmill/ringmill/runtime/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mustRate(t testing.TB, cfg limit.RateConfig) *limit.Rate {
	t.Helper()
	r, err := limit.NewRate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := mustRate(t, limit.RateConfig{Name: "api", PerSecond: 10, Burst: 3, MaxWait: 300 * time.Millisecond})
		for i, want := range []time.Duration{0, 0, 0, 100, 200, 300} {
			if got, err := r.Reserve(); err != nil || got != want*time.Millisecond {
				t.Errorf("call %d waits %s, %v; want %d ms", i, got, err, want)
			}
		}
		_, err := r.Reserve()
		wait, ok := retry.RetryAfter(err)
		if !errors.Is(err, limit.ErrRate) || !ok || wait != 100*time.Millisecond {
			t.Errorf("refused with %v, %s", err, wait)
		}
		<-time.After(time.Hour) // the burst is back, and no more than that
		for i, want := range []time.Duration{0, 0, 0, 100} {
			if got, err := r.Reserve(); err != nil || got != want*time.Millisecond {
				t.Errorf("later call %d waits %s, %v; want %d ms", i, got, err, want)
			}
		}
	})
}

// TestRateBound: in no window of time do more places lie than the rate allows.
func TestRateBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(0, 0)
		perSecond := rapid.Float64Range(0.5, 500).Draw(t, "rate")
		burst := rapid.IntRange(1, 10).Draw(t, "burst")
		r, err := limit.NewRate(limit.RateConfig{PerSecond: perSecond, Burst: burst, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		var places []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "pause")) * time.Millisecond)
			if wait, err := r.Reserve(); err == nil {
				places = append(places, now.Add(wait))
			}
		}
		for i := range places {
			for j := i; j < len(places); j++ {
				allowed := float64(burst) + places[j].Sub(places[i]).Seconds()*perSecond
				if n := float64(j - i + 1); n > allowed+1e-3 {
					t.Fatalf("%v calls within %s, %v allowed", n, places[j].Sub(places[i]), allowed)
				}
			}
		}
	})
}

func TestRateErrors(t *testing.T) {
	_, err := limit.NewRate(limit.RateConfig{Burst: -1, MaxWait: -1})
	for _, field := range []string{"rate limit rate: ", "PerSecond is 0", "Burst is -1", "MaxWait is -1ns"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not say %s", err, field)
		}
	}
}

func TestConcurrency(t *testing.T) {
	c, err := limit.NewConcurrency(2)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	grant := func(name string) func() { return func() { order = append(order, name) } }
	for _, name := range []string{"a", "b"} {
		if _, ok := c.Acquire("k", grant(name)); !ok {
			t.Fatal(name, "found no place")
		}
	}
	w1, ok1 := c.Acquire("k", grant("c"))
	w2, ok2 := c.Acquire("k", grant("d"))
	_, ok3 := c.Acquire("k", grant("e"))
	if ok1 || ok2 || ok3 {
		t.Fatal("more than two places")
	}
	if _, ok := c.Acquire("other", grant("x")); !ok {
		t.Error("keys share their places")
	}
	if !c.Cancel(w1) || c.Cancel(w1) {
		t.Error("a waiter must leave the queue once")
	}
	c.Release("k")
	if c.Cancel(w2) {
		t.Error("a granted waiter was cancelled")
	}
	c.Release("k")
	if got := strings.Join(order, ""); got != "de" {
		t.Errorf("granted %s, want de", got)
	}
	c.Release("k")
	c.Release("k")
	if taken, waiting := c.Held("k"); taken != 0 || waiting != 0 {
		t.Errorf("%d taken, %d wait", taken, waiting)
	}
	if _, err := limit.NewConcurrency(0); err == nil {
		t.Error("no places were accepted")
	}
}

// TestConcurrencyStress: no more than the places are held at once (I1), every
// waiter is granted or cancelled (I3), and nothing is left.
func TestConcurrencyStress(t *testing.T) {
	const places, workers = 3, 12
	c, err := limit.NewConcurrency(places)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rounds := 5000
	if testing.Short() {
		rounds = 500
	}
	var inside [2]atomic.Int64
	var worst atomic.Int64
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range rounds {
				k := random.IntN(2)
				key := fmt.Sprint("k", k)
				granted := make(chan struct{})
				w, ok := c.Acquire(key, func() { close(granted) })
				if !ok {
					if random.IntN(3) == 0 && c.Cancel(w) {
						continue
					}
					<-granted
				}
				if n := inside[k].Add(1); n > worst.Load() {
					worst.Store(n)
				}
				inside[k].Add(-1)
				c.Release(key)
			}
		})
	}
	wg.Wait()
	if worst.Load() > places {
		t.Errorf("%d inside, limit %d", worst.Load(), places)
	}
	for _, key := range []string{"k0", "k1"} {
		if taken, waiting := c.Held(key); taken != 0 || waiting != 0 {
			t.Errorf("%s: %d taken, %d wait", key, taken, waiting)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	r := mustRate(t, limit.RateConfig{PerSecond: 1e9, Burst: 1e9})
	if n := testing.AllocsPerRun(1000, func() { _, _ = r.Reserve() }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func BenchmarkReserve(b *testing.B) {
	r := mustRate(b, limit.RateConfig{PerSecond: 1e9, Burst: 1e9})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = r.Reserve()
	}
}

func BenchmarkConcurrency(b *testing.B) {
	c, err := limit.NewConcurrency(8)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Acquire("k", nil)
		c.Release("k")
	}
}
