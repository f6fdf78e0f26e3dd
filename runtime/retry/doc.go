// Package retry holds the policies that say whether a failed attempt is tried
// again, and after which wait. A policy is a pure value: it owns no goroutine
// and no timer, the caller does the waiting.
//
// Choose [Exponential] for anything behind a network or a shared resource, and
// [Constant] when the wait is known, for example for a poll. A task's function
// steers the policy through its error: [Permanent] ends the retrying,
// [After] asks for a longer wait.
//
// A policy never retries without a bound: a policy that names neither a number
// of attempts nor a time ends after [DefaultMaxAttempts].
package retry
