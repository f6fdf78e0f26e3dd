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
	{
		name: "policies-peers",
		about: "What a policy costs a call that goes well, beside failsafe-go: asked before, told afterwards. GuardedCalls: 100 calls in a row with a retry, a breaker " +
			"and a timeout each; ours are tasks of one workflow, so scheduling and reports are in it.",
		dir:   "bench/peers",
		bench: "^Benchmark(Policy|GuardedCalls)$",
		side:  "impl",
		ours:  "ringmill",
		targets: []target{
			{row: "Policy/policy=breaker", other: "failsafe-go", factor: 1},
			{row: "Policy/policy=concurrency", other: "failsafe-go", factor: 1},
			{row: "Policy/policy=rate", other: "failsafe-go", factor: 1},
			{row: "GuardedCalls/calls=100", other: "failsafe-go", factor: 1},
			{row: "Policy/policy=breaker", metric: "allocs/op", atMost: 0},
			{row: "Policy/policy=rate", metric: "allocs/op", atMost: 0},
		},
	},
}
