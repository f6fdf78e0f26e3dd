package loadgen

import (
	"errors"
	"fmt"
	"time"

	"github.com/ringmill/ringmill/runtime"
)

// The defaults of Config, and the bounds that Run accepts.
const (
	DefaultDuration    = 10 * time.Second
	DefaultMaxInFlight = 10_000
	DefaultDrain       = 10 * time.Second

	MaxRate        = 10e6
	MaxDuration    = 24 * time.Hour
	MaxInFlight    = 1_000_000
	MaxConcurrency = MaxInFlight
	MaxRequests    = 1 << 40
)

// Config says what load to send to what. Either Rate, Stages or a trace (open
// loop) or Concurrency (closed loop) must be set, everything else has a default.
type Config struct {
	// Rate is the arrivals a second of an open loop, up to 10,000,000.
	Rate float64
	// Stages change the rate over time and take the place of Rate.
	Stages []Stage
	// Arrivals spread the requests of an open loop. Defaults to constant.
	Arrivals Arrivals
	// Concurrency is the number of clients of a closed loop: each sends its next
	// request when the last one was answered. 1 to 1,000,000; 0 is an open loop.
	Concurrency int

	// Duration is the time during which requests are sent, Warmup included.
	// Defaults to 10 s, or to no bound but 24 h if Requests is set or a trace
	// says when it ends; at most 24 h.
	Duration time.Duration
	// Warmup is the time from the start whose requests are not measured. Defaults to 0.
	Warmup time.Duration
	// Requests is how many requests are sent at most, those of the warm-up
	// included. Defaults to 0, no bound but the time.
	Requests int64
	// Seed of the plan and of what requests draw. Every value is valid.
	Seed uint64
	// MaxInFlight is how many requests of an open loop are under way at once. At
	// the bound an arrival waits; its latency counts from its intended time all
	// the same. Defaults to 10,000; 1 to 1,000,000.
	MaxInFlight int
	// Drain is how long requests under way are waited for at the end before
	// they are cancelled. Defaults to 10 s.
	Drain time.Duration

	// Workload is what a request does. Defaults to a workflow of one task that
	// does nothing.
	Workload Workload
	// Runtime sizes the runtime that executes the workload. The zero Overflow
	// means OverflowFail in an open loop and OverflowWait in a closed one.
	Runtime runtime.Config
	// Target, if set, answers requests in the place of Workload and Runtime.
	Target Target

	// Thresholds to hold. One with an abort time ends the run when it is broken.
	Thresholds []Threshold

	// Live, if set, is called about ten times a second, and at least a hundred
	// times a run, on a goroutine of the load generator; it must return soon.
	Live func(Snapshot)

	pacer     pacer // by tests
	keepProcs bool  // leave GOMAXPROCS alone
	blind     bool  // the time is not the machine's, so its counters say nothing
}

// Check returns the configuration with its defaults filled in, or an error that
// names every field that is wrong.
func (c Config) Check() (Config, error) {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("loadgen: Config."+format, args...))
	}
	open := c.Rate != 0 || len(c.Stages) > 0 || c.Arrivals.Kind == ArrivalsTrace
	switch {
	case open && c.Concurrency != 0:
		wrong("Concurrency: %d clients and a plan of arrivals exclude each other; want Rate, Stages or a trace, or Concurrency", c.Concurrency)
	case !open && c.Concurrency == 0:
		wrong("Rate: 0 says nothing; want Rate, Stages, a trace, or Concurrency")
	case len(c.Stages) > 0 && c.Rate != 0:
		wrong("Stages: they exclude Rate; make it the first stage")
	case c.Arrivals.Kind == ArrivalsTrace && (c.Rate != 0 || len(c.Stages) > 0):
		wrong("Arrivals: a trace has its own times; leave out Rate and Stages")
	}
	if c.Rate != 0 && !(c.Rate > 0 && c.Rate <= MaxRate) {
		wrong("Rate: %v is out of range; want more than 0 and up to 10,000,000 a second", c.Rate)
	}
	if err := checkStages(c.Stages); err != nil {
		wrong("Stages: %w", err)
	}
	if c.Concurrency < 0 || c.Concurrency > MaxConcurrency {
		wrong("Concurrency: %d is out of range; want 1 to %d, or 0 for an open loop", c.Concurrency, MaxConcurrency)
	}
	c.checkArrivals(wrong)
	if c.Duration == 0 {
		c.Duration = DefaultDuration
		if c.Arrivals.Kind == ArrivalsTrace || c.Requests > 0 {
			c.Duration = MaxDuration
		}
	}
	if c.MaxInFlight == 0 {
		c.MaxInFlight = DefaultMaxInFlight
	}
	if c.Drain == 0 {
		c.Drain = DefaultDrain
	}
	if c.Duration < 0 || c.Duration > MaxDuration {
		wrong("Duration: %v is out of range; want more than 0 and up to %v", c.Duration, MaxDuration)
	}
	if c.Warmup < 0 || c.Warmup >= c.Duration {
		wrong("Warmup: %v is out of range; want 0 or more and less than the duration, %v", c.Warmup, c.Duration)
	}
	if c.Requests < 0 || c.Requests > MaxRequests {
		wrong("Requests: %d is out of range; want 0 to %d", c.Requests, int64(MaxRequests))
	}
	if c.MaxInFlight < 1 || c.MaxInFlight > MaxInFlight {
		wrong("MaxInFlight: %d is out of range; want 1 to %d", c.MaxInFlight, MaxInFlight)
	}
	if c.Drain < 0 || c.Drain > MaxDuration {
		wrong("Drain: %v is out of range; want 0 to %v", c.Drain, MaxDuration)
	}
	if c.Target == nil {
		if c.Workload.Workflow == "" {
			c.Workload.Workflow = "noop"
		}
		if err := c.Workload.check(); err != nil {
			problems = append(problems, fmt.Errorf("loadgen: Config.%w", err))
		}
		if c.Runtime.Overflow == runtime.OverflowDefault {
			c.Runtime.Overflow = runtime.OverflowFail
			if c.Concurrency > 0 {
				c.Runtime.Overflow = runtime.OverflowWait
			}
		}
		c.Runtime.TaskTimings = c.Runtime.TaskTimings || c.Workload.timed()
	}
	return c, errors.Join(problems...)
}

func (c Config) checkArrivals(wrong func(string, ...any)) {
	a := c.Arrivals
	switch a.Kind {
	case "", ArrivalsConstant, ArrivalsPoisson:
	case ArrivalsBurst:
		if a.Burst < 1 || a.Burst > MaxBurst {
			wrong("Arrivals.Burst: %d is out of range; want 1 to %d", a.Burst, MaxBurst)
		}
	case ArrivalsTrace:
		if len(a.Trace) == 0 || len(a.Trace) > MaxTrace {
			wrong("Arrivals.Trace: it has %d arrivals; want 1 to %d", len(a.Trace), MaxTrace)
		}
	default:
		wrong("Arrivals.Kind: %q is unknown; want constant, poisson, burst or trace", a.Kind)
	}
	if c.Concurrency > 0 && a.Kind != "" && a.Kind != ArrivalsConstant {
		wrong("Arrivals: a closed loop has none; leave it out, or set Rate in the place of Concurrency")
	}
}

// expected is how long sending takes; the longest duration if nobody can know.
func (c Config) expected() time.Duration {
	d := c.Duration
	switch {
	case c.Arrivals.Kind == ArrivalsTrace:
		d = min(d, c.Arrivals.Trace[len(c.Arrivals.Trace)-1])
	case c.Requests > 0 && c.Rate > 0:
		d = min(d, time.Duration(min(float64(c.Requests)/c.Rate, MaxDuration.Seconds())*1e9))
	}
	return d
}

// loadText describes the load, without the sizes of the runtime.
func (c Config) loadText() string {
	w := c.Workload
	loop := fmt.Sprintf("rate=%g stages=%s arrivals=%s", c.Rate, formatStages(c.Stages), c.Arrivals)
	if c.Concurrency > 0 {
		loop = fmt.Sprintf("concurrency=%d", c.Concurrency)
	}
	return fmt.Sprintf("%s seed=%d requests=%d duration=%v warmup=%v workflow=%s synthetic=%t work=%s fail=%g panic=%g payload=%d hot=%g",
		loop, c.Seed, c.Requests, c.Duration, c.Warmup, w.Workflow, w.Synthetic, w.Work, w.Fail, w.Panic, w.Payload, w.Hot)
}
