package actor

import "fmt"

// SpawnChild is Spawn for an actor that belongs to the one whose handler calls it: a
// parent that is closed handles what it has accepted, then closes its children, waits for
// them to stop, and only then calls its own OnStop. What Stop of the parent leaves at its
// deadline is left in the children too. A restart of the parent closes its children.
func SpawnChild[P, M any](c *Context[P], handler func(*Context[M], M) error, cfg Config) Ref[M] {
	if handler == nil {
		panic(fmt.Sprintf("actor: SpawnChild(%q): handler is nil", cfg.Name))
	}
	return spawn(c.actor.system, &c.actor.cell, handler, nil, &cfg)
}

// SpawnChildFunc is SpawnChild as SpawnFunc is Spawn.
func SpawnChildFunc[P, M any](c *Context[P], newHandler func() func(*Context[M], M) error, cfg Config) Ref[M] {
	if newHandler == nil {
		panic(fmt.Sprintf("actor: SpawnChildFunc(%q): newHandler is nil", cfg.Name))
	}
	return spawn(c.actor.system, &c.actor.cell, newHandler(), newHandler, &cfg)
}

func (c *cell) addChild(child *cell) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rarely()
	if r.children == nil {
		r.children = make(map[*cell]struct{})
	}
	r.children[child] = struct{}{}
	c.flags.Or(flagChildren)
}

// childGone is the last that a child does. A parent that waits for it is idle, or looks
// at the flag after it has become so.
func (c *cell) childGone(child *cell) {
	c.mu.Lock()
	delete(c.rare.children, child)
	last := len(c.rare.children) == 0
	if last {
		c.flags.And(^uint32(flagChildren))
	}
	c.mu.Unlock()
	if last {
		c.schedule()
	}
}

// closeChildren closes the children, and abandons them if the actor is abandoned itself.
func (c *cell) closeChildren() {
	abandoned := c.flags.Load() & (flagAbandon | flagKilled)
	for _, child := range c.allChildren() {
		if abandoned != 0 {
			child.abandonAs(abandoned)
		} else {
			child.close()
		}
	}
}

func (c *cell) allChildren() []*cell {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rare == nil {
		return nil
	}
	children := make([]*cell, 0, len(c.rare.children))
	for child := range c.rare.children {
		children = append(children, child)
	}
	return children
}

// escalate hands a child's failure to its parent.
func (c *cell) escalate(err error) {
	c.mu.Lock()
	if c.end.Load() != notEnded {
		c.mu.Unlock()
		return
	}
	r := c.rarely()
	r.escalated = append(r.escalated, err) // bounded by the children there were
	c.mu.Unlock()
	c.request(flagEscalated)
}

// attendEscalated makes the children's failures the actor's own. It reports whether there
// is a verdict to carry out.
func (c *cell) attendEscalated() (verdict bool) {
	c.mu.Lock()
	c.flags.And(^uint32(flagEscalated))
	errs := c.rare.escalated
	c.rare.escalated = nil
	c.mu.Unlock()
	for _, err := range errs {
		c.system.failures.Add(1)
		verdict = c.fail(Failure{Actor: c.name, Err: err}) || verdict
	}
	return verdict
}
