package report

import (
	"cmp"
	"slices"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// What is shown of a large run: every task up to showAll of them, else those
// that ran longest and those that failed.
const (
	showAll    = 40
	showLong   = 20
	showFailed = 20
)

// notable returns the positions of the tasks worth a row, in the order in which
// they are declared if all are, else the longest running first.
func notable(tasks []runtime.TaskReport) []int {
	all := make([]int, len(tasks))
	for i := range all {
		all[i] = i
	}
	if len(tasks) <= showAll {
		return all
	}
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(tasks[b].Run, tasks[a].Run) })
	picked := slices.Clone(all[:showLong])
	failures := 0
	for _, i := range all {
		if !failed(tasks[i].Status) || failures == showFailed {
			continue
		}
		failures++
		if !slices.Contains(picked, i) {
			picked = append(picked, i)
		}
	}
	return picked
}

func failed(s workflow.Status) bool {
	return s == workflow.StatusFailed || s == workflow.StatusTimedOut
}
