package actor

import "time"

// sentence is the verdict that an all-for-one actor shares with its siblings.
type sentence struct {
	verdict Directive
	delay   time.Duration
}

// sentenceSiblings has the other children of the parent share the verdict.
func (c *cell) sentenceSiblings() {
	shared := sentence{verdict: c.supervisor.verdict, delay: c.supervisor.delay}
	if shared.verdict == Escalate {
		shared.verdict = Stop // the parent has heard of it
	}
	for _, sibling := range c.parent.allChildren() {
		if sibling != c {
			sibling.share(shared)
		}
	}
}

// share passes a sentence on to a sibling, where the latest counts but a stop stays one.
func (c *cell) share(s sentence) {
	c.mu.Lock()
	if c.end.Load() != notEnded {
		c.mu.Unlock()
		return
	}
	r := c.rarely()
	if c.flags.Load()&flagSibling == 0 || r.shared.verdict == Restart {
		r.shared = s
	}
	was := c.flags.Or(flagSibling)
	c.mu.Unlock()
	if was&flagSibling == 0 {
		c.schedule()
	}
}

// attendSibling makes a sibling's sentence the actor's own.
func (c *cell) attendSibling() {
	c.mu.Lock()
	c.flags.And(^uint32(flagSibling))
	s := c.rare.shared
	c.mu.Unlock()
	if c.supervisor == nil {
		c.supervisor = &supervisor{Supervision: Supervision{Decide: resumeAlways}}
	}
	c.supervisor.verdict, c.supervisor.delay = s.verdict, s.delay
	if s.verdict == Stop {
		c.system.publish(c, GaveUp, errSibling)
	}
}

// resumeAlways is what an actor without Supervision does.
func resumeAlways(Failure) Directive { return Resume }

// forgetSibling drops a shared restart that is due: the actor has just made one.
func (c *cell) forgetSibling() {
	if c.flags.Load()&flagSibling == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rare.shared.verdict == Restart {
		c.flags.And(^uint32(flagSibling))
	}
}
