package metrics_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/telemetry/metrics"
	"github.com/ringmill/ringmill/runtime/workflow"
)

var _ processor.Observer = (*metrics.Observer)(nil)

func stats() processor.Stats {
	return processor.Stats{
		Accepted: 10, Succeeded: 5, Failed: 2, Cancelled: 1,
		RunsBound:    processor.BoundStats{Refused: 3, Shed: 1},
		MailboxBound: processor.BoundStats{Refused: 4, Waited: 6, WaitedTime: 1500 * time.Millisecond},
		InFlight:     2, MaxRuns: 100,
		AttemptsStarted: 40, Retries: 7, Panics: 8, Timeouts: 9, DeadLetters: 11, Leaked: 1, LeakBreakers: 2, LeakRefusals: 14,
		Ready: 12, Queued: 13, TaskActors: 50, IdleTaskActors: 48,
		Workflows: []processor.WorkflowActorStats{{Runs: 1, MailboxLen: 2, MailboxCap: 64}, {Runs: 1, MailboxLen: 3, MailboxCap: 64}},
	}
}

func TestStats(t *testing.T) {
	c := metrics.NewCollector(metrics.Config{Stats: stats})
	for name, want := range map[string]string{
		"ringmill_runs_total": `
			# HELP ringmill_runs_total Runs that ended, by how they did.
			# TYPE ringmill_runs_total counter
			ringmill_runs_total{status="cancelled"} 1
			ringmill_runs_total{status="failed"} 2
			ringmill_runs_total{status="succeeded"} 5
			`,
		"ringmill_admission_wait_seconds_total": `
			# HELP ringmill_admission_wait_seconds_total Time that callers waited for room, by the bound that was hit.
			# TYPE ringmill_admission_wait_seconds_total counter
			ringmill_admission_wait_seconds_total{bound="mailboxes"} 1.5
			ringmill_admission_wait_seconds_total{bound="max_runs"} 0
			`,
		"ringmill_task_actors": `
			# HELP ringmill_task_actors Task actors, by state.
			# TYPE ringmill_task_actors gauge
			ringmill_task_actors{state="busy"} 2
			ringmill_task_actors{state="idle"} 48
			`,
		"ringmill_leak_breakers_open": `
			# HELP ringmill_leak_breakers_open Tasks that are refused because as many bodies have leaked as may.
			# TYPE ringmill_leak_breakers_open gauge
			ringmill_leak_breakers_open 2
			`,
		"ringmill_leak_refusals_total": `
			# HELP ringmill_leak_refusals_total Attempts refused because as many bodies have leaked as may.
			# TYPE ringmill_leak_refusals_total counter
			ringmill_leak_refusals_total 14
			`,
		"ringmill_mailbox_messages": `
			# HELP ringmill_mailbox_messages Messages in the mailboxes of all workflow actors.
			# TYPE ringmill_mailbox_messages gauge
			ringmill_mailbox_messages 5
			`,
	} {
		if err := testutil.CollectAndCompare(c, strings.NewReader(want), name); err != nil {
			t.Error(err)
		}
	}
}

// TestLint: names, units and help texts follow the conventions, and no series
// is described twice or left undescribed (the pedantic registry checks that).
func TestLint(t *testing.T) {
	obs := metrics.NewObserver()
	observe(obs, 0)
	for _, perActor := range []bool{false, true} {
		c := metrics.NewCollector(metrics.Config{Stats: stats, Observer: obs, PerActor: perActor})
		problems, err := testutil.CollectAndLint(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
		reg := prometheus.NewPedanticRegistry()
		reg.MustRegister(c)
		if _, err := reg.Gather(); err != nil {
			t.Error(err)
		}
	}
}

func TestPerActorOnRequest(t *testing.T) {
	const name = "ringmill_workflow_actor_runs"
	if n := testutil.CollectAndCount(metrics.NewCollector(metrics.Config{Stats: stats}), name); n != 0 {
		t.Errorf("%d series of single actors, want none", n)
	}
	if n := testutil.CollectAndCount(metrics.NewCollector(metrics.Config{Stats: stats, PerActor: true}), name); n != 2 {
		t.Errorf("%d series of single actors, want 2", n)
	}
}

func TestZeroConfigReportsTheBuild(t *testing.T) {
	c := metrics.NewCollector(metrics.Config{})
	if n := testutil.CollectAndCount(c); n != 1 {
		t.Errorf("%d series, want ringmill_build_info only", n)
	}
	if n := testutil.CollectAndCount(c, "ringmill_build_info"); n != 1 {
		t.Error("no ringmill_build_info")
	}
}

// TestHistograms: what the observer was told comes out by status, in classic
// and native buckets that agree.
func TestHistograms(t *testing.T) {
	obs := metrics.NewObserver()
	ctx := t.Context()
	attempt := processor.Event{Item: -1, Attempt: 1, Queue: 3 * time.Millisecond, Run: time.Second}
	for i, status := range []workflow.Status{workflow.StatusSucceeded, workflow.StatusSucceeded, workflow.StatusFailed,
		workflow.StatusCancelled, workflow.StatusTimedOut} {
		attempt.Actor, attempt.Status = i, status
		obs.AttemptEnded(obs.AttemptStarted(ctx, &attempt), &attempt)
	}
	run := processor.Event{Item: -1, Status: workflow.StatusSucceeded, Run: 90 * time.Second}
	obs.RunEnded(obs.RunStarted(ctx, &run), &run)

	got := gather(t, metrics.NewCollector(metrics.Config{Observer: obs}))
	for _, want := range []struct {
		name, status string
		count        uint64
		sum          float64
	}{
		{"ringmill_task_queue_seconds", "", 5, 0.015},
		{"ringmill_task_run_seconds", "succeeded", 2, 2},
		{"ringmill_task_run_seconds", "failed", 1, 1},
		{"ringmill_task_run_seconds", "cancelled", 1, 1},
		{"ringmill_task_run_seconds", "timed_out", 1, 1},
		{"ringmill_run_queue_seconds", "", 1, 0},
		{"ringmill_run_duration_seconds", "succeeded", 1, 90},
		{"ringmill_run_duration_seconds", "failed", 0, 0},
	} {
		h := got[want.name+want.status]
		if h == nil || h.GetSampleCount() != want.count || h.GetSampleSum() != want.sum {
			t.Errorf("%s{%s}: got %v, want count %d, sum %g", want.name, want.status, h, want.count, want.sum)
		}
	}
	checkBuckets(t, got["ringmill_task_run_secondssucceeded"], 1.0, 2)
	checkBuckets(t, got["ringmill_run_duration_secondssucceeded"], 512, 1)
}

// checkBuckets: count durations lie in the classic bucket that ends at bound, and
// as many in native ones.
func checkBuckets(t *testing.T, h *dto.Histogram, bound float64, count uint64) {
	t.Helper()
	if n := len(h.GetBucket()); n != 22 {
		t.Errorf("%d classic buckets, want 22", n)
	}
	for _, b := range h.GetBucket() {
		want := uint64(0)
		if b.GetUpperBound() >= bound {
			want = count
		}
		if b.GetCumulativeCount() != want {
			t.Errorf("%d up to %g s, want %d", b.GetCumulativeCount(), b.GetUpperBound(), want)
		}
	}
	var native, current int64
	for _, delta := range h.GetPositiveDelta() {
		current += delta
		native += current
	}
	if uint64(native) != count {
		t.Errorf("%d in native buckets, want %d", native, count)
	}
}

// gather returns the collector's histograms by name and status.
func gather(t *testing.T, c prometheus.Collector) map[string]*dto.Histogram {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	histograms := make(map[string]*dto.Histogram)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			status := ""
			for _, l := range m.GetLabel() {
				status += l.GetValue()
			}
			if m.GetHistogram() != nil {
				histograms[f.GetName()+status] = m.GetHistogram()
			}
		}
	}
	return histograms
}

// TestConcurrentScrape: events and scrapes at the same time lose nothing.
func TestConcurrentScrape(t *testing.T) {
	const actors, each = 8, 500
	obs := metrics.NewObserver()
	c := metrics.NewCollector(metrics.Config{Observer: obs})
	var wg sync.WaitGroup
	for a := range actors {
		wg.Go(func() {
			for range each {
				observe(obs, a)
			}
		})
	}
	for range 20 {
		gather(t, c)
	}
	wg.Wait()
	if n := gather(t, c)["ringmill_task_run_secondssucceeded"].GetSampleCount(); n != actors*each {
		t.Errorf("%d attempts, want %d", n, actors*each)
	}
}

func observe(obs *metrics.Observer, actor int) {
	e := processor.Event{Workflow: "w", RunID: "r", Item: -1, Actor: actor, Queue: time.Microsecond}
	ctx := obs.RunStarted(context.Background(), &e)
	e.Task, e.Attempt = "t", 1
	attempt := obs.AttemptStarted(ctx, &e)
	e.Status, e.Run = workflow.StatusSucceeded, time.Millisecond
	obs.AttemptEnded(attempt, &e)
	e.Task, e.Attempt, e.Status, e.Err = "", 0, workflow.StatusFailed, errors.New("no")
	obs.RunEnded(ctx, &e)
}

func TestObserverDoesNotAllocate(t *testing.T) {
	obs := metrics.NewObserver()
	observe(obs, 3)
	if n := testing.AllocsPerRun(1000, func() { observe(obs, 3) }); n != 0 {
		t.Errorf("a run with one attempt allocates %v times", n)
	}
}

// BenchmarkAttempt: what measuring adds to a task attempt.
func BenchmarkAttempt(b *testing.B) {
	e := processor.Event{Workflow: "w", RunID: "r", Task: "t", Item: -1, Attempt: 1, Status: workflow.StatusSucceeded, Queue: time.Microsecond, Run: time.Millisecond}
	ctx := b.Context()
	for name, obs := range map[string]processor.Observer{"off": nil, "on": metrics.NewObserver()} {
		b.Run("metrics="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if obs != nil {
					obs.AttemptEnded(obs.AttemptStarted(ctx, &e), &e)
				}
			}
		})
	}
}

// BenchmarkScrape: what a scrape of a runtime of 60 actors costs, gathered and
// sorted by the registry but not yet written.
func BenchmarkScrape(b *testing.B) {
	obs := metrics.NewObserver()
	for a := range 60 {
		observe(obs, a)
	}
	s := stats()
	s.Workflows = make([]processor.WorkflowActorStats, 10)
	reg := prometheus.NewRegistry()
	reg.MustRegister(metrics.NewCollector(metrics.Config{Observer: obs, Stats: func() processor.Stats { return s }}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reg.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
