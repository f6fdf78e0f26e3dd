package actor

import (
	"context"
	"fmt"
	goruntime "runtime"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
)

// Ref is a small copyable handle of an actor. All its methods are safe for
// concurrent use. The zero Ref behaves like that of a stopped actor.
type Ref[M any] struct {
	actor *actor[M]
}

// Tell sends m. It never blocks and never allocates, except the actor's mailbox at
// the first message. It answers mailbox.ErrFull if the mailbox is full, and
// mailbox.ErrClosed if the actor stops or has stopped; m is then a dead letter.
// Messages of one sender are handled in the order sent.
func (r Ref[M]) Tell(m M) error {
	a := r.actor
	if a == nil {
		return mailbox.ErrClosed
	}
	if err := a.mailbox.TryEnqueue(m); err != nil {
		return a.refused(m, err)
	}
	a.schedule()
	return nil
}

// TellFrom is Tell for use inside a handler: c is that handler's Context. If both
// actors are non-blocking ones of the same system the receiver runs next, on the
// same worker.
func (r Ref[M]) TellFrom(c Sender, m M) error {
	a := r.actor
	if a == nil {
		return mailbox.ErrClosed
	}
	if err := a.mailbox.TryEnqueue(m); err != nil {
		return a.refused(m, err)
	}
	a.scheduleFrom(c.currentWorker())
	return nil
}

// TellWait is Tell that waits for room until ctx ends; then it returns an error
// that wraps ctx.Err(). It sleeps while it waits.
//
// Inside a handler it is ErrInHandler. It is recognised there by ctx, if that comes from
// Context.Context, or else when the mailbox is full and it would have to wait.
func (r Ref[M]) TellWait(ctx context.Context, m M) error {
	if inHandler(ctx) {
		return ErrInHandler
	}
	err := r.Tell(m)
	for i := 0; err == mailbox.ErrFull && i < yields; i++ { // else each message that is taken out wakes a sender for one
		goruntime.Gosched()
		err = r.Tell(m)
	}
	if err != mailbox.ErrFull {
		return err
	}
	if scheduler.OnWorker() {
		return ErrInHandler
	}
	err = r.actor.waitForRoom(ctx, func() (full bool, err error) {
		err = r.Tell(m)
		return err == mailbox.ErrFull, err
	})
	if err != nil && err == ctx.Err() {
		return fmt.Errorf("actor: %q: waiting for room in the mailbox: %w", r.actor.name, err)
	}
	return err
}

// Signal makes the actor call Config.OnSignal soon. Signals coalesce: any number
// that have not been attended to become one call, which begins after the last of
// them. A signal needs no room, is never refused and is not in order with
// messages. One that was sent before the actor was stopped is attended to.
func (r Ref[M]) Signal() {
	if r.actor != nil {
		r.actor.signal()
	}
}

// Close closes the mailbox and returns at once: the actor handles what has been
// accepted, calls OnStop and has stopped. It may be used inside handlers.
func (r Ref[M]) Close() {
	if r.actor != nil {
		r.actor.close()
	}
}

// Stop is Close and then waits until the actor has stopped. At the end of ctx
// what is left in the mailbox becomes dead letters, as soon as the handler that
// may be running has returned, and Stop returns an error that wraps ctx.Err(). With
// a context that has ended already that is at once: nothing more is handled.
// It may be called again to wait on.
//
// An actor that has nothing to do and no OnStop stops on the calling goroutine. Inside
// a handler Stop closes the mailbox too, but does not wait: it is ErrInHandler unless the
// actor has stopped by then.
func (r Ref[M]) Stop(ctx context.Context) error {
	a := r.actor
	if a == nil {
		return nil
	}
	if inHandler(ctx) {
		a.close()
		return ErrInHandler
	}
	if ctx.Err() == nil {
		if a.closeHere(); a.stoppedSoon() {
			return nil
		}
	}
	if scheduler.OnWorker() {
		a.close() // if ctx had ended already
		return ErrInHandler
	}
	if a.awaitEnd(ctx) {
		return nil
	}
	left := a.queued()
	a.abandon()
	return fmt.Errorf("actor: %q: the deadline of Stop came with %d messages left, which become dead letters: %w",
		a.name, left, ctx.Err())
}

// offer is Tell, from a handler on w if that is not nil, without a dead letter.
func (a *actor[M]) offer(m M, w *scheduler.Worker) error {
	if err := a.mailbox.TryEnqueue(m); err != nil {
		return err
	}
	a.scheduleFrom(w)
	return nil
}

// refused makes a dead letter of what came too late.
func (a *actor[M]) refused(m M, err error) error {
	if err == mailbox.ErrClosed {
		a.deadLetter(m, err)
	}
	return err
}

// wait waits for done and reports whether that came before the end of ctx. What is
// done already counts even if ctx has ended too.
func wait(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}
