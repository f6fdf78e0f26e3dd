package actor

import (
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// passivateQuarters is in how many steps an actor's silence is measured: it ends at most one step late.
const passivateQuarters = 4

// passivator looks, a few times within PassivateAfter, whether the actor has handled
// anything since. That the count of handled messages shares the status word makes it one
// load, and costs the messages nothing. Its fields belong to the wheel, which never runs
// a timer's callback twice at a time.
type passivator struct {
	timer  scheduler.Timer
	cell   *cell
	period time.Duration
	seen   uint64 // status at the last look
	quiet  int    // looks in a row that found the same
}

// passivateAfter is called once, at spawn. The actor may have stopped already.
func (c *cell) passivateAfter(d time.Duration) {
	p := &passivator{cell: c, period: max(d/passivateQuarters, 1)}
	p.timer.Init(p.look)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end.Load() != notEnded {
		return
	}
	c.rarely().passivator = p
	c.system.wheel().Start(&p.timer, p.period)
}

func (p *passivator) look() {
	c := p.cell
	switch s := c.status.Load(); {
	case s&stateMask == stopped:
		return
	case s&stateMask != idle || s != p.seen:
		p.seen, p.quiet = s, 0
	default:
		p.quiet++
	}
	if p.quiet >= passivateQuarters {
		p.quiet = 0
		c.request(flagPassivate) // the actor's side knows whether there is something to do
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end.Load() == notEnded {
		c.system.wheel().Start(&p.timer, p.period)
	}
}

// attendPassivate stops the actor unless there is something to do for it. A message that
// comes in between is handled as before any other Close.
func (a *actor[M]) attendPassivate() {
	a.flags.And(^uint32(flagPassivate))
	f := a.flags.Load()
	if f&(flagClosed|flagChildren|flagNotice|flagUnstashed) != 0 || a.mailbox.Len() > 0 {
		return
	}
	if a.extra != nil && len(a.extra.stash) > 0 {
		return
	}
	a.system.passivated.Add(1)
	a.system.publish(&a.cell, Passivated, nil)
	a.close()
}
