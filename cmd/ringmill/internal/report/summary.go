package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/columns"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// WriteSummary prints how a run ended, its times and, if it succeeded, how they
// compare with the least that any schedule could reach: no run is shorter than
// its critical path, nor than its work shared out evenly among the task actors.
func WriteSummary(w io.Writer, r runtime.Report, plan *workflow.Plan, taskActors int, style Style) {
	ending := style.paint(color(r.Status), r.Status.String())
	fmt.Fprintf(w, "%s %s: %s in %s\n", style.heading("RUN"), r.RunID, ending, Duration(r.Makespan))
	label := "error"
	for _, reason := range reasons(r) {
		fmt.Fprintf(w, "  %-14s %s\n", label, indent(Clean(reason), "                 "))
		label = ""
	}
	fmt.Fprintf(w, "  tasks          %s\n", tally(r.Tasks))
	if len(r.Compensations) > 0 {
		fmt.Fprintf(w, "  compensations  %s\n", tallyUndone(r.Compensations))
	}
	fmt.Fprintf(w, "  makespan       %s\n", Duration(r.Makespan))
	fmt.Fprintf(w, "  critical path  %s%s\n", Duration(r.CriticalPath), pathNames(r, plan, style))
	fmt.Fprintf(w, "  work           %s on %s\n", Duration(r.Work), Plural(taskActors, "task actor"))
	if bound := max(r.CriticalPath, r.Work/time.Duration(taskActors)); r.Status == workflow.StatusSucceeded && bound > 0 {
		fmt.Fprintf(w, "  bound          %s = max(critical path, work / task actors)\n", Duration(bound))
		if bound >= leastBound {
			fmt.Fprintf(w, "  ratio          %.2f = makespan / bound\n", float64(r.Makespan)/float64(bound))
		}
	}
}

// leastBound is below what a ratio says anything about schedules: starting and
// reporting a run takes about as long.
const leastBound = time.Millisecond

// reasons says why a run did not succeed, and below that why other tasks of it
// failed, without the names that the summary has already given.
func reasons(r runtime.Report) []string {
	return append(ownReasons(r), undoReasons(r.Compensations)...)
}

func ownReasons(r runtime.Report) []string {
	if r.Err == nil || cause(r.Err) == context.Canceled { // the status says so
		return nil
	}
	var blamed workflow.TaskError
	text := []string{cause(r.Err).Error()}
	if first := new(workflow.TaskError); errors.As(r.Err, &first) {
		blamed = *first
		text[0] = ofTask(blamed.Task, blamed.Attempt, blamed.Err)
	}
	left := 0
	for i := range r.Tasks {
		t := &r.Tasks[i]
		switch {
		case !failed(t.Status) || t.Err == nil || t.Name == blamed.Task:
		case len(text) > showFailed:
			left++
		default:
			text = append(text, ofTask(t.Name, t.Attempts, cause(t.Err)))
		}
	}
	if left > 0 {
		text = append(text, "… "+Plural(left, "more failed task"))
	}
	return text
}

func ofTask(name string, attempt int, err error) string {
	if attempt == 0 {
		return fmt.Sprintf("task %s: %v", name, err)
	}
	return fmt.Sprintf("task %s, attempt %d: %v", name, attempt, err)
}

// cause strips the wrappers that name the workflow, run and task.
func cause(err error) error {
	var failed *workflow.TaskError
	if errors.As(err, &failed) {
		return failed.Err
	}
	var ended *runtime.RunError
	if errors.As(err, &ended) {
		return ended.Err
	}
	return err
}

// tally counts the tasks by status, and what is behind that: "9: 7 succeeded, 1
// failed, 1 cancelled; 2 retries, 3 cache hits".
func tally(tasks []runtime.TaskReport) string {
	var counts [workflow.StatusTimedOut + 1]int
	retries, hits := 0, 0
	for i := range tasks {
		counts[tasks[i].Status]++
		retries += max(tasks[i].Attempts-1, 0)
		if tasks[i].Cached {
			hits++
		}
	}
	var parts []string
	for s, n := range counts {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", Number(n), workflow.Status(s)))
		}
	}
	text := Number(len(tasks)) + ": " + strings.Join(parts, ", ")
	var behind []string
	if retries == 1 {
		behind = append(behind, "1 retry")
	} else if retries > 1 {
		behind = append(behind, Number(retries)+" retries")
	}
	if hits > 0 {
		behind = append(behind, Plural(hits, "cache hit"))
	}
	if behind != nil {
		text += "; " + strings.Join(behind, ", ")
	}
	return text
}

// pathWidth is how much of the critical path a line shows at most, off a
// terminal.
const pathWidth = 160

// pathNames names the tasks of the critical path as far as there is room.
func pathNames(r runtime.Report, plan *workflow.Plan, style Style) string {
	_, path := plan.CriticalPath(func(i int) time.Duration { return r.Tasks[i].Run })
	room := pathWidth
	if style.Width > 0 {
		room = style.Width - len("  critical path  999ms  ")
	}
	more := func(n int) string { return fmt.Sprintf(" > … %d more", n) }
	text := ""
	for n, i := range path {
		next := text + " > " + Clean(plan.Tasks[i].Name)
		if n == 0 {
			next = Clean(plan.Tasks[i].Name)
		}
		left := len(path) - n - 1
		width := columns.Of(next)
		if left > 0 {
			width += columns.Of(more(left))
		}
		if width > room {
			if n == 0 {
				return "" // not even one fits
			}
			return "  " + text + more(left+1)
		}
		text = next
	}
	return "  " + text
}
