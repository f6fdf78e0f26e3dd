package peers_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/limit"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// BenchmarkPolicy: what does a policy cost a call that goes well? Both sides ask before the call and tell afterwards how it
// went; the call does nothing.
func BenchmarkPolicy(b *testing.B) {
	for _, p := range []struct {
		policy             string
		ringmill, failsafe func(b *testing.B) func() error
	}{
		{"breaker", ourBreaker, failsafeBreaker}, {"concurrency", ourConcurrency, failsafeConcurrency}, {"rate", ourRate, failsafeRate},
	} {
		for impl, side := range map[string]func(*testing.B) func() error{"ringmill": p.ringmill, "failsafe-go": p.failsafe} {
			b.Run(fmt.Sprintf("policy=%s/impl=%s", p.policy, impl), func(b *testing.B) {
				call := side(b)
				b.ReportAllocs()
				for b.Loop() {
					if err := call(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func ourBreaker(b *testing.B) func() error {
	br, err := breaker.New(breaker.Config{})
	must(b, err)
	return func() error {
		token, err := br.Allow()
		if err == nil {
			br.Done(token, nil)
		}
		return err
	}
}

func failsafeBreaker(*testing.B) func() error {
	br := circuitbreaker.NewWithDefaults[any]()
	return func() error {
		if !br.TryAcquirePermit() {
			return circuitbreaker.ErrOpen
		}
		br.RecordSuccess()
		return nil
	}
}

func ourConcurrency(b *testing.B) func() error {
	c, err := limit.NewConcurrency(8)
	must(b, err)
	return func() error {
		if _, ok := c.Acquire("key", nil); !ok {
			return limit.ErrRate
		}
		c.Release("key")
		return nil
	}
}

func failsafeConcurrency(*testing.B) func() error {
	c := bulkhead.New[any](8)
	return func() error {
		if !c.TryAcquirePermit() {
			return bulkhead.ErrFull
		}
		c.ReleasePermit()
		return nil
	}
}

// manyCalls is a rate that no benchmark exceeds.
const manyCalls = 1_000_000_000

func ourRate(b *testing.B) func() error {
	r, err := limit.NewRate(limit.RateConfig{PerSecond: manyCalls, Burst: manyCalls})
	must(b, err)
	return func() error { _, err := r.Reserve(); return err }
}

func failsafeRate(*testing.B) func() error {
	r := ratelimiter.NewSmooth[any](manyCalls, time.Second)
	return func() error {
		if !r.TryAcquirePermit() {
			return ratelimiter.ErrExceeded
		}
		return nil
	}
}

// BenchmarkGuardedCalls: what do 100 calls cost, one after the other, with a retry, a breaker and a timeout around each? On
// our side they are the tasks of one workflow, which are also scheduled and reported; on the other each is one Get.
func BenchmarkGuardedCalls(b *testing.B) {
	const calls = 100
	b.Run(fmt.Sprintf("calls=%d/impl=ringmill", calls), func(b *testing.B) {
		def := guardedWorkflow(b, calls)
		rt, err := runtime.New(runtime.Config{})
		must(b, err)
		defer func() { must(b, rt.Stop(context.Background())) }()
		b.ReportAllocs()
		for b.Loop() {
			if n, err := runtime.Execute(b.Context(), rt, def, 0); err != nil || n != calls {
				b.Fatal(n, err)
			}
		}
	})
	b.Run(fmt.Sprintf("calls=%d/impl=failsafe-go", calls), func(b *testing.B) {
		guarded := failsafe.With(
			retrypolicy.NewBuilder[int]().WithMaxRetries(2).Build(), circuitbreaker.NewWithDefaults[int](), timeout.New[int](time.Minute),
		)
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for range calls {
				got, err := guarded.Get(func() (int, error) { return n + 1, nil })
				if err != nil {
					b.Fatal(err)
				}
				n = got
			}
			if n != calls {
				b.Fatal(n)
			}
		}
	})
}

// guardedWorkflow is a chain of tasks that add one.
func guardedWorkflow(b *testing.B, calls int) *workflow.Definition[int, int] {
	br, err := breaker.New(breaker.Config{})
	must(b, err)
	w := workflow.New[int]("guarded")
	n := w.Input()
	for i := range calls {
		n = workflow.Task(w, fmt.Sprint(i), func(_ context.Context, n int) (int, error) { return n + 1, nil }, n,
			workflow.Retry(retry.Exponential{}), workflow.Breaker(br), workflow.Timeout(time.Minute))
	}
	def, err := workflow.Build(w, n)
	must(b, err)
	return def
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
