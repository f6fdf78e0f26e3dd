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
// The state machine, everything below owner, belongs to one workflow actor,
// except where a task actor that has finished a task goes straight on to its
// successor: see taskActor.advance. What both touch is atomic. Others read the
// task and run states and the fields that were written before a final state.
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

	acceptedAt instant
	startedAt  instant
	endedAt    instant

	owner      *workflowActor
	began      bool        // the workflow actor has taken it up
	timer      *time.Timer // fires at deadline
	grace      *time.Timer // fires when cancelled bodies have had CancelGrace
	previous   *Run        // in the owner's list
	next       *Run
	linked     bool
	tasks      []taskState
	results    []any         // by task; read by the bodies of dependents
	remaining  atomic.Int32  // tasks that have not ended
	ending     atomic.Uint32 // workflow.Status that the run is about to get, 0 while that is open; moves once, by CAS
	cause      error         // why it is ending; belongs to whoever moved ending
	failedTask bool          // cause is the TaskError of one of its tasks
	abandoned  bool          // a body was given up and may still run

	output any
	err    error
}

const (
	stageWaiting uint32 = iota // no task has begun
	stageBegun
	stageShed
)

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
		Started:  r.p.clock.time(r.acceptedAt),
		Tasks:    make([]TaskReport, len(r.tasks)),
	}
	for i := range r.tasks {
		rep.Tasks[i] = r.tasks[i].report(r.plan.Tasks[i].Name, r.p.clock)
		rep.Work += rep.Tasks[i].Run
	}
	if !rep.Status.Ended() {
		return rep
	}
	rep.Err, rep.Finished = r.err, r.p.clock.time(r.endedAt)
	rep.Makespan = r.endedAt.since(r.acceptedAt)
	rep.CriticalPath, _ = r.plan.CriticalPath(func(i int) time.Duration { return rep.Tasks[i].Run })
	return rep
}
