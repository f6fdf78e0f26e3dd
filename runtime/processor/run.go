package processor

import (
	"container/list"
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// A Run is one execution of a plan. Its methods are safe for concurrent use and
// do not block.
//
// The state machine, everything below owner, belongs to one workflow actor.
// Others read the task and run states, which are atomic, and the fields that
// were written before a final state was stored.
type Run struct {
	plan     *workflow.Plan
	p        *Processor
	number   uint64
	id       string // given by the caller, or empty
	input    any
	deadline time.Time     // of the run; zero is none
	timeout  *timeoutError // the cause when the deadline passes

	ctx    context.Context
	cancel context.CancelCauseFunc

	cancelAsked atomic.Bool
	stage       atomic.Uint32 // waiting, begun, shed: who may still be shed
	place       *list.Element // in the processor's list of runs that may be shed
	status      atomic.Uint32 // workflow.Status
	done        chan struct{}

	acceptedAt time.Time
	startedAt  time.Time
	endedAt    time.Time

	owner     *workflowActor
	began     bool        // the workflow actor has taken it up
	timer     *time.Timer // fires at deadline
	previous  *Run        // in the owner's list
	next      *Run
	tasks     []taskState
	results   []any // by task; read by the bodies of dependents
	remaining int   // tasks that have not ended
	ending    workflow.Status
	cause     error // why it is ending
	abandoned bool  // a body was given up and may still run

	output any
	err    error
}

const (
	stageWaiting uint32 = iota // no task has begun
	stageBegun
	stageShed
)

// A taskState is what a run knows of one task.
type taskState struct {
	status   atomic.Uint32 // workflow.Status
	pending  int32         // dependencies that have not succeeded yet
	live     int32         // attempts that have not ended
	failing  workflow.Status
	attempts int32
	first    attempt // of a task that is not a Map
	items    *itemsState
	deadline time.Time   // TaskTimeout
	timer    *time.Timer // fires at deadline

	last     error // of the latest attempt that will be tried again
	cause    error
	queue    time.Duration
	run      time.Duration
	started  time.Time
	finished time.Time
	actor    int32
}

// An itemsState is the progress of a Map.
type itemsState struct {
	workflow.Items
	attempts []*attempt // of the items handed out and not ended, by item
	next     int        // first item that was not handed out
	done     int        // items that succeeded
}

// ID returns the run's id: the one that the caller gave, else one that is
// unique among all runtimes.
func (r *Run) ID() string {
	if r.id != "" {
		return r.id
	}
	return r.p.prefix + strconv.FormatUint(r.number, 36)
}

// Done returns a channel that is closed when the run has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// Status returns the run's state now: pending, running, succeeded, failed or
// cancelled.
func (r *Run) Status() workflow.Status { return workflow.Status(r.status.Load()) }

// Outcome returns the run's output and error. It must be called after Done is
// closed.
func (r *Run) Outcome() (any, error) { return r.output, r.err }

// Cancel asks the run to end: waiting tasks do not start, running ones see
// their context cancelled and are waited for during CancelGrace. The run ends
// as cancelled unless it ended otherwise first. Cancelling twice, or a run that
// has ended, does nothing.
func (r *Run) Cancel(cause error) {
	if r.Status().Ended() || !r.cancelAsked.CompareAndSwap(false, true) {
		return
	}
	r.cancel(cause) // running tasks see it at once, the state machine soon
	r.owner.post(control{kind: cancelRun, run: r, cause: cause})
}

// begin marks that a task of the run starts; false means that it was shed
// before.
func (r *Run) begin() bool {
	return r.stage.Load() == stageBegun ||
		r.stage.CompareAndSwap(stageWaiting, stageBegun) || r.stage.Load() == stageBegun
}

// Progress counts the run's tasks by state.
type Progress struct {
	Tasks     int // all
	Running   int // executing or waiting for another attempt
	Succeeded int
	Failed    int // failed or timed out
	Ended     int // these and the skipped and cancelled ones
}

// Progress returns the counts now. It looks at every task.
func (r *Run) Progress() Progress {
	p := Progress{Tasks: len(r.tasks)}
	for i := range r.tasks {
		s := workflow.Status(r.tasks[i].status.Load())
		switch s {
		case workflow.StatusRunning, workflow.StatusRetrying:
			p.Running++
		case workflow.StatusSucceeded:
			p.Succeeded++
		case workflow.StatusFailed, workflow.StatusTimedOut:
			p.Failed++
		}
		if s.Ended() {
			p.Ended++
		}
	}
	return p
}

// A Report tells how a run went. Times and durations are recorded only with
// Config.TaskTimings or an Observer. Of a run or task that has not ended it
// holds the name and the state.
type Report struct {
	Workflow     string
	RunID        string
	Status       workflow.Status
	Err          error
	Started      time.Time     // when it was accepted
	Finished     time.Time     // when it ended
	Makespan     time.Duration // from accepted to ended
	CriticalPath time.Duration // longest path through the tasks' run times
	Work         time.Duration // sum of the tasks' run times
	Tasks        []TaskReport  // in the order of the plan
}

// A TaskReport tells how a task went. Queue is the time that its attempts
// waited between being ready and beginning (of a Map: its first item); Run is
// the time that its bodies took, back-offs not counted (of a Map: from the
// start of its first item to the end of its last).
type TaskReport struct {
	Name     string
	Status   workflow.Status
	Attempts int // of a Map: the most that one item needed
	Queue    time.Duration
	Run      time.Duration
	Started  time.Time // of the first attempt
	Finished time.Time // of the last attempt
	Actor    int       // index of the task actor of the last attempt
	Err      error
}

// Report returns a snapshot.
func (r *Run) Report() Report {
	rep := Report{
		Workflow: r.plan.Name,
		RunID:    r.ID(),
		Status:   r.Status(),
		Started:  r.acceptedAt,
		Tasks:    make([]TaskReport, len(r.tasks)),
	}
	for i := range r.tasks {
		rep.Tasks[i] = r.tasks[i].report(r.plan.Tasks[i].Name)
		rep.Work += rep.Tasks[i].Run
	}
	if !rep.Status.Ended() {
		return rep
	}
	rep.Err, rep.Finished = r.err, r.endedAt
	rep.Makespan = r.endedAt.Sub(r.acceptedAt)
	rep.CriticalPath, _ = r.plan.CriticalPath(func(i int) time.Duration { return rep.Tasks[i].Run })
	return rep
}

func (t *taskState) report(name string) TaskReport {
	rep := TaskReport{Name: name, Status: workflow.Status(t.status.Load())}
	if rep.Status.Ended() { // the other fields were written before
		rep.Attempts, rep.Queue, rep.Run = int(t.attempts), t.queue, t.run
		rep.Started, rep.Finished = t.started, t.finished
		rep.Actor, rep.Err = int(t.actor), t.cause
	}
	return rep
}

// setStatus publishes a state of the task. Fields that belong to a final state
// are written before.
func (t *taskState) setStatus(s workflow.Status) { t.status.Store(uint32(s)) }

// ended reports whether the task has ended.
func (t *taskState) ended() bool { return workflow.Status(t.status.Load()).Ended() }

// each calls f for every attempt of the task that has not ended.
func (t *taskState) each(f func(*attempt)) {
	if t.live == 0 {
		return
	}
	if t.items == nil {
		f(&t.first)
		return
	}
	for _, a := range t.items.attempts {
		if a != nil {
			f(a)
		}
	}
}
