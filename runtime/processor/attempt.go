package processor

import (
	"context"
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

// An attempt is one execution of a task's body, or of one item of a Map. A
// retry uses the same record again.
//
// Ownership moves with phase, and only by CAS where two may want it:
//
//	queued   -> starting   task actor       it then makes the body's context
//	queued   -> dropped    workflow actor   its run ended first; the task actor that meets it only returns the credit
//	starting -> running    task actor       from here the body runs, unless its context has ended already
//	queued   -> running    task actor       the same of a lean task, whose context takes no time to make
//	running  -> finished   task actor       it then writes status, err, endedAt and the task's result, and replies or goes on
//	running  -> abandoned  workflow actor   the body ignored its context; this actor writes status, err and endedAt,
//	                                        and nothing that the body returns is read
//	finished -> queued     workflow actor   retry
//	finished -> advanced   task actor       it ended the task itself
//	running  -> advanced   task actor       the same of a lean task that succeeded
//
// The fields above fate are written by the workflow actor before it queues the
// attempt, those below it by the task actor before the step named there, as is actor. What a task that
// goes well touches comes first, so that it is one cache line together with what is before it in a taskState.
type attempt struct {
	run      *Run
	actor    *taskActor // before running
	next     *attempt   // in a list of claimed tasks on their way to the workflow actor
	task     int32
	item     int32 // of a Map, else -1
	number   int32 // from 1; a repetition counts anew
	turn     int32 // grows with each execution, so that a late timer is noticed
	phase    atomic.Uint32
	level    mailbox.Level
	listed   bool // in the ready list
	repeated bool // not the first iteration of a Repeat
	asking   bool // it executes the task's Ask, before its first attempt

	guarded  atomic.Bool // the breaker is owed a Done
	answer   bool        // of Ask: before the reply
	undone   int32       // runs that it consisted of and that were compensated
	sequence uint64
	queuedAt instant
	rank     float64          // of an attempt in a ready list by rank
	backOff  *scheduler.Timer // runs while the attempt waits to be tried again
	sub      *Run             // what the attempt consists of, while that runs; belongs to the workflow actor
	token    uint64           // of the breaker

	fate      atomic.Uint32   // of the task actor under an abandoned attempt: see taskActor.execute
	status    workflow.Status // before the reply
	arms      *armed          // before running; nil without a deadline and a heartbeat
	ctx       context.Context // before running; as the observer returned it. Nil without an observer
	startedAt instant         // before running
	firstAt   instant         // before running: startedAt of the first attempt of this task or item
	err       error           // before the reply
	endedAt   instant         // before the reply
}

const (
	phaseQueued uint32 = iota
	phaseStarting
	phaseRunning
	phaseFinished
	phaseAbandoned
	phaseDropped
	phaseAdvanced
)

const (
	fateOpen     uint32 = iota
	fateReplaced        // the workflow actor put a new task actor in its place
	fateReturned        // the body returned first, the task actor goes on
)

// plan returns the compiled task that the attempt executes.
func (a *attempt) plan() *workflow.TaskPlan { return &a.run.plan.Tasks[a.task] }

// state returns the task's state within its run.
func (a *attempt) state() *taskState { return &a.run.tasks[a.task] }

// release tells the breaker, if it is owed that, how the attempt ended.
func (a *attempt) release(outcome error) {
	if a.guarded.Swap(false) {
		a.tellBreaker(outcome)
	}
}

// tellBreaker contains a panic of the breaker: the attempt has ended, and its run has to go on.
func (a *attempt) tellBreaker(outcome error) {
	defer func() {
		if recover() != nil {
			a.run.p.count.panics.Add(1)
		}
	}()
	a.plan().Breaker.Done(a.token, outcome)
}

// abandonedOutcome is what the breaker is told about a body that was given up.
func abandonedOutcome(status workflow.Status) error {
	if status == workflow.StatusCancelled {
		return context.Canceled // says nothing about the resource
	}
	return context.DeadlineExceeded
}

// event describes the attempt for an observer. Give it back with release.
func (a *attempt) event() *Event {
	e := newEvent(a.run)
	e.Task, e.Item, e.Attempt = a.plan().Name, int(a.item), int(a.number)
	e.Queue = a.startedAt.since(a.queuedAt)
	if a.actor != nil {
		e.Actor = a.actor.index
	}
	if u := a.run.own.undoes; u != nil {
		e.Compensation, e.Item = true, int(u.item)
	}
	return e
}
