package actor

import (
	"context"

	"github.com/ringmill/ringmill/scheduler"
)

// Context is what a handler is given besides its message. It belongs to the
// handler's call: it must not be used after that call has returned nor on another
// goroutine. What may be kept is Self.
type Context[M any] struct {
	actor  *actor[M]
	worker *scheduler.Worker // runs the actor now; nil if its LIFO slot is not to be used
}

// Sender is a handler's Context, of whatever message type.
type Sender interface {
	currentWorker() *scheduler.Worker
}

// Self returns the actor's own Ref.
func (c *Context[M]) Self() Ref[M] { return Ref[M]{actor: c.actor} }

// Stop closes the actor's mailbox and returns at once. The actor handles what has
// been accepted before and then stops.
func (c *Context[M]) Stop() { c.actor.close() }

// Context returns a context for calls that want one. Methods of this package that
// wait recognise it and answer ErrInHandler. It is never cancelled. Making it
// allocates, once for each actor.
func (c *Context[M]) Context() context.Context { return c.actor.handlerContext() }

func (c *Context[M]) currentWorker() *scheduler.Worker { return c.worker }

type handlerKey struct{}

// handlerContext returns the context that marks a handler. Only the actor's side calls it.
func (c *cell) handlerContext() context.Context {
	if c.marked == nil {
		c.marked = context.WithValue(context.Background(), handlerKey{}, c)
	}
	return c.marked
}

// inHandler reports whether ctx comes from Context.Context.
func inHandler(ctx context.Context) bool { return ctx.Value(handlerKey{}) != nil }
