// Package processor executes compiled workflow plans on actors.
//
// A Processor admits runs within two bounds and hands each to one of its
// workflow actors, round robin. A workflow actor is an event-driven state
// machine: it owns the runs that it was given, thousands at once, never blocks
// and never polls. It hands the first tasks to task actors, which execute one task
// at a time behind a timeout and a panic barrier. A task that succeeds releases its
// successors where it was executed; what takes judgement (failures, retries, conditions,
// Maps, caches, limits) goes back to the workflow actor.
//
//	Submit -> admission -> round robin -> workflowActor -> scheduler.Policy -> taskActor -+
//	                                           ^                   ^                      |
//	                                           |                   +---- successors ------+
//	                                           +------------------------ taskDone --------+
//
// Choose the package runtime, the front door, unless you build an engine of
// your own: it checks the configuration and gives typed results.
//
// What it never does: block a workflow actor, refuse a ready task, lose a reply,
// start a task before its dependencies have ended, or end a run before all
// of its tasks have. DESIGN.md says how.
package processor
