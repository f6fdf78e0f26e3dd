package processor

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
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
// most about CancelGrace after ctx has ended, or CompensateGrace later if runs have tasks to be undone.
//
// A later call waits for the first one, and when its own ctx ends it cancels what
// is left too. A task must not stop the runtime that executes it: it waits for
// itself, until ctx ends.
func (p *Processor) Stop(ctx context.Context) error {
	if p.stopping.CompareAndSwap(false, true) {
		p.stopErr = p.stop(ctx)
		close(p.stopped)
		return p.stopErr
	}
	if wait(ctx, p.stopped) {
		return p.stopErr
	}
	err := p.cancelAll(ctx)
	late, cancel := context.WithTimeout(context.Background(), addDurations(p.cfg.CompensateGrace, 2*p.cfg.CancelGrace+3*stopMargin))
	defer cancel()
	if wait(late, p.stopped) {
		return errors.Join(err, p.stopErr)
	}
	return errors.Join(err, errors.New("ringmill: stop: the first call has not returned"))
}

// wait waits for done and reports whether that came before the end of ctx; it
// counts as before when both are there.
func wait(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
	}
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *Processor) stop(ctx context.Context) error {
	p.runsLine.callAll() // they find out that they came too late
	p.mailboxLine.callAll()
	if p.runs.taken.Load() == 0 {
		p.signalIdle()
	}
	var problems []error
	if !wait(ctx, p.idle) {
		problems = append(problems, p.cancelAll(ctx))
		if !p.waitIdle(p.cfg.CancelGrace+stopMargin) && !p.waitCompensated() {
			problems = append(problems, fmt.Errorf("ringmill: stop: %d runs did not end", p.runs.taken.Load()))
		}
	}
	leaked, err := p.stopActors()
	if leaked > 0 {
		problems = append(problems, fmt.Errorf(
			"ringmill: stop: %d task bodies ignore their cancelled context and still run: let them return when ctx.Done() is closed", leaked))
	} else if err != nil {
		problems = append(problems, fmt.Errorf("ringmill: stop: %w", err))
	}
	return errors.Join(problems...)
}

// waitIdle waits until nothing is in flight, and reports whether that came within d.
func (p *Processor) waitIdle(d time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return wait(ctx, p.idle)
}

// waitCompensated waits for the compensations of cancelled runs, at most CompensateGrace; then it cancels the ones under way,
// and the others are not called. It reports whether all runs have ended.
func (p *Processor) waitCompensated() bool {
	if p.compensating.Load() > 0 && p.waitIdle(p.cfg.CompensateGrace) {
		return true
	}
	p.undoHalted.Store(true) // before the orders: a compensation that begins now is seen by them, or sees this
	for _, w := range p.workflows {
		w.post(control{kind: haltUndo})
	}
	return p.waitIdle(p.cfg.CancelGrace + stopMargin)
}

// cancelAll cancels what is in flight.
func (p *Processor) cancelAll(ctx context.Context) error {
	err := fmt.Errorf("ringmill: stop: cancelled %d runs at the deadline: %w", p.runs.taken.Load(), ctx.Err())
	cause := fmt.Errorf("%w: %w", ErrStopped, context.Canceled)
	for _, w := range p.workflows {
		w.post(control{kind: shutdown, cause: cause})
	}
	return err
}

// leakedGrace is how long Stop waits for leaked bodies to return, when nothing else is left.
const leakedGrace = 100 * time.Millisecond

// stopActors stops the actors, which have nothing left to do. Those under leaked bodies may never, so it does not
// wait for them long, and answers how many bodies it has left. It stops the actors on a
// goroutine of its own, since Stop may be called by a task of another runtime,
// and an actor system refuses to be waited for on any actor's goroutine.
func (p *Processor) stopActors() (leaked int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), stopMargin)
	defer cancel()
	var left atomic.Int64
	if p.count.leaked.Load() > 0 {
		patience := time.AfterFunc(leakedGrace, func() {
			if n := p.count.leaked.Load(); n > 0 { // else the last actors only need the processor
				left.Store(n)
				cancel()
			}
		})
		defer patience.Stop()
	}
	p.drain(ctx)
	p.halt()
	stopped := make(chan error, 1)
	go func() { stopped <- errors.Join(p.sys.Stop(ctx), p.wheel.Stop(ctx)) }()
	err = <-stopped
	return max(left.Load(), p.count.leaked.Load()), err
}

// drain waits until the task actors have met every attempt that was dropped after
// it had been handed out, so that none replies to a stopped actor.
func (p *Processor) drain(ctx context.Context) {
	for _, w := range p.workflows {
		w.draining.Store(true) // before the signal: dispatch looks
		w.ref.Signal()
	}
	for _, w := range p.workflows {
		select {
		case <-w.drained:
		case <-ctx.Done():
			return
		}
	}
}

// halt throws away what the task actors under leaked bodies have not met: attempts that were dropped. Those bodies may return
// much later, and must not tell stopped actors about them.
func (p *Processor) halt() {
	p.halted.Store(true) // before the queue is emptied
	for i := range p.members {
		for more := true; more; {
			_, more = p.pool.Next(i)
		}
	}
}

// signalIdle tells Stop that nothing is in flight.
func (p *Processor) signalIdle() { p.idleOnce.Do(func() { close(p.idle) }) }
