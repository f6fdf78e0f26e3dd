package processor

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A workflowActor drives many runs. It is never entered twice at once, so what
// only it touches is plain.
//
// Invariants, between two messages:
//
//	I1  credits + credits that attempts, messages and task actors hold = creditLimit
//	I2  a task is waiting, ended, or has an attempt in the ready list, in a message,
//	    out, or waiting for its back-off
//	I3  ready is empty or there was no credit: nothing waits while it could be
//	    handed out
//
// I3 holds although task actors give credits back without a message: they do so and then
// look at readyLen, dispatch stores readyLen and then looks at credits, so one of the two
// sees the other; see giveCredits.
type workflowActor struct {
	p        *Processor
	index    int
	ref      actor.Ref[message]
	waiting  places // runs in the mailbox; the rest of its room is the credits'
	ready    readyQueue
	dead     int          // attempts in ready that were dropped
	claimed  claimedTasks // to be started before the next message
	sequence uint64
	closing  error                 // why no run may begin any more
	closed   atomic.Pointer[error] // the same for beginHere
	drained  chan struct{}         // closed when Stop waits and every credit is back

	inline *taskActor // executes Inline tasks on this actor's goroutine

	runsMu sync.Mutex
	linked *Run // the runs that it drives, doubly linked

	mu     sync.Mutex
	orders []control // posted
	taken  []control // being obeyed; the two take turns
	obeyed int       // how many of taken

	_        [64]byte // credits is written by task actors, for every task or so
	credits  atomic.Int64
	_        [56]byte
	readyLen atomic.Int64
	draining atomic.Bool // Stop waits for the credits
	_        [48]byte    // the counters are written by task actors, readyLen is read by them for every task

	accepted, succeeded, failed, cancelled, started atomic.Uint64
	runCount                                        atomic.Int64
}

// post gives the actor an order, from anywhere.
func (w *workflowActor) post(c control) {
	if r := c.about(); r != nil {
		r.meet()
	}
	w.mu.Lock()
	w.orders = append(w.orders, c)
	w.mu.Unlock()
	w.ref.Signal()
}

// tell sends a message whose place in the mailbox its sender holds: one of the
// waiting runs', or a credit.
func (w *workflowActor) tell(m message) {
	m.about().meet()
	if err := w.ref.Tell(m); err != nil && !w.p.halted.Load() {
		// Stop waits for every run and reply before it closes the mailbox, so
		// this is a defect of the engine: never let it pass in silence.
		panic(fmt.Sprintf("processor: workflow actor %d refused a message that had its place: %v", w.index, err))
	}
}

// receive handles one message of the mailbox.
func (w *workflowActor) receive(_ *actor.Context[message], m message) error {
	switch m := m.(type) {
	case executeWorkflow:
		w.waiting.leave()
		w.p.mailboxLine.call()
		w.begin(m.run)
	case taskDone:
		w.takeBack(m.attempt)
	case tasksReady:
		w.credits.Add(1)
		w.claimed.addAll(m.first)
	}
	w.startClaimed()
	w.dispatch()
	return nil
}

// obey handles the orders that were posted. User code may end this goroutine at any of them; the next one then
// goes on behind it.
func (w *workflowActor) obey() {
	for w.obeyed < len(w.taken) || w.takeOrders() {
		c := w.taken[w.obeyed]
		w.taken[w.obeyed] = control{}
		w.obeyed++
		w.order(&c)
	}
	w.startClaimed()
	w.dispatch()
}

// takeOrders takes what was posted, after all that was taken before; false when there is nothing.
func (w *workflowActor) takeOrders() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken, w.orders, w.obeyed = w.orders, w.taken[:0], 0
	return len(w.taken) > 0
}

// holding calls f while the run is held, and settles it afterwards; false when the run has ended well and what f
// is about is gone.
func (w *workflowActor) holding(r *Run, f func()) bool {
	if !r.hold() {
		return false
	}
	defer r.release() // also when user code ends this goroutine
	f()
	w.settle(r)
	return true
}

func (w *workflowActor) order(c *control) {
	switch c.kind {
	case cancelRun:
		w.end(c.run, c.run.statusFor(c.cause), c.cause)
		w.settle(c.run)
	case exited:
		w.userCodeExited(c.run, c.task)
	case replaceRun:
		w.begin(c.run)
	case graceOver: // of a run that its owner ends, so it is still there
		for i := range c.run.tasks {
			c.run.tasks[i].each(w.abandon)
		}
		w.settle(c.run)
	case placeGranted:
		c.held.granted = true
		if !w.holding(c.run, func() { w.placeGranted(c) }) {
			c.held.release()
		}
	case retryDue, taskDue, attemptStuck, overstayed, paced, resultShared, subEnded:
		w.holding(c.run, func() { w.goOn(c) })
	case compensate:
		w.compensate(c.run)
	case undone:
		w.undone(c.run, c.sub)
	case haltUndo:
		w.haltUndo()
	case tasksClaimed:
		w.claimed.addAll(c.attempt)
	case shutdown:
		w.closing = c.cause
		w.closed.Store(&c.cause) // before the runs are looked at: see beginHere
		for _, r := range w.runs() {
			w.end(r, workflow.StatusCancelled, c.cause)
			w.settle(r)
		}
	}
}

// goOn does what a timer or another run's result was waited for; the run is held.
func (w *workflowActor) goOn(c *control) {
	switch a := c.attempt; c.kind {
	case retryDue, paced:
		if a.phase.Load() != phaseQueued || a.turn != c.turn {
			break
		}
		a.backOff = nil
		if c.kind == paced {
			w.queue(a)
		} else {
			w.admitAttempt(a)
		}
	case resultShared:
		w.resultShared(c)
	case subEnded:
		w.subEnded(c)
	case taskDue:
		w.taskTimedOut(c.run, c.task)
	case overstayed:
		if a := &c.run.tasks[c.task].first; a.number == 1 {
			w.abandon(a)
		}
	case attemptStuck:
		if a.turn == c.turn {
			w.abandon(a)
		}
	}
}

// begin takes up a run.
func (w *workflowActor) begin(r *Run) {
	r.began = true
	w.accepted.Add(1)
	w.link(r)
	if w.p.timed {
		r.startedAt = w.p.clock.now()
	}
	if w.p.sizing != nil {
		w.p.sizing.wake()
	}
	r.status.Store(uint32(workflow.StatusRunning))
	r.observeStart()
	if r.timeout != nil {
		r.startDeadline()
	}
	switch {
	case r.ending.Load() != 0: // cancelled while it was in the mailbox
		w.withdraw(r)
	case w.closing != nil:
		w.end(r, workflow.StatusCancelled, w.closing)
	default:
		for _, i := range r.plan.Roots {
			t := &r.tasks[i]
			t.claim()
			w.claimed.add(&t.first)
		}
	}
	w.settle(r)
	r.release() // the hold that a new run has for its begin
}

// queue puts an attempt into the ready list.
func (w *workflowActor) queue(a *attempt) {
	if a.plan().Sub != nil && !a.asking {
		w.runSub(a)
		return
	}
	w.sequence++
	a.sequence = w.sequence
	if a.timed() {
		a.queuedAt = w.p.clock.now()
	}
	if a.item < 0 {
		a.state().move(workflow.StatusRetrying, workflow.StatusReady)
	}
	a.listed = true
	if w.p.cfg.Schedule.byRank() {
		a.rank = a.run.rankOf(a.task)
	}
	w.ready.push(a)
}

// sweepAt is how many dropped attempts the ready list keeps before it is looked
// through for them; then at least as many are removed as are kept.
const sweepAt = 32

// dispatch hands out ready attempts while there are credits. By rank it does so only when all claimed tasks have been
// started, for which startClaimed has asked for another turn: the most urgent one may be among them.
func (w *workflowActor) dispatch() {
	for w.ready.len() > 0 && !(w.p.cfg.Schedule.byRank() && w.claimed.first != nil) {
		w.readyLen.Store(int64(w.ready.len() - w.dead)) // before credits: see I3
		if w.takeCredits(1) == 0 {
			break
		}
		a := w.ready.pop()
		a.listed = false
		if a.phase.Load() == phaseDropped {
			w.dead--
			w.credits.Add(1)
			continue
		}
		w.started.Add(1)
		w.p.assign(a)
	}
	if w.dead > sweepAt && w.dead > w.ready.len()/2 {
		w.ready.sweep()
		w.dead = 0
	}
	w.readyLen.Store(int64(w.ready.len() - w.dead))
	if w.draining.Load() && w.credits.Load() == int64(w.p.creditLimit) {
		w.draining.Store(false)
		close(w.drained)
	}
}

// takeCredits takes the right to have up to n more attempts out, from anywhere, and
// returns how many. It never takes what is not there: a count that dips below what
// it is could make dispatch stop in vain.
func (w *workflowActor) takeCredits(n int) int {
	for {
		have := w.credits.Load()
		take := min(have, int64(n))
		if take <= 0 {
			return 0
		}
		if w.credits.CompareAndSwap(have, have-take) {
			return int(take)
		}
	}
}

// giveCredits gives credits back without a message, from anywhere.
func (w *workflowActor) giveCredits(n int) {
	w.credits.Add(int64(n)) // before readyLen: see I3
	if w.readyLen.Load() > 0 || w.draining.Load() {
		w.ref.Signal()
	}
}

func (w *workflowActor) link(r *Run) {
	w.runsMu.Lock()
	defer w.runsMu.Unlock()
	if r.gone { // it was cancelled while its caller began it
		return
	}
	r.next = w.linked
	if w.linked != nil {
		w.linked.previous = r
	}
	w.linked, r.linked = r, true
	w.runCount.Add(1)
}

// unlink forgets a run that has finished, from anywhere.
func (w *workflowActor) unlink(r *Run) {
	w.runsMu.Lock()
	defer w.runsMu.Unlock()
	r.gone = true
	if !r.linked {
		return
	}
	if r.previous != nil {
		r.previous.next = r.next
	} else {
		w.linked = r.next
	}
	if r.next != nil {
		r.next.previous = r.previous
	}
	r.previous, r.next, r.linked = nil, nil, false
	w.runCount.Add(-1)
}

// runs returns the runs that it drives now.
func (w *workflowActor) runs() []*Run {
	w.runsMu.Lock()
	defer w.runsMu.Unlock()
	all := make([]*Run, 0, w.runCount.Load())
	for r := w.linked; r != nil; r = r.next {
		r.meet() // before it is unlinked
		all = append(all, r)
	}
	return all
}

// statusFor is how the run ends that is stopped for cause.
func (r *Run) statusFor(cause error) workflow.Status {
	if r.timeout != nil && errors.Is(cause, r.timeout) {
		return workflow.StatusFailed
	}
	return workflow.StatusCancelled
}
