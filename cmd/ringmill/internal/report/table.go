package report

import (
	"fmt"
	"io"
	"strconv"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/columns"
	"github.com/ringmill/ringmill/runtime"
)

// The columns of the table behind the name, and their widths.
const (
	statusWidth   = 9 // succeeded, timed_out
	attemptsWidth = 8 // the heading
	timeWidth     = 7
	actorWidth    = 5

	columnGap   = 2
	fixedWidth  = statusWidth + attemptsWidth + 2*timeWidth + actorWidth + 5*columnGap
	wantedNames = 16 // names may become that short before columns are left out
	leastNames  = 8
)

// WriteTable prints a row for each task, or for the notable ones if there are
// many.
func WriteTable(w io.Writer, tasks []runtime.TaskReport, style Style) {
	rows := notable(tasks)
	l := newLayout(nameWidth(tasks, rows), style)
	fmt.Fprintln(w, style.heading(l.row("TASK", "STATUS   ", "ATTEMPTS", "QUEUE", "RUN", "ACTOR")))
	for _, i := range rows {
		writeRow(w, &tasks[i], l, style)
	}
	if left := len(tasks) - len(rows); left > 0 {
		fmt.Fprintf(w, "%s not shown: these ran longest or failed\n", Plural(left, "more task"))
	}
}

func writeRow(w io.Writer, t *runtime.TaskReport, l layout, style Style) {
	queue, run, actor := Duration(t.Queue), Duration(t.Run), strconv.Itoa(t.Actor)
	if t.Started.IsZero() {
		queue, run, actor = "-", "-", "-"
	}
	if t.Actor < 0 { // inline
		actor = "-"
	}
	name := t.Status.String()
	if t.Cached {
		name = "cached"
	}
	status := style.paint(color(t.Status), pad(name, statusWidth))
	fmt.Fprintln(w, l.row(Clean(t.Name), status, Number(t.Attempts), queue, run, actor))
}

// A layout says which columns there is room for.
type layout struct {
	names        int // width of the names
	queue, actor bool
}

// newLayout leaves out the actor, then the time in the queue, before the names of a
// terminal's table become unreadable.
func newLayout(longest int, style Style) layout {
	l := layout{names: longest, queue: true, actor: true}
	if style.Width == 0 {
		return l
	}
	room, wanted := style.Width-fixedWidth, min(longest, wantedNames)
	if room < wanted {
		l.actor = false
		room += actorWidth + columnGap
	}
	if room < wanted {
		l.queue = false
		room += timeWidth + columnGap
	}
	l.names = min(longest, max(room, leastNames))
	return l
}

// row aligns the cells of a row; status is as wide as its column.
func (l layout) row(name, status, attempts, queue, run, actor string) string {
	const gap = "  "
	line := pad(Fit(name, l.names), l.names) + gap + status + gap + padLeft(attempts, attemptsWidth)
	if l.queue {
		line += gap + padLeft(queue, timeWidth)
	}
	line += gap + padLeft(run, timeWidth)
	if l.actor {
		line += gap + padLeft(actor, actorWidth)
	}
	return line
}

// nameWidth is the width of the longest name shown.
func nameWidth(tasks []runtime.TaskReport, rows []int) int {
	longest := len("TASK")
	for _, i := range rows {
		longest = max(longest, columns.Of(tasks[i].Name))
	}
	return longest
}
