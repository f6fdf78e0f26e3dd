package loadgen_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/loadgen"
	"github.com/ringmill/ringmill/runtime"
)

// TestFreeze is the proof that coordinated omission is corrected: a target behind one
// connection that stands still for 1 s of a 10 s run at 1,000/s delays a tenth of
// the requests, evenly by 0 to 1 s, and the corrected latencies show it. The
// uncorrected ones show a single slow request. Time is synctest's, so the figures
// are exact.
func TestFreeze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var once sync.Once
		target := loadgen.TargetFunc(func(context.Context, *loadgen.Request) error {
			if time.Since(begin) >= 4*time.Second {
				once.Do(func() { time.Sleep(time.Second) })
			}
			return nil
		})
		r, err := loadgen.Run(t.Context(), loadgen.InFakeTime(loadgen.Config{
			Rate: 1000, Duration: 10 * time.Second, MaxInFlight: 1, Target: target,
		}))
		if err != nil {
			t.Fatal(err)
		}
		if r.Sent != 10_000 || r.Done != 10_000 || r.Unsent != 0 {
			t.Fatalf("sent %d, done %d, unsent %d; want 10000, 10000, 0", r.Sent, r.Done, r.Unsent)
		}
		for i := range int64(10) { // 100 ms each
			low := i * 100e6
			n := r.CountBetween(max(low, 1e6), low+100e6)
			if n < 95 || n > 105 {
				t.Errorf("%d latencies between %d and %d ms, want about 100", n, i*100, i*100+100)
			}
		}
		// Of 10,000 uncorrected latencies one is above 1 ms: p99.9 sees nothing.
		if u := r.Uncorrected; u.P999 > 1e-6 || u.Max < 0.99 {
			t.Errorf("uncorrected p99.9 %v, max %v; want only one request to see the freeze", u.P999, u.Max)
		}
		if p := r.Latency.P99; math.Abs(p-0.9) > 0.02 {
			t.Errorf("corrected p99 = %v s, want 0.9", p)
		}
		if r.Lag.Max > 1e-6 {
			t.Errorf("lag %v: waiting for the one client is no lag of the generator", r.Lag.Max)
		}
		if r.Backpressure.Held < 1 {
			t.Error("no arrival was held")
		}
	})
}

// TestMD1: Poisson arrivals at one server with a fixed service time wait
// ρ/(2(1-ρ))·D on average (Pollaczek and Khinchine). The real runtime with one task
// actor must agree within 3 %. Time is synctest's; the seed is fixed, and at a
// utilisation of 0.5 the mean of 60,000 has a standard error of about 1 %.
func TestMD1(t *testing.T) {
	skipSlowRace(t)
	const service, rho = time.Millisecond, 0.5
	synctest.Test(t, func(t *testing.T) {
		requests := int64(60_000)
		if testing.Short() {
			requests = 20_000
		}
		r, err := loadgen.Run(t.Context(), loadgen.InFakeTime(loadgen.Config{
			Rate: rho / service.Seconds(), Arrivals: loadgen.Arrivals{Kind: loadgen.ArrivalsPoisson}, Requests: requests, Seed: 7,
			Workload: loadgen.Workload{Work: loadgen.Work{A: service, Sleep: true}},
			Runtime:  runtime.Config{TaskActors: 1},
		}))
		if err != nil {
			t.Fatal(err)
		}
		want := service.Seconds() * (1 + rho/(2*(1-rho)))
		if got := r.Latency.Mean; math.Abs(got/want-1) > 0.03 {
			t.Errorf("mean time in the system %.4f ms, theory %.4f ms: %.1f %% off", got*1e3, want*1e3, 100*(got/want-1))
		} else {
			t.Logf("mean time in the system %.4f ms, theory %.4f ms: %+.2f %%", got*1e3, want*1e3, 100*(got/want-1))
		}
		if r.CheckAccounting() != "" || r.Done != uint64(requests) {
			t.Errorf("done %d of %d, %s", r.Done, requests, r.CheckAccounting())
		}
		if r.TaskTime.P50 < 0.999e-3 || r.TaskTime.P99 > 1.001e-3 {
			t.Errorf("task time %+v, want 1 ms", r.TaskTime)
		}
	})
}
