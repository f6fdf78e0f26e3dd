package retry

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// The defaults of the fields that a policy leaves at zero.
const (
	DefaultMaxAttempts = 3
	DefaultBase        = 100 * time.Millisecond
	DefaultMax         = 30 * time.Second
	DefaultMultiplier  = 2.0
)

// A Policy decides what follows a failed attempt.
//
// Next is told the number of the attempt that just failed, from 1, the time
// since the first attempt began, and the attempt's error, never nil. It answers
// how long to wait and whether to try again at all. Next is called from many
// goroutines at once and must not block. A policy of one's own asks
// [IsPermanent] and [RetryAfter] to honour [Permanent] and [After].
type Policy interface {
	Next(attempt int, elapsed time.Duration, err error) (wait time.Duration, again bool)
}

// Exponential waits Base before the second attempt and Multiplier times as long
// before each later one, never more than Max. The zero value is valid: three
// attempts, 100 ms and 200 ms apart. Next does not allocate.
type Exponential struct {
	// MaxAttempts counts all attempts, the first included. Defaults to
	// DefaultMaxAttempts; without limit when only MaxElapsed is set.
	MaxAttempts int
	// Base is the wait after the first attempt. Defaults to DefaultBase.
	Base time.Duration
	// Max bounds each wait. Defaults to DefaultMax, or to Base if that is
	// longer. A wait asked for by After may exceed it.
	Max time.Duration
	// Multiplier is the growth of the wait, at least 1. Defaults to
	// DefaultMultiplier.
	Multiplier float64
	// Jitter is the share of each wait, 0 to 1, that is left to chance: a wait
	// w becomes a random one in (w*(1-Jitter), w], so Max holds. Defaults to 0.
	Jitter float64
	// MaxElapsed ends the retrying when the next attempt would begin later than
	// this after the first one began. Defaults to 0, no such bound.
	MaxElapsed time.Duration
	// If reports whether an error is worth another attempt. Defaults to all
	// errors. It must be safe for concurrent use.
	If func(error) bool
	// Rand draws the jitter from [0, 1). Defaults to math/rand/v2.Float64; give
	// a seeded one to repeat a run. It must be safe for concurrent use.
	Rand func() float64
}

// Next implements [Policy].
func (e Exponential) Next(attempt int, elapsed time.Duration, err error) (time.Duration, bool) {
	return limits{e.MaxAttempts, e.MaxElapsed, e.If}.next(attempt, elapsed, e.wait(attempt), err)
}

// wait is the back-off after the given attempt.
func (e Exponential) wait(attempt int) time.Duration {
	base, growth := e.Base, e.Multiplier
	if base <= 0 {
		base = DefaultBase
	}
	if growth < 1 {
		growth = DefaultMultiplier
	}
	longest := e.Max
	if longest <= 0 {
		longest = max(DefaultMax, base)
	}
	wait := longest
	// False also when the power overflowed to +Inf.
	if grown := float64(base) * math.Pow(growth, float64(max(attempt, 1)-1)); grown < float64(longest) {
		wait = time.Duration(grown)
	}
	if e.Jitter > 0 {
		draw := rand.Float64
		if e.Rand != nil {
			draw = e.Rand
		}
		wait -= time.Duration(float64(wait) * min(e.Jitter, 1) * draw())
	}
	return wait
}

// Validate reports every field whose value cannot be meant, or nil. The methods
// of an invalid policy use the default in its place.
func (e Exponential) Validate() error {
	problems := validateLimits(e.MaxAttempts, e.MaxElapsed)
	if e.Base < 0 {
		problems = append(problems, fmt.Errorf("negative Base %s; want a wait of 0 (the default) or more", e.Base))
	}
	if e.Max < 0 {
		problems = append(problems, fmt.Errorf("negative Max %s; want a wait of 0 (the default) or more", e.Max))
	}
	if e.Max > 0 && e.Base > e.Max {
		problems = append(problems, fmt.Errorf("a Base of %s above the Max of %s; want Base <= Max", e.Base, e.Max))
	}
	if e.Multiplier != 0 && !(e.Multiplier >= 1 && e.Multiplier <= math.MaxFloat64) {
		problems = append(problems, fmt.Errorf("out-of-range Multiplier %v; want 0 (the default) or at least 1", e.Multiplier))
	}
	if !(e.Jitter >= 0 && e.Jitter <= 1) {
		problems = append(problems, fmt.Errorf("out-of-range Jitter %v; want 0 to 1", e.Jitter))
	}
	return errors.Join(problems...)
}

// Constant waits the same time between all attempts. The zero value is valid:
// three attempts without a wait. Next does not allocate.
type Constant struct {
	// MaxAttempts counts all attempts, the first included. Defaults to
	// DefaultMaxAttempts; without limit when only MaxElapsed is set.
	MaxAttempts int
	// Wait is the time between attempts. Defaults to 0.
	Wait time.Duration
	// MaxElapsed is as in Exponential.
	MaxElapsed time.Duration
	// If is as in Exponential.
	If func(error) bool
}

// Next implements [Policy].
func (c Constant) Next(attempt int, elapsed time.Duration, err error) (time.Duration, bool) {
	return limits{c.MaxAttempts, c.MaxElapsed, c.If}.next(attempt, elapsed, max(c.Wait, 0), err)
}

// Validate reports every field whose value cannot be meant, or nil. The methods
// of an invalid policy use the default in its place.
func (c Constant) Validate() error {
	problems := validateLimits(c.MaxAttempts, c.MaxElapsed)
	if c.Wait < 0 {
		problems = append(problems, fmt.Errorf("negative Wait %s; want a wait of 0 or more", c.Wait))
	}
	return errors.Join(problems...)
}

// limits are the bounds that every policy of this package has.
type limits struct {
	maxAttempts int
	maxElapsed  time.Duration
	retryable   func(error) bool
}

// next applies the bounds, the predicate and the error's own wishes to a wait.
func (l limits) next(attempt int, elapsed, wait time.Duration, err error) (time.Duration, bool) {
	if l.maxAttempts <= 0 && l.maxElapsed <= 0 {
		l.maxAttempts = DefaultMaxAttempts
	}
	if l.maxAttempts > 0 && attempt >= l.maxAttempts {
		return 0, false
	}
	if IsPermanent(err) || l.retryable != nil && !l.retryable(err) {
		return 0, false
	}
	if asked, ok := RetryAfter(err); ok {
		wait = max(wait, asked)
	}
	// Written as a difference: elapsed + wait could overflow.
	if l.maxElapsed > 0 && wait > l.maxElapsed-elapsed {
		return 0, false
	}
	return wait, true
}

func validateLimits(maxAttempts int, maxElapsed time.Duration) []error {
	var problems []error
	if maxAttempts < 0 {
		problems = append(problems, fmt.Errorf("negative MaxAttempts %d; want 0 (the default) or more", maxAttempts))
	}
	if maxElapsed < 0 {
		problems = append(problems, fmt.Errorf("negative MaxElapsed %s; want 0 (no bound) or more", maxElapsed))
	}
	return problems
}
