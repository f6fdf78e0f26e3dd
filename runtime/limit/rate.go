package limit

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// ErrRate reports that the next free place of a rate lies too far ahead.
var ErrRate = errors.New("limit: rate exceeded")

// A RateError says which rate refused a call, and when to ask again. It matches
// [ErrRate].
type RateError struct {
	Name string
	Wait time.Duration // until a call would not be refused
}

// Error names the rate and the wait.
func (e *RateError) Error() string {
	return fmt.Sprintf("rate limit %s: too many calls wait already: try again in %s", e.Name, e.Wait.Round(time.Millisecond))
}

// Is reports whether target is ErrRate.
func (e *RateError) Is(target error) bool { return target == ErrRate }

// RetryAfter returns Wait; package retry asks for it.
func (e *RateError) RetryAfter() time.Duration { return e.Wait }

// DefaultMaxWait is how far ahead a place may lie unless a RateConfig says
// otherwise.
const DefaultMaxWait = time.Minute

// A RateConfig says how often something may happen.
type RateConfig struct {
	// Name names the rate in errors. Defaults to "rate".
	Name string
	// PerSecond is how many calls a second it lets through on average, above 0, at
	// most 1e9. It has no default.
	PerSecond float64
	// Burst is how many calls may come at once after a quiet time, 1 to 1e9.
	// Defaults to 1: calls are evenly spread.
	Burst int
	// MaxWait bounds how far ahead a place may lie, and by that how many wait.
	// Defaults to DefaultMaxWait.
	MaxWait time.Duration
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// A Rate hands out places in time. It is safe for concurrent use, takes no lock,
// and allocates only what it refuses with. Make one with [NewRate].
//
// It is the generic cell rate algorithm (ITU-T I.371) in its virtual scheduling
// form: one number, the time at which the bucket would be full again if no call
// came, stands for all places given.
type Rate struct {
	name      string
	interval  float64 // between two calls, in nanoseconds
	tolerance float64 // how much earlier than even spreading a burst may come
	maxWait   time.Duration
	now       func() time.Time
	base      time.Time
	next      atomic.Uint64 // math.Float64bits of nanoseconds since base; moves by CAS
}

// NewRate returns a rate whose burst is unused. The error names every field that
// cannot be meant.
func NewRate(cfg RateConfig) (*Rate, error) {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if cfg.Name == "" {
		cfg.Name = "rate"
	}
	if !(cfg.PerSecond > 0 && cfg.PerSecond <= 1e9) {
		bad("PerSecond is %v; want more than 0, at most 1e9", cfg.PerSecond)
	}
	if cfg.Burst == 0 {
		cfg.Burst = 1
	}
	if cfg.Burst < 1 || cfg.Burst > 1e9 {
		bad("Burst is %d; want 1 to 1000000000, or 0 for 1", cfg.Burst)
	}
	if cfg.MaxWait == 0 {
		cfg.MaxWait = DefaultMaxWait
	}
	if cfg.MaxWait < 0 {
		bad("MaxWait is %s; want more than 0, or 0 for %s", cfg.MaxWait, DefaultMaxWait)
	}
	if problems != nil {
		return nil, fmt.Errorf("rate limit %s: %w", cfg.Name, errors.Join(problems...))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	interval := float64(time.Second) / cfg.PerSecond
	return &Rate{
		name: cfg.Name, interval: interval, tolerance: interval * float64(cfg.Burst-1),
		maxWait: cfg.MaxWait, now: cfg.Now, base: cfg.Now(),
	}, nil
}

// Reserve takes the next free place and says how far ahead it lies; 0 is now. The
// place is the caller's whether it uses it or not. The error, a [*RateError], says
// that it would lie further ahead than MaxWait; nothing was taken then.
func (r *Rate) Reserve() (wait time.Duration, err error) {
	now := float64(r.now().Sub(r.base))
	for {
		old := r.next.Load()
		full := max(math.Float64frombits(old), now)
		ahead := time.Duration(max(full-r.tolerance-now, 0))
		if ahead > r.maxWait {
			return 0, &RateError{r.name, ahead - r.maxWait}
		}
		if r.next.CompareAndSwap(old, math.Float64bits(full+r.interval)) {
			return ahead, nil
		}
	}
}
