package loadgen_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/loadgen"
	"github.com/ringmill/ringmill/runtime"
)

func threshold(t testing.TB, s string) loadgen.Threshold {
	t.Helper()
	th, err := loadgen.ParseThreshold(s)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// TestSearchMD1: the highest rate at which one server with a service time of 1 ms
// keeps a mean of 2 ms is 2/3 of its capacity (Pollaczek and Khinchine), and a
// second search says the same within 3 %. Time is synctest's.
func TestSearchMD1(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 50,000 requests")
	}
	synctest.Test(t, func(t *testing.T) {
		var answers []float64
		for range 2 {
			r, err := loadgen.Search(t.Context(), loadgen.SearchConfig{
				Base: loadgen.InFakeTime(loadgen.Config{
					Arrivals: loadgen.Arrivals{Kind: loadgen.ArrivalsPoisson}, Duration: 4 * time.Second, Seed: 5,
					Workload: loadgen.Workload{Work: loadgen.Work{A: time.Millisecond, Sleep: true}}, Runtime: runtime.Config{TaskActors: 1},
					Thresholds: []loadgen.Threshold{threshold(t, "mean<2ms")},
				}),
				Precision: 0.05, Confirm: 4 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Confirmed || r.CheckAccounting() != "" {
				t.Errorf("confirmed %t, accounting %q", r.Confirmed, r.CheckAccounting())
			}
			answers = append(answers, r.Rate)
		}
		t.Logf("answers %.1f and %.1f a second, theory 666.7", answers[0], answers[1])
		if math.Abs(answers[0]/666.7-1) > 0.12 { // 2,500 requests know the mean to a few percent
			t.Errorf("%v a second, theory 666.7", answers[0])
		}
		if math.Abs(answers[0]/answers[1]-1) > 0.03 {
			t.Errorf("two searches differ: %v", answers)
		}
	})
}

// TestSearchConfirms: a server that does 1,000 a second stands still for 100 ms, once,
// while the answer is confirmed. One measurement of three is lost by that, and the answer is
// the same; by two it is lowered. The first answer, from short probes, is a bit above
// what the server can do and does not hold by itself. Time is synctest's.
func TestSearchConfirms(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 100,000 requests")
	}
	for _, stalls := range []int32{0, 1, 2} {
		synctest.Test(t, func(t *testing.T) {
			const inConfirmationsOnly = 6000 // of 8 s; at 2,000 a second a probe of 2 s has 4,000 requests
			server := make(chan struct{}, 1)
			var stalled atomic.Int32
			var armed atomic.Bool // the first answer is out of the way
			r, err := loadgen.Search(t.Context(), loadgen.SearchConfig{
				Base: loadgen.InFakeTime(loadgen.Config{
					Duration: 2 * time.Second, Thresholds: []loadgen.Threshold{threshold(t, "p99<20ms")},
					Target: loadgen.TargetFunc(func(_ context.Context, r *loadgen.Request) error {
						server <- struct{}{}
						defer func() { <-server }()
						if r.Index == inConfirmationsOnly && armed.Load() && stalled.Load() < stalls {
							stalled.Add(1)
							time.Sleep(100 * time.Millisecond)
						}
						time.Sleep(time.Millisecond)
						return nil
					}),
				}),
				Confirm:  8 * time.Second,
				Progress: func(p loadgen.Probe) { armed.Store(p.Confirming) },
			})
			if err != nil {
				t.Fatal(err)
			}
			first := slices.IndexFunc(r.Probes, func(p loadgen.Probe) bool { return p.Confirming })
			if first < 0 || len(r.Probes) < first+2 || !r.Confirmed || r.Rate < 960 || r.Rate > 1000 {
				t.Fatalf("%d stalls: %v a second, confirmed %t, %+v", stalls, r.Rate, r.Confirmed, r.Probes)
			}
			if p := r.Probes[first+1]; p.OK != (stalls < 2) || p.OK && p.Tries != 2+int(stalls) {
				t.Errorf("%d stalls: the second confirmation: %+v", stalls, p)
			}
			t.Logf("%d stalls: %.1f/s", stalls, r.Rate)
		})
	}
}

// TestSearchTime: by default a search takes as long as its documentation says, and no course
// that a search can take is longer than it said: whether a measurement keeps the objective
// is decided by a coin. Time is synctest's.
func TestSearchTime(t *testing.T) {
	usual, most := loadgen.SearchConfig{}.Time()
	if usual < 2*time.Minute || usual > 4*time.Minute || most < 20*time.Minute || most > 30*time.Minute {
		t.Errorf("usual %v, most %v", usual, most)
	}
	for _, refused := range []float64{-1, 1e-300, math.NaN()} {
		if _, most := (loadgen.SearchConfig{Precision: refused}).Time(); most <= 0 {
			t.Errorf("precision %v, which Search refuses: most %v", refused, most)
		}
	}
	if testing.Short() {
		t.Skip("-short: 100,000 requests")
	}
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			coin := rand.New(rand.NewPCG(seed, 0))
			var fails atomic.Bool
			first := true // the closed loop, which gives the first guess
			cfg := loadgen.SearchConfig{
				Base: loadgen.InFakeTime(loadgen.Config{
					Duration: 10 * time.Millisecond, Thresholds: []loadgen.Threshold{threshold(t, "errors<1%")},
					Target: loadgen.TargetFunc(func(_ context.Context, r *loadgen.Request) error {
						if r.Index == 0 {
							fails.Store(!first && coin.IntN(2) == 0)
							first = false
						}
						time.Sleep(time.Millisecond)
						if fails.Load() {
							return errors.New("tails")
						}
						return nil
					}),
				}),
				Confirm: 30 * time.Millisecond,
			}
			_, most := cfg.Time()
			begin := time.Now()
			r, err := loadgen.Search(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(begin)
			if took > most || len(r.Probes) < 4 {
				t.Errorf("seed %d: it took %v, and said at most %v: %+v", seed, took, most, r.Probes)
			}
			t.Logf("seed %d: %d rates in %v, at most %v", seed, len(r.Probes), took, most)
		})
	}
}

// TestGridKnee: tasks of 1 ms at 1,500 a second need two task actors, and a burst of
// 20 needs room for those who wait; the grid finds the smallest sizes, and a second
// one confirms them. Time is synctest's.
func TestGridKnee(t *testing.T) {
	skipSlowRace(t)
	synctest.Test(t, func(t *testing.T) {
		var knees []string
		for range 2 {
			g, err := loadgen.Grid(t.Context(), loadgen.GridConfig{
				Base: loadgen.InFakeTime(loadgen.Config{
					Rate: 1500, Arrivals: loadgen.Arrivals{Kind: loadgen.ArrivalsPoisson}, Duration: 400 * time.Millisecond,
					Workload: loadgen.Workload{Work: loadgen.Work{A: time.Millisecond, Sleep: true}},
				}),
				Axes:  []loadgen.Axis{{Name: "max-runs", Values: []string{"1", "4", "16", "64"}}, {Name: "task-actors", Values: []string{"1", "2", "4", "8", "50"}}},
				Count: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(g.Cells) != 20 || g.Knee < 0 || g.CheckAccounting() != "" {
				t.Fatalf("%d cells, knee %d, %s", len(g.Cells), g.Knee, g.CheckAccounting())
			}
			knees = append(knees, g.Title(g.Knee))
			var text bytes.Buffer
			if err := g.WriteText(&text); err != nil || !strings.Contains(text.String(), "<- knee") {
				t.Errorf("%v\n%s", err, text.String())
			}
			var file bytes.Buffer
			if err := g.WriteJSON(&file); err != nil {
				t.Fatal(err)
			}
			if again, err := loadgen.ReadGrid(file.Bytes()); err != nil || again.Title(again.Knee) != knees[0] {
				t.Errorf("read back: %v", err)
			}
			for _, c := range g.Cells {
				if c.Values[0] == "1" && c.Errors < 0.2 || c.Values[0] == "64" && c.Values[1] == "8" && c.Errors > 0 {
					t.Errorf("%v: errors %v", c.Values, c.Errors)
				}
			}
		}
		if knees[0] != knees[1] || knees[0] == "max-runs=1 task-actors=1" {
			t.Errorf("knees %q", knees)
		}
		t.Logf("knee %s", knees[0])
	})
}

// build stands for a build of a service: its answers take 1 ms and some noise, which
// differs from run to run.
func build(t *testing.T, factor float64, noise uint64) *loadgen.Result {
	t.Helper()
	r, err := loadgen.Repeat(t.Context(), loadgen.InFakeTime(loadgen.Config{
		Rate: 500, Duration: 300 * time.Millisecond,
		Target: loadgen.TargetFunc(func(_ context.Context, q *loadgen.Request) error {
			random := rand.New(rand.NewPCG(noise, q.Index+uint64(time.Now().UnixNano())))
			time.Sleep(time.Duration(factor * (1 + random.ExpFloat64()/4) * 1e6))
			return nil
		}),
	}), 5)
	if err != nil {
		t.Fatal(err)
	}
	r.Trust.Verdict = loadgen.Trusted // 150 requests are enough for this test
	for i := range r.Samples {
		r.Samples[i].ForeignCPU = 0 // fake time does not notice others
	}
	return r
}

// TestCompare: a build that takes half as long again is told from one that does not,
// ten times of ten, and two that are alike never are.
func TestCompare(t *testing.T) {
	skipSlowRace(t)
	synctest.Test(t, func(t *testing.T) {
		rounds := uint64(10)
		if testing.Short() {
			rounds = 2
		}
		for i := range rounds {
			old := build(t, 1, 3*i)
			for _, test := range []struct {
				name   string
				factor float64
				noise  uint64
				want   bool
			}{{"alike", 1, 3*i + 1, false}, {"slowed", 1.5, 3*i + 2, true}, {"faster", 0.7, 3*i + 2, false}} {
				c, err := loadgen.Compare(old, build(t, test.factor, test.noise), loadgen.DefaultTolerance)
				if err != nil {
					t.Fatal(err)
				}
				// CPU and allocations are those of this test under fake time: no figures.
				regression := false
				for _, m := range c.Metrics[:5] {
					regression = regression || m.Verdict == loadgen.Worse
				}
				if regression != test.want {
					t.Errorf("noise %d, %s: regression %t, want %t: %+v", i, test.name, regression, test.want, c.Metrics)
				}
			}
		}
	})
	a, b := &loadgen.Result{PlanHash: "1"}, &loadgen.Result{PlanHash: "2"}
	if _, err := loadgen.Compare(a, b, 0.1); !errors.Is(err, loadgen.ErrOtherLoad) {
		t.Errorf("error %v, want ErrOtherLoad", err)
	}
}

// TestCompareBesideOthers: when others use most of the machine, half as long again is
// nothing that can be told, seven times as long is a regression, unless the machine left
// that much less to the new build.
func TestCompareBesideOthers(t *testing.T) {
	result := func(factor, foreign float64) *loadgen.Result {
		r := &loadgen.Result{PlanHash: "1", Trust: loadgen.Trust{Verdict: loadgen.Suspect}}
		for i := range 6 {
			f := factor * (1 + float64(i)/100)
			r.Samples = append(r.Samples, loadgen.Sample{P50: 1e-3 * f, P99: 4e-3 * f, Mean: 1.5e-3 * f, Throughput: 1000 / f, CPUPerOp: 1e-5 * f, AllocsOp: 3, ForeignCPU: foreign})
		}
		return r
	}
	old := result(1, .7)
	for _, test := range []struct {
		name            string
		factor, foreign float64
		regression      bool
		p50             string
	}{
		{"alike", 1, .7, false, loadgen.Unknown},
		{"half as long again", 1.5, .7, false, loadgen.Unknown},
		{"seven times as long", 7, .72, true, loadgen.Worse},
		{"seven times as long, a tenth of the machine", 7, .97, false, loadgen.Unknown},
	} {
		c, err := loadgen.Compare(old, result(test.factor, test.foreign), loadgen.DefaultTolerance)
		if err != nil {
			t.Fatal(err)
		}
		if c.Regression != test.regression || c.Metrics[0].Metric != "p50" || c.Metrics[0].Verdict != test.p50 {
			t.Errorf("%s: regression %t, p50 %s, want %t, %s: %+v", test.name, c.Regression, c.Metrics[0].Verdict, test.regression, test.p50, c.Metrics)
		}
	}
}
