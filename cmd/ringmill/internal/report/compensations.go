package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// WriteCompensations prints a row for each compensation of a run, in the order in which they were called, or for the
// notable ones if there are many.
func WriteCompensations(w io.Writer, all []runtime.CompensationReport, style Style) {
	if len(all) == 0 {
		return
	}
	tasks := make([]runtime.TaskReport, len(all))
	for i := range all {
		tasks[i] = asTask(&all[i])
	}
	rows := notable(tasks)
	l := newLayout(max(nameWidth(tasks, rows), len("COMPENSATION OF")), style)
	fmt.Fprintln(w, style.heading(l.row("COMPENSATION OF", "STATUS   ", "ATTEMPTS", "QUEUE", "RUN", "ACTOR")))
	for _, i := range rows {
		writeRow(w, &tasks[i], l, style)
	}
	if left := len(tasks) - len(rows); left > 0 {
		fmt.Fprintf(w, "%s not shown: these ran longest or failed\n", Plural(left, "more compensation"))
	}
}

// asTask is a compensation as a row of a table.
func asTask(c *runtime.CompensationReport) runtime.TaskReport {
	t := runtime.TaskReport{
		Name: c.Task, Status: c.Status, Attempts: c.Attempts, Queue: c.Queue, Run: c.Run,
		Started: c.Started, Finished: c.Finished, Actor: c.Actor, Err: c.Err,
	}
	if c.Item >= 0 {
		t.Name = fmt.Sprintf("%s, item %d", c.Task, c.Item)
	}
	return t
}

// undoReasons says why compensations failed.
func undoReasons(all []runtime.CompensationReport) (text []string) {
	left := 0
	for i := range all {
		switch {
		case all[i].Err == nil:
		case len(text) == showFailed:
			left++
		default:
			t := asTask(&all[i])
			text = append(text, "compensation of "+ofTask(t.Name, t.Attempts, undoCause(t.Err)))
		}
	}
	if left > 0 {
		text = append(text, "… "+Plural(left, "more failed compensation"))
	}
	return text
}

// undoCause strips what names the run and the task.
func undoCause(err error) error {
	if failed, ok := errors.AsType[*workflow.CompensationError](err); ok {
		return failed.Err
	}
	return err
}

// tallyUndone counts compensations by status: "3: 2 succeeded, 1 failed".
func tallyUndone(all []runtime.CompensationReport) string {
	var counts [workflow.StatusTimedOut + 1]int
	for i := range all {
		counts[all[i].Status]++
	}
	var parts []string
	for s, n := range counts {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", Number(n), workflow.Status(s)))
		}
	}
	return Number(len(all)) + ": " + strings.Join(parts, ", ")
}
