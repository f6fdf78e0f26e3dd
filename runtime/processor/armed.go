package processor

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// armed is what an attempt with a deadline or a heartbeat has. It is never used again: the body
// may keep its context for ever. Those of a run's first attempts are made together.
type armed struct {
	ctx     scheduler.DeadlineContext
	stuck   scheduler.Timer // reports a body that ignores the end of its context, by TimerFired
	run     *Run            // not the attempt's, which may be another one by the time that a timer fires
	attempt *attempt
	turn    int32

	deadline instant // of ctx; never without one

	pulse   scheduler.Timer // looks for signs of life; unused without a heartbeat
	beat    atomic.Int64    // instant of the last one
	missed  atomic.Bool
	disarms atomic.Bool
}

// never is further away than any deadline.
const never = 100 * 365 * 24 * time.Hour

// arm makes the context of an attempt and arms its timers; a deadline of 0 is none.
func arm(a *attempt, task attemptContext, deadline instant) *armed {
	p, x := a.run.p, a.run.armedPlace(a)
	x.run, x.attempt, x.turn, x.deadline = a.run, a, a.turn, math.MaxInt64
	if deadline != 0 {
		x.deadline = deadline
	}
	p.wheel.InitContext(&x.ctx, task, p.clock.time(deadline), nil)
	x.stuck.InitHandler(x)
	if deadline != 0 {
		p.wheel.StartAt(&x.stuck, p.clock.time(deadline.after(p.cfg.CancelGrace)))
	} else { // to be moved by a missed heartbeat; the first start must come before every other call
		p.wheel.Start(&x.stuck, never)
	}
	if every := a.plan().Heartbeat; every > 0 {
		task.(*taskContext).pulse = x
		x.beat.Store(int64(a.startedAt))
		x.pulse.Init(func() { x.listen(p, every) })
		p.wheel.Start(&x.pulse, every)
	}
	return x
}

// armedPlace returns memory for what an attempt has.
func (r *Run) armedPlace(a *attempt) *armed {
	if a.number > 1 || a.item >= 0 || a.repeated || a.asking || len(r.arms) == 0 {
		return new(armed)
	}
	return &r.arms[a.plan().Arm]
}

// TimerFired is called when the body has ignored the end of its context for CancelGrace.
func (x *armed) TimerFired() {
	x.run.owner.post(control{kind: attemptStuck, run: x.run, attempt: x.attempt, turn: x.turn})
}

// listen looks whether there was a sign of life, and ends the attempt's context if not.
func (x *armed) listen(p *Processor, every time.Duration) {
	silence := p.clock.now().since(instant(x.beat.Load()))
	switch {
	case x.disarms.Load():
	case silence < every:
		p.wheel.Start(&x.pulse, every-silence)
	default:
		x.missed.Store(true) // before the context ends: the body's end is judged by it
		p.wheel.Start(&x.stuck, p.cfg.CancelGrace)
		x.ctx.CancelCause(&timeoutError{what: "heartbeat", limit: every})
		if x.disarms.Load() { // disarm may have stopped it too early
			x.stuck.Stop()
		}
	}
}

// silent reports whether the attempt has missed its heartbeat.
func (x *armed) silent() bool { return x != nil && x.missed.Load() }

// disarm ends what an attempt has: its boundContext or what it is armed with, if it has one of them.
func disarm(ctx context.Context, x *armed) {
	if c, ok := ctx.(*boundContext); ok {
		c.end()
		return
	}
	if x == nil {
		return
	}
	x.disarms.Store(true)
	x.pulse.Stop()
	x.stuck.Stop()
	x.ctx.Cancel()
}
