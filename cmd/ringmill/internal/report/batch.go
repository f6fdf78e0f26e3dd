package report

import (
	"fmt"
	"io"
	"time"

	"github.com/ringmill/ringmill/runtime/telemetry/histogram"
)

// A Batch is how many runs of one workflow went.
type Batch struct {
	Workflow                     string
	Wanted                       int64 // runs asked for
	Succeeded, Failed, Cancelled int64
	Elapsed                      time.Duration
	Latency                      histogram.Snapshot // of the runs, from asking for one to its end
	First                        error              // of the first run that failed
}

// WriteBatch prints the counts, the rate and the percentiles of the latency.
func WriteBatch(w io.Writer, b Batch, style Style) {
	ended := b.Succeeded + b.Failed + b.Cancelled
	fmt.Fprintf(w, "%s of %s: %s, %s, %s", style.heading(Plural(ended, "run")), Clean(b.Workflow),
		counted(style, green, b.Succeeded, "succeeded"), counted(style, red, b.Failed, "failed"), counted(style, yellow, b.Cancelled, "cancelled"))
	if left := b.Wanted - ended; left > 0 {
		fmt.Fprintf(w, ", %s not started", Number(left))
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "  elapsed  %s, %s runs/s\n", Duration(b.Elapsed), rate(ended, b.Elapsed))
	l := &b.Latency
	quantile := func(q float64) string { return Duration(min(l.Quantile(q), b.Elapsed)) } // it is estimated within a bucket, and no run took longer
	fmt.Fprintf(w, "  latency  p50 %s  p90 %s  p99 %s  p99.9 %s  mean %s\n", quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999), Duration(l.Mean()))
	if b.First != nil {
		fmt.Fprintf(w, "  first to fail: %s\n", indent(Clean(b.First.Error()), "    "))
	}
}

// counted paints a count that is not zero.
func counted(style Style, color string, n int64, what string) string {
	text := Number(n) + " " + what
	if n == 0 {
		return text
	}
	return style.paint(color, text)
}

// rate prints n per second, with a digit behind the point where it matters.
func rate(n int64, d time.Duration) string {
	if d <= 0 {
		return "0"
	}
	r := float64(n) / d.Seconds()
	if r < 100 {
		return fmt.Sprintf("%.1f", r)
	}
	return Number(int64(r))
}
