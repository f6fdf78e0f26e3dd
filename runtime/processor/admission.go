package processor

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// admit finds the run a place and a workflow actor, or says what is full.
func (p *Processor) admit(r *Run) error {
	if p.stopping.Load() {
		return ErrStopped
	}
	if !p.room.enter() {
		p.count.refusedRuns.Add(1)
		return &OverloadError{Bound: "MaxRuns", Limit: p.cfg.MaxRuns}
	}
	// Stop sets stopping and then looks at inFlight, this does it the other
	// way round: one of the two sees the other.
	if p.stopping.Load() {
		p.leave()
		return ErrStopped
	}
	n := len(p.workflows)
	for i, at := 0, p.turn.Next(n); i < n; i, at = i+1, (at+1)%n {
		r.owner = p.workflows[at]
		if r.owner.ref.Tell(executeWorkflow{r}) == nil {
			p.remember(r)
			return nil
		}
	}
	p.leave()
	p.count.refusedMailboxes.Add(1)
	return &OverloadError{Bound: "MailboxCapacity", Limit: n * p.cfg.MailboxCapacity}
}

// leave gives the place of a run back.
func (p *Processor) leave() {
	if p.room.leave() == 0 && p.stopping.Load() {
		p.signalIdle()
	}
}

// ended is called by the workflow actor when a run has its final state.
func (p *Processor) ended(r *Run) {
	shed := !r.begin()
	p.forget(r)
	close(r.done)
	if !shed { // else its place went to another
		p.leave()
	}
}

// overflow does what the configuration says about a run that found a bound hit.
func (p *Processor) overflow(ctx context.Context, r *Run, wait bool, full *OverloadError) error {
	mode := p.cfg.Overflow
	if mode == OverflowDefault {
		mode = OverflowFail
		if wait {
			mode = OverflowWait
		}
	}
	switch mode {
	case OverflowWait:
		return p.await(ctx, r, full)
	case OverflowDropNewest:
		p.shed(r, full)
		return nil
	case OverflowDropOldest:
		if victim := p.oldest(); victim != nil {
			p.takePlace(r, victim, full)
		} else {
			p.shed(r, full)
		}
		return nil
	}
	p.refused(r, full)
	return full
}

// await lists the caller until there is room or its context ends.
func (p *Processor) await(ctx context.Context, r *Run, full *OverloadError) error {
	start := time.Now()
	p.count.waited.Add(1)
	defer func() { p.count.waitedNanos.Add(int64(time.Since(start))) }()
	for again := false; ; again = true {
		w := p.room.queue(again)
		err := p.admit(r)
		if _, isFull := err.(*OverloadError); !isFull {
			p.room.unqueue(w)
			return err
		}
		select {
		case <-w.called:
		case <-ctx.Done():
			p.room.unqueue(w)
			return fmt.Errorf("%w while waiting for room: %w", Cause(ctx), full)
		case <-r.ctx.Done():
			p.room.unqueue(w)
			return fmt.Errorf("%w while waiting for room: %w", Cause(r.ctx), full)
		}
	}
}

// shed ends a run that was never admitted.
func (p *Processor) shed(r *Run, full *OverloadError) {
	r.cancel(full)
	r.err = &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: workflow.StatusCancelled, Err: full}
	for i := range r.tasks {
		r.tasks[i].setStatus(workflow.StatusCancelled)
	}
	r.status.Store(uint32(workflow.StatusCancelled))
	close(r.done)
	p.count.shed.Add(1)
	p.refused(r, full)
}

// takePlace sheds victim, which was admitted and has not begun, and admits r in
// its place. The order needs no room in a mailbox, since one run goes for it.
func (p *Processor) takePlace(r, victim *Run, full *OverloadError) {
	r.owner = victim.owner
	p.count.shed.Add(1)
	p.refused(victim, full)
	victim.cancelAsked.Store(true)
	victim.cancel(full)
	victim.owner.post(control{kind: cancelRun, run: victim, cause: full})
	r.owner.post(control{kind: replaceRun, run: r})
	p.remember(r)
}

func (p *Processor) refused(r *Run, full *OverloadError) {
	if obs := p.cfg.Observer; obs != nil {
		obs.Noticed(&Event{Workflow: r.plan.Name, RunID: r.ID(), Item: -1, Err: full}, NoticeRefused)
	}
}

// A runList holds the admitted runs that may still be shed, oldest first.
type runList struct {
	mu   sync.Mutex
	runs list.List
}

// remember lists a run that was handed to its workflow actor and may be shed,
// when that is what the configuration wants. One that has begun or ended since
// is left out: ended moves the stage before it calls forget.
func (p *Processor) remember(r *Run) {
	if p.cfg.Overflow != OverflowDropOldest {
		return
	}
	p.unbegun.mu.Lock()
	if r.stage.Load() == stageWaiting {
		r.place = p.unbegun.runs.PushBack(r)
	}
	p.unbegun.mu.Unlock()
}

// forget takes a run off the list.
func (p *Processor) forget(r *Run) {
	if p.cfg.Overflow != OverflowDropOldest {
		return
	}
	p.unbegun.mu.Lock()
	if r.place != nil {
		p.unbegun.runs.Remove(r.place)
		r.place = nil
	}
	p.unbegun.mu.Unlock()
}

// oldest takes the oldest run of which no task has begun off the list and marks
// it as shed; nil if there is none.
func (p *Processor) oldest() *Run {
	p.unbegun.mu.Lock()
	defer p.unbegun.mu.Unlock()
	for e := p.unbegun.runs.Front(); e != nil; e = p.unbegun.runs.Front() {
		r := p.unbegun.runs.Remove(e).(*Run)
		r.place = nil
		if r.stage.CompareAndSwap(stageWaiting, stageShed) {
			return r
		}
	}
	return nil
}

// A room counts the runs in flight and keeps the callers that wait for a place,
// first come first served. Entering and leaving take no lock while nobody
// waits.
//
// Invariants:
//
//	I1  0 <= inFlight <= limit
//	I2  a caller that found no place has listed itself and then looked again,
//	    and whoever frees a place looks at the list afterwards: one of the two
//	    sees the other, so no caller sleeps beside a free place.
type room struct {
	limit    int64
	inFlight atomic.Int64

	waiting atomic.Int32 // len(line), readable without mu
	mu      sync.Mutex
	line    []*waiter
}

// A waiter is one caller in line. called is closed, under the room's mu, when
// it is its turn to look again.
type waiter struct{ called chan struct{} }

// enter takes a place, or answers false when all are taken.
func (r *room) enter() bool {
	for {
		n := r.inFlight.Load()
		if n >= r.limit {
			return false
		}
		if r.inFlight.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave gives a place back and says how many are still taken.
func (r *room) leave() int64 {
	n := r.inFlight.Add(-1)
	r.call()
	return n
}

// queue lists a new waiter; one that was called in vain goes to the front.
func (r *room) queue(front bool) *waiter {
	w := &waiter{called: make(chan struct{})}
	r.mu.Lock()
	if front {
		r.line = append([]*waiter{w}, r.line...)
	} else {
		r.line = append(r.line, w)
	}
	r.waiting.Store(int32(len(r.line)))
	r.mu.Unlock()
	return w
}

// call tells the first in line to look again.
func (r *room) call() {
	if r.waiting.Load() == 0 {
		return
	}
	r.mu.Lock()
	if len(r.line) > 0 {
		r.callFirst()
	}
	r.mu.Unlock()
}

// callAll tells everybody in line to look again.
func (r *room) callAll() {
	r.mu.Lock()
	for len(r.line) > 0 {
		r.callFirst()
	}
	r.mu.Unlock()
}

func (r *room) callFirst() {
	w := r.line[0]
	r.line[0] = nil
	r.line = r.line[1:]
	r.waiting.Store(int32(len(r.line)))
	close(w.called)
}

// unqueue removes a waiter that needs no place any more. If it had been called
// meanwhile, the call is passed on, since the place may still be free.
func (r *room) unqueue(w *waiter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, x := range r.line {
		if x == w {
			r.line = append(r.line[:i], r.line[i+1:]...)
			r.waiting.Store(int32(len(r.line)))
			return
		}
	}
	if len(r.line) > 0 {
		r.callFirst()
	}
}
