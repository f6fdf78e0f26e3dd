package processor

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

// A Run is one execution of a plan. Its methods are safe for concurrent use and
// do not block.
//
// The state machine, everything below owner, belongs to one workflow actor,
// except where a task actor that has finished a task moves the run on by itself:
// see taskActor.advance. What both touch is atomic. Others read the
// task and run states and the fields that were written before a final state.
//
// # How a run ends
//
// open counts what keeps the run from ending well: its sinks (tasks that nothing
// waits for) that have not ended, and the holds of those who are at work on it. Every
// task that has not ended, and every attempt that somebody holds, has a sink behind it,
// so while open > 0 the run and its state are there; whoever brings open to 0 ends it.
//
// A run that ends otherwise is ended by its workflow actor alone, which takes a hold for
// good before it moves ending: from then on nobody else can finish the run, and the workflow actor
// does so when it has seen every task ended.
//
// Invariants:
//
//	R1  ending moves once, from 0: to succeeded by whoever brought open to 0, to
//	    another state by the owner while it has a hold that it keeps
//	R2  after the last decrement of a counter that it was due (a successor's pending, or open) a task
//	    actor does not touch the run or its state again, except through a successor that it has claimed
//	R3  a task's state is final before ending is looked at, and ending is moved
//	    before the tasks are looked at: of a task that ends while its run does, at
//	    least one side notices
//	R4  whoever hands the run to its workflow actor (tell, post, runs) sets met while the run is open or linked, and nobody
//	    clears it: the caller that finds it unset after the end, and no timers, is the only one to have the run
type Run struct {
	plan     *workflow.Plan
	p        *Processor
	own      *runContext // what bodies may keep of it
	input    any
	level    workflow.Level // of tasks that have none of their own
	private  bool           // nobody can ask for its report
	deadline time.Time      // of the run; zero is none
	timeout  *timeoutError  // the cause when the deadline passes

	contexts []firstContext // of the tasks after those that have theirs in own
	bounds   []boundContext // of the tasks that have no more than a Timeout, by TaskPlan.Bound
	arms     []armed        // of the tasks that have a bound or a heartbeat, by TaskPlan.Arm

	cancelAsked atomic.Bool
	stage       atomic.Uint32 // waiting, begun, shed: who may still be shed
	place       *list.Element // in the processor's list of runs that may be shed
	status      atomic.Uint32 // workflow.Status

	over   atomic.Bool   // the run has ended and its place is free; not used of a caller's
	endMu  sync.Mutex    // guards done
	done   chan struct{} // made when asked for, closed when over
	caller *caller       // of Execute, else nil

	acceptedAt instant
	startedAt  instant
	endedAt    instant

	named      *namedRun // nil without an id of the caller's
	parent     *attempt  // of a run that is an attempt of another one's task; nil of all others
	parentTurn int32

	owner      *workflowActor
	previous   *Run // in the owner's list, under its runsMu
	next       *Run
	linked     bool
	gone       bool       // unlinked for good
	began      bool       // the workflow actor has taken it up
	timers     *runTimers // made when needed
	state      *runState  // nil once it was given back
	tasks      []taskState
	open       atomic.Int32  // see above
	ending     atomic.Uint32 // workflow.Status that the run is about to get, 0 while that is open
	ended      int           // of an ending run: tasks before this one have ended
	cause      error         // why it is ending; belongs to whoever moved ending
	failedTask bool          // cause is the TaskError of one of its tasks
	failure    error         // of the first task that failed in a run that went on
	abandoned  bool          // a body was given up and may still run
	saga       *saga         // nil until a task ends well that can be undone
	undone     atomic.Int32  // compensations that have ended
	undoTotal  atomic.Int32  // of those that are to be called; 0 until the run is being compensated
	retried    bool          // an attempt was not the first
	dropped    bool          // an attempt was dropped, and may still be in a queue
	met        atomic.Bool   // its workflow actor has heard of it, and may do so again: see meet
	cleared    bool          // its state is ready for another run, and still here

	output any
	err    error
}

// runTimers are the timers that few runs need.
type runTimers struct {
	deadline scheduler.Timer
	grace    scheduler.Timer // fires when cancelled bodies have had CancelGrace
}

// hold keeps the run from ending well until release, or for good; false when it has ended well.
func (r *Run) hold() bool {
	for {
		n := r.open.Load()
		if n == 0 {
			return false
		}
		if r.open.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release gives up a hold or an ended sink, and ends the run with the last one. The caller must not touch
// the run or its state afterwards.
func (r *Run) release() {
	if r.open.Add(-1) == 0 && r.ending.CompareAndSwap(0, uint32(workflow.StatusSucceeded)) {
		r.finish(workflow.StatusSucceeded)
	}
}

// rankOf returns how urgent a task is by its remaining path.
func (r *Run) rankOf(i int32) float64 {
	if ranks := r.state.ranks; ranks != nil {
		return ranks[i]
	}
	return r.plan.Tasks[i].Rank
}

// measure keeps what the tasks of a run that went well have taken, for the ranks of later runs.
func (r *Run) measure() {
	r.plan.Measured().Record(func(i int) (time.Duration, bool) {
		t := &r.tasks[i]
		return t.run, t.attempts > 0 && workflow.Status(t.status.Load()) == workflow.StatusSucceeded
	})
}

// levelOf returns the priority of a task.
func (r *Run) levelOf(i int) mailbox.Level {
	level := r.level
	if own := r.plan.Tasks[i].Level; own != 0 {
		level = own
	}
	return mailbox.Level(level - workflow.Critical)
}

const (
	stageWaiting uint32 = iota // no task has begun
	stageBegun
	stageShed
)

// ID returns the run's id: the one that the caller gave, else one that is
// unique among all runtimes.
func (r *Run) ID() string { return r.own.runID() }

// Done returns a channel that is closed when a run from Submit has ended. The first call makes
// it.
func (r *Run) Done() <-chan struct{} {
	r.endMu.Lock()
	defer r.endMu.Unlock()
	if r.done == nil {
		r.done = make(chan struct{})
		if r.over.Load() {
			close(r.done)
		}
	}
	return r.done
}

// Over reports whether Done is closed.
func (r *Run) Over() bool { return r.over.Load() }

// announce tells whoever waits that the run is over.
func (r *Run) announce() {
	if r.parent != nil {
		r.over.Store(true)
		r.owner.post(control{kind: subEnded, run: r.parent.run, attempt: r.parent, turn: r.parentTurn, sub: r})
		return
	}
	if r.caller != nil {
		r.caller.wake() // publishes the outcome; the caller may be gone with the run afterwards
		return
	}
	r.endMu.Lock()
	defer r.endMu.Unlock()
	r.over.Store(true) // publishes the outcome
	if r.done != nil {
		close(r.done)
	}
}

// Status returns the run's state now: pending, running, succeeded, failed or
// cancelled.
func (r *Run) Status() workflow.Status { return workflow.Status(r.status.Load()) }

// Outcome returns the run's output and error. It must be called when the run is
// over.
func (r *Run) Outcome() (any, error) { return r.output, r.err }

// Cancel asks the run to end: waiting tasks do not start, running ones see
// their context cancelled and are waited for during CancelGrace. The run ends
// as cancelled unless it ended otherwise first. Cancelling twice, or a run that
// has ended, does nothing.
func (r *Run) Cancel(cause error) {
	if r.Status().Ended() || !r.cancelAsked.CompareAndSwap(false, true) {
		return
	}
	r.own.cancel(cause) // running tasks see it at once, the state machine soon
	r.owner.post(control{kind: cancelRun, run: r, cause: cause})
}

// begin marks that a task of the run starts; false means that it was shed
// before.
func (r *Run) begin() bool {
	return r.stage.Load() == stageBegun ||
		r.stage.CompareAndSwap(stageWaiting, stageBegun) || r.stage.Load() == stageBegun
}

// A runView is what the functions of a plan see of their run.
type runView struct{ run *Run }

// RunID is part of workflow.View.
func (v runView) RunID() string { return v.run.ID() }

// Outcome is part of workflow.View. The task has ended, so its cause stays.
func (v runView) Outcome(i int) (workflow.Status, error) {
	t := &v.run.tasks[i]
	return workflow.Status(t.status.Load()), t.cause
}

// Progress counts the run's tasks by state.
type Progress struct {
	Tasks     int // all
	Running   int // executing or waiting for another attempt
	Succeeded int
	Failed    int // failed or timed out
	Ended     int // these and the skipped and cancelled ones

	Compensations int // to be called, once all tasks of a run that did not go well have ended
	Compensated   int // that have ended, well or not
}

// Progress returns the counts now. It looks at every task.
func (r *Run) Progress() Progress {
	p := Progress{Tasks: len(r.tasks), Compensations: int(r.undoTotal.Load()), Compensated: int(r.undone.Load())}
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

	Compensations []CompensationReport // in the order in which they were called
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
	Actor    int       // index of the task actor of the last attempt; -1 if it ran on none
	Err      error
	Cached   bool // the result is another execution's, of this run or another
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
		rep.Tasks[i] = r.tasks[i].report(r.plan.Tasks[i].Name, &r.p.clock)
		rep.Work += rep.Tasks[i].Run
	}
	if !rep.Status.Ended() {
		return rep
	}
	rep.Err, rep.Finished = r.err, r.p.clock.time(r.endedAt)
	rep.Makespan = r.endedAt.since(r.acceptedAt)
	if r.saga != nil {
		rep.Compensations = r.saga.reports
	}
	rep.CriticalPath, _ = r.plan.CriticalPath(func(i int) time.Duration { return rep.Tasks[i].Run })
	return rep
}
