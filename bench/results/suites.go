package main

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
}

// target asks that in one row the other side's ns/op is at least factor times ours.
type target struct {
	row    string // name of the benchmark without the side
	other  string
	factor float64
}

var suites = []suite{
	{
		name: "mailbox-peers",
		about: "Mailboxes against what else there is: 4 producers, 1 consumer, capacity 1024, a pointer as payload. ns/op is per message. " +
			"Wake: consumer and senders sleep when there is nothing to do; saturated, or never more than half full. " +
			"Spin: single sends, everybody yields and retries instead of sleeping. Batch: 16 messages a send.",
		dir:   "bench/peers",
		bench: "Mailbox",
		side:  "impl",
		ours:  "ringmill",
		targets: []target{
			{"MailboxWake/load=saturated", "chan", 1.5},
			{"MailboxWake/load=half", "chan", 1.6},
			{"MailboxWake/load=saturated", "protoactor", 2.6},
			{"MailboxWake/load=half", "protoactor", 1.5},
			{"MailboxSpin", "workiva", 0.85},
			{"MailboxSpin", "xsync", 0.85},
			{"MailboxBatch/batch=16", "chan", 5},
			{"MailboxBatch/batch=16", "xsync", 3.5},
		},
	},
	{
		name: "mailbox-kinds",
		about: "The selectable kinds of mailbox by producers, batch and payload at capacity 1024, saturated and half full. " +
			"Full and empty answers are retried after a yield.",
		dir:   "bench",
		bench: "MailboxThroughput/load=.*/kind=.*/capacity=1024/producers=(1|4|64)/batch=.*/payload=(pointer|64B)",
		side:  "kind",
		ours:  "mpsc",
	},
	{
		name:  "mailbox-capacity",
		about: "The selectable kinds by capacity, 4 producers, a pointer as payload, saturated.",
		dir:   "bench",
		bench: "MailboxThroughput/load=saturated/kind=.*/capacity=.*/producers=4/batch=.*/payload=pointer",
		side:  "kind",
		ours:  "mpsc",
	},
	{
		name: "mailbox-designs",
		about: "The ring beside designs that were built and not taken; see mailbox/DESIGN.md. " +
			"Only runs has exact capacities, Close and parking.",
		dir:   "bench",
		bench: "MailboxDesign",
		side:  "design",
		ours:  "runs",
	},
	{
		name:  "mailbox-latency",
		about: "One way from send to a consumer that has nothing else to do; p50 and p99 include reading the clock. Polling needs a core for each side.",
		dir:   "bench",
		bench: "MailboxLatency",
	},
	{
		name:  "mailbox-idle",
		about: "Bytes of a mailbox of the default capacity that nothing was sent to. Target: at most 256 for mpsc.",
		dir:   "bench",
		bench: "MailboxIdle",
	},
	{
		name:    "mailbox-priority",
		about:   "One push and one pop with a backlog of 64: no priority, four levels, a heap under a mutex.",
		dir:     "bench",
		bench:   "MailboxPriority",
		side:    "impl",
		ours:    "levels",
		targets: []target{{"MailboxPriority", "heap", 1}},
	},
	{
		name: "workflow",
		about: "Whole workflows of tasks that do nothing, one caller after the other: pure overhead. errgroup is a goroutine a task and " +
			"atomic in-degree counters by hand; channels is a goroutine and a done channel a task. Neither passes results, retries, " +
			"limits, or reports.",
		dir:   "bench",
		bench: "Workflow",
		side:  "impl",
		ours:  "ringmill",
	},
	{
		name:  "workflow-callers",
		about: "Workflows of three tasks from 1, 64 and 1,024 callers at once.",
		dir:   "bench",
		bench: "Callers",
		side:  "impl",
		ours:  "ringmill",
	},
}
