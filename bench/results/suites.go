package main

import (
	"slices"
	"strings"
)

// suite is a set of benchmarks of one package that are measured together and make one section of the results.
type suite struct {
	name  string // of the section; "room: question"
	about string // what is measured, for the reader
	dir   string // of the package, which may be a module of its own
	bench string // for go test -bench

	// side is the key whose values are the sides that are compared, as impl in BenchmarkX/impl=chan, and ours is our value
	// of it. The benchmarks of a suite without sides are only listed.
	side, ours string
	targets    []target

	tags string // of the build; jsengine leaves the suite out where the engine was not fetched

	// Of a suite that needs more or less than 10 counts of 100ms; the command line decides first.
	count     int
	benchtime string

	tables  func(*strings.Builder, *measurement)    // if not nil, writes the section's tables in place of targets, losses and benchstat's
	plot    func(*measurement) []byte               // if not nil, draws bench/plots/NAME.svg
	compute func(suite) (section string, err error) // if not nil, there are no benchmarks: it makes the section
}

// target asks that in one row the other side's figure is at least factor times ours, or, without another side, that ours is
// not above atMost.
type target struct {
	row    string // name of the benchmark without the side
	other  string
	factor float64
	metric string // unit of the figure; ns/op if empty
	atMost float64
}

// label names the row and the figure.
func (t target) label() string {
	if t.metric == "" {
		return t.row
	}
	return t.row + ", " + t.metric
}

var suites = slices.Concat([]suite{
	{
		name: "mailbox-peers",
		about: "Mailboxes against what else there is: 4 producers, 1 consumer, capacity 1024, a pointer as payload. ns/op is per message. " +
			"Wake: the consumer sleeps when there is nothing to do, and senders when there is no room, but protoactor's, which yield and retry; " +
			"saturated, or never more than half full. " +
			"Spin: single sends, everybody yields and retries instead of sleeping, but the channel's sides, which block. Batch: 16 messages a send.",
		dir:   "bench/peers",
		bench: "Mailbox",
		side:  "impl",
		ours:  "ringmill",
		targets: []target{
			{row: "MailboxWake/load=saturated", other: "chan", factor: 1.5},
			{row: "MailboxWake/load=half", other: "chan", factor: 1.6},
			{row: "MailboxWake/load=saturated", other: "protoactor", factor: 2.6},
			{row: "MailboxWake/load=half", other: "protoactor", factor: 1.5},
			{row: "MailboxSpin", other: "workiva", factor: 0.85},
			{row: "MailboxSpin", other: "xsync", factor: 0.85},
			{row: "MailboxBatch/batch=16", other: "chan", factor: 5},
			{row: "MailboxBatch/batch=16", other: "xsync", factor: 3.5},
		},
	},
	{
		name: "mailbox-kinds",
		about: "The selectable kinds of mailbox by producers, batch and payload at capacity 1024, saturated and half full. " +
			"Full and empty answers are retried after a yield. The kind chan counts its senders so that Close loses nothing, two atomic additions a " +
			"message, and workiva counts places and messages, as the buffer's own Offer refuses falsely; mailbox-peers has both bare.",
		dir:   "bench",
		bench: "MailboxThroughput/load=.*/kind=.*/capacity=1024/producers=.*/batch=.*/payload=.*",
		side:  "kind",
		ours:  "mpsc",
		targets: []target{
			{row: "MailboxThroughput/load=saturated/capacity=1024/producers=4/batch=1/payload=int", metric: "allocs/op", atMost: 0},
			{row: "MailboxThroughput/load=saturated/capacity=1024/producers=4/batch=1/payload=pointer", metric: "allocs/op", atMost: 0},
			{row: "MailboxThroughput/load=saturated/capacity=1024/producers=4/batch=1/payload=64B", metric: "allocs/op", atMost: 0},
		},

		benchtime: "20ms", // 240 rows
	},
	{
		name: "mailbox-capacity",
		about: "The selectable kinds by capacity with 2, 4 and 8 producers, saturated; half full is in mailbox-kinds, at capacity 1024 only. " +
			"Full and empty answers are retried after a yield.",
		dir:   "bench",
		bench: "MailboxThroughput/load=saturated/kind=.*/capacity=.*/producers=(2|4|8)/batch=.*/payload=(int|pointer)",
		side:  "kind",
		ours:  "mpsc",

		benchtime: "20ms", // 240 rows
	},
	{
		name: "mailbox-wake",
		about: "Send, wake and drain: a mailbox whose consumer and senders sleep beside a channel, by producers, capacity 1024, a pointer as payload. " +
			"Saturated, or never more than half full.",
		dir:   "bench",
		bench: "MailboxWake",
		side:  "impl",
		ours:  "mailbox",
	},
	{
		name: "mailbox-designs",
		about: "The ring beside designs that were built and not taken; see mailbox/DESIGN.md. " +
			"Only runs has exact capacities, Close and parking. All that claim by CAS pause alike after a lost one.",
		dir:   "bench",
		bench: "MailboxDesign",
		side:  "design",
		ours:  "runs",
	},
	{
		name: "mailbox-latency",
		about: "One way from send to a consumer that has nothing else to do; p50, p99 and p99.9 include reading the clock. Polling needs a core for each side. " +
			"With wait=park messages follow each other so closely that the mailbox's consumer is often still in the one yield before it sleeps: not each of them wakes a thread.",
		dir:   "bench",
		bench: "MailboxLatency",

		benchtime: "500ms", // for the p99.9
	},
	{
		name: "mailbox-idle",
		about: "Bytes of a mailbox of the default capacity that nothing was sent to. " +
			"With sleeper=1 a goroutine has slept in Dequeue: its channel comes on top.",
		dir:   "bench",
		bench: "MailboxIdle",
		targets: []target{
			{row: "MailboxIdle/kind=mpsc", metric: "B/mailbox", atMost: 256},
			{row: "MailboxIdle/kind=mailbox", metric: "B/mailbox", atMost: 256},
		},
	},
	{
		name:    "mailbox-priority",
		about:   "One push and one pop with a backlog of 64: no priority, four levels, a heap under a mutex.",
		dir:     "bench",
		bench:   "MailboxPriority",
		side:    "impl",
		ours:    "levels",
		targets: []target{{row: "MailboxPriority", other: "heap", factor: 1}},
	},
	{
		name: "policies",
		about: "How long items wait under each policy of the task pool: 16 members, random arrivals at 50, 80 and 95 % of what they can do, 400,000 items. " +
			"Each cell is mean / p99 / p99.9 in mean task times. Simulated with the real policies and a fixed seed; the time of the simulation means nothing.",
		dir:   "scheduler",
		bench: "PolicyWait",
		side:  "policy",
		ours:  "idle",

		count:     1,
		benchtime: "1x",
		tables:    writePolicies,
	},
	{
		name: "sizing",
		about: "How scheduler.Sizer follows steps of the load: random arrivals of items of 50 ms, 2 to 500 members, a decision every 100 ms. " +
			"Simulated with the real Sizer and a fixed seed. Settled: from then on the mean wait is at most 5 ms for half a second.",
		compute: computeSizing,
	},
}, workflowSuites, backpressureSuites, roomSuites, actorSuites, jsSuites)
