package processor

import (
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

// A taskState is what a run knows of one task.
//
// A waiting task is claimed, by CAS of its status to ready, by whoever sees that
// pending is 0: the task actor that brought it there, or the workflow actor. The
// same CAS to cancelled is how an ending run takes it back. Afterwards the task
// belongs to the claimer, and then to whoever holds its attempt; see attempt.
type taskState struct {
	status   atomic.Uint32 // workflow.Status
	pending  atomic.Int32  // dependencies that have not ended yet; of a task with one dependency not used
	first    attempt       // of a task that is not a Map
	items    *itemsState   // of a Map, once it is ready
	loop     *loopState    // of a Repeat, after its first iteration
	held     *heldState    // what the task has taken from a cache or a limit
	failing  workflow.Status
	attempts int32
	deadline instant          // TaskTimeout
	timer    *scheduler.Timer // fires at deadline

	last     error // of the latest attempt that will be tried again
	cause    error
	queue    time.Duration
	run      time.Duration
	started  instant
	finished instant
	actor    int32

	_ [16]byte // what goes well touches the first of five cache lines only
}

// A loopState is the progress of a Repeat.
type loopState struct {
	iteration int // from 0
	previous  any // the result of the one before
}

// An itemsState is the progress of a Map.
type itemsState struct {
	workflow.Items
	attempts []*attempt // of the items handed out and not ended, by item
	live     int        // how many those are
	filling  bool       // nextItems is at work
	next     int        // first item that was not handed out
	done     int        // items that succeeded
}

// setStatus publishes a state of the task. Fields that belong to a final state
// are written before.
func (t *taskState) setStatus(s workflow.Status) { t.status.Store(uint32(s)) }

// move changes the state from one to another and reports whether it was the one.
func (t *taskState) move(from, to workflow.Status) bool {
	return t.status.CompareAndSwap(uint32(from), uint32(to))
}

// claim takes a task that waits for nothing any more; one caller gets it.
func (t *taskState) claim() bool { return t.move(workflow.StatusWaiting, workflow.StatusReady) }

// arrive counts one dependency of a waiting task as ended and reports whether that was the last.
func (t *taskState) arrive(plan *workflow.TaskPlan) bool {
	return len(plan.Deps) == 1 || t.pending.Add(-1) == 0
}

// ended reports whether the task has ended.
func (t *taskState) ended() bool { return workflow.Status(t.status.Load()).Ended() }

// each calls f for every attempt that may be queued or running.
func (t *taskState) each(f func(*attempt)) {
	switch {
	case t.ended() || workflow.Status(t.status.Load()) == workflow.StatusWaiting:
	case t.items != nil:
		for _, a := range t.items.attempts {
			if a != nil {
				f(a)
			}
		}
	default: // of a Map too that has not begun
		f(&t.first)
	}
}

// record notes the figures of an attempt that ended, for the report.
func (t *taskState) record(a *attempt) {
	t.attempts = max(t.attempts, a.number)
	t.actor = noActor
	if a.actor != nil { // else it was refused unrun, or is a run of another plan
		t.actor = int32(a.actor.index)
	}
	if t.started == 0 || a.firstAt < t.started {
		t.started = a.firstAt
	}
	t.finished = max(t.finished, a.endedAt)
	if t.items != nil {
		t.run = t.finished.since(t.started)
		if a.item == 0 {
			t.queue += a.startedAt.since(a.queuedAt)
		}
		return
	}
	t.queue += a.startedAt.since(a.queuedAt)
	t.run += a.endedAt.since(a.startedAt)
}

// noActor is the index of no task actor: that of a task that never began, that ran on a workflow actor, or that is a run of another
// plan.
const noActor = -1

func (t *taskState) report(name string, c *clock) TaskReport {
	rep := TaskReport{Name: name, Status: workflow.Status(t.status.Load())}
	if rep.Status.Ended() { // the other fields were written before
		rep.Attempts, rep.Queue, rep.Run = int(t.attempts), t.queue, t.run
		rep.Started, rep.Finished = c.time(t.started), c.time(t.finished)
		rep.Actor, rep.Err = int(t.actor), t.cause
		rep.Cached = t.held != nil && t.held.cached
		if rep.Attempts == 0 {
			rep.Actor = noActor
		}
	}
	return rep
}
