package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/columns"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// minBar is how narrow a timeline may get before it is left out.
const minBar = 16

// WriteTimeline prints when each task and each compensation waited and ran, as bars on
// a common time axis that fills the width. Of a large run it shows the same ones as the
// tables, in the order in which they began.
func WriteTimeline(w io.Writer, r runtime.Report, style Style) {
	bars := barsOf(r)
	if len(bars) == 0 || r.Makespan <= 0 {
		return
	}
	width, rows := cmp.Or(style.Width, pipeWidth), make([]int, len(bars))
	for i := range rows {
		rows[i] = i
	}
	names := min(nameWidth(bars, rows), width/2)
	if style.Width > 0 {
		names = min(names, max(width/3, leastNames))
	}
	axis := timeAxis{start: r.Started, span: r.Makespan, columns: width - names - len("  ||")}
	if axis.columns < minBar {
		return
	}
	writeLegend(w, legend(bars), names, width, style)
	fmt.Fprintf(w, "%s   %s\n", pad("", names), axis.labels())
	for i := range bars {
		t := &bars[i]
		fmt.Fprintf(w, "%s  |%s|\n", pad(Fit(Clean(t.Name), names), names), axis.bar(t, style))
	}
}

// barsOf returns what a timeline shows: tasks, then what undid them.
func barsOf(r runtime.Report) []runtime.TaskReport {
	undone := make([]runtime.TaskReport, len(r.Compensations))
	for i := range undone {
		undone[i] = asTask(&r.Compensations[i])
		undone[i].Name = "undo " + undone[i].Name
	}
	var bars []runtime.TaskReport
	for _, all := range [][]runtime.TaskReport{r.Tasks, undone} {
		for _, i := range notable(all) {
			if !all[i].Started.IsZero() {
				bars = append(bars, all[i])
			}
		}
	}
	slices.SortStableFunc(bars, func(a, b runtime.TaskReport) int { return a.Started.Compare(b.Started) })
	return bars
}

// How a bar is drawn; the signs tell endings apart without colours.
const (
	waitSign      = "░"
	runSign       = "█"
	failedSign    = "x"
	cancelledSign = "-"
)

func sign(s workflow.Status) string {
	switch {
	case s == workflow.StatusSucceeded:
		return runSign
	case failed(s):
		return failedSign
	}
	return cancelledSign
}

// writeLegend prints the title with the legend behind it: where the bars begin,
// or further left and on several lines if it needs the room.
func writeLegend(w io.Writer, parts []string, names, width int, style Style) {
	const title, gap = "TIMELINE", "  "
	indent := max(names, len(title)) + len(gap)
	if indent+columns.Of(strings.Join(parts, gap)) > width {
		indent = len(title) + len(gap)
	}
	fmt.Fprint(w, style.heading(title), pad("", indent-len(title)))
	line := parts[0]
	for _, part := range parts[1:] {
		if indent+columns.Of(line+gap+part) > width {
			fmt.Fprintf(w, "%s\n%s", style.paint(dim, line), pad("", indent))
			line = part
			continue
		}
		line += gap + part
	}
	fmt.Fprintln(w, style.paint(dim, line))
}

// legend explains the signs that occur. When the attempts of a task were is not
// recorded, so a bar reaches from the first to the last.
func legend(bars []runtime.TaskReport) []string {
	parts := []string{waitSign + " ready, waits", runSign + " runs"}
	var retried, bad, cancelled bool
	for i := range bars {
		retried = retried || bars[i].Attempts > 1
		switch sign(bars[i].Status) {
		case failedSign:
			bad = true
		case cancelledSign:
			cancelled = true
		}
	}
	if bad {
		parts = append(parts, failedSign+" fails")
	}
	if cancelled {
		parts = append(parts, cancelledSign+" cancelled")
	}
	if retried {
		parts = append(parts, "(with waits to retry)")
	}
	return parts
}

// A timeAxis maps times to columns.
type timeAxis struct {
	start   time.Time
	span    time.Duration
	columns int
}

// column returns where t lies, 0 to columns.
func (a timeAxis) column(t time.Time) int {
	x := float64(t.Sub(a.start)) / float64(a.span) * float64(a.columns)
	return min(max(int(x), 0), a.columns)
}

// bar draws one task. What is too short for a column still gets one.
func (a timeAxis) bar(t *runtime.TaskReport, style Style) string {
	from := min(a.column(t.Started), a.columns-1)
	to := a.columns
	if !t.Finished.IsZero() {
		to = max(a.column(t.Finished), from+1)
	}
	ready := from
	if t.Attempts == 1 { // Queue is the sum over all attempts: of several it cannot be placed
		ready = min(a.column(t.Started.Add(-t.Queue)), from)
	}
	return strings.Repeat(" ", ready) +
		style.paint(dim, strings.Repeat(waitSign, from-ready)) +
		style.paint(color(t.Status), strings.Repeat(sign(t.Status), to-from)) +
		strings.Repeat(" ", a.columns-to)
}

// labels prints the axis: 0s at the left, the middle if there is room, the end
// at the right.
func (a timeAxis) labels() string {
	middle, end := Duration(a.span/2), Duration(a.span)
	left := "0s"
	if a.columns >= 40 {
		left = pad(left, a.columns/2) + middle
	}
	return pad(left, a.columns-columns.Of(end)) + end
}
