package workflow

import "time"

// The policies that a plan carries out with the help of others. All methods and
// functions here are safe for concurrent use, quick, and never block.

// A CachePolicy lets a task take its result from an earlier run. Results are
// kept by the engine under the names of workflow and task and the key; runs that
// miss the same key at the same time share one execution. Only successes are kept.
type CachePolicy struct {
	// Key makes the key from what the task reads. An error fails the task
	// without an attempt.
	Key func(in Inputs) (string, error)
	// TTL is how long a result stays valid; 0 is as long as there is room.
	TTL time.Duration
}

// A CircuitBreaker refuses attempts while the resource that they need is known to be
// down. Several tasks and workflows share one; *breaker.Breaker is one.
type CircuitBreaker interface {
	// Allow asks for leave to begin an attempt. An error refuses it: the attempt
	// fails with it unrun, and the retry policy is asked about it. With a nil
	// error the caller owes a Done, to which it passes the token on.
	Allow() (token uint64, err error)
	// Done reports how the attempt ended, with nil if it succeeded. An attempt
	// that was cancelled is reported with an error that is [context.Canceled]. A panic
	// is contained and counted, and changes nothing about the attempt.
	Done(token uint64, err error)
}

// A RateLimiter spreads attempts over time.
type RateLimiter interface {
	// Reserve takes the next free place and says how far in the future that is;
	// the attempt begins after that wait and does not give the place back. An
	// error, such as for a wait longer than the limit allows, fails the attempt
	// unrun, and the retry policy is asked about it.
	Reserve() (wait time.Duration, err error)
}

// A ConcurrencyPolicy bounds how many tasks with the same key hold a limit at
// the same time, over all runs that share the limit.
type ConcurrencyPolicy struct {
	Limit ConcurrencyLimiter
	// Key makes the key from what the task reads; nil is one key for all. An
	// error fails the task without an attempt.
	Key func(in Inputs) (string, error)
}

// A ConcurrencyLimiter hands out places by key.
type ConcurrencyLimiter interface {
	// Acquire takes a place and reports true. If there is none it queues the
	// caller, first come, first served, and reports false: granted is then
	// called once, from any goroutine, when the place is the caller's.
	Acquire(key string, granted func()) (waiter any, ok bool)
	// Cancel takes a waiter out of the queue. False means that granted was
	// called, or is about to be: the place must be released.
	Cancel(waiter any) bool
	// Release gives a place back.
	Release(key string)
}

// A RepeatPolicy executes a task again and again until a condition holds. The
// attempts of each iteration are counted on their own; Timeout bounds each,
// TaskTimeout all of them.
type RepeatPolicy struct {
	// Until is asked after each iteration that succeeded, with its result and
	// number, from 0, in in.Previous and in.Iteration. True ends the task with
	// that result, an error fails it.
	Until func(in Inputs) (bool, error)
	// Max bounds the iterations, 1 to MaxIterations. A task that Until does not
	// let go by then fails with [ErrRepeatLimit].
	Max int
	// Wait is the time between two iterations.
	Wait time.Duration
}

// MaxIterations is the largest Max of a RepeatPolicy.
const MaxIterations = 1 << 20
