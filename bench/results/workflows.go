package main

import "slices"

// workflowSuites ask what a workflow costs beside what one writes by hand. The side inline marks all tasks Inline, so that
// the caller of Execute executes them itself; ringmill is everything through the actors.
var workflowSuites = []suite{
	{
		name: "workflow",
		about: "Whole workflows of tasks that do nothing, one caller after the other: pure overhead. inline is ours too, with all tasks marked Inline: the " +
			"caller of Execute executes them. errgroup is a goroutine a task and " +
			"atomic in-degree counters by hand; channels is a goroutine and a done channel a task. Neither passes results, retries, " +
			"limits, or reports.",
		dir:   "bench",
		bench: "Workflow",
		side:  "impl",
		ours:  "ringmill",
		targets: []target{
			{row: "Workflow/shape=chain-10", other: "errgroup", factor: 2},
			{row: "Workflow/shape=fan-1000", other: "errgroup", factor: 2.5},
			{row: "Workflow/shape=random-1000", other: "errgroup", factor: 2.5},
		},
	},
	{
		name:    "workflow-inline",
		about:   "The same with our Inline side as ours: the caller of Execute executes all tasks, no actor does.",
		dir:     "bench",
		bench:   "Workflow/shape=.*/impl=(inline|errgroup)",
		side:    "impl",
		ours:    "inline",
		targets: []target{{row: "Workflow/shape=chain-10", other: "errgroup", factor: 4}},
	},
	{
		name:  "workflow-callers",
		about: "Workflows of three tasks from 1, 64 and 1,024 callers at once; inline as in workflow.",
		dir:   "bench",
		bench: "Callers",
		side:  "impl",
		ours:  "ringmill",
		targets: []target{
			{row: "Callers/shape=chain-3/callers=1", other: "errgroup", factor: 2},
			{row: "Callers/shape=chain-3/callers=64", other: "errgroup", factor: 2},
			{row: "Callers/shape=chain-3/callers=1024", other: "errgroup", factor: 2},
		},
	},
	{
		name: "workflow-peers",
		about: "The rows of workflow and workflow-callers beside a conc.WaitGroup and a group of tasks on a pond pool of 50 workers, with the same in-degree " +
			"counters, and errgroup again in the same run.",
		dir:     "bench/peers",
		bench:   "(Workflow|Callers)",
		side:    "impl",
		ours:    "ringmill",
		targets: peerTargets("conc", "pond"),

		benchtime: "60ms",
	},
	{
		name: "workflow-tasks",
		about: "Of 100 tasks in a row: allocations of each, by how the workflow was made (yaml is a function that does nothing and " +
			"returns what is JSON already; typed hands a number on, which has to be kept), and what retries, a breaker and a timeout add to a task that succeeds.",
		dir:   "bench",
		bench: "TaskAllocs|Armed",
		targets: []target{
			{row: "TaskAllocs/tasks=yaml", metric: "allocs/task", atMost: 0.1},
			{row: "TaskAllocs/tasks=wfformat", metric: "allocs/task", atMost: 0.1},
			{row: "TaskAllocs/tasks=typed", metric: "allocs/task", atMost: 1},
			{row: "Armed", metric: "armed-ns/task", atMost: 150},
			{row: "Armed", metric: "armed-allocs/task", atMost: 0.02}, // a run has one for all of its tasks
		},
	},
	{
		name:    "workflow-inflight",
		about:   "1,000,000 runs of three tasks in flight on 50 task actors, the heap and stacks in use for each, handles included; ns/op is all of them, from start to end.",
		dir:     "bench",
		bench:   "RunsInFlight",
		targets: []target{{row: "RunsInFlight", metric: "B/run", atMost: 2048}},

		count:     2,
		benchtime: "1x",
	},
	{
		name: "makespan",
		about: "The recorded production workflows: makespans with 8 and 50 task actors when ready tasks are handed out first come first served, and when the one with the longest " +
			"remaining path goes first. Simulated without any overhead; in virtual time the engine takes at most 1.03 times as long (TestMakespan in bench).",
		compute: computeMakespan,
	},
}

func peerTargets(others ...string) (targets []target) {
	for _, row := range []string{"Workflow/shape=chain-10", "Workflow/shape=fan-1000", "Workflow/shape=random-1000", "Callers/shape=chain-3/callers=1", "Callers/shape=chain-3/callers=1024"} {
		for _, other := range others {
			targets = append(targets, target{row: row, other: other, factor: 1})
		}
	}
	return slices.Clip(targets)
}
