package processor

import (
	"cmp"
	"context"
	goruntime "runtime"
	"runtime/debug"
	"sync/atomic"
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
	inRow int        // attempts since it last let others have the processor or became idle
	hops  int        // successors in a row that it went straight on to
	ready []*attempt // successors that advance has claimed, kept for its memory

	creditor *workflowActor // whom credits are owed
	owed     int
	begun    uint64 // inline attempts of its runs that are not counted as started yet

	inBody bool // a lean body runs: if that calls runtime.Goexit, see exit

	now   instant  // when the attempt ended from which it goes straight on, 0 if that was not timed
	watch overstay // of the bodies that have a Timeout

	caller bool         // it is the caller of Execute: see caller
	local  claimedTasks // of a caller: Inline ones that it executes itself, under one credit
}

const (
	// maxHops bounds how often in a row a task actor goes straight on to a successor:
	// nobody else waits then, but its pool should be asked again some time.
	maxHops = 256
	// yieldEvery is how many attempts in a row a task actor executes before it lets
	// other goroutines have the processor: short bodies would keep it for Go's 10 ms.
	yieldEvery = 128
)

// receive executes the attempt that woke the actor, the successors that it can
// go straight on to, and then whatever waits in the pool, until it is idle again
// or was replaced.
func (t *taskActor) receive(c *actor.Context[executeTask], m executeTask) error {
	a := m.attempt
	defer func() { t.exit(a) }()
	for ok := true; ok; {
		next, replaced := t.execute(a)
		switch {
		case replaced:
			t.settle()
			c.Stop()
			return nil
		case next != nil:
			t.hops++
			a = next
		default:
			t.hops, t.now = 0, 0
			a, ok = t.next()
		}
		if t.inRow++; t.inRow%yieldEvery == 0 {
			t.now = 0
			goruntime.Gosched()
		}
	}
	return nil
}

// inlineIndex is the index of what executes Inline tasks on a workflow actor or on the caller of Execute: it
// has no place in the pool.
const inlineIndex = -1

// run executes an Inline attempt on the goroutine of its workflow actor or its caller, and the Inline successors
// that it can go straight on to.
func (t *taskActor) run(a *attempt) {
	defer func() { t.exit(a) }()
	t.hops, t.now = 0, 0
	for a != nil {
		w := a.run.owner
		a, _ = t.execute(a) // never replaced: see abandon
		if a == nil && t.local.first != nil {
			t.now = 0
			a = t.goOn(w)
		}
		t.hops++
	}
	t.settle()
}

// goOn takes the next of a caller's own tasks after one whose credit went with a message, or hands them over when
// there is no credit.
func (t *taskActor) goOn(w *workflowActor) *attempt {
	if w.takeCredits(1) == 0 {
		t.handOver(w)
		return nil
	}
	t.begin(w)
	return t.local.take()
}

// handOver leaves the tasks that a caller wanted to execute to the workflow actor.
func (t *taskActor) handOver(w *workflowActor) {
	if first := t.local.first; first != nil {
		t.local = claimedTasks{}
		w.post(control{kind: tasksClaimed, attempt: first})
	}
}

// next returns the attempt to execute next, or makes the actor idle.
func (t *taskActor) next() (*attempt, bool) {
	if a, ok := t.p.pool.Next(t.index); ok {
		return a, true
	}
	t.settle()
	return nil, false
}

// owe keeps credits to be given back together: every task would otherwise write the
// count that all task actors share. What is kept is less than what a workflow actor has beyond one
// for each task actor, and is not kept from one that needs it.
func (t *taskActor) owe(w *workflowActor, credits int) {
	t.serve(w)
	t.owed += credits
	if t.owed > t.p.mayOwe || w.readyLen.Load() > 0 || w.draining.Load() {
		t.settle()
	}
}

// serve makes w the workflow actor that is owed.
func (t *taskActor) serve(w *workflowActor) {
	if t.creditor != w {
		t.settle()
		t.creditor = w
	}
}

// begin counts an attempt that the actor begins by itself. Inline ones, which are quick, are counted together.
func (t *taskActor) begin(w *workflowActor) {
	if t.index != inlineIndex {
		t.p.hops[t.index].Add(1)
		return
	}
	t.serve(w)
	t.begun++
}

// A hopCounter counts the attempts that a task actor has begun by itself; one cache line each.
type hopCounter struct {
	atomic.Uint64
	_ [56]byte
}

// settle gives back the credits that are owed, and counts what was begun.
func (t *taskActor) settle() {
	t.watch.leave()
	if t.begun > 0 {
		t.creditor.started.Add(t.begun)
		t.begun = 0
	}
	if t.owed > 0 {
		t.creditor.giveCredits(t.owed)
		t.owed = 0
	}
}

// execute runs the attempt's body and replies, unless it goes straight on to the
// attempt next. It answers replaced when the body overstayed its cancelled
// context and another actor took this one's place.
func (t *taskActor) execute(a *attempt) (next *attempt, replaced bool) {
	now := t.now
	t.now = 0
	if t.p.lean && a.plan().Lean {
		return t.executeLean(a)
	}
	if t.canBound(a) {
		return t.executeBounded(a, now)
	}
	if !a.run.begin() || !a.phase.CompareAndSwap(phaseQueued, phaseStarting) {
		a.run.owner.tell(taskDone{a}) // shed or dropped: only the credit goes back
		return nil, false
	}
	t.watch.leave() // a long body would keep the bounded one's run before it in memory
	ctx, armed := t.prepare(a)
	a.phase.Store(phaseRunning)
	if !a.asking {
		a.state().move(workflow.StatusReady, workflow.StatusRunning)
	}

	returned := false
	defer func() {
		if !returned { // runtime.Goexit ends receive, so the next attempt comes by mail
			t.exited(a, ctx, armed)
		}
	}()
	var result any
	err := a.run.own.ctx.Err() // its run or its time may have ended while it waited
	if err != nil || armed != nil && a.startedAt >= armed.deadline {
		err = ctx.Err()
	}
	if err == nil && t.p.leaks.spent.Load() {
		err = t.p.leaks.refuse(kindOf(a), t.p.taskActors())
	}
	if err == nil {
		if b := a.plan().Breaker; b != nil && !a.asking {
			result, err = guarded(ctx, a, b)
		} else {
			result, err = call(ctx, a)
		}
	}
	returned = true
	if !t.finish(a, result, err, ctx, armed) {
		return nil, !t.comeBack(a)
	}
	return t.advance(a), false
}

// executeLean is execute for a task of which nothing needs a clock, a timer or a breaker, while nobody watches.
func (t *taskActor) executeLean(a *attempt) (next *attempt, replaced bool) {
	r, plan := a.run, a.plan()
	if !r.begin() {
		r.owner.tell(taskDone{a})
		return nil, false
	}
	if a.actor != t { // spare the write barrier
		a.actor = t
	}
	ctx := r.firstContext(a.task)
	if !a.phase.CompareAndSwap(phaseQueued, phaseRunning) {
		r.owner.tell(taskDone{a})
		return nil, false
	}
	if !r.private { // else nobody can ask
		a.state().move(workflow.StatusReady, workflow.StatusRunning)
	}
	var result any
	err := r.own.ctx.Err()
	if err == nil && t.p.leaks.spent.Load() {
		err = t.p.leaks.refuse(kindOf(a), t.p.taskActors())
	}
	if err == nil {
		t.inBody = true
		result, err = callLean(ctx, r, plan)
		t.inBody = false
	}
	if err == nil && r.ending.Load() == 0 && a.phase.CompareAndSwap(phaseRunning, phaseAdvanced) {
		r.state.results[a.task] = result // before the successors' pending: they read it
		a.status = workflow.StatusSucceeded
		return t.moveOn(a, 0), false
	}
	if !t.finish(a, result, err, ctx, nil) {
		return nil, !t.comeBack(a)
	}
	return t.advance(a), false
}

// callLean is call for a task that is neither a Map nor repeated.
func callLean(ctx context.Context, r *Run, plan *workflow.TaskPlan) (result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			r.p.count.panics.Add(1)
			result, err = nil, &workflow.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return plan.Run(ctx, r.inputs())
}

// advance moves the run on after an attempt that this actor has finished. When
// the attempt ended its task well it does so here: it ends the task, counts the successors'
// dependencies down and claims those that became ready. One of them it returns, to execute it
// next. All else is the workflow actor's and goes there with the reply.
//
// It must not touch the run or its state after its last decrement but through a successor
// that it has claimed: see Run, R2.
func (t *taskActor) advance(a *attempt) (next *attempt) {
	r, w := a.run, a.run.owner
	if a.status != workflow.StatusSucceeded || !a.plan().Plain || a.asking || r.ending.Load() != 0 {
		w.tell(taskDone{a})
		return nil
	}
	a.phase.Store(phaseAdvanced)
	if !a.timed() { // then endedAt may be that of another runtime's run of the same plan
		return t.moveOn(a, 0)
	}
	return t.moveOn(a, a.endedAt)
}

// moveOn is advance after an attempt that has ended its task well. now is when that was, 0 if it was not timed.
func (t *taskActor) moveOn(a *attempt, now instant) (next *attempt) {
	r, w, state, succs := a.run, a.run.owner, a.state(), a.plan().Succs
	if !r.private || t.p.timed {
		state.record(a)
	}
	state.end(workflow.StatusSucceeded) // before ending: see R3
	if r.ending.Load() != 0 {
		w.tell(taskDone{a})
		return nil
	}
	if len(succs) == 0 {
		next = t.local.take() // before release, with which the run may end
		r.release()
		if next == nil {
			t.owe(w, 1)
		} else {
			t.begin(w)
		}
		return next
	}
	ready, first, n := t.ready[:0], (*attempt)(nil), 0 // a single one, as in a chain, is not written to the list
	for _, s := range succs {
		if state := &r.tasks[s]; state.arrive(&r.plan.Tasks[s]) && state.claim() {
			switch n++; n {
			case 1:
				first = &state.first
				continue
			case 2:
				ready = append(ready, first)
			}
			ready = append(ready, &state.first)
		}
	}
	if n == 1 && t.local.first == nil && t.mayExecute(first) {
		return t.exchange(w, first, now)
	}
	if n == 1 {
		ready = append(ready, first)
	}
	t.now = 0 // what follows takes its time
	switch {
	case t.caller:
		t.keep(w, ready)
		if next = t.local.take(); next == nil {
			t.owe(w, 1)
		} else {
			t.begin(w)
		}
	case n == 0:
		t.owe(w, 1)
	default:
		next = t.release(w, ready)
	}
	clear(ready)
	t.ready = ready
	return next
}

// exchange finds a place for the one claimed successor, which gets the credit of the finished attempt: it goes to the end
// of the pool's queue and the actor on to the oldest there, which is the same one if nobody waits. now is when the finished
// attempt ended, 0 if that was not timed.
func (t *taskActor) exchange(w *workflowActor, a *attempt, now instant) (next *attempt) {
	if a.timed() && (!a.run.private || t.p.timed || t.p.sizing != nil) { // else nobody can ask how long it waited
		if now == 0 { // the finished attempt needed no clock
			now = t.p.clock.now()
		}
		a.queuedAt = now
	}
	if !t.caller && !t.mayGoOn(w) {
		if t.index == inlineIndex || t.p.cfg.Schedule.byRank() {
			t.ready = append(t.ready[:0], a)
			return t.release(w, t.ready)
		}
		if next, ok := t.p.pool.Exchange(t.index, a, a.level); ok {
			t.begin(w) // a, sooner or later
			return next
		}
		t.ready = append(t.ready[:0], a)
		return t.release(w, t.ready)
	}
	t.begin(w)
	return a
}

// release finds a place for claimed successors, of which there is at least one: next for this
// actor, the pool, or the workflow actor's ready list. The credit of the finished attempt is used
// for one of them.
func (t *taskActor) release(w *workflowActor, ready []*attempt) (next *attempt) {
	credits := 1
	if len(ready) > 1 {
		credits += w.takeCredits(len(ready)) // one for each but next, and one for a message
	}
	if t.mayGoOn(w) {
		if next = t.pick(ready); next != nil {
			credits--
		}
	}
	pool, left := ready[:0], (*attempt)(nil) // pool overwrites what was looked at
	for last := &left; len(ready) > 0; ready = ready[1:] {
		switch a := ready[0]; {
		case a == next:
		case t.p.cfg.Schedule.byRank() || !a.plan().Direct:
			*last, last = a, &a.next
		default:
			pool = append(pool, a)
		}
	}
	if left != nil || len(pool) > credits {
		if credits == 0 { // the message needs the one that next has
			pool, next, credits = append(pool, next), nil, 1
		}
		fit := min(len(pool), credits-1)
		for i := len(pool) - 1; i >= fit; i-- { // these are older than left only by their number
			pool[i].next, left = left, pool[i]
		}
		pool, credits = pool[:fit], credits-1
		w.tell(tasksReady{left})
	}
	t.assign(w, pool)
	t.owe(w, credits-len(pool))
	if next != nil {
		if next.timed() {
			next.queuedAt = t.p.clock.now()
		}
		t.begin(w)
	}
	return next
}

// keep sorts claimed successors of a caller's run: what is Inline it executes itself, of the rest the pool gets what
// there are credits for and the workflow actor what is left.
func (t *taskActor) keep(w *workflowActor, ready []*attempt) {
	var left claimedTasks
	pool := ready[:0]
	for _, a := range ready {
		switch {
		case !a.plan().Direct:
			left.add(a)
		case a.plan().Inline:
			t.keepOne(a)
		default:
			pool = append(pool, a)
		}
	}
	if len(pool) > 0 {
		fit := w.takeCredits(len(pool))
		for _, a := range pool[fit:] {
			left.add(a)
		}
		t.assign(w, pool[:fit])
	}
	if left.first != nil {
		w.post(control{kind: tasksClaimed, attempt: left.first})
	}
}

// keepOne lists an Inline task that the caller executes itself.
func (t *taskActor) keepOne(a *attempt) {
	if a.timed() {
		a.queuedAt = t.p.clock.now()
	}
	t.local.add(a)
}

// mayExecute reports whether this actor may go straight on to a task.
func (t *taskActor) mayExecute(a *attempt) bool {
	plan := a.plan()
	return plan.Direct && (t.index != inlineIndex || plan.Inline)
}

// pick returns the successor to go straight on to, nil if none may be.
func (t *taskActor) pick(ready []*attempt) (next *attempt) {
	for _, a := range ready {
		switch {
		case !t.mayExecute(a):
		case next == nil:
			next = a
		case t.p.cfg.Schedule.byRank() && a.run.rankOf(a.task) > next.run.rankOf(next.task):
			next = a
		}
	}
	return next
}

// assign puts attempts into the pool, runs of one level at a time.
func (t *taskActor) assign(w *workflowActor, pool []*attempt) {
	if len(pool) == 0 {
		return
	}
	now := instant(0) // not read yet
	for _, a := range pool {
		if a.timed() {
			if now == 0 {
				now = t.p.clock.now()
			}
			a.queuedAt = now
		}
	}
	w.started.Add(uint64(len(pool)))
	for len(pool) > 0 {
		level, n := pool[0].level, 1
		for n < len(pool) && pool[n].level == level {
			n++
		}
		t.p.assignAll(pool[:n])
		pool = pool[n:]
	}
}

// mayGoOn reports whether this actor may go straight on to a successor now: only if no
// other attempt waits, which would be older or more urgent. Jumping the queue, even
// for a few successors, made the makespan of a recorded workflow 1.13 times that
// of first come first served.
func (t *taskActor) mayGoOn(w *workflowActor) bool {
	if t.index == inlineIndex {
		return t.hops < maxHops // takes no task actor from anybody
	}
	return t.hops < maxHops && !t.p.pool.Waits(t.index) && w.readyLen.Load() == 0
}

// exit is deferred around everything that executes lean bodies: it finds one, of attempt a, in the middle only if
// that called runtime.Goexit.
func (t *taskActor) exit(a *attempt) {
	if t.inBody {
		t.inBody = false
		t.exited(a, a.leanContext(), nil)
	}
}

// exited is the end of a body that called runtime.Goexit.
func (t *taskActor) exited(a *attempt, ctx context.Context, armed *armed) {
	t.hops, t.now = 0, 0
	t.settle()
	t.handOver(a.run.owner)
	switch {
	case t.finish(a, nil, errGoexit, ctx, armed):
		a.run.owner.tell(taskDone{a})
		if t.index != inlineIndex { // else the workflow actor goes on by itself
			t.p.resume(t)
		}
	case t.comeBack(a):
		t.p.resume(t)
	default:
		t.ref.Close()
	}
}

// prepare makes the context that the body sees and arms the timer that reports
// a body which ignores its deadline.
func (t *taskActor) prepare(a *attempt) (ctx context.Context, arms *armed) {
	a.actor = t
	if a.timed() {
		a.startedAt = t.p.clock.now()
		if a.number == 1 {
			a.firstAt = a.startedAt
		}
		if s := t.p.sizing; s != nil && t.index != inlineIndex {
			s.begin(t.index, a)
		}
	}
	task := a.run.context(a)
	ctx = task
	if deadline, _, _ := a.deadline(); deadline != 0 || a.plan().Heartbeat > 0 && !a.asking {
		arms = arm(a, task, deadline)
		ctx = &arms.ctx
	}
	a.arms = arms
	if obs := t.p.cfg.Observer; obs != nil && !a.asking {
		e := a.event()
		e.At = t.p.clock.time(a.startedAt)
		ctx = obs.AttemptStarted(ctx, e)
		e.release()
		a.ctx = ctx
	}
	return ctx, arms
}

// call runs the body behind the panic barrier.
func call(ctx context.Context, a *attempt) (result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			a.run.p.count.panics.Add(1)
			result, err = nil, &workflow.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if a.asking {
		return a.plan().Ask(ctx, a.inputs())
	}
	if a.item >= 0 {
		return nil, a.state().items.Run(ctx, int(a.item))
	}
	return a.plan().Run(ctx, a.inputs())
}

// guarded is call if the breaker allows it.
func guarded(ctx context.Context, a *attempt, b workflow.CircuitBreaker) (result any, err error) {
	if err = protect(func() (err error) { a.token, err = b.Allow(); return err }); err != nil {
		return nil, err
	}
	a.guarded.Store(true) // until finish, or until the body is given up
	return call(ctx, a)
}

// outcome is what the breaker is told about an attempt that has ended.
func (a *attempt) outcome() error {
	switch a.status {
	case workflow.StatusSucceeded:
		return nil
	case workflow.StatusCancelled:
		return context.Canceled // says nothing about the resource
	}
	return a.err // too late is a failure
}

// finish takes the attempt back from the body; false when it was abandoned
// meanwhile.
func (t *taskActor) finish(a *attempt, result any, err error, ctx context.Context, armed *armed) bool {
	if !a.phase.CompareAndSwap(phaseRunning, phaseFinished) {
		disarm(ctx, armed)
		if a.guarded.Load() { // it was given up while it waited for its breaker, which nobody has told yet
			a.release(context.DeadlineExceeded)
		}
		return false
	}
	if a.timed() {
		a.endedAt = t.p.clock.now()
		if s := t.p.sizing; s != nil && t.index != inlineIndex {
			s.end(t.index, a)
		}
	}
	a.status, a.err = a.judge(ctx, err)
	if a.guarded.Load() {
		a.release(a.outcome())
	}
	if a.asking {
		a.answer, _ = result.(bool)
	} else if a.status == workflow.StatusSucceeded && a.item < 0 {
		a.run.state.results[a.task] = result // before the successors' pending: they read it
	}
	disarm(ctx, armed)
	t.observeEnd(a)
	return true
}

// judge says how an attempt ended whose body returned err. One that succeeds after
// its deadline is too late; one whose run is cancelled meanwhile is not.
func (a *attempt) judge(ctx context.Context, err error) (workflow.Status, error) {
	deadline, _, _ := a.deadline()
	late := deadline != 0 && a.endedAt >= deadline || a.arms.silent()
	switch {
	case err == nil && !late:
		return workflow.StatusSucceeded, nil
	case a.run.own.ctx.Err() != nil:
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
	t.p.countLeak(a, -1)
	if t.p.halted.Load() {
		return false // to a runtime that has stopped: there is nothing to go on with
	}
	if a.fate.CompareAndSwap(fateOpen, fateReturned) {
		t.p.returned(a)
		return true
	}
	t.p.sys.Executor(true).AddWorkers(-1)
	t.p.refill()
	return false
}

func (t *taskActor) observeEnd(a *attempt) {
	if obs := t.p.cfg.Observer; obs != nil && !a.asking {
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
	return a.run.p.timed || a.run.p.sizing != nil || t.Timeout > 0 || t.TaskTimeout > 0 || t.Heartbeat > 0 || t.Retry != nil
}

// deadline returns when the attempt must have ended, and which bound that is; 0
// if it may take as long as it likes.
func (a *attempt) deadline() (at instant, what string, limit time.Duration) {
	plan, task := a.plan(), a.state().deadline
	if a.asking { // before the task's time begins
		return 0, "", 0
	}
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
	if a.arms.silent() {
		what, limit = "heartbeat", a.plan().Heartbeat
	}
	return &timeoutError{what: what, limit: limit, err: cause}
}
