package loadgen

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ringmill/ringmill/runtime"
)

// bookkeeping is what the runtime counted.
type bookkeeping struct {
	accepted, succeeded, failed, cancelled, overloaded uint64
	defects                                            uint64
}

func booksOf(s runtime.Stats) bookkeeping {
	return bookkeeping{
		accepted: s.Accepted, succeeded: s.Succeeded, failed: s.Failed, cancelled: s.Cancelled, defects: s.Defects,
		overloaded: s.RunsBound.Refused + s.RunsBound.Shed + s.MailboxBound.Refused + s.MailboxBound.Shed,
	}
}

// audit compares the clients' books with the runtime's. Every request has ended
// when it is called; when some were cancelled, refusals may be counted differently.
func (s *session) audit(r *Result, lost uint64) string {
	if lost > 0 {
		return fmt.Sprintf("%d requests never ended", lost)
	}
	if r.Sent != r.Done+r.Failed+r.Shed {
		return fmt.Sprintf("sent %d is not done %d + failed %d + shed %d", r.Sent, r.Done, r.Failed, r.Shed)
	}
	if s.books == nil {
		return ""
	}
	b := s.books()
	done, shed := r.Done+s.warm[outcomeDone].Load(), r.Shed+s.warm[outcomeShed].Load()
	switch {
	case b.accepted != b.succeeded+b.failed+b.cancelled:
		return fmt.Sprintf("the runtime accepted %d runs, but %d succeeded + %d failed + %d were cancelled", b.accepted, b.succeeded, b.failed, b.cancelled)
	case b.succeeded != done:
		return fmt.Sprintf("the runtime counted %d runs that succeeded, their callers %d", b.succeeded, done)
	case b.overloaded != shed && !s.abandoned:
		return fmt.Sprintf("the runtime counted %d runs that it refused or dropped, their callers %d", b.overloaded, shed)
	case b.defects > 0:
		return fmt.Sprintf("the runtime counted %d defects of its own", b.defects)
	}
	return ""
}

// result joins everything that was measured.
func (s *session) result(startedAt time.Time, env Environment, lost uint64) *Result {
	t := s.total
	r := &Result{
		Schema: Schema, StartedAt: startedAt.UTC().Truncate(time.Millisecond), Load: s.loadOf(), PlanHash: PlanHash(s.cfg),
		Sent: s.sent.Load(), Done: t.done, Failed: t.failed, Shed: t.shed, Unsent: s.unsent, Warmup: s.warmSent.Load(),
		Latency: quantilesOf(t.latency), Uncorrected: quantilesOf(t.uncorrected), TaskTime: quantilesOf(t.service),
		QueueShareP99: t.queueShare(99), Lag: quantilesOf(s.lag), Environment: env,
		Interrupted: s.cut.Load(), Series: s.series, Thresholds: []ThresholdResult{},
		histogram: t.latency, log: s.log.Bytes(),
	}
	if f := s.failure.Load(); f != nil {
		r.FirstFailure = *f
	}
	if a := s.aborted.Load(); a != nil {
		r.Aborted = *a
	}
	// A plan that ran its course lasted as long as it says, and what was done later
	// is no throughput of its time.
	window, counted := s.cfg.Duration, t.inWindow
	if s.stop.Load() && !s.timeUp() || s.cfg.Duration == MaxDuration || s.cfg.Requests > 0 {
		window, counted = t.last, t.done
	}
	if window > s.cfg.Warmup {
		r.Seconds = (window - s.cfg.Warmup).Seconds()
		r.Throughput = float64(counted) / r.Seconds
		r.Offered = float64(r.Sent+r.Unsent) / r.Seconds
	}
	r.Backpressure = s.backpressure()
	if s.rt != nil {
		s.books = func() bookkeeping { return booksOf(s.rt.Stats()) }
	}
	r.AccountingError = s.audit(r, lost)
	r.Cost = s.cost()
	r.Curve = curveOf(t.latency)
	percentiles := []float64{50, 99}
	k := known{tally: t, throughput: r.Throughput, lag: r.Lag.P99, blocked: r.Backpressure.BlockedShare, allocs: r.Cost.AllocsPerOp}
	for _, th := range s.cfg.Thresholds {
		r.Thresholds = append(r.Thresholds, ThresholdResult{Threshold: th.String(), Value: k.value(th), OK: k.holds(th)})
		if p, ok := th.percentile(); ok {
			percentiles = append(percentiles, p)
		}
	}
	if s.cfg.blind {
		s.before.busy, s.before.pressure = -1, nil
	}
	r.Trust.GeneratorWait, r.Trust.GeneratorRank = s.sendWait, s.rank
	r.judge(s.before, s.after, unique(percentiles))
	if g, ok := s.target.(*guarded); ok && g.first.Load() != nil {
		r.Trust.Verdict = Suspect
		r.Trust.Reasons = append(r.Trust.Reasons, "the target panicked: "+*g.first.Load())
	}
	if t.clipped > 0 {
		r.Trust.Notes = append(r.Trust.Notes, fmt.Sprintf("%d latencies above 100 s count as 100 s", t.clipped))
	}
	r.Samples = []Sample{r.sample()}
	return r
}

// timeUp reports whether the plan's time is over.
func (s *session) timeUp() bool { return s.elapsed() >= s.cfg.Duration }

func unique(ps []float64) []float64 {
	var out []float64
	seen := map[float64]bool{}
	for _, p := range ps {
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

func (s *session) backpressure() Backpressure {
	b := Backpressure{
		Held: s.held, FullestMailbox: s.gauges.fullest, DeepestMailbox: s.gauges.deepest,
		MostInFlight: s.gauges.inFlight, MostReady: s.gauges.ready,
	}
	if s.rt == nil {
		return b
	}
	was, is := s.beforeStats, s.rt.Stats()
	for _, bound := range []struct{ was, is runtime.BoundStats }{{was.RunsBound, is.RunsBound}, {was.MailboxBound, is.MailboxBound}} {
		b.Blocked += bound.is.Waited - bound.was.Waited
		b.BlockedSeconds += (bound.is.WaitedTime - bound.was.WaitedTime).Seconds()
		b.Rejected += bound.is.Refused - bound.was.Refused
		b.Dropped += bound.is.Shed - bound.was.Shed
	}
	b.BlockedShare = min(1, share(b.Blocked, s.sent.Load()))
	return b
}

func (s *session) cost() Cost {
	elapsed := s.after.at.Sub(s.before.at).Seconds()
	sending := (s.sendEnd - s.sendBegin).Seconds()
	cpu := max(0, (s.after.ownCPU-s.before.ownCPU).Seconds()-sending)
	c := Cost{GCCycles: s.after.gcCycles - s.before.gcCycles}
	if elapsed > 0 {
		c.CPUCores, c.GeneratorCores = cpu/elapsed, sending/elapsed
	}
	// Both by the collector's clock: what the system says the process used is less while
	// others hold the cores, and would make the collector's part look larger.
	gc, used := s.after.gcCPU-s.before.gcCPU, s.after.usedCPU-s.before.usedCPU
	if rest := used - sending; gc > 0 && rest >= gc { // else the two clocks say nothing about it
		c.GCShare = gc / rest
	}
	if ops := float64(s.afterOps - s.beforeOps); ops > 0 {
		c.CPUSecondsPerOp = cpu / ops
		c.AllocsPerOp = float64(s.after.allocs-s.before.allocs) / ops
		c.BytesPerOp = float64(s.after.bytes-s.before.bytes) / ops
	}
	return c
}

func (s *session) loadOf() Load {
	c := s.cfg
	l := Load{
		Rate: c.Rate, Stages: formatStages(c.Stages), Arrivals: c.Arrivals.String(), Concurrency: c.Concurrency,
		DurationSeconds: c.Duration.Seconds(), WarmupSeconds: c.Warmup.Seconds(), Requests: c.Requests, Seed: c.Seed,
		MaxInFlight: c.MaxInFlight, Workflow: "a function of the caller",
	}
	if c.Concurrency > 0 {
		l.Arrivals, l.MaxInFlight = "closed loop", c.Concurrency
	}
	if s.rt != nil {
		w, rc := c.Workload, s.rt.Config()
		l.Workflow, l.Work, l.Fail, l.Panic, l.Payload, l.Hot = w.Workflow, w.Work.String(), w.Fail, w.Panic, w.Payload, w.Hot
		if w.timed() {
			l.Work = "as defined"
		}
		l.WorkflowActors, l.TaskActors, l.Mailbox, l.MailboxKind = rc.WorkflowActors, rc.TaskActors, rc.MailboxCapacity, rc.MailboxKind
		l.MaxRuns, l.Policy, l.Schedule, l.Overflow = rc.MaxRuns, rc.Policy, scheduleName(rc.Schedule), OverflowName(rc.Overflow)
	}
	return l
}

func scheduleName(s runtime.Schedule) string {
	switch s {
	case runtime.ScheduleCriticalPath:
		return "critical-path"
	case runtime.ScheduleMeasuredPath:
		return "measured-path"
	}
	return "fifo"
}

// OverflowName returns the word that runtime.ParseOverflow reads.
func OverflowName(o runtime.Overflow) string {
	for _, name := range []string{"default", "wait", "fail", "drop-newest", "drop-oldest"} {
		if p, err := runtime.ParseOverflow(name); err == nil && p == o {
			return name
		}
	}
	return "unknown"
}

// curveOf returns the percentile curve, densest near 100 %.
func curveOf(h *hdrhistogram.Histogram) []Curve {
	var out []Curve
	if h.TotalCount() == 0 {
		return []Curve{}
	}
	for _, b := range h.CumulativeDistributionWithTicks(8) {
		if n := len(out); n > 0 && out[n-1].Percentile == b.Quantile {
			continue
		}
		out = append(out, Curve{Percentile: b.Quantile, Seconds: float64(b.ValueAt) / 1e9})
	}
	return out
}
