package retry

import (
	"errors"
	"time"
)

// Permanent marks err as one that no further attempt can mend: policies never
// retry it. Its message is err's; [errors.Is] and [errors.As] reach err.
// Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err or an error that it wraps was made by
// [Permanent].
func IsPermanent(err error) bool {
	_, ok := errors.AsType[*permanentError](err)
	return ok
}

// After asks for a wait of at least d before the next attempt, as a server's
// Retry-After does. It overrides a policy's longest wait, not its bounds on
// attempts and elapsed time. Its message is err's; [errors.Is] and [errors.As]
// reach err. After(d, nil) is nil.
func After(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &afterError{d, err}
}

// RetryAfter returns the wait that an error asks for: one made by [After], or one
// with a method RetryAfter() time.Duration, such as that of an open breaker. Of
// several that err wraps the outermost counts.
func RetryAfter(err error) (time.Duration, bool) {
	if after, ok := errors.AsType[waiter](err); ok {
		return after.RetryAfter(), true
	}
	return 0, false
}

// A waiter is an error that knows when to try again.
type waiter interface {
	error
	RetryAfter() time.Duration
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

type afterError struct {
	wait time.Duration
	err  error
}

func (e *afterError) Error() string { return e.err.Error() }
func (e *afterError) Unwrap() error { return e.err }

func (e *afterError) RetryAfter() time.Duration { return e.wait }
