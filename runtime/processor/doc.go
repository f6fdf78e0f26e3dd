// Package processor executes compiled workflow plans on actors.
//
// A Processor admits runs within two bounds and hands each to one of its
// workflow actors, round robin. A workflow actor is an event-driven state
// machine: it owns the runs that it was given, thousands at once, never blocks
// and never polls. It hands ready tasks to task actors, which execute one task
// at a time behind a timeout and a panic barrier and answer with one reply.
//
//	Submit -> admission -> round robin -> workflowActor -> IdlePool -> taskActor
//	                                           ^                           |
//	                                           +--------- taskDone --------+
//
// Choose the package runtime, the front door, unless you build an engine of
// your own: it checks the configuration and gives typed results.
//
// What it never does: block a workflow actor, refuse a ready task, lose a reply,
// start a task before its dependencies have succeeded, or end a run before all
// of its tasks have ended. DESIGN.md says how.
package processor
