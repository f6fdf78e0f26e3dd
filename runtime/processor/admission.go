package processor

import (
	"context"
	"fmt"
	"time"
)

// admit finds the run a place and a workflow actor, or says what is full.
func (p *Processor) admit(r *Run) error {
	if p.stopping.Load() {
		return ErrStopped
	}
	if !p.runs.enter() {
		p.count.refusedRuns.Add(1)
		return &OverloadError{Bound: boundRuns, Limit: p.cfg.MaxRuns}
	}
	// Stop sets stopping and then looks at runs, this does it the other
	// way round: one of the two sees the other.
	if p.stopping.Load() {
		p.leave()
		return ErrStopped
	}
	n := len(p.workflows)
	for i, at := 0, p.turn.Next(n); i < n; i, at = i+1, (at+1)%n {
		if w := p.workflows[at]; w.waiting.enter() {
			r.owner = w
			w.tell(executeWorkflow{r})
			p.remember(r)
			return nil
		}
	}
	p.leave()
	p.count.refusedMailboxes.Add(1)
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
		l := p.lineOf(full)
		w := l.queue(again)
		err := p.admit(r)
		now, isFull := err.(*OverloadError)
		if !isFull {
			l.unqueue(w)
			return err
		}
		if p.lineOf(now) != l { // the other bound is in the way now
			l.unqueue(w)
			full = now
			continue
		}
		select {
		case <-w.called:
		case <-ctx.Done():
			l.unqueue(w)
			return fmt.Errorf("%w while waiting for room: %w", Cause(ctx), full)
		case <-r.ctx.Done():
			l.unqueue(w)
			return fmt.Errorf("%w while waiting for room: %w", Cause(r.ctx), full)
		}
	}
}

// lineOf returns where callers wait for the bound that full names.
func (p *Processor) lineOf(full *OverloadError) *line {
	if full.Bound == boundRuns {
		return &p.runsLine
	}
	return &p.mailboxLine
}
