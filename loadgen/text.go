package loadgen

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the result for people, at most 100 columns wide. A suspect one
// says so in its first lines.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	r.text(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Result) text(b *strings.Builder) {
	if bad := r.CheckAccounting(); bad != "" {
		fmt.Fprintf(b, "BROKEN ACCOUNTING: %s. This is a defect of Ringmill: please report it.\n", bad)
	}
	if r.Trust.Verdict != Trusted {
		fmt.Fprintf(b, "SUSPECT: do not quote these figures.\n")
		for _, reason := range r.Trust.Reasons {
			fmt.Fprintf(b, "  - %s\n", reason)
		}
	}
	switch {
	case r.Aborted != "":
		fmt.Fprintf(b, "ABORTED by the threshold %s\n", r.Aborted)
	case r.Interrupted:
		fmt.Fprintf(b, "INTERRUPTED: the figures are of the time until then\n")
	}
	if c := r.Canon; c != nil {
		fmt.Fprintf(b, "%s  %s at full speed   p99 %s at 10,000/s\n", c.Name, perSecond(c.Throughput), seconds(c.P99))
		if c.Shortened {
			fmt.Fprintf(b, "         (shortened: compare it with nothing)\n")
		}
	}
	fmt.Fprintf(b, "%s\n", r.Load.load())
	if sizes := r.Load.sizes(); sizes != "" {
		fmt.Fprintf(b, "%-15s%s\n", "runtime", sizes)
	}
	fmt.Fprintf(b, "%-15s%s, seed %d\n\n", "plan", r.PlanHash, r.Load.Seed)

	row := func(name, format string, args ...any) {
		fmt.Fprintf(b, "%-15s"+format+"\n", append([]any{name}, args...)...)
	}
	if r.Load.Concurrency > 0 {
		row("throughput", "%s with %s clients during %s", perSecond(r.Throughput), count(uint64(r.Load.Concurrency)), seconds(r.Seconds))
	} else {
		of := 0.0
		if r.Offered > 0 {
			of = min(1, r.Throughput/r.Offered)
		}
		row("throughput", "%s of %s offered (%s) during %s", perSecond(r.Throughput), perSecond(r.Offered), percent(of), seconds(r.Seconds))
	}
	quantiles := func(q Quantiles) string {
		return fmt.Sprintf("p50 %-7s p90 %-7s p99 %-7s p99.9 %-7s max %s", seconds(q.P50), seconds(q.P90), seconds(q.P99), seconds(q.P999), seconds(q.Max))
	}
	row("latency", "%s", quantiles(r.Latency))
	if r.Load.Concurrency == 0 {
		row("  uncorrected", "%s", quantiles(r.Uncorrected))
	}
	queueing := ""
	if r.QueueShareP99 >= 0 {
		queueing = fmt.Sprintf("; %s of p99 is queueing and overhead", percent(r.QueueShareP99))
	}
	taskTime := "none: the tasks do nothing"
	if q := r.TaskTime; q.Max > 0 || r.Done == 0 {
		taskTime = fmt.Sprintf("p50 %s  p99 %s", seconds(q.P50), seconds(q.P99))
	}
	row("task time", "%s%s", taskTime, queueing)
	bp := r.Backpressure
	row("backpressure", "blocked %s  rejected %s  dropped %s  held %s", percent(bp.BlockedShare), count(bp.Rejected), count(bp.Dropped), count(bp.Held))
	row("", "fullest mailbox %s (%d of %d)  in flight %s  ready %s", percent(bp.FullestMailbox), bp.DeepestMailbox, r.Load.Mailbox,
		count(uint64(bp.MostInFlight)), count(uint64(bp.MostReady)))
	row("requests", "sent %s = done %s + failed %s + shed %s; unsent %s, warm-up %s", count(r.Sent), count(r.Done), count(r.Failed), count(r.Shed), count(r.Unsent), count(r.Warmup))
	if r.FirstFailure != "" {
		row("", "first failure: %s", strings.ReplaceAll(r.FirstFailure, "\n", " "))
	}
	c := r.Cost
	row("cost", "%s CPU/op  %.1f allocs/op  %.0f B/op  GC %s in %d cycles  %.2f cores", seconds(c.CPUSecondsPerOp), c.AllocsPerOp, c.BytesPerOp, percent(c.GCShare), c.GCCycles, c.CPUCores)
	for i, t := range r.Thresholds {
		name, verdict := "", "ok"
		if i == 0 {
			name = "thresholds"
		}
		if !t.OK {
			verdict = "FAILED"
		}
		row(name, "%-6s %s: %s", verdict, t.Threshold, t.value())
	}
	row("trust", "%s%s", r.Trust.Verdict, r.trustFigures())
	for _, note := range r.Trust.Notes {
		row("", "%s", note)
	}
}

// Title names the load and what it was sent to.
func (l Load) Title() string {
	if sizes := l.sizes(); sizes != "" {
		return l.load() + "; " + sizes
	}
	return l.load()
}

// sizes names the runtime; empty if the target was the caller's.
func (l Load) sizes() string {
	if l.TaskActors == 0 {
		return ""
	}
	return fmt.Sprintf("%d workflow actors x mailbox %d (%s), %d task actors (%s), overflow %s", l.WorkflowActors, l.Mailbox, l.MailboxKind, l.TaskActors, l.Policy, l.Overflow)
}

// load names the load.
func (l Load) load() string {
	what := l.Workflow
	if l.Work != "" && l.Work != "0" {
		what += ", work " + l.Work
	}
	load := fmt.Sprintf("%s %s", perSecond(l.Rate), l.Arrivals)
	switch {
	case l.Concurrency > 0:
		load = fmt.Sprintf("closed loop of %s", count(uint64(l.Concurrency)))
	case l.Stages != "":
		load = fmt.Sprintf("stages %s, %s", l.Stages, l.Arrivals)
	case l.Rate == 0:
		load = l.Arrivals
	}
	return what + ", " + load
}

// value prints the figure in the unit of the threshold.
func (t ThresholdResult) value() string {
	parsed, err := ParseThreshold(t.Threshold)
	switch {
	case err != nil:
		return digits(t.Value)
	case parsed.Metric == "throughput":
		return perSecond(t.Value)
	case parsed.Metric == "errors" || parsed.Metric == "blocked":
		return percent(t.Value)
	case parsed.Metric == "allocs/op":
		return digits(t.Value)
	}
	return seconds(t.Value)
}

func (r *Result) trustFigures() string {
	var parts []string
	if r.Load.Concurrency == 0 {
		parts = append(parts, fmt.Sprintf("lag p50 %s p99 %s p99.9 %s", seconds(r.Lag.P50), seconds(r.Lag.P99), seconds(r.Lag.P999)))
	}
	for _, f := range []struct {
		name  string
		value *float64
	}{{"foreign CPU", r.Trust.ForeignCPU}, {"steal", r.Trust.Steal}} {
		if f.value != nil {
			parts = append(parts, f.name+" "+percent(*f.value))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}
