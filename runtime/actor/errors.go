package actor

import (
	"errors"
	"fmt"
)

var (
	// ErrInHandler reports a call that waits, made inside a handler, where it
	// would hold up the worker and perhaps the very actor it waits for.
	ErrInHandler = errors.New("actor: this call waits, and a handler must not: use Tell or TellFrom instead of TellWait and Ask, " +
		"Context.Stop or Ref.Close instead of Stop, or call it on a goroutine of its own")

	// ErrAbandoned is a dead letter's reason: the deadline of Stop came first.
	ErrAbandoned = errors.New("actor: not handled before the deadline of Stop")

	// ErrKilled is a dead letter's reason: Ref.Kill came first.
	ErrKilled = errors.New("actor: not handled before Kill")

	// errSibling is the reason of an EventKind GaveUp that an AllForOne sibling brought about.
	errSibling = errors.New("actor: a sibling with AllForOne stops")

	// ErrStashed is a dead letter's reason: the actor stopped with the message in its stash.
	ErrStashed = errors.New("actor: still in the stash when the actor stopped")

	// ErrOverflow is a dead letter's reason: Config.Overflow dropped it from a full mailbox.
	ErrOverflow = errors.New("actor: dropped because the mailbox was full")

	// ErrStashFull reports a Stash that finds Config.StashCapacity messages there.
	ErrStashFull = errors.New("actor: the stash is full: refuse the message, or raise Config.StashCapacity")

	// ErrBecomeDepth reports a Become on top of 64 others.
	ErrBecomeDepth = errors.New("actor: Become has been called 64 times without Unbecome: call Unbecome before Become to replace a handler")

	// ErrNoReply is the end of an Ask whose actor has stopped without a reply.
	ErrNoReply = errors.New("the actor has stopped without a reply")

	// ErrNotAsking reports a Reply that nobody waits for: the Ask has been answered
	// before, or its context has ended.
	ErrNotAsking = errors.New("actor: reply to an Ask that has been answered before or has ended")

	// ErrGoexit is the failure of a handler that called runtime.Goexit, as
	// testing.T.FailNow does.
	ErrGoexit = errors.New("actor: the handler called runtime.Goexit")
)

// A PanicError is the failure of a handler that panicked.
type PanicError struct {
	Value any    // what the handler passed to panic
	Stack []byte // where
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value if it is an error, so that errors.Is and As see it.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A DeadLetter is a message that no handler will see.
type DeadLetter struct {
	Actor   string // name of the actor it was meant for
	Message any    // of the actor's message type
	Reason  error  // mailbox.ErrClosed: told to a stopped actor; else ErrAbandoned, ErrKilled, ErrGaveUp, ErrStashed or ErrOverflow
}

// A Failure is a handler's error or panic.
type Failure struct {
	Actor   string // name of the actor
	Message any    // what it was handling; nil if it was in OnSignal or OnStop
	Err     error  // what the handler returned, or a *PanicError, or ErrGoexit
}
