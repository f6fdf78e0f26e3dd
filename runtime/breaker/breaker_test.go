package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("down")

// A clock is moved by hand.
type clock struct{ nanos atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func mustNew(t testing.TB, cfg breaker.Config) *breaker.Breaker {
	t.Helper()
	b, err := breaker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// call makes a call that ends with err and reports whether it was let through.
func call(b *breaker.Breaker, err error) bool {
	token, refused := b.Allow()
	if refused == nil {
		b.Done(token, err)
	}
	return refused == nil
}

func TestOpensAndCloses(t *testing.T) {
	c := new(clock)
	var changes []string
	b := mustNew(t, breaker.Config{Name: "api", Failures: 3, OpenFor: time.Second, Trials: 2, Now: c.Now,
		OnChange: func(name string, from, to breaker.State) {
			changes = append(changes, fmt.Sprint(name, " ", from, " ", to))
		}})
	for _, err := range []error{errDown, errDown, nil, errDown, context.Canceled, errDown} {
		if !call(b, err) {
			t.Fatal("refused while closed")
		}
	}
	if call(b, errDown); b.State() != breaker.Open {
		t.Fatal("not open after three failures in a row")
	}
	c.advance(400 * time.Millisecond)
	_, err := b.Allow()
	var open *breaker.OpenError
	if !errors.Is(err, breaker.ErrOpen) || !errors.As(err, &open) || open.Wait != 600*time.Millisecond {
		t.Fatalf("refused with %v", err)
	}
	if wait, ok := retry.RetryAfter(fmt.Errorf("task: %w", err)); !ok || wait != 600*time.Millisecond {
		t.Errorf("RetryAfter = %s, %t", wait, ok)
	}
	c.advance(600 * time.Millisecond)
	first, err1 := b.Allow()
	second, err2 := b.Allow()
	if _, err := b.Allow(); err1 != nil || err2 != nil || err == nil {
		t.Fatalf("half-open: %v, %v, %v", err1, err2, err)
	}
	b.Done(first, context.Canceled) // says nothing: another trial takes its place
	third, err := b.Allow()
	if err != nil {
		t.Fatal(err)
	}
	b.Done(second, nil)
	b.Done(third, errDown)
	if b.State() != breaker.Open {
		t.Fatal("a failed trial left it", b.State())
	}
	b.Done(second, nil) // late: counts for nothing
	c.advance(time.Second)
	good := call(b, nil)
	if good = call(b, nil) && good; !good || b.State() != breaker.Closed {
		t.Fatal("two good trials left it", b.State())
	}
	want := "api closed open,api open half-open,api half-open open,api open half-open,api half-open closed"
	if got := strings.Join(changes, ","); got != want {
		t.Errorf("changes %s; want %s", got, want)
	}
}

func TestFailureRate(t *testing.T) {
	b := mustNew(t, breaker.Config{FailureRate: 0.5, Window: 10})
	for i := range 100 { // 4 of 10 fail, at most three in a row
		if !call(b, map[bool]error{true: errDown}[i%5 < 2]) {
			t.Fatalf("refused call %d", i)
		}
	}
	for range 5 {
		call(b, errDown)
	}
	if b.State() != breaker.Open {
		t.Error("half of the calls failed and it is", b.State())
	}
}

func TestIsFailure(t *testing.T) {
	b := mustNew(t, breaker.Config{Failures: 1, IsFailure: func(err error) bool { return !errors.Is(err, errDown) }})
	if call(b, errDown); b.State() != breaker.Closed {
		t.Error("opened by what is no failure")
	}
	if call(b, errors.New("other")); b.State() != breaker.Open {
		t.Error("not opened by a failure")
	}
}

func TestConfigErrors(t *testing.T) {
	_, err := breaker.New(breaker.Config{Name: "x", Failures: -1, FailureRate: 2, Window: -1, OpenFor: -1, Trials: -1})
	for _, field := range []string{"breaker x: ", "Failures is -1", "FailureRate is 2", "Window is -1", "OpenFor is -1ns", "Trials is -1"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not say %s", err, field)
		}
	}
}

// TestTrialsStress: under contention a half-open breaker never has more than
// Trials calls inside (I2), and it always finds back to closed.
func TestTrialsStress(t *testing.T) {
	const trials = 3
	c := new(clock)
	var half atomic.Bool
	b := mustNew(t, breaker.Config{Failures: 1, OpenFor: time.Millisecond, Trials: trials, Now: c.Now,
		OnChange: func(_ string, _, to breaker.State) { half.Store(to == breaker.HalfOpen) }})
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for range rounds {
		call(b, errDown)
		c.advance(time.Millisecond)
		var granted atomic.Int64
		var wg sync.WaitGroup
		tokens := make(chan uint64, 16)
		for range 16 {
			wg.Go(func() {
				if token, err := b.Allow(); err == nil {
					granted.Add(1)
					tokens <- token
				}
			})
		}
		wg.Wait()
		if n := granted.Load(); n != trials {
			t.Fatalf("%d trials at once, want %d", n, trials)
		}
		close(tokens)
		for token := range tokens {
			wg.Go(func() { b.Done(token, nil) })
		}
		wg.Wait()
		if b.State() != breaker.Closed {
			t.Fatal("after good trials it is", b.State())
		}
	}
}

// TestStress: random calls from many goroutines leave a breaker that still works.
func TestStress(t *testing.T) {
	c := new(clock)
	b := mustNew(t, breaker.Config{Failures: 4, FailureRate: 0.3, Window: 20, OpenFor: 5, Trials: 2, Now: c.Now})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	calls := 50_000
	if testing.Short() {
		calls = 5000
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range calls {
				err := error(nil)
				switch random.IntN(4) {
				case 0:
					err = errDown
				case 1:
					err = context.Canceled
				}
				call(b, err)
				c.advance(1)
			}
		})
	}
	wg.Wait()
	for range 1000 { // whatever it was left in
		c.advance(5)
		call(b, nil)
	}
	if b.State() != breaker.Closed {
		t.Error("after a thousand good calls it is", b.State())
	}
}

func TestNoAllocation(t *testing.T) {
	b := mustNew(t, breaker.Config{FailureRate: 0.5})
	if n := testing.AllocsPerRun(1000, func() { call(b, nil) }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func BenchmarkCall(b *testing.B) {
	for _, cfg := range []breaker.Config{{Name: "count"}, {Name: "rate", FailureRate: 0.5}} {
		br := mustNew(b, cfg)
		b.Run("by="+cfg.Name+"/callers=1", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call(br, nil)
			}
		})
		b.Run("by="+cfg.Name+"/callers=all", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					call(br, nil)
				}
			})
		})
	}
}
