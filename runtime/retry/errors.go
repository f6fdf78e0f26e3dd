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

// RetryAfter returns the wait that an error made by [After] asks for: that of
// the outermost one if err wraps several.
func RetryAfter(err error) (time.Duration, bool) {
	if after, ok := errors.AsType[*afterError](err); ok {
		return after.wait, true
	}
	return 0, false
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
