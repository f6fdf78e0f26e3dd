package processor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// stopMargin is how much longer than CancelGrace Stop waits for cancelled runs
// to end. They end by themselves after CancelGrace; the margin is for a machine
// under load.
const stopMargin = 5 * time.Second

// Stop ends the processor: no run is admitted any more, those in flight are
// waited for, and then the actors are stopped. When ctx ends first, the runs
// that are left are cancelled, their bodies have CancelGrace to return, and the
// error says how many there were and how many bodies still run. Stop returns at
// most about CancelGrace after ctx has ended. Later calls wait for the first.
func (p *Processor) Stop(ctx context.Context) error {
	if !p.stopping.CompareAndSwap(false, true) {
		select {
		case <-p.stopped:
			return p.stopErr
		case <-ctx.Done():
			return fmt.Errorf("ringmill: stop: still stopping: %w", ctx.Err())
		}
	}
	p.stopErr = p.stop(ctx)
	close(p.stopped)
	return p.stopErr
}

func (p *Processor) stop(ctx context.Context) error {
	p.runsLine.callAll() // they find out that they came too late
	p.mailboxLine.callAll()
	if p.runs.taken.Load() == 0 {
		p.signalIdle()
	}
	var problems []error
	select {
	case <-p.idle:
	case <-ctx.Done():
		problems = append(problems, p.cancelAll(ctx))
	}
	actorsCtx, cancel := context.WithTimeout(context.Background(), p.actorsGrace())
	defer cancel()
	p.drain(actorsCtx)
	err := p.sys.Stop(actorsCtx)
	if leaked := p.count.leaked.Load(); leaked > 0 {
		problems = append(problems, fmt.Errorf(
			"ringmill: stop: %d task bodies ignore their cancelled context and still run: let them return when ctx.Done() is closed", leaked))
	} else if err != nil {
		problems = append(problems, fmt.Errorf("ringmill: stop: %w", err))
	}
	return errors.Join(problems...)
}

// cancelAll cancels what is in flight and waits for it to end.
func (p *Processor) cancelAll(ctx context.Context) error {
	err := fmt.Errorf("ringmill: stop: cancelled %d runs at the deadline: %w", p.runs.taken.Load(), ctx.Err())
	cause := fmt.Errorf("%w: %w", ErrStopped, context.Canceled)
	for _, w := range p.workflows {
		w.post(control{kind: shutdown, cause: cause})
	}
	late := time.NewTimer(p.cfg.CancelGrace + stopMargin)
	defer late.Stop()
	select {
	case <-p.idle:
	case <-late.C:
		err = errors.Join(err, fmt.Errorf("ringmill: stop: %d runs did not end", p.runs.taken.Load()))
	}
	return err
}

// drain waits until the task actors have met every attempt that was dropped after
// it had been handed out, so that none replies to a stopped actor.
func (p *Processor) drain(ctx context.Context) {
	for _, w := range p.workflows {
		w.post(control{kind: drain})
	}
	for _, w := range p.workflows {
		select {
		case <-w.drained:
		case <-ctx.Done():
			return
		}
	}
}

// actorsGrace is how long the actors, which have nothing left to do, may take
// to stop. Those under leaked bodies never do, so they are not waited for.
func (p *Processor) actorsGrace() time.Duration {
	if p.count.leaked.Load() > 0 {
		return 100 * time.Millisecond
	}
	return stopMargin
}

// signalIdle tells Stop that nothing is in flight.
func (p *Processor) signalIdle() {
	select {
	case p.idle <- struct{}{}:
	default: // it was told already
	}
}
