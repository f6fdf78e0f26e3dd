package bench_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ringmill/ringmill/loadgen"
	_ "github.com/ringmill/ringmill/mailbox/workiva"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/scheduler"
)

// The load of BenchmarkBackpressure: more arrives at once than a small mailbox holds, one task in twenty takes ten times as
// long as the others, and on average 15 of them are under way, 25 with what sleeping adds.
var backpressureLoad = loadgen.Config{
	Rate:     5000,
	Arrivals: loadgen.Arrivals{Kind: loadgen.ArrivalsBurst, Burst: 200},
	Seed:     1,
	Workload: loadgen.Workload{
		Workflow: "chain:2",
		Work:     loadgen.Work{Distribution: loadgen.WorkBimodal, Sleep: true, A: time.Millisecond, B: 10 * time.Millisecond, Share: .05},
	},
}

// The sizes that are compared. Two workflow actors, so that a mailbox's capacity is what decides about a burst, and a
// bound on the runs in flight, so that a pool that is too small refuses instead of growing without end. The longest path goes
// first, so every run passes through a mailbox: in order of arrival it would begin on its caller's goroutine.
var (
	backpressureCapacities = []int{4, 16, 64, 256}
	backpressureTaskActors = []int{8, 32, 128}
)

const (
	backpressureActors  = 2
	backpressureMaxRuns = 1000
)

// BenchmarkBackpressure: how large must mailboxes and the pool be, and does it matter which kind of mailbox and which policy?
// Runs arrive in bursts, at planned times, whatever the answers do; a full mailbox refuses. refused-% is the share that was
// refused, p50-ns and p99-ns are the latencies of the others from the time that was planned, suspect is 1 where loadgen found
// that the measurement was disturbed. ns/op only says how densely runs were sent. With fewer than 4,000 runs (-benchtime
// 4000x) a percentile of the longer tasks is a matter of luck.
func BenchmarkBackpressure(b *testing.B) {
	for _, kind := range []string{"mpsc", "chan", "workiva"} {
		for _, policy := range scheduler.Policies() {
			for _, capacity := range backpressureCapacities {
				for _, taskActors := range backpressureTaskActors {
					b.Run(fmt.Sprintf("kind=%s/policy=%s/capacity=%d/task-actors=%d", kind, policy, capacity, taskActors), func(b *testing.B) {
						cfg := backpressureLoad
						cfg.Requests = int64(b.N)
						cfg.Runtime = runtime.Config{
							MailboxKind: kind, Policy: policy, MailboxCapacity: capacity, TaskActors: taskActors,
							WorkflowActors: backpressureActors, MaxRuns: backpressureMaxRuns, Schedule: runtime.ScheduleCriticalPath,
						}
						benchmarkLoad(b, cfg)
					})
				}
			}
		}
	}
}

// benchmarkLoad sends a load once and reports what loadgen found.
func benchmarkLoad(b *testing.B, cfg loadgen.Config) {
	b.ReportAllocs()
	b.ResetTimer()
	r, err := loadgen.Run(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if bad := r.CheckAccounting(); bad != "" {
		b.Fatal(bad)
	}
	b.ReportMetric(r.Latency.P50*1e9, "p50-ns")
	b.ReportMetric(r.Latency.P99*1e9, "p99-ns")
	b.ReportMetric(100*float64(r.Failed+r.Shed)/float64(max(r.Sent, 1)), "refused-%")
	b.ReportMetric(r.Throughput, "runs/s")
	b.ReportMetric(r.Cost.AllocsPerOp, "allocs/op") // a run's; go test would count the load generator's own
	b.ReportMetric(r.Cost.BytesPerOp, "B/op")
	suspect := 0.0
	if r.Trust.Verdict != loadgen.Trusted {
		suspect = 1
	}
	b.ReportMetric(suspect, "suspect")
}
