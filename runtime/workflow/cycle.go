package workflow

import (
	"fmt"
	"slices"
	"strings"
)

// findCycles returns cycles of a graph given by each task's dependencies: no two
// share a task, and there is one if and only if the graph has any. A cycle runs
// in the order of execution and begins with its task of the lowest index.
func findCycles(tasks []TaskPlan) [][]int {
	const (
		fresh = iota
		open  // on the path from the current root
		closed
	)
	state := make([]uint8, len(tasks))
	next := make([]int, len(tasks)) // the dependency to look at next
	reported := make([]bool, len(tasks))
	var cycles [][]int
	for root := range tasks {
		if state[root] != fresh {
			continue
		}
		// A stack of its own: a chain of a million tasks is a deep recursion.
		path := []int{root}
		state[root] = open
		for len(path) > 0 {
			task := path[len(path)-1]
			if next[task] == len(tasks[task].Deps) {
				state[task] = closed
				path = path[:len(path)-1]
				continue
			}
			dep := int(tasks[task].Deps[next[task]])
			next[task]++
			switch state[dep] {
			case fresh:
				state[dep] = open
				path = append(path, dep)
			case open:
				cycle := slices.Clone(path[slices.Index(path, dep):])
				if slices.ContainsFunc(cycle, func(t int) bool { return reported[t] }) {
					continue
				}
				for _, t := range cycle {
					reported[t] = true
				}
				cycles = append(cycles, inExecutionOrder(cycle))
			}
		}
	}
	return cycles
}

// inExecutionOrder turns a cycle of dependencies around and rotates it.
func inExecutionOrder(cycle []int) []int {
	slices.Reverse(cycle)
	first := slices.Index(cycle, slices.Min(cycle))
	return slices.Concat(cycle[first:], cycle[:first])
}

// maxShown bounds how many tasks of a cycle a message names.
const maxShown = 20

// cycleText prints a cycle as "a -> b -> a", a long one without its middle.
func cycleText(cycle []int, name func(task int) string) string {
	var names []string
	for i, task := range cycle {
		if left := len(cycle) - maxShown; left > 0 && i == maxShown/2 {
			names = append(names, fmt.Sprintf("(%d more)", left))
		} else if left > 0 && i > maxShown/2 && i < maxShown/2+left {
			continue
		} else {
			names = append(names, name(task))
		}
	}
	return strings.Join(append(names, name(cycle[0])), " -> ")
}
