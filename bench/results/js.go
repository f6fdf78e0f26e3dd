package main

// jsSuites ask what the page of the JavaScript sandbox asks.
var jsSuites = []suite{{
	name: "js",
	about: "Scripts in a pristine global each: Ringmill restores a guest, goja makes a new runtime and runs a program that was compiled before. " +
		"goja-reused calls the same function in one runtime, where calls see each other: no isolation at all. All run on one goroutine, so that calls a second " +
		"and core are 1e9/ns. Transform: 1 KB of JSON in, filter, map and sort, JSON out. Stop: an endless loop with 10 ms, how much later the call came " +
		"back. Collection: runtime.GC while as many scripts as the engine lets compute loop without end, beside plain Go loops.",
	dir:   "bench/peers",
	bench: "Script",
	side:  "impl",
	ours:  "ringmill",
	tags:  "jsengine",
	targets: []target{
		{row: "Script/script=one", atMost: 8_000},
		{row: "Script/script=one", other: "goja", factor: 1},
		{row: "Script/script=transform1k", atMost: 125_000},
		{row: "Script/script=transform1k", other: "goja", factor: 1},
		{row: "Script/script=loop", other: "goja", factor: 1},
		{row: "Script/script=concat", other: "goja", factor: 1},
		{row: "ScriptStop", metric: "p99-late-us", atMost: 5_000},
		{row: "ScriptCollection", metric: "p99-us", atMost: 5_000},
		{row: "ScriptCollection", other: "goroutines", factor: 1, metric: "p99-us"},
	},
	benchtime: "300ms", // the engine starts within each
}}
