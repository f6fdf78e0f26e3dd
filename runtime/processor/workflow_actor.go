package processor

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A workflowActor drives many runs. It is never entered twice at once, so what
// only it touches is plain.
//
// Invariants, between two messages:
//
//	I1  credits + attempts out = creditLimit, where a task actor that goes
//	    straight on to a successor takes the credit along
//	I2  a task is waiting, ended, or has an attempt in the ready list, out, or
//	    waiting for its back-off
//	I3  ready is empty or there was no credit: nothing waits while it could be
//	    handed out
type workflowActor struct {
	p        *Processor
	index    int
	ref      actor.Ref[message]
	waiting  places // runs in the mailbox; the rest of its room is the credits'
	ready    readyQueue
	dead     int          // attempts in ready that were dropped
	credits  atomic.Int64 // taken by this actor and by task actors, given back by this one
	sequence uint64
	linked   *Run          // the runs that it drives, doubly linked
	closing  error         // why no run may begin any more
	draining bool          // Stop waits for the credits that are out
	drained  chan struct{} // closed when they are back

	mu     sync.Mutex
	orders []control
	spare  []control // the slice that orders alternates with

	accepted, succeeded, failed, cancelled, started atomic.Uint64
	readyLen, runCount                              atomic.Int64
}

// post gives the actor an order, from anywhere.
func (w *workflowActor) post(c control) {
	w.mu.Lock()
	w.orders = append(w.orders, c)
	w.mu.Unlock()
	w.ref.Signal()
}

// tell sends a message whose place in the mailbox its sender holds: one of the
// waiting runs', or a credit.
func (w *workflowActor) tell(m message) {
	if err := w.ref.Tell(m); err != nil {
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
	}
	w.dispatch()
	return nil
}

// obey handles the orders that were posted.
func (w *workflowActor) obey() {
	w.mu.Lock()
	orders := w.orders
	w.orders, w.spare = w.spare[:0], nil
	w.mu.Unlock()
	for i := range orders {
		w.order(&orders[i])
		orders[i] = control{}
	}
	w.spare = orders
	w.dispatch()
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
	case retryDue:
		if a := c.attempt; a.phase.Load() == phaseQueued && a.number == c.number {
			w.queue(a)
		}
	case taskDue:
		w.taskTimedOut(c.run, c.task)
		w.settle(c.run)
	case graceOver:
		for i := range c.run.tasks {
			c.run.tasks[i].each(w.abandon)
		}
		w.settle(c.run)
	case attemptStuck:
		if c.attempt.number == c.number {
			w.abandon(c.attempt)
			w.settle(c.run)
		}
	case drain:
		w.draining = true
	case shutdown:
		w.closing = c.cause
		for r := w.linked; r != nil; {
			next := r.next // settle may unlink r
			w.end(r, workflow.StatusCancelled, c.cause)
			w.settle(r)
			r = next
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
	r.status.Store(uint32(workflow.StatusRunning))
	if obs := w.p.cfg.Observer; obs != nil {
		e := newEvent(r)
		e.Actor, e.At, e.Queue = w.index, w.p.clock.time(r.startedAt), r.startedAt.since(r.acceptedAt)
		r.ctx = obs.RunStarted(r.ctx, e)
		e.release()
	}
	if r.timeout != nil {
		r.timer = time.AfterFunc(time.Until(r.deadline), func() { r.Cancel(r.timeout) })
	}
	switch {
	case r.ending.Load() != 0: // cancelled while it was in the mailbox
		w.withdraw(r)
	case w.closing != nil:
		w.end(r, workflow.StatusCancelled, w.closing)
	default:
		for _, i := range r.plan.Roots {
			w.taskReady(r, i)
		}
	}
	w.settle(r)
}

// queue puts an attempt into the ready list.
func (w *workflowActor) queue(a *attempt) {
	w.sequence++
	a.sequence = w.sequence
	if a.timed() {
		a.queuedAt = w.p.clock.now()
	}
	if a.item < 0 {
		a.state().move(workflow.StatusRetrying, workflow.StatusReady)
	}
	a.listed = true
	w.ready.push(a)
}

// sweepAt is how many dropped attempts the ready list keeps before it is looked
// through for them; then at least as many are removed as are kept.
const sweepAt = 32

// dispatch hands out ready attempts while there are credits.
func (w *workflowActor) dispatch() {
	for w.ready.len() > 0 && w.takeCredit() {
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
	if w.draining && w.credits.Load() == int64(w.p.creditLimit) {
		w.draining = false
		close(w.drained)
	}
}

// takeCredit takes the right to have one more attempt out, from anywhere. It
// never takes what is not there: a count that dips below what it is could make
// dispatch stop in vain.
func (w *workflowActor) takeCredit() bool {
	for {
		n := w.credits.Load()
		if n <= 0 {
			return false
		}
		if w.credits.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

func (w *workflowActor) link(r *Run) {
	r.next = w.linked
	if w.linked != nil {
		w.linked.previous = r
	}
	w.linked, r.linked = r, true
	w.runCount.Add(1)
}

// unlink forgets a run that has finished; doing it again does nothing.
func (w *workflowActor) unlink(r *Run) {
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

// statusFor is how the run ends that is stopped for cause.
func (r *Run) statusFor(cause error) workflow.Status {
	if r.timeout != nil && errors.Is(cause, r.timeout) {
		return workflow.StatusFailed
	}
	return workflow.StatusCancelled
}
