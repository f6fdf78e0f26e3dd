package breaker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The defaults of a Config.
const (
	DefaultFailures = 5
	DefaultWindow   = 100
	DefaultOpenFor  = 30 * time.Second
)

// MaxTrials is the largest number of trials of a half-open breaker.
const MaxTrials = 1<<14 - 1

// A Config says when a breaker opens and closes. The zero value is valid.
type Config struct {
	// Name names the resource in errors and reports. Defaults to "breaker".
	Name string
	// Failures is how many calls in a row must fail to open it. Defaults to
	// DefaultFailures; without effect by itself when only FailureRate is set.
	Failures int
	// FailureRate opens it as well when this share of Window calls failed,
	// whatever their order: above 0, at most 1. Defaults to 0, no such bound.
	FailureRate float64
	// Window is how many calls the rate is taken over, 1 to 1,000,000; after so
	// many the counting begins anew. Defaults to DefaultWindow.
	Window int
	// OpenFor is how long it stays open. Defaults to DefaultOpenFor.
	OpenFor time.Duration
	// Trials is how many calls a half-open breaker lets through, all of which
	// must succeed to close it, 1 to MaxTrials. Defaults to 1.
	Trials int
	// IsFailure reports whether an error says that the resource is down. It is
	// not asked about nil and about context.Canceled, which say nothing of the kind.
	// Defaults to all errors. It must be safe for concurrent use.
	IsFailure func(error) bool
	// OnChange is told each change of state, on the goroutine that caused it;
	// it must be quick and must not block. Changes may be told out of order.
	OnChange func(name string, from, to State)
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() (Config, error) {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Name == "" {
		c.Name = "breaker"
	}
	if c.Failures < 0 {
		bad("Failures is %d; want 1 or more, or 0 for %d", c.Failures, DefaultFailures)
	}
	if c.Failures == 0 && c.FailureRate == 0 {
		c.Failures = DefaultFailures
	}
	if !(c.FailureRate >= 0 && c.FailureRate <= 1) {
		bad("FailureRate is %v; want more than 0, at most 1, or 0 for none", c.FailureRate)
	}
	if c.Window == 0 {
		c.Window = DefaultWindow
	}
	if c.Window < 1 || c.Window > 1_000_000 {
		bad("Window is %d; want 1 to 1000000, or 0 for %d", c.Window, DefaultWindow)
	}
	if c.OpenFor == 0 {
		c.OpenFor = DefaultOpenFor
	}
	if c.OpenFor < 0 {
		bad("OpenFor is %s; want more than 0, or 0 for %s", c.OpenFor, DefaultOpenFor)
	}
	if c.Trials == 0 {
		c.Trials = 1
	}
	if c.Trials < 1 || c.Trials > MaxTrials {
		bad("Trials is %d; want 1 to %d, or 0 for 1", c.Trials, MaxTrials)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if problems != nil {
		return c, fmt.Errorf("breaker %s: %w", c.Name, errors.Join(problems...))
	}
	return c, nil
}

// isFailure classifies the error of a call.
func (c *Config) isFailure(err error) bool {
	return c.IsFailure == nil || c.IsFailure(err)
}

func isCancelled(err error) bool { return errors.Is(err, context.Canceled) }
