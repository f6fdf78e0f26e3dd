package processor

import (
	"cmp"
	"context"
	"runtime/debug"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A taskActor executes one attempt at a time on the blocking executor. While it
// executes, its bit in the idle pool is clear, so nobody else is given to it.
type taskActor struct {
	p     *Processor
	index int
	ref   actor.Ref[executeTask]
	hops  int // successors in a row that it went straight on to
}

// maxHops bounds how often in a row a task actor goes straight on to a successor:
// nobody else waits then, but its pool should be asked again some time.
const maxHops = 256

// receive executes the attempt that woke the actor, the successors that it can
// go straight on to, and then whatever waits in the pool, until it is idle again
// or was replaced.
func (t *taskActor) receive(c *actor.Context[executeTask], m executeTask) error {
	for a, ok := m.attempt, true; ok; {
		next, replaced := t.execute(a)
		switch {
		case replaced:
			c.Stop()
			return nil
		case next != nil:
			t.hops++
			a = next
		default:
			t.hops = 0
			a, ok = t.p.pool.Next(t.index)
		}
	}
	return nil
}

// execute runs the attempt's body and replies, unless it goes straight on to the
// attempt next. It answers replaced when the body overstayed its cancelled
// context and another actor took this one's place.
func (t *taskActor) execute(a *attempt) (next *attempt, replaced bool) {
	if !a.run.begin() || !a.phase.CompareAndSwap(phaseQueued, phaseStarting) {
		a.run.owner.tell(taskDone{a}) // shed or dropped: only the credit goes back
		return nil, false
	}
	ctx, release := t.prepare(a)
	defer release()
	a.phase.Store(phaseRunning)
	a.state().move(workflow.StatusReady, workflow.StatusRunning)

	returned := false
	defer func() {
		if !returned { // runtime.Goexit ends receive, so the next attempt comes by mail
			t.exited(a, ctx)
		}
	}()
	var result any
	err := ctx.Err()
	if err == nil { // else its run or its time ended while it waited
		result, err = call(ctx, a)
	}
	returned = true
	if !t.finish(a, result, err, ctx) {
		return nil, !t.comeBack(a)
	}
	return t.advance(a), false
}

// advance moves the run on after an attempt that this actor has finished. When
// the attempt ended its task well it does so here, and returns the successor that
// became ready to execute next, which takes the attempt's credit along. All else
// is the workflow actor's and goes there with the reply.
func (t *taskActor) advance(a *attempt) (next *attempt) {
	r := a.run
	if a.status != workflow.StatusSucceeded || a.item >= 0 || r.ending.Load() != 0 {
		r.owner.tell(taskDone{a})
		return nil
	}
	state := a.state()
	r.results[a.task], a.result = a.result, nil // before pending: successors read it
	state.record(a)
	a.phase.Store(phaseAdvanced)
	state.end(workflow.StatusSucceeded)

	var ready *taskState
	others := false
	for _, s := range r.plan.Tasks[a.task].Succs {
		if r.tasks[s].pending.Add(-1) == 0 {
			if ready == nil {
				ready = &r.tasks[s]
			} else {
				others = true
			}
		}
	}
	if r.remaining.Add(-1) == 0 && r.ending.CompareAndSwap(0, uint32(workflow.StatusSucceeded)) {
		r.finish(workflow.StatusSucceeded)
		r.owner.tell(taskDone{a})
		return nil
	}
	if ready != nil && t.mayGoOn(ready) {
		next = t.goOn(a, ready, others)
	}
	if next == nil || others { // else the credit goes along
		r.owner.tell(taskDone{a})
	}
	return next
}

// goOn claims a successor to execute it next. When there are others, which the
// workflow actor hands out when it has the reply, that takes another credit.
func (t *taskActor) goOn(a *attempt, ready *taskState, others bool) *attempt {
	w := a.run.owner
	if others && !w.takeCredit() {
		return nil
	}
	if !ready.claim() {
		a.spareCredit = others // goes back with the reply
		return nil
	}
	next := &ready.first
	if next.timed() {
		next.queuedAt = t.p.clock.now()
	}
	w.started.Add(1)
	return next
}

// mayGoOn reports whether this actor may execute the successor now: only if no
// other attempt waits, which would be older or more urgent. Jumping the queue, even
// for a few successors, made the makespan of a recorded workflow 1.13 times that
// of first come first served.
func (t *taskActor) mayGoOn(ready *taskState) bool {
	if plan := ready.first.plan(); plan.Expand != nil || plan.TaskTimeout > 0 {
		return false // begins with the workflow actor
	}
	return t.hops < maxHops && !t.p.pool.Waits(t.index) && ready.first.run.owner.readyLen.Load() == 0
}

// exited is the end of a body that called runtime.Goexit.
func (t *taskActor) exited(a *attempt, ctx context.Context) {
	t.hops = 0
	switch {
	case t.finish(a, nil, errGoexit, ctx):
		a.run.owner.tell(taskDone{a})
		t.p.resume(t)
	case t.comeBack(a):
		t.p.resume(t)
	default:
		t.ref.Close()
	}
}

// prepare makes the context that the body sees and arms the timer that reports
// a body which ignores its deadline.
func (t *taskActor) prepare(a *attempt) (context.Context, func()) {
	ctx, release := a.run.ctx, func() {}
	a.actor = t
	if a.timed() {
		a.startedAt = t.p.clock.now()
		if a.number == 1 {
			a.firstAt = a.startedAt
		}
	}
	if deadline, _, _ := a.deadline(); deadline != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, t.p.clock.time(deadline))
		number := a.number
		stuck := time.AfterFunc(addDurations(deadline.since(a.startedAt), t.p.cfg.CancelGrace), func() {
			a.run.owner.post(control{kind: attemptStuck, run: a.run, attempt: a, number: number})
		})
		release = func() { stuck.Stop(); cancel() }
	}
	if obs := t.p.cfg.Observer; obs != nil {
		e := a.event()
		e.At = t.p.clock.time(a.startedAt)
		ctx = obs.AttemptStarted(ctx, e)
		e.release()
	}
	a.ctx = ctx
	return ctx, release
}

// call runs the body behind the panic barrier.
func call(ctx context.Context, a *attempt) (result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			a.run.p.count.panics.Add(1)
			result, err = nil, &workflow.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if a.item >= 0 {
		return nil, a.state().items.Run(ctx, int(a.item))
	}
	return a.plan().Run(ctx, workflow.Inputs{Input: a.run.input, Results: a.run.results})
}

// finish takes the attempt back from the body; false when it was abandoned
// meanwhile.
func (t *taskActor) finish(a *attempt, result any, err error, ctx context.Context) bool {
	if !a.phase.CompareAndSwap(phaseRunning, phaseFinished) {
		return false
	}
	a.result = result
	if a.timed() {
		a.endedAt = t.p.clock.now()
	}
	a.status, a.err = a.judge(ctx, err)
	t.observeEnd(a)
	return true
}

// judge says how an attempt ended whose body returned err. One that succeeds after
// its deadline is too late; one whose run is cancelled meanwhile is not.
func (a *attempt) judge(ctx context.Context, err error) (workflow.Status, error) {
	deadline, _, _ := a.deadline()
	late := deadline != 0 && a.endedAt >= deadline
	switch {
	case err == nil && !late:
		return workflow.StatusSucceeded, nil
	case a.run.ctx.Err() != nil:
		return workflow.StatusCancelled, cmp.Or(err, ctx.Err())
	case late || deadline != 0 && ctx.Err() != nil:
		return workflow.StatusTimedOut, a.timeout(err)
	}
	return workflow.StatusFailed, err
}

// comeBack is the end of a body that was given up. Whoever moves fate first
// decides whether this actor goes on (true) or its replacement does.
func (t *taskActor) comeBack(a *attempt) bool {
	t.p.notice(a, NoticeReturned)
	t.p.count.leaked.Add(-1)
	if a.fate.CompareAndSwap(fateOpen, fateReturned) {
		return true
	}
	t.p.sys.Executor(true).AddWorkers(-1)
	t.p.refill()
	return false
}

func (t *taskActor) observeEnd(a *attempt) {
	if obs := t.p.cfg.Observer; obs != nil {
		e := a.event()
		defer e.release()
		e.Status, e.Err = a.status, a.err
		e.At, e.Run = t.p.clock.time(a.endedAt), a.endedAt.since(a.startedAt)
		obs.AttemptEnded(a.ctx, e)
	}
}

// timed reports whether the attempt needs the clock.
func (a *attempt) timed() bool {
	t := a.plan()
	return a.run.p.timed || t.Timeout > 0 || t.TaskTimeout > 0 || t.Retry != nil
}

// deadline returns when the attempt must have ended, and which bound that is; 0
// if it may take as long as it likes.
func (a *attempt) deadline() (at instant, what string, limit time.Duration) {
	plan, task := a.plan(), a.state().deadline
	if plan.Timeout > 0 {
		if own := a.startedAt.after(plan.Timeout); task == 0 || own < task {
			return own, "attempt", plan.Timeout
		}
	}
	return task, "task", plan.TaskTimeout
}

// timeout returns the error of an attempt that did not keep its deadline; cause
// is what the body made of it.
func (a *attempt) timeout(cause error) *timeoutError {
	_, what, limit := a.deadline()
	return &timeoutError{what: what, limit: limit, err: cause}
}
