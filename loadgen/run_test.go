package loadgen_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ringmill/ringmill/loadgen"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

func run(t testing.TB, c loadgen.Config) *loadgen.Result {
	t.Helper()
	r, err := loadgen.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if bad := r.CheckAccounting(); bad != "" {
		t.Errorf("accounting: %s", bad)
	}
	return r
}

// TestWorkloads: every shape and every way to end is accounted for, in both loops
// and under every overflow.
func TestWorkloads(t *testing.T) {
	file, err := workflow.Parse([]byte(`{"name": "two", "schemaVersion": "1.5", "workflow": {"specification": {"tasks": [
		{"id": "a", "name": "a", "parents": [], "children": ["b"]}, {"id": "b", "name": "b", "parents": ["a"], "children": []}]},
		"execution": {"makespanInSeconds": 0.002, "tasks": [{"id": "a", "runtimeInSeconds": 0.001}, {"id": "b", "runtimeInSeconds": 0.001}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	slow := loadgen.Work{A: time.Millisecond, Sleep: true}
	tight := runtime.Config{WorkflowActors: 1, TaskActors: 1, MailboxCapacity: 1, MaxRuns: 3}
	with := func(o runtime.Overflow) runtime.Config { c := tight; c.Overflow = o; return c }
	tests := []struct {
		name string
		c    loadgen.Config
		want func(*loadgen.Result) bool
	}{
		{"noop", loadgen.Config{Rate: 5000}, func(r *loadgen.Result) bool { return r.Done > 100 && r.Warmup > 0 }},
		{"chain", loadgen.Config{Rate: 2000, Workload: loadgen.Workload{Workflow: "chain:5", Work: loadgen.Work{A: 2000}, Payload: 64}}, func(r *loadgen.Result) bool { return r.TaskTime.P50 >= 5e-6 }},
		{"fan", loadgen.Config{Rate: 500, Workload: loadgen.Workload{Workflow: "fan:20", Hot: 1.1}}, func(r *loadgen.Result) bool { return r.Done > 100 }},
		{"diamond", loadgen.Config{Concurrency: 4, Workload: loadgen.Workload{Workflow: "diamond"}}, func(r *loadgen.Result) bool { return r.Done > 100 && r.Latency.P50 > 0 }},
		{"failing", loadgen.Config{Rate: 2000, Workload: loadgen.Workload{Workflow: "diamond", Fail: .3, Panic: .2}}, func(r *loadgen.Result) bool {
			return float64(r.Failed) > .25*float64(r.Sent) && float64(r.Failed) < .65*float64(r.Sent)
		}},
		{"file", loadgen.Config{Rate: 200, Workload: loadgen.Workload{Workflow: "two.json", Definition: file}}, func(r *loadgen.Result) bool { return r.TaskTime.P50 > 1.9e-3 && r.Done > 10 }},
		{"synthetic file", loadgen.Config{Rate: 200, Workload: loadgen.Workload{Workflow: "two.json", Definition: file, Synthetic: true, Work: slow}}, func(r *loadgen.Result) bool { return r.TaskTime.P50 > 1.9e-3 }},
		{"fail", loadgen.Config{Rate: 5000, Runtime: with(runtime.OverflowFail), Workload: loadgen.Workload{Work: slow}}, func(r *loadgen.Result) bool { return r.Shed > 100 && r.Backpressure.Rejected == r.Shed }},
		{"wait", loadgen.Config{Rate: 1500, MaxInFlight: 50, Runtime: with(runtime.OverflowWait), Workload: loadgen.Workload{Work: slow}}, func(r *loadgen.Result) bool {
			return r.Shed == 0 && r.Backpressure.BlockedShare > .3 && r.Backpressure.Held > 0 && r.Unsent > 0
		}},
		{"drop-newest", loadgen.Config{Rate: 5000, Runtime: with(runtime.OverflowDropNewest), Workload: loadgen.Workload{Work: slow}}, func(r *loadgen.Result) bool { return r.Shed > 100 && r.Backpressure.Dropped == r.Shed }},
		{"drop-oldest", loadgen.Config{Rate: 5000, Runtime: with(runtime.OverflowDropOldest), Workload: loadgen.Workload{Work: slow}}, func(r *loadgen.Result) bool { return r.Shed > 100 && r.Backpressure.Dropped == r.Shed }},
		{"closed", loadgen.Config{Concurrency: 9, Runtime: with(runtime.OverflowDefault), Workload: loadgen.Workload{Work: slow}}, func(r *loadgen.Result) bool { return r.Shed == 0 && r.Backpressure.MostInFlight <= 3 }},
		{"workiva", loadgen.Config{Rate: 2000, Runtime: runtime.Config{MailboxKind: "workiva"}}, func(r *loadgen.Result) bool { return r.Done > 100 && r.Load.MailboxKind == "workiva" }},
		{"burst", loadgen.Config{Rate: 2000, Arrivals: loadgen.Arrivals{Kind: "burst", Burst: 100}}, func(r *loadgen.Result) bool { return r.Sent == 500 && r.Done == 500 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := test.c
			c.Duration, c.Warmup = 300*time.Millisecond, 20*time.Millisecond
			if test.name == "fail" || strings.HasPrefix(test.name, "drop") || test.name == "wait" {
				c.Warmup = 0 // refused and dropped count from the start
			}
			if r := run(t, c); !test.want(r) {
				text := new(bytes.Buffer)
				_ = r.WriteText(text)
				t.Errorf("unexpected result:\n%s", text)
			}
		})
	}
}

// TestRequests: exactly as many are sent as asked for, and no more time is taken.
func TestRequests(t *testing.T) {
	for _, c := range []loadgen.Config{{Rate: 100_000, Requests: 777}, {Concurrency: 5, Requests: 777}} {
		if r := run(t, c); r.Sent != 777 || r.Done != 777 || r.Seconds <= 0 || r.Seconds > 10 {
			t.Errorf("sent %d, done %d in %v s; want 777", r.Sent, r.Done, r.Seconds)
		}
	}
}

// TestInterrupt: a context that ends ends the sending, and what was measured is
// there.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, err := loadgen.Run(ctx, loadgen.Config{Rate: 1000, Duration: time.Hour, Live: func(s loadgen.Snapshot) {
		if s.Done > 0 {
			cancel()
		}
	}})
	if err != nil || !r.Interrupted || r.Done == 0 || r.CheckAccounting() != "" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestStuckTarget: requests that do not end are cancelled after the drain, and the
// run ends.
func TestStuckTarget(t *testing.T) {
	target := loadgen.TargetFunc(func(ctx context.Context, r *loadgen.Request) error {
		if r.Index%2 == 0 {
			<-ctx.Done()
		}
		return ctx.Err()
	})
	for _, c := range []loadgen.Config{{Rate: 1000}, {Concurrency: 3}, {Rate: 1000, MaxInFlight: 2}} {
		c.Duration, c.Drain, c.Target = 50*time.Millisecond, 20*time.Millisecond, target
		if r := run(t, c); r.Failed == 0 {
			t.Errorf("%+v: nothing failed", r.Load)
		}
	}
}

// TestAbort: a threshold with an abort time ends the run.
func TestAbort(t *testing.T) {
	th, err := loadgen.ParseThreshold("errors<1%:abort@100ms")
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	r := run(t, loadgen.Config{Rate: 1000, Duration: time.Hour, Thresholds: []loadgen.Threshold{th},
		Target: loadgen.TargetFunc(func(context.Context, *loadgen.Request) error { calls.Add(1); return errors.New("no") })})
	if r.FirstFailure != "no" {
		t.Errorf("first failure %q, want no", r.FirstFailure)
	}
	if r.Aborted != th.String() || r.OK() || r.Failed != uint64(calls.Load()) {
		t.Errorf("aborted %q, thresholds %+v, failed %d of %d", r.Aborted, r.Thresholds, r.Failed, calls.Load())
	}
}

// TestPanickingTarget: a panic harms its request only, and the verdict tells.
func TestPanickingTarget(t *testing.T) {
	r := run(t, loadgen.Config{Concurrency: 2, Requests: 10, Target: loadgen.TargetFunc(func(_ context.Context, r *loadgen.Request) error {
		if r.Index == 3 {
			panic("index 3")
		}
		return nil
	})})
	if r.Done != 9 || r.Failed != 1 || r.Trust.Verdict != loadgen.Suspect || !slices.Contains(r.Trust.Reasons, "the target panicked: index 3") {
		t.Errorf("done %d, failed %d, %+v", r.Done, r.Failed, r.Trust)
	}
}

// TestInterruptedGridAndSearch: what was measured until then can be written, also
// when that is nothing.
func TestInterruptedGridAndSearch(t *testing.T) {
	for _, after := range []int{0, 1} {
		ctx, cancel := context.WithCancel(t.Context())
		g, err := loadgen.Grid(ctx, loadgen.GridConfig{
			Base: loadgen.Config{Rate: 500, Duration: 100 * time.Millisecond}, Axes: []loadgen.Axis{{Name: "mailbox", Values: []string{"1", "2"}}},
			Progress: func(done, _ int, _ string) {
				if done == after {
					cancel()
				}
			},
		})
		cancel()
		if err != nil || !g.Interrupted || len(g.Cells) != after {
			t.Fatalf("%d cells, %v", len(g.Cells), err)
		}
		writeAll(t, g)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := loadgen.Search(ctx, loadgen.SearchConfig{Base: loadgen.Config{Duration: 100 * time.Millisecond, Thresholds: []loadgen.Threshold{threshold(t, "p99<5ms")}}})
	if err != nil || !s.Interrupted || s.Rate != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	writeAll(t, s)
}

// writeAll writes a report in every form.
func writeAll(t *testing.T, r interface {
	WriteText(io.Writer) error
	WriteJSON(io.Writer) error
	WriteBench(io.Writer) error
	WriteCSV(io.Writer) error
	WriteHTML(io.Writer) error
}) {
	t.Helper()
	for name, write := range map[string]func(io.Writer) error{"text": r.WriteText, "JSON": r.WriteJSON, "bench": r.WriteBench, "CSV": r.WriteCSV, "HTML": r.WriteHTML} {
		if err := write(io.Discard); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAudit: books that do not agree are told.
func TestAudit(t *testing.T) {
	for want, got := range map[string]string{
		"sent 10 is not done 8 + failed 1 + shed 0":       loadgen.Audit(10, 8, 1, 0, 8, 8, 0),
		"3 requests never ended":                          loadgen.Audit(10, 8, 1, 1, 8, 8, 3),
		"accepted 11 runs":                                loadgen.Audit(10, 10, 0, 0, 10, 11, 0),
		"counted 9 runs that succeeded, their callers 10": loadgen.Audit(10, 10, 0, 0, 9, 9, 0),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := loadgen.Audit(10, 10, 0, 0, 10, 10, 0); got != "" {
		t.Errorf("%q, want nothing", got)
	}
}

// TestRoundTrip: JSON is read back, and has at least what the schema promises.
func TestRoundTrip(t *testing.T) {
	r := run(t, loadgen.Config{Rate: 2000, Duration: 250 * time.Millisecond})
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	again, err := loadgen.ReadResult(b.Bytes())
	if err != nil || again.Done != r.Done || again.PlanHash != r.PlanHash || again.Latency != r.Latency {
		t.Errorf("%+v, %v", again, err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"schema", "sent", "done", "failed", "shed", "plan_hash", "latency_seconds", "uncorrected_seconds", "throughput", "backpressure", "cost", "trust", "environment"} {
		if _, ok := fields[f]; !ok {
			t.Errorf("no field %s", f)
		}
	}
	if _, err := loadgen.ReadResult([]byte(`{"schema": "other/9"}`)); !errors.Is(err, loadgen.ErrSchema) {
		t.Errorf("error %v, want ErrSchema", err)
	}
	// The log of intervals adds up to what was done.
	b.Reset()
	if err := r.WriteHistogramLog(&b); err != nil {
		t.Fatal(err)
	}
	reader, total := hdrhistogram.NewHistogramLogReader(&b), int64(0)
	for {
		h, err := reader.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		total += h.TotalCount()
	}
	if total != int64(r.Done) {
		t.Errorf("the log has %d latencies, the result %d", total, r.Done)
	}
}
