package loadgen

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ErrNoHistogram reports a result that was read from a file: the histogram is in a
// file of its own.
var ErrNoHistogram = errors.New("loadgen: the result was read from a file and has no histogram")

// WriteHistogramLog writes the latencies of every interval as an HdrHistogram log,
// version 1.3 with V2 histograms, in nanoseconds.
func (r *Result) WriteHistogramLog(w io.Writer) error {
	if r.log == nil {
		return ErrNoHistogram
	}
	_, err := w.Write(r.log)
	return err
}

// WriteCSV writes the series, one interval a line; times are in seconds.
func (r *Result) WriteCSV(w io.Writer) error {
	rows := [][]string{{"t", "done", "failed", "shed", "throughput", "p50", "p99", "max", "mean", "in_flight", "mailboxes", "fullest", "ready"}}
	f := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, p := range r.Series {
		rows = append(rows, []string{
			f(p.At), strconv.FormatUint(p.Done, 10), strconv.FormatUint(p.Failed, 10), strconv.FormatUint(p.Shed, 10), f(p.Throughput),
			f(p.P50), f(p.P99), f(p.Max), f(p.Mean), strconv.Itoa(p.InFlight), strconv.Itoa(p.Mailboxes), f(p.Fullest), strconv.Itoa(p.Ready),
		})
	}
	return writeCSV(w, rows)
}

func writeCSV(w io.Writer, rows [][]string) error { return csv.NewWriter(w).WriteAll(rows) }

// WriteBench writes the samples in the Go benchmark format, for benchstat:
//
//	benchstat -row /mailbox -col /task-actors bench.txt
func (r *Result) WriteBench(w io.Writer) error {
	var b strings.Builder
	benchHeader(&b, r.Environment)
	r.benchLines(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// benchHeader has no revision: benchstat would put each one into a table of its own.
func benchHeader(b *strings.Builder, e Environment) {
	fmt.Fprintf(b, "goos: %s\ngoarch: %s\npkg: github.com/ringmill/ringmill/loadgen\n", e.OS, e.Arch)
	if e.CPU != "" {
		fmt.Fprintf(b, "cpu: %s\n", e.CPU)
	}
}

func (r *Result) benchLines(b *strings.Builder) {
	l := r.Load
	key := func(s string) string { // a name has no spaces, and a slash ends a key
		return strings.Map(func(c rune) rune {
			if c == ' ' || c == '/' || c == '=' {
				return '_'
			}
			return c
		}, s)
	}
	name := fmt.Sprintf("BenchmarkLoadgen/workflow=%s/work=%s", key(l.Workflow), key(l.Work))
	if l.Concurrency > 0 {
		name += fmt.Sprintf("/concurrency=%d", l.Concurrency)
	} else if l.Stages == "" {
		name += fmt.Sprintf("/rate=%g", l.Rate)
	}
	if l.TaskActors > 0 {
		name += fmt.Sprintf("/mailbox-kind=%s/mailbox=%d/workflow-actors=%d/task-actors=%d/policy=%s/schedule=%s/overflow=%s",
			l.MailboxKind, l.Mailbox, l.WorkflowActors, l.TaskActors, l.Policy, l.Schedule, l.Overflow)
	}
	for _, s := range r.Samples {
		fmt.Fprintf(b, "%s-%d\t%d\t%.0f ns/op\t%.0f p50-ns\t%.0f p99-ns\t%.1f runs/s\t%.0f cpu-ns/op\t%.2f allocs/op\t%.6f errors/op\n",
			name, max(1, r.Environment.GOMAXPROCS), max(1, r.Done), s.Mean*1e9, s.P50*1e9, s.P99*1e9, s.Throughput, s.CPUPerOp*1e9, s.AllocsOp, s.Errors)
	}
}
