package scheduler

import (
	"fmt"
	"math"
	"time"
)

// SizerConfig says within what bounds a Sizer works. The zero value is not valid: Min and Max
// have no default.
type SizerConfig struct {
	// Min and Max bound the size, 1 <= Min <= Max <= 65,536 (RINGMILL_TASK_ACTORS_MIN,
	// RINGMILL_TASK_ACTORS_MAX).
	Min, Max int

	// Interval is how often Observe is called, 10 ms to 10 s. Defaults to 100 ms.
	Interval time.Duration

	// GrowAbove is the mean wait above which the pool grows, 1 ms or more. Defaults to 5 ms.
	GrowAbove time.Duration

	// ShrinkBelow is the mean wait below which it shrinks, less than GrowAbove; between the
	// two the size stays. Defaults to a quarter of GrowAbove.
	ShrinkBelow time.Duration
}

const (
	maxSize             = 1 << 16
	defaultInterval     = 100 * time.Millisecond
	minInterval         = 10 * time.Millisecond
	maxInterval         = 10 * time.Second
	defaultGrowAbove    = 5 * time.Millisecond
	minGrowAbove        = time.Millisecond
	shrinkBelowFraction = 4

	busyShare    = 0.9                    // below it a wait has other reasons than the size
	drainTime    = 500 * time.Millisecond // in which a backlog should be worked off
	stuckTime    = time.Second            // of queueing after which the model is not believed
	shrinkPeriod = 500 * time.Millisecond
	shrinkShare  = 0.2             // of the size, in one shrinkPeriod
	needWindow   = 3 * time.Second // a shrink goes no lower than the need of this time
	smoothing    = 0.5             // weight of a new arrival rate: Poisson noise of 100 ms is 5 to 20 %
	learning     = 0.1             // weight of a new service time
	climbShare   = 0.1             // of the size, in one step
	climbGain    = 0.05            // of throughput that justifies a step: one standard deviation of climbSample
	climbSample  = 400             // completions before and after a step
	maxClimbRest = 32 * time.Second
)

func (c SizerConfig) withDefaults() (SizerConfig, error) {
	if c.Min < 1 || c.Max < c.Min || c.Max > maxSize {
		return c, fmt.Errorf("scheduler: sizer: Min is %d and Max is %d; want 1 <= Min <= Max <= %d", c.Min, c.Max, maxSize)
	}
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	if c.Interval < minInterval || c.Interval > maxInterval {
		return c, fmt.Errorf("scheduler: sizer: Interval is %v; want %v to %v, or 0 for %v", c.Interval, minInterval, maxInterval, defaultInterval)
	}
	if c.GrowAbove == 0 {
		c.GrowAbove = defaultGrowAbove
	}
	if c.GrowAbove < minGrowAbove {
		return c, fmt.Errorf("scheduler: sizer: GrowAbove is %v; want at least %v, or 0 for %v", c.GrowAbove, minGrowAbove, defaultGrowAbove)
	}
	if c.ShrinkBelow == 0 {
		c.ShrinkBelow = c.GrowAbove / shrinkBelowFraction
	}
	if c.ShrinkBelow < 0 || c.ShrinkBelow >= c.GrowAbove {
		return c, fmt.Errorf("scheduler: sizer: ShrinkBelow is %v; want less than GrowAbove, which is %v, or 0 for a quarter of it", c.ShrinkBelow, c.GrowAbove)
	}
	return c, nil
}

// SizeObservation is what happened to a pool in one interval.
type SizeObservation struct {
	Elapsed   time.Duration // the length of the interval, above 0
	Arrived   int           // items that came
	Completed int           // items that were finished
	Service   time.Duration // what those took, in all, without waiting
	Wait      time.Duration // mean wait of the items that began; if none did, the age of the oldest that waits
	Busy      float64       // share of the members' time that they worked, 0 to 1
	Queued    int           // items waiting at the end
}

// SizeReason is why a Sizer has changed a size, or left it.
type SizeReason uint8

// The reasons.
const (
	SizeHeld   SizeReason = iota // nothing to change, or a bound holds
	SizeGrown                    // items wait and all members are busy: as many as arrivals and backlog need
	SizeShrunk                   // nothing waits: towards the most that was needed of late
	SizeTried                    // items wait although there should be enough members: a step up or down
	SizeUndone                   // the step has not raised the throughput
)

// String returns the reason's name.
func (r SizeReason) String() string {
	switch r {
	case SizeHeld:
		return "held"
	case SizeGrown:
		return "grown"
	case SizeShrunk:
		return "shrunk"
	case SizeTried:
		return "tried"
	case SizeUndone:
		return "undone"
	}
	return fmt.Sprintf("SizeReason(%d)", r)
}

// SizeDecision records what a Sizer has decided after an interval, and on what grounds.
type SizeDecision struct {
	At       time.Duration // observed time so far
	From, To int
	Reason   SizeReason
	Need     int           // members that the arrivals need, by the model
	Service  time.Duration // service time that the model counts with
	Wait     time.Duration // as observed
	Queued   int           // as observed
}

// String returns the decision as a line of a log.
func (d SizeDecision) String() string {
	return fmt.Sprintf("%v: %s, %d -> %d (need %d, service %v, wait %v, queued %d)",
		d.At, d.Reason, d.From, d.To, d.Need, d.Service, d.Wait, d.Queued)
}

// Sizer decides how many members a pool should have, from what is observed every interval.
// It is a plain function of its observations: it reads no clock, starts nothing and touches
// no pool, so it can be tested, replayed and simulated. It is not safe for concurrent use.
// Observe neither blocks nor allocates.
//
// With L arrivals a second and a service time of S, L x S members are busy on average, and
// 2 sqrt(L x S) more keep waits rare (the square-root rule for Poisson arrivals); that is
// the need. The rules:
//
//	learn   S is learnt only while nothing waits: under overload tasks slow each other down,
//	        and a Sizer that believes the longer times grows the pool and makes them longer
//	grow    items wait and over 90 % of the members' time is busy: to need plus what works off
//	        the backlog in half a second, at most doubling
//	climb   that has lasted for a second although size >= need: the model is wrong here, so try
//	        a step of 10 % and keep it only if the throughput over 400 completions has
//	        risen; then try the other direction. After a step in vain rest, 1 s at first and
//	        twice as long each time, up to 32 s
//	shrink  nothing waits: by at most a fifth every half second, down to the most that was
//	        needed in the last 3 s
type Sizer struct {
	cfg     SizerConfig
	size    int
	at      time.Duration
	rate    float64       // arrivals a second, smoothed
	service time.Duration // 0: not known yet
	learnt  bool          // service was learnt while nothing waited
	needs   []int         // of the last needWindow, a ring
	next    int           // where the next need goes

	queuedFor time.Duration // how long items have waited while all were busy
	shrunkAt  time.Duration
	climb     climb
}

// climb is the search for a size when the model fails.
type climb struct {
	from      int     // size before the step, 0 if none is being tried
	before    float64 // throughput at from
	down      bool    // direction of the next step
	completed int     // since the size last changed
	elapsed   time.Duration
	rest      time.Duration // after the next step in vain
	until     time.Duration // no step before
}

// NewSizer returns a Sizer that begins with the given size, which must be within the bounds.
func NewSizer(cfg SizerConfig, size int) (*Sizer, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if size < cfg.Min || size > cfg.Max {
		return nil, fmt.Errorf("scheduler: sizer: the size at the start is %d; want %d to %d", size, cfg.Min, cfg.Max)
	}
	window := int(max(1, needWindow/cfg.Interval))
	return &Sizer{cfg: cfg, size: size, needs: make([]int, window), climb: climb{rest: stuckTime}}, nil
}

// Interval returns how often Observe is to be called.
func (s *Sizer) Interval() time.Duration { return s.cfg.Interval }

// Size returns the size that the pool should have.
func (s *Sizer) Size() int { return s.size }

// Observe takes in one interval and decides. Whoever owns the pool sets its size to To, and may
// log or count the decision if To is not From.
func (s *Sizer) Observe(o SizeObservation) SizeDecision {
	if o.Elapsed <= 0 {
		return s.decision(o, s.size, SizeHeld)
	}
	s.at += o.Elapsed
	s.learn(o)
	waiting := o.Wait > s.cfg.GrowAbove && o.Busy > busyShare
	if !waiting {
		s.queuedFor = 0
		s.climb = climb{rest: stuckTime}
	}
	to, reason := s.size, SizeHeld
	switch {
	case waiting:
		s.queuedFor += o.Elapsed
		to, reason = s.relieve(o)
	case o.Wait < s.cfg.ShrinkBelow:
		to, reason = s.shrink()
	}
	to = min(max(to, s.cfg.Min), s.cfg.Max)
	if to == s.size && reason != SizeUndone {
		reason = SizeHeld
	}
	d := s.decision(o, to, reason)
	s.size = to
	return d
}

func (s *Sizer) decision(o SizeObservation, to int, reason SizeReason) SizeDecision {
	return SizeDecision{
		At: s.at, From: s.size, To: to, Reason: reason,
		Need: s.need(), Service: s.service, Wait: o.Wait, Queued: o.Queued,
	}
}

// learn brings the model up to date.
func (s *Sizer) learn(o SizeObservation) {
	rate := float64(o.Arrived) / o.Elapsed.Seconds()
	if s.at == o.Elapsed {
		s.rate = rate // the first
	}
	s.rate += smoothing * (rate - s.rate)
	if o.Completed > 0 {
		s.learnService(o.Service/time.Duration(o.Completed), o.Queued == 0 && o.Wait < s.cfg.ShrinkBelow)
	}
	s.needs[s.next] = s.need()
	s.next = (s.next + 1) % len(s.needs)
}

// learnService takes in a mean service time; calm says that nothing was waiting. A time from
// under load serves only until there is a better one.
func (s *Sizer) learnService(mean time.Duration, calm bool) {
	switch {
	case calm && s.learnt:
		s.service += time.Duration(learning * float64(mean-s.service))
	case calm:
		s.service, s.learnt = mean, true
	case !s.learnt && (s.service == 0 || mean < s.service):
		s.service = mean
	}
}

// need returns how many members the arrivals need, 0 if that is not known.
func (s *Sizer) need() int {
	busy := s.rate * s.service.Seconds()
	return int(min(math.Ceil(busy+2*math.Sqrt(busy)), maxSize))
}

// relieve decides when items wait: by the model, or if that has not helped for a while by trying.
func (s *Sizer) relieve(o SizeObservation) (to int, reason SizeReason) {
	if s.service == 0 {
		return 2 * s.size, SizeGrown // not one item is through: any size is a guess
	}
	need := s.need()
	if s.size < need || s.queuedFor <= stuckTime {
		backlog := math.Ceil(float64(o.Queued) * s.service.Seconds() / drainTime.Seconds())
		want := need + int(min(backlog, maxSize))
		return max(s.size, min(want, 2*s.size)), SizeGrown
	}
	return s.tryStep(o)
}

// tryStep measures the throughput at the present size, makes a step, measures again, and keeps
// or undoes it.
func (s *Sizer) tryStep(o SizeObservation) (to int, reason SizeReason) {
	c := &s.climb
	c.completed += o.Completed
	c.elapsed += o.Elapsed
	if c.completed < climbSample || c.from == 0 && s.at < c.until {
		return s.size, SizeHeld
	}
	throughput := float64(c.completed) / c.elapsed.Seconds()
	c.completed, c.elapsed = 0, 0
	if c.from != 0 && throughput < c.before*(1+climbGain) {
		to, c.from = c.from, 0
		c.down = !c.down
		c.until, c.rest = s.at+c.rest, min(2*c.rest, maxClimbRest)
		return to, SizeUndone
	}
	c.from, c.before = s.size, throughput
	step := max(1, int(climbShare*float64(s.size)))
	if c.down {
		step = -step
	}
	to = min(max(s.size+step, s.cfg.Min), s.cfg.Max)
	if to == s.size { // at the bound: nothing to try on this side
		c.from, c.down = 0, !c.down
	}
	return to, SizeTried
}

// shrink decides when nothing waits.
func (s *Sizer) shrink() (to int, reason SizeReason) {
	target := 0
	for _, need := range s.needs {
		target = max(target, need)
	}
	if s.service == 0 || target >= s.size || s.at-s.shrunkAt < shrinkPeriod {
		return s.size, SizeHeld
	}
	s.shrunkAt = s.at
	step := max(1, int(shrinkShare*float64(s.size)))
	return max(target, s.size-step), SizeShrunk
}
