package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/columns"
	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/telemetry/histogram"
	"github.com/ringmill/ringmill/runtime/workflow"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

var (
	start  = time.Date(2026, 5, 4, 12, 0, 0, 123456789, time.UTC)
	pipe   = report.Style{}
	narrow = report.Style{Width: 60}
	tiny   = report.Style{Width: 40}
	wide   = report.Style{Width: 120, Color: true}
)

// task returns one that began at a time after start, waited and ran.
func task(name string, status workflow.Status, at, queue, run time.Duration) runtime.TaskReport {
	return runtime.TaskReport{Name: name, Status: status, Attempts: 1, Queue: queue, Run: run,
		Started: start.Add(at), Finished: start.Add(at + run), Actor: 3}
}

// small is a run of four tasks of which one was retried, one failed, and one
// never began.
func small() runtime.Report {
	declined := fmt.Errorf("exit code 3: card\x1b[2J declined\nsee the log")
	retried := task("load_user", workflow.StatusSucceeded, 0, 12*time.Microsecond, 30*time.Millisecond)
	retried.Attempts, retried.Finished = 3, start.Add(80*time.Millisecond)
	charge := task("charge_the_card_of_the_user", workflow.StatusFailed, 90*time.Millisecond, 10*time.Millisecond, 110*time.Millisecond)
	charge.Err = declined
	return runtime.Report{
		Workflow: "checkout", RunID: "r-1", Status: workflow.StatusFailed,
		Err:     &workflow.TaskError{Workflow: "checkout", RunID: "r-1", Task: charge.Name, Attempt: 1, Err: declined},
		Started: start, Finished: start.Add(200 * time.Millisecond), Makespan: 200 * time.Millisecond,
		CriticalPath: 140 * time.Millisecond, Work: 190 * time.Millisecond,
		Tasks: []runtime.TaskReport{
			retried,
			task("load_items", workflow.StatusCancelled, 0, 0, 50*time.Millisecond),
			charge,
			{Name: "mail", Status: workflow.StatusCancelled, Err: context.Canceled},
		},
	}
}

// wideNames is small with names whose characters take two columns each.
func wideNames() runtime.Report {
	r := small()
	for i, name := range []string{"利用者", "注文", "カードへの請求を確認して記録する", "通知"} {
		r.Tasks[i].Name = name
	}
	r.Err = &workflow.TaskError{Task: r.Tasks[2].Name, Attempt: 1, Err: r.Tasks[2].Err}
	return r
}

// large is a run of n tasks of which every 100th failed.
func large(n int) runtime.Report {
	r := runtime.Report{Workflow: "wide", RunID: "r-2", Status: workflow.StatusFailed, Started: start, Makespan: 10 * time.Second}
	for i := range n {
		at := time.Duration(i) * 10 * time.Second / time.Duration(n)
		t := task(fmt.Sprintf("task_%04d_with_a_rather_long_name", i), workflow.StatusSucceeded, at, time.Millisecond, time.Duration(i)*time.Millisecond)
		if i%100 == 99 {
			t.Status, t.Err = workflow.StatusFailed, fmt.Errorf("no luck with %d", i)
		}
		r.Tasks = append(r.Tasks, t)
	}
	r.Err = &workflow.TaskError{Task: r.Tasks[99].Name, Attempt: 1, Err: r.Tasks[99].Err}
	return r
}

// succeeded is a chain of two tasks.
func succeeded() runtime.Report {
	return runtime.Report{
		Workflow: "chain", RunID: "r-3", Status: workflow.StatusSucceeded, Started: start,
		Makespan: 33 * time.Millisecond, CriticalPath: 30 * time.Millisecond, Work: 30 * time.Millisecond,
		Tasks: []runtime.TaskReport{
			task("first", workflow.StatusSucceeded, time.Millisecond, time.Millisecond, 10*time.Millisecond),
			task("second", workflow.StatusSucceeded, 12*time.Millisecond, time.Millisecond, 20*time.Millisecond),
		},
	}
}

// plan returns one of n tasks in a chain, named as in r.
func plan(r runtime.Report) *workflow.Plan {
	b := workflow.New[int](r.Workflow)
	step := b.Input()
	for i := range r.Tasks {
		step = workflow.Task(b, r.Tasks[i].Name, func(_ context.Context, n int) (int, error) { return n, nil }, step)
	}
	def, err := workflow.Build(b, step)
	if err != nil {
		panic(err)
	}
	return def.Plan()
}

// TestGolden holds what people see: pipes, narrow and wide terminals.
func TestGolden(t *testing.T) {
	full := func(r runtime.Report) func(io.Writer, report.Style) {
		return func(w io.Writer, s report.Style) {
			report.WriteTable(w, r.Tasks, s)
			fmt.Fprintln(w)
			report.WriteTimeline(w, r, s)
			fmt.Fprintln(w)
			report.WriteSummary(w, r, plan(r), 50, s)
		}
	}
	batch := report.Batch{Workflow: "checkout", Wanted: 10_000, Succeeded: 9_000, Failed: 3, Cancelled: 1, Elapsed: 3 * time.Second,
		First: errors.New("workflow checkout, run r-7, task charge, attempt 1: declined")}
	var latency histogram.Histogram
	for i := range 9004 {
		latency.Record(time.Duration(i) * time.Microsecond)
	}
	latency.AddTo(&batch.Latency)
	tests := []struct {
		name  string
		style report.Style
		write func(io.Writer, report.Style)
	}{
		{"small_pipe", pipe, full(small())},
		{"small_narrow", narrow, full(small())},
		{"small_wide", wide, full(small())},
		{"large_pipe", pipe, full(large(2000))},
		{"large_narrow", narrow, full(large(2000))},
		{"tiny_terminal", tiny, full(small())},
		{"wide_names", narrow, full(wideNames())},
		{"succeeded_pipe", pipe, full(succeeded())},
		{"batch_pipe", pipe, func(w io.Writer, s report.Style) { report.WriteBatch(w, batch, s) }},
		{"output_text", pipe, func(w io.Writer, s report.Style) { report.WriteOutput(w, json.RawMessage(`"two\nlines\n"`), s) }},
		{"output_object", pipe, func(w io.Writer, s report.Style) { report.WriteOutput(w, json.RawMessage(`{"a":[1,2]}`), s) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			test.write(&b, test.style)
			compare(t, filepath.Join("testdata", test.name+".golden"), b.Bytes())
			if test.style == narrow || test.style == tiny {
				checkWidth(t, b.String(), test.style.Width)
			}
		})
	}
}

// TestBatchOfOne: no run is said to have taken longer than all of them.
func TestBatchOfOne(t *testing.T) {
	batch := report.Batch{Workflow: "one", Wanted: 1, Succeeded: 1, Elapsed: 146 * time.Millisecond}
	var latency histogram.Histogram
	latency.Record(145 * time.Millisecond)
	latency.AddTo(&batch.Latency)
	var b bytes.Buffer
	report.WriteBatch(&b, batch, pipe)
	if want := "p99.9 146ms"; !strings.Contains(b.String(), want) {
		t.Errorf("got %s\nwant %s in it", b.String(), want)
	}
}

func compare(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: write it with go test -update, and read it", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update, then git diff); got\n%s", file, got)
	}
}

// checkWidth: tables and timelines fit the terminal. What comes behind them, such
// as an error, may wrap.
func checkWidth(t *testing.T, text string, width int) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "RUN ") {
			return
		}
		if n := columns.Of(line); n > width {
			t.Errorf("%d columns of %d: %s", n, width, line)
		}
	}
}

func TestObject(t *testing.T) {
	line, err := json.Marshal(report.NewObject(small(), json.RawMessage(`"unused"`), nil))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	compare(t, filepath.Join("testdata", "object.golden"), b.Bytes())
}

func TestObjectOfSuccessHasOutputAndNoError(t *testing.T) {
	o := report.NewObject(succeeded(), json.RawMessage(`42`), map[string]*report.Console{"first": {Text: "said\n"}})
	if string(o.Output) != "42" || o.Error != nil {
		t.Errorf("output %s, error %v", o.Output, o.Error)
	}
	if c := o.Tasks[0].Console; c == nil || c.Text != "said\n" || o.Tasks[1].Console != nil {
		t.Errorf("consoles %+v, %+v", c, o.Tasks[1].Console)
	}
}

func TestRefused(t *testing.T) {
	o := report.Refused("checkout", fmt.Errorf("no room: %w", runtime.ErrOverloaded))
	if o.Status != workflow.StatusFailed || o.Error.Class != "overloaded" || o.Tasks == nil {
		t.Errorf("%+v", o)
	}
	if o := report.Refused("checkout", context.Canceled); o.Status != workflow.StatusCancelled {
		t.Errorf("status %v, want cancelled", o.Status)
	}
}

func TestClass(t *testing.T) {
	of := func(err error) error { return &workflow.TaskError{Task: "charge", Attempt: 1, Err: err} }
	for want, err := range map[string]error{
		"task_error": of(errors.New("declined")),
		"panic":      of(&workflow.PanicError{Value: context.DeadlineExceeded}),
		"timeout":    of(context.DeadlineExceeded),
		"cancelled":  &runtime.RunError{Err: context.Canceled},
		"overloaded": &runtime.OverloadError{Bound: "MaxRuns", Limit: 1},
		"stopped":    runtime.ErrStopped,
		"error":      errors.New("out of ideas"),
	} {
		if got := report.Class(err); got != want {
			t.Errorf("Class(%v) = %s, want %s", err, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 1: "1ns", 999: "999ns", 1000: "1.00µs", 12_345: "12.3µs", 999_499: "999µs", 999_500: "1.00ms",
		99_949_999: "99.9ms", 99_950_000: "100ms", 999_499_999: "999ms", 999_500_000: "1.00s", 1_500_000_000: "1.50s",
		59_949 * time.Millisecond: "59.9s", 59_950 * time.Millisecond: "1m00s", 123 * time.Second: "2m03s",
		time.Hour - time.Millisecond: "1h00m", 25*time.Hour + 4*time.Minute: "25h04m", -time.Second: "-1.00s",
	} {
		if got := report.Duration(d); got != want {
			t.Errorf("Duration(%d) = %s, want %s", d, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := report.Number(n); got != want {
			t.Errorf("Number(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, test := range []struct {
		s     string
		width int
		want  string
	}{
		{"short", 5, "short"}, {"shorter", 5, "sh…er"}, {"shorter", 4, "sh…r"}, {"größer", 5, "gr…er"}, {"short", 1, "…"}, {"注文の確認", 10, "注文の確認"}, {"注文の確認", 9, "注文…確認"}, {"注文の確認", 6, "注…認"}, {"short", 0, ""},
	} {
		if got := report.Fit(test.s, test.width); got != test.want {
			t.Errorf("Fit(%q, %d) = %q, want %q", test.s, test.width, got, test.want)
		}
	}
}

// TestLongOutputIsCutOnATerminal: a pipe gets every line.
func TestLongOutputIsCutOnATerminal(t *testing.T) {
	output, _ := json.Marshal(strings.Repeat("line\n", 200))
	lines := func(s report.Style) int {
		var b bytes.Buffer
		report.WriteOutput(&b, output, s)
		return strings.Count(b.String(), "\n")
	}
	if n := lines(narrow); n != 52 {
		t.Errorf("%d lines on a terminal, want a heading, 50 and a note", n)
	}
	if n := lines(pipe); n != 201 {
		t.Errorf("%d lines on a pipe, want a heading and 200", n)
	}
}

func TestNothingToShow(t *testing.T) {
	var b bytes.Buffer
	report.WriteOutput(&b, json.RawMessage("null"), pipe)
	report.WriteTimeline(&b, runtime.Report{Tasks: []runtime.TaskReport{{Name: "mail"}}}, pipe)
	if b.Len() != 0 {
		t.Errorf("printed %q", b.String())
	}
}
