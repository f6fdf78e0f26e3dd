// Package runtime executes workflows, graphs of tasks, on actors with lock-free
// ring-buffer mailboxes, inside the process that embeds it.
//
// Define a workflow with the package [github.com/ringmill/ringmill/runtime/workflow],
// start a [Runtime] with [New], and run the definition with [Execute], which
// waits for the result, or [Start], which returns a [Run] at once. [Runtime.Stop]
// drains.
//
// Choosing sizes: TaskActors is how many tasks execute at once; raise it for
// tasks that wait (I/O), keep it near the number of cores for tasks that
// compute. WorkflowActors is how many goroutines may drive runs at the same
// time, not how many runs: each drives thousands. MaxRuns bounds the runs in
// flight, and MailboxCapacity how many may wait in one workflow actor's mailbox
// before it takes them up; when either is full, the caller of Execute waits and
// Start answers [ErrOverloaded].
//
// A run that fails or is cancelled undoes what its tasks have done, where they say how: see workflow.Compensate. A
// run with an [ID] happens once. Tests let time pass as they like, in a bubble of testing/synctest or with Config.Clock.
//
// What it never does: poll, block a worker on a full mailbox, lose a run that it
// accepted, let one task's panic or delay harm another run, or link a logger, a
// metrics library or a tracer: those plug in as an [Observer], see the packages
// below runtime/telemetry.
//
// The folder has the name of a package of the standard library; a file that
// needs both imports that one as goruntime.
package runtime
