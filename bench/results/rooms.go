package main

// roomSuites are questions that a room asks about itself, with benchmarks that live beside its tests.
var roomSuites = []suite{
	{
		name: "dispatch",
		about: "One item from its arrival to the end of its turn under each policy of the task pool, 50 members: to one that is idle, or to the queue, " +
			"from which another item comes out. What the policies do to waiting is in `policies`.",
		dir:   "scheduler",
		bench: "Policy/path",
		side:  "policy",
		ours:  "idle",
		targets: []target{
			{row: "Policy/path=idle", atMost: 100},
			{row: "Policy/path=queue", atMost: 100},
			{row: "Policy/path=idle", metric: "allocs/op", atMost: 0},
			{row: "Policy/path=queue", metric: "allocs/op", atMost: 0},
		},
	},
	{
		name: "telemetry",
		about: "A run of one task that does nothing, without an observer and with each adapter: `nothing` is an observer that ignores what it is told, and so " +
			"the engine's own share; `quiet` is what a service has most of the time: metrics, logs that are not written, traces that are not sampled.",
		dir:   "runtime/telemetry",
		bench: "Execute/telemetry",
		side:  "telemetry",
		ours:  "off",
	},
}
