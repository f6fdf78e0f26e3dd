package report

import (
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/ringmill/ringmill/runtime"
)

// The columns of the table behind the name, and their widths.
const (
	statusWidth   = 9 // succeeded, timed_out
	attemptsWidth = 8 // the heading
	timeWidth     = 7
	actorWidth    = 5

	fixedWidth   = statusWidth + attemptsWidth + 2*timeWidth + actorWidth + 5*columnGap
	columnGap    = 2
	minNameWidth = 8
)

// WriteTable prints a row for each task, or for the notable ones if there are
// many.
func WriteTable(w io.Writer, tasks []runtime.TaskReport, style Style) {
	rows := notable(tasks)
	names := nameWidth(tasks, rows, style, style.Width-fixedWidth)
	fmt.Fprintln(w, style.heading(row(pad("TASK", names), "STATUS   ", "ATTEMPTS", "  QUEUE", "    RUN", "ACTOR")))
	for _, i := range rows {
		writeRow(w, &tasks[i], names, style)
	}
	if left := len(tasks) - len(rows); left > 0 {
		fmt.Fprintf(w, "%s not shown: these ran longest or failed\n", Plural(left, "more task"))
	}
}

func writeRow(w io.Writer, t *runtime.TaskReport, names int, style Style) {
	queue, run, actor := Duration(t.Queue), Duration(t.Run), strconv.Itoa(t.Actor)
	if t.Started.IsZero() {
		queue, run, actor = "-", "-", "-"
	}
	fmt.Fprintln(w, row(
		pad(Fit(Clean(t.Name), names), names),
		style.paint(color(t.Status), pad(t.Status.String(), statusWidth)),
		padLeft(Number(t.Attempts), attemptsWidth),
		padLeft(queue, timeWidth),
		padLeft(run, timeWidth),
		padLeft(actor, actorWidth)))
}

func row(cells ...string) string {
	line := cells[0]
	for _, c := range cells[1:] {
		line += "  " + c
	}
	return line
}

// nameWidth is the width of the column of names: as wide as the longest one
// shown, but no wider than room on a terminal.
func nameWidth(tasks []runtime.TaskReport, rows []int, style Style, room int) int {
	longest := len("TASK")
	for _, i := range rows {
		longest = max(longest, utf8.RuneCountInString(tasks[i].Name))
	}
	if style.Width == 0 {
		return longest
	}
	return min(longest, max(room, minNameWidth))
}
