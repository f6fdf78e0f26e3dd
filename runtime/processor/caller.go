package processor

import (
	"context"
	goruntime "runtime"
	"sync/atomic"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// A caller is a goroutine in Execute. It executes the Inline tasks of its own run itself, as long as those are all that
// is ready, and then waits for the end. It is used again for the next call.
//
//	running -> done                 the run ended before the caller slept
//	running -> asleep -> done       whoever ends the run wakes the caller
type caller struct {
	state atomic.Uint32
	woken chan struct{} // has room for one
	hand  taskActor
	roots []*attempt // kept for its memory
	spare *Run       // of an earlier call, to be used again; nil if there is none
}

const (
	callerRunning uint32 = iota
	callerAsleep
	callerDone
)

func newCaller(p *Processor) *caller {
	return &caller{woken: make(chan struct{}, 1), hand: taskActor{p: p, index: inlineIndex, caller: true}}
}

// callerYields is how often a caller lets others have its processor before it sleeps: a short run has ended by
// then, and neither has to sleep nor to be woken.
const callerYields = 2

// callerCrowd is how many runs in flight are so many that a caller sleeps at once: its own would not have ended after
// a few turns, which then only cost.
const callerCrowd = 128

// wait returns when the run has ended. When ctx ends first it cancels the run.
func (c *caller) wait(ctx context.Context, r *Run) {
	for i := 0; i < callerYields && c.state.Load() != callerDone && r.p.runs.taken.Load() <= callerCrowd; i++ {
		goruntime.Gosched()
	}
	if c.state.CompareAndSwap(callerRunning, callerAsleep) {
		if end := ctx.Done(); end == nil { // spare the select
			<-c.woken
		} else {
			select {
			case <-c.woken:
			case <-end:
				r.Cancel(Cause(ctx))
				<-c.woken
			}
		}
	}
	c.state.Store(callerRunning) // for the next one
}

// runOf returns a run of plan that is not begun: the caller's own one, used again, or a new one.
func (c *caller) runOf(p *Processor, plan *workflow.Plan) *Run {
	r := c.spare
	if r == nil {
		return &Run{plan: plan, p: p, caller: c, private: true}
	}
	c.spare = nil
	if r.plan != plan {
		if r.state != nil {
			r.giveStateBack()
		}
		r.plan = plan
	}
	return r
}

// reclaim keeps a run that is over for the caller's next call, with its state, if nobody else can still find it (R4): it went well, its
// workflow actor has never heard of it, and nothing of it has a timer. What bodies may have kept of such a run is its runContext, which
// is not used again.
func (c *caller) reclaim(r *Run) {
	if !r.cleared {
		return
	}
	if r.met.Load() || r.timers != nil || r.arms != nil {
		r.giveStateBack()
		return
	}
	r.reset()
	c.spare = r
}

// reclaimRefused keeps a run that was not admitted, of which nobody has heard, for the caller's next call.
func (c *caller) reclaimRefused(r *Run) {
	r.input = nil
	r.reset()
	c.spare = r
}

// reset makes a run that may be used again as it was before init, but for its state. What it leaves alone is either written by
// init and prepare, or by nobody in a run that ends as such a one does.
func (r *Run) reset() {
	r.own, r.contexts, r.bounds, r.owner = nil, nil, nil, nil
	r.output, r.err = nil, nil
	r.acceptedAt, r.startedAt, r.endedAt = 0, 0, 0
	r.stage.Store(stageWaiting)
	r.status.Store(0)
	r.ending.Store(0)
	r.began, r.gone, r.cleared = false, false, false
}

// meet notes that the run's workflow actor has heard of it.
func (r *Run) meet() {
	if !r.met.Load() {
		r.met.Store(true)
	}
}

// wake is the run's last act.
func (c *caller) wake() {
	if c.state.Swap(callerDone) == callerAsleep {
		c.woken <- struct{}{}
	}
}

// beginHere begins an admitted run on the calling goroutine, as workflowActor.begin does, if nothing about that takes
// judgement: its roots go to the task actors without a message to the workflow actor, which owns the run all the same,
// or, if all of them are Inline and the caller waits for the run, are left to that. It answers false if
// others wait, or there are not credits enough, or the workflow actor was shut down.
//
// A run that is shut down: shutdown is published and then looks at the runs, this lists the run and then looks for a
// shutdown, so one of the two sees the other.
func (p *Processor) beginHere(r *Run, w *workflowActor) bool {
	plan := r.plan
	inline := plan.InlineRoots && r.caller != nil
	credits := len(plan.Roots)
	if inline {
		credits = 1
	}
	if w.readyLen.Load() > 0 || w.waiting.taken.Load() > 0 || w.closed.Load() != nil {
		return false
	}
	if got := w.takeCredits(credits); got < credits {
		w.giveCredits(got)
		return false
	}
	r.owner = w
	r.prepare()
	r.began = true
	w.accepted.Add(1)
	if p.timed {
		r.startedAt = p.clock.now()
	}
	r.status.Store(uint32(workflow.StatusRunning))
	if p.cfg.Observer != nil {
		w.observeHere(r, credits)
	}
	c := r.caller
	if c == nil {
		c = p.callers.Get().(*caller)
		defer p.callers.Put(c)
	}
	roots := c.roots[:0]
	for _, i := range plan.Roots {
		t := &r.tasks[i]
		t.claim()
		roots = append(roots, &t.first)
	}
	// The sinks behind the claimed roots keep the run open, so the hold for its begin is given up at once. From here on
	// it may be cancelled, and then the roots are dropped, and when these are with the task actors it may end.
	r.open.Add(-1)
	if r.timeout != nil {
		r.startDeadline()
	}
	w.link(r)
	if cause := w.closed.Load(); cause != nil {
		w.post(control{kind: cancelRun, run: r, cause: *cause})
	}
	if inline {
		for _, a := range roots {
			c.hand.keepOne(a)
		}
	} else {
		c.hand.assign(w, roots)
	}
	clear(roots)
	c.roots = roots
	return true
}

// observeHere tells the observer of a run that begins on its caller's goroutine. If the observer ends that, which it must not, the run is
// left to the workflow actor to be cancelled.
func (w *workflowActor) observeHere(r *Run, credits int) {
	returned := false
	defer func() {
		if !returned {
			w.giveCredits(credits)
			w.link(r)
			w.post(control{kind: cancelRun, run: r, cause: errGoexit})
		}
	}()
	r.observeStart()
	returned = true
}

// execute runs the roots of the caller's run, if they were left to the caller, and what else of it is Inline.
func (c *caller) execute() {
	if a := c.hand.local.take(); a != nil {
		c.hand.begin(a.run.owner)
		c.hand.run(a)
	}
}

// startDeadline arms the timer of the run's bound.
func (r *Run) startDeadline() {
	t := r.ownTimers()
	t.deadline.Init(func() { r.Cancel(r.timeout) })
	r.p.wheel.StartAt(&t.deadline, r.deadline)
}
