package processor

import (
	"context"
	"fmt"
)

// admit finds the run a place and a workflow actor, or says what is full.
func (p *Processor) admit(r *Run) error {
	if p.stopping.Load() {
		return ErrStopped
	}
	if !p.runs.enter() {
		return &OverloadError{Bound: boundRuns, Limit: p.cfg.MaxRuns}
	}
	// Stop sets stopping and then looks at runs, this does it the other
	// way round: one of the two sees the other.
	if p.stopping.Load() {
		p.leave()
		return ErrStopped
	}
	n := len(p.workflows)
	first := int(r.own.number % uint64(n)) // workflow actors take turns
	// An observer may take a lock that whoever calls Submit holds until it has the run; Execute waits for the run in any case.
	if p.direct && (p.cfg.Observer == nil || r.caller != nil) && r.plan.DirectRoots && p.beginHere(r, p.workflows[first]) {
		return nil
	}
	for i, at := 0, first; i < n; i, at = i+1, (at+1)%n {
		if w := p.workflows[at]; w.waiting.enter() {
			r.owner = w
			r.prepare()
			w.tell(executeWorkflow{r})
			p.remember(r)
			return nil
		}
	}
	p.leave()
	return &OverloadError{Bound: boundMailboxes, Limit: n * p.cfg.MailboxCapacity}
}

// leave gives the place of a run back.
func (p *Processor) leave() {
	left := p.runs.leave()
	p.runsLine.call()
	if left == 0 && p.stopping.Load() {
		p.signalIdle()
	}
}

// ended is called when a run has its final state, by whoever gave it that.
func (p *Processor) ended(r *Run) {
	if r.parent != nil { // it had no place of its own
		r.announce()
		return
	}
	shed := !r.begin()
	p.forget(r)
	if r.named != nil {
		p.named.ended(r.named, shed)
	}
	if !shed { // else its place went to another
		p.leave() // before done: who sees the end may start the next run
	}
	r.announce()
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
	p.counters(full).refused.Add(1)
	p.refused(r, full)
	return full
}

// await lists the caller until there is room or its context ends. A caller that
// comes while others wait may be faster than they are; one that was called in vain
// is the next to be called.
func (p *Processor) await(ctx context.Context, r *Run, full *OverloadError) error {
	for {
		count, start := p.counters(full), p.clock.now()
		count.waited.Add(1)
		next, err := p.awaitIn(ctx, p.lineOf(full), r)
		count.waitedNanos.Add(int64(p.clock.now().since(start)))
		if next == nil {
			return err
		}
		full = next
	}
}

// awaitIn waits in one line until it is the caller's turn, and looks whether there
// is room. It answers the bound that is in the way now, or nil when the wait is
// over.
func (p *Processor) awaitIn(ctx context.Context, l *line, r *Run) (*OverloadError, error) {
	for called := false; ; {
		w := l.queue(called)
		err := p.admit(r)
		full, isFull := err.(*OverloadError)
		if !isFull || p.lineOf(full) != l {
			l.unqueue(w)
			if called { // perhaps not to take the place: the run may have begun without one, or met the other bound
				l.call()
			}
			return full, err
		}
		select {
		case <-w.called:
			called = true
		case <-ctx.Done():
			l.unqueue(w)
			return nil, p.inVain(r, full, Cause(ctx))
		case <-r.own.ctx.Done():
			l.unqueue(w)
			return nil, p.inVain(r, full, Cause(r.own.ctx))
		}
	}
}

// inVain is the error of a caller whose context, or whose run's deadline, ended
// while it waited.
func (p *Processor) inVain(r *Run, full *OverloadError, cause error) error {
	p.counters(full).refused.Add(1)
	p.refused(r, full)
	return &RunError{
		Workflow: r.plan.Name, RunID: r.ID(), Status: r.statusFor(cause),
		Err: fmt.Errorf("%w while waiting for room: %w", cause, full),
	}
}

// counters returns the figures of the bound that full names.
func (p *Processor) counters(full *OverloadError) *boundCounters {
	if full.Bound == boundRuns {
		return &p.count.runs
	}
	return &p.count.mailboxes
}

// lineOf returns where callers wait for the bound that full names.
func (p *Processor) lineOf(full *OverloadError) *line {
	if full.Bound == boundRuns {
		return &p.runsLine
	}
	return &p.mailboxLine
}
