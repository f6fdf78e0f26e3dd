package main

// actorSuites ask what the pages of the actors and the scheduler ask; the questions are in bench/savina.
var actorSuites = []suite{
	{
		name: "actors",
		about: "Actors beside a goroutine and a channel for each: the Savina-style questions of bench/savina. ns/op is per hop, " +
			"message, meeting, question, actor or tree; p50 and p99 include one reading of the clock.",
		dir:     "bench",
		bench:   "Actor/(PingPong|Counting|ForkJoin|Create|ThreadRing|Big|Chameneos|Skynet|Producers|RoundRobin|Ask|Memory)",
		side:    "impl",
		ours:    "ringmill",
		targets: actorTargets,
	},
	{
		name:  "actors-peers",
		about: "The same beside protoactor-go with its default, unbounded mailboxes, and the channel again in the same run.",
		dir:   "bench/peers",
		bench: "Actor/(PingPong|Counting|ForkJoin|Create|ThreadRing|Big|Chameneos|Skynet|Producers|RoundRobin|Ask|Memory)",
		side:  "impl",
		ours:  "ringmill",
		targets: []target{
			{row: "Actor/PingPong", other: "protoactor", factor: 1},
			{row: "Actor/Counting", other: "protoactor", factor: 1},
			{row: "Actor/ForkJoin", other: "protoactor", factor: 1},
			{row: "Actor/Create/wait=each", other: "protoactor", factor: 1},
			{row: "Actor/ThreadRing", other: "protoactor", factor: 1},
			{row: "Actor/Big", other: "protoactor", factor: 1},
			{row: "Actor/Chameneos", other: "protoactor", factor: 1},
			{row: "Actor/Producers/producers=4", other: "protoactor", factor: 1},
			{row: "Actor/Producers/producers=64", other: "protoactor", factor: 1},
			{row: "Actor/RoundRobin/members=50", other: "protoactor", factor: 1},
			{row: "Actor/Ask/inline=yes/load=none", other: "protoactor", factor: 1, metric: "p50-ns"},
			{row: "Actor/Memory/used=no", other: "protoactor", factor: 1, metric: "B/actor"},
		},
	},
	{
		name: "scheduler",
		about: "Executor, choice of a task actor, load, fairness and idling, beside goroutines and channels; see bench/savina. " +
			"ns/op is per hop, message or task; the waits of the quiet actor include one reading of the clock.",
		dir:   "bench",
		bench: "Actor/(UnderLoad|Dealt|PingPong|Flooded|Executor|ChooseTaskActor|Idle|QuietBesideHot)",
		side:  "impl",
		ours:  "ringmill",

		benchtime: "500ms", // with less, 100,000 actors are measured while most get their first message

		targets: []target{
			{row: "Actor/UnderLoad/actors=50", other: "goroutine-channel", factor: 1.7},
			{row: "Actor/UnderLoad/actors=1000", other: "goroutine-channel", factor: 2},
			{row: "Actor/UnderLoad/actors=100000", other: "goroutine-channel", factor: 6},
			{row: "Actor/Dealt/actors=50", other: "goroutine-channel", factor: 1.7},
			{row: "Actor/Dealt/actors=1000", other: "goroutine-channel", factor: 2},
			{row: "Actor/Dealt/actors=100000", other: "goroutine-channel", factor: 6},
			{row: "Actor/PingPong", other: "goroutine-channel", factor: 2.3},
			{row: "Actor/Flooded", other: "goroutine-channel", factor: 1},
			{row: "Actor/Executor", other: "goroutine-channel", factor: 1},
			{row: "Actor/ChooseTaskActor/path=idle", atMost: 100},
			{row: "Actor/ChooseTaskActor/path=queue", atMost: 100},
			{row: "Actor/Idle/actors=1000", metric: "cpu-us/s", atMost: 2000},
			{row: "Actor/QuietBesideHot/hot=1", metric: "p99-ns", atMost: 250_000},
		},
	},
	{
		name:  "scheduler-peers",
		about: "An empty task: our executor, ants.Submit for each, pond's Go for each, and a channel to two goroutines. Load beside protoactor-go.",
		dir:   "bench/peers",
		bench: "Actor/(Executor|UnderLoad|Flooded)",
		side:  "impl",
		ours:  "ringmill",

		benchtime: "500ms",

		targets: []target{
			{row: "Actor/Executor", other: "ants", factor: 8},
			{row: "Actor/Executor", other: "pond", factor: 2},
			{row: "Actor/Executor", other: "goroutine-channel", factor: 1},
		},
	},
}

// actorTargets are ratios; the absolute figures are for orientation.
var actorTargets = []target{
	{row: "Actor/PingPong", other: "goroutine-channel", factor: 2.3},
	{row: "Actor/Counting", other: "goroutine-channel", factor: 1},
	{row: "Actor/ForkJoin", other: "goroutine-channel", factor: 1},
	{row: "Actor/ThreadRing", other: "goroutine-channel", factor: 1},
	{row: "Actor/Big", other: "goroutine-channel", factor: 1},
	{row: "Actor/Chameneos", other: "goroutine-channel", factor: 1},
	{row: "Actor/Producers/producers=4", other: "goroutine-channel", factor: 1},
	{row: "Actor/Producers/producers=64", other: "goroutine-channel", factor: 1},
	{row: "Actor/RoundRobin/members=50", other: "goroutine-channel", factor: 1},
	{row: "Actor/Ask/inline=yes/load=none", other: "goroutine-channel", factor: 1 / 1.2, metric: "p50-ns"},
	{row: "Actor/Ask/inline=yes/load=pairs", other: "goroutine-channel", factor: 1 / 1.2, metric: "p50-ns"},
	{row: "Actor/Ask/inline=no/load=none", other: "goroutine-channel", factor: 1 / 1.2, metric: "p50-ns"},
	{row: "Actor/Create/wait=each", other: "goroutine-channel", factor: 1},
	{row: "Actor/Create/wait=end", other: "goroutine-channel", factor: 1},
	{row: "Actor/Memory/used=no", other: "goroutine-channel", factor: 1, metric: "B/actor"},

	{row: "Actor/PingPong", atMost: 65},
	{row: "Actor/Counting", atMost: 39},
	{row: "Actor/ForkJoin", atMost: 40},
	{row: "Actor/ThreadRing", atMost: 55},
	{row: "Actor/Big", atMost: 40},
	{row: "Actor/Chameneos", atMost: 300},
	{row: "Actor/Producers/producers=4", atMost: 40},
	{row: "Actor/Producers/producers=64", atMost: 45},
	{row: "Actor/RoundRobin/members=50", atMost: 45},
	{row: "Actor/Ask/inline=yes/load=none", metric: "p50-ns", atMost: 500},
	{row: "Actor/Ask/inline=yes/load=none", metric: "p99-ns", atMost: 1000},
	{row: "Actor/Ask/inline=yes/load=none", metric: "allocs/op", atMost: 0},
	{row: "Actor/Ask/inline=yes/load=pairs", metric: "p50-ns", atMost: 1000},
	{row: "Actor/Create/wait=each", atMost: 800},
	{row: "Actor/Create/wait=each", metric: "allocs/op", atMost: 5},
	{row: "Actor/Memory/used=no", metric: "B/actor", atMost: 512},
}
