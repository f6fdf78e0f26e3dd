package processor

import (
	"context"
	"sync/atomic"
)

// contained keeps an observer's panics, which are user code's, from the engine.
type contained struct {
	obs    Observer
	panics *atomic.Uint64
}

// contain wraps obs; nil stays nil.
func contain(obs Observer, panics *atomic.Uint64) Observer {
	if obs == nil {
		return nil
	}
	return &contained{obs, panics}
}

func (c *contained) recover() {
	if recover() != nil {
		c.panics.Add(1)
	}
}

func (c *contained) RunStarted(ctx context.Context, e *Event) (to context.Context) {
	to = ctx
	defer c.recover()
	if made := c.obs.RunStarted(ctx, e); made != nil {
		to = made
	}
	return to
}

func (c *contained) RunEnded(ctx context.Context, e *Event) {
	defer c.recover()
	c.obs.RunEnded(ctx, e)
}

func (c *contained) AttemptStarted(ctx context.Context, e *Event) (to context.Context) {
	to = ctx
	defer c.recover()
	if made := c.obs.AttemptStarted(ctx, e); made != nil {
		to = made
	}
	return to
}

func (c *contained) AttemptEnded(ctx context.Context, e *Event) {
	defer c.recover()
	c.obs.AttemptEnded(ctx, e)
}

func (c *contained) Noticed(e *Event, n Notice) {
	defer c.recover()
	c.obs.Noticed(e, n)
}
