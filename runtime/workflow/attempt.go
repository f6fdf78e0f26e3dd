package workflow

import "context"

// An Attempt is what a task's function can learn about its own execution, and
// tell about it. An engine puts one into the context of every attempt; the
// methods are safe for concurrent use and do not block.
type Attempt interface {
	// IdempotencyKey names the work: the run's id, the task and, in a Map, the
	// item, in a Repeat the iteration, joined by slashes: "r-1/price/0". It is the same for
	// every attempt, and no other work of the run has it: a slash or % in a task's name is written
	// as in a URL, and so is the first digit of one that is a number.
	IdempotencyKey() string
	// Number counts the attempts, from 1.
	Number() int
	// Heartbeat says that the attempt is alive.
	Heartbeat()
}

// An attemptKey is what contexts keep the Attempt under.
type attemptKey struct{}

// AttemptKey is the key of the [Attempt] in a context, for engines with contexts
// of their own: Value(AttemptKey) returns it.
var AttemptKey any = attemptKey{}

// AttemptOf returns the attempt that ctx belongs to; nil outside of a task.
func AttemptOf(ctx context.Context) Attempt {
	a, _ := ctx.Value(AttemptKey).(Attempt)
	return a
}

// WithAttempt returns a context that belongs to an attempt.
func WithAttempt(ctx context.Context, a Attempt) context.Context {
	return context.WithValue(ctx, AttemptKey, a)
}

// IdempotencyKey returns a name for the work that ctx belongs to, the same for
// every attempt at it, to be sent along with requests that must not take effect
// twice; empty outside of a task.
func IdempotencyKey(ctx context.Context) string {
	if a := AttemptOf(ctx); a != nil {
		return a.IdempotencyKey()
	}
	return ""
}

// Heartbeat tells that the task is alive; see [HeartbeatTimeout]. It does
// nothing outside of a task.
func Heartbeat(ctx context.Context) {
	if a := AttemptOf(ctx); a != nil {
		a.Heartbeat()
	}
}
