package loadgen_test

import (
	"context"
	"math"
	"os"
	goruntime "runtime"
	"testing"
	"time"

	"github.com/ringmill/ringmill/loadgen"
	"github.com/ringmill/ringmill/runtime"
)

// The tests of this file prove figures in real time, so they need a machine that does
// nothing else, and run only when they are asked for: `make proof`. Each prints what it
// measured in lines that begin with "proof:".

// proving skips the test unless proofs were asked for, and waits for a quiet moment.
func proving(t *testing.T) {
	t.Helper()
	if os.Getenv("RINGMILL_PROOF") == "" {
		t.Skip("RINGMILL_PROOF is not set: it measures for minutes, on a machine that does nothing else (make proof)")
	}
	awaitQuiet(t, time.Minute)
}

// mostForeign is the share of the machine that others may use in a quiet moment.
const mostForeign = 0.02

// awaitQuiet waits until the machine has done nothing for a second, at most for
// patience. This process does nothing meanwhile.
func awaitQuiet(t *testing.T, patience time.Duration) {
	t.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	busy, steal := loadgen.MachineCPU()
	if busy < 0 {
		t.Log("what others do on this machine is unknown")
		return
	}
	used := 0.0
	for begin := time.Now(); time.Since(begin) < patience; {
		<-tick.C
		b, s := loadgen.MachineCPU()
		used = (b - busy + s - steal) / float64(goruntime.NumCPU())
		if used <= mostForeign {
			return
		}
		busy, steal = b, s
	}
	t.Logf("proof: the machine did not become quiet within %v: others use %.0f %% of it", patience, 100*used)
}

// quiet reports whether others left the machine alone during a run.
func quiet(r *loadgen.Result) bool {
	f, s := r.Trust.ForeignCPU, r.Trust.Steal
	return f == nil || s == nil || *f <= mostForeign && *s <= 0.005
}

// TestProofPrecision holds the targets of the pacer at 100,000/s: lag p50 0.1 us, p99
// 10 us, p99.9 100 us. Of up to ten runs one that the machine left alone must keep
// them.
func TestProofPrecision(t *testing.T) {
	proving(t)
	for try := range 10 {
		if try > 0 {
			awaitQuiet(t, 10*time.Second)
		}
		r := run(t, loadgen.Config{
			Rate: 100_000, Duration: 2500 * time.Millisecond, Warmup: 500 * time.Millisecond,
			Target: loadgen.TargetFunc(func(context.Context, *loadgen.Request) error { return nil }),
		})
		kept := r.Lag.P50 <= 100e-9 && r.Lag.P99 <= 10e-6 && r.Lag.P999 <= 100e-6
		t.Logf("proof: precision at %.0f/s: lag p50 %.0f ns, p99 %.1f us, p99.9 %.1f us, max %.0f us (targets 100 ns, 10 us, 100 us: kept %t; quiet %t)",
			r.Throughput, r.Lag.P50*1e9, r.Lag.P99*1e6, r.Lag.P999*1e6, r.Lag.Max*1e6, kept, quiet(r))
		if kept {
			return
		}
	}
	t.Error("a target was missed in every run")
}

// TestProofSuspect: the same load is trusted on a quiet machine and suspect beside two
// processes that keep two cores busy.
func TestProofSuspect(t *testing.T) {
	proving(t)
	load := loadgen.Config{Rate: 2000, Duration: 3 * time.Second, Workload: loadgen.Workload{Work: loadgen.Work{A: time.Millisecond, Sleep: true}}}
	alone := run(t, load)
	t.Logf("proof: alone: %s %q, foreign CPU %.1f %%", alone.Trust.Verdict, alone.Trust.Reasons, 100*share(alone.Trust.ForeignCPU))
	if quiet(alone) && alone.Trust.Verdict != loadgen.Trusted {
		t.Error("a run that nobody disturbed is suspect")
	}
	busy(t, 2)
	r := run(t, load)
	t.Logf("proof: beside two busy processes: %s %q", r.Trust.Verdict, r.Trust.Reasons)
	if r.Trust.Verdict != loadgen.Suspect || share(r.Trust.ForeignCPU) < 0.1 {
		t.Errorf("verdict %s, foreign CPU %v", r.Trust.Verdict, share(r.Trust.ForeignCPU))
	}
}

func share(p *float64) float64 {
	if p == nil {
		return 0
	}
	return *p
}

// TestProofSearch: two searches on the real runtime in real time say the same rate
// within 3 %, for tasks that wait and for tasks that compute. A pair that was disturbed
// is measured again, once.
func TestProofSearch(t *testing.T) {
	proving(t)
	for name, base := range map[string]loadgen.Config{
		"4 task actors, tasks wait 2 ms, p99<30ms": {
			Workload: loadgen.Workload{Work: loadgen.Work{A: 2 * time.Millisecond, Sleep: true}}, Runtime: runtime.Config{TaskActors: 4},
			Thresholds: []loadgen.Threshold{threshold(t, "p99<30ms")},
		},
		"1 task actor, tasks compute 200 us, p99<30ms": {
			Workload: loadgen.Workload{Work: loadgen.Work{A: 200 * time.Microsecond}}, Runtime: runtime.Config{TaskActors: 1},
			Thresholds: []loadgen.Threshold{threshold(t, "p99<30ms")},
		},
	} {
		base.Seed, base.Duration = 5, 2*time.Second
		off := 1.0
		for try := 0; try < 2 && off > 0.03; try++ {
			var rates []float64
			for range 2 {
				r, err := loadgen.Search(t.Context(), loadgen.SearchConfig{Base: base, Precision: loadgen.DefaultPrecision, Confirm: 5 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				if r.Rate == 0 || r.CheckAccounting() != "" {
					t.Fatalf("%s: rate %v, accounting %q", name, r.Rate, r.CheckAccounting())
				}
				rates = append(rates, r.Rate)
				t.Logf("proof: search, %s: %.0f/s, confirmed %t, %d rates tried, %s", name, r.Rate, r.Confirmed, len(r.Probes), r.Result.Trust.Verdict)
			}
			off = math.Abs(rates[0]/rates[1] - 1)
			t.Logf("proof: search, %s: the two differ by %.1f %% (target 3 %%)", name, 100*off)
		}
		if off > 0.03 {
			t.Errorf("%s: two searches differ by %.1f %%", name, 100*off)
		}
	}
}

// TestProofGrid: a grid of 4 x 5 cells finds a knee, and a second run of it finds the
// same: bursts of 100 runs need a mailbox for 100, and as many task actors if nobody is
// to wait for another's 10 ms. A pair that was disturbed is measured again, once.
func TestProofGrid(t *testing.T) {
	proving(t)
	const theory = "mailbox=128 task-actors=128"
	same := false
	for try := 0; try < 2 && !same; try++ {
		var knees []string
		for range 2 {
			g, err := loadgen.Grid(t.Context(), loadgen.GridConfig{
				Base: loadgen.Config{
					Rate: 1000, Arrivals: loadgen.Arrivals{Kind: loadgen.ArrivalsBurst, Burst: 100}, Duration: 800 * time.Millisecond, Seed: 1,
					Workload: loadgen.Workload{Work: loadgen.Work{A: 10 * time.Millisecond, Sleep: true}}, Runtime: runtime.Config{WorkflowActors: 1},
				},
				Axes: []loadgen.Axis{
					{Name: "mailbox", Values: []string{"1", "2", "128", "1024"}}, {Name: "task-actors", Values: []string{"8", "16", "32", "128", "512"}},
				},
				Count: 3,
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(g.Cells) != 20 || g.Knee < 0 || g.CheckAccounting() != "" {
				t.Fatalf("%d cells, knee %d, %s", len(g.Cells), g.Knee, g.CheckAccounting())
			}
			knee, best := g.Cells[g.Knee], g.Cells[g.Best]
			knees = append(knees, g.Title(g.Knee))
			t.Logf("proof: grid of %d cells: knee %s with p99 %.1f ms, lowest p99 %.1f ms at %s; %d cells suspect",
				len(g.Cells), g.Title(g.Knee), knee.P99*1e3, best.P99*1e3, g.Title(g.Best), g.Suspects())
		}
		same = knees[0] == knees[1]
		t.Logf("proof: the second grid has the same knee: %t (theory: %s)", same, theory)
	}
	if !same {
		t.Error("two grids have different knees")
	}
}
