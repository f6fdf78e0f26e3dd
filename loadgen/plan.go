package loadgen

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// A Plan yields the intended times of arrival, one after the other, in constant
// memory. The same configuration and seed give the same plan on every machine. It
// is for one goroutine.
type Plan struct {
	arrivals Arrivals
	line     *timeline
	random   *rand.PCG
	due      float64 // arrivals due so far, of the unit process
	n        int
}

// NewPlan returns the plan of an open loop. cfg must be complete, as Config.Check
// makes it.
func NewPlan(cfg Config) *Plan {
	stages := cfg.Stages
	if len(stages) == 0 {
		stages = []Stage{{Rate: cfg.Rate}}
	}
	p := &Plan{arrivals: cfg.Arrivals, random: rand.NewPCG(cfg.Seed, 0x72696e676d696c6c)}
	if cfg.Arrivals.Kind != ArrivalsTrace {
		p.line = newTimeline(stages)
	}
	return p
}

// Next returns the next arrival, as time from the start; false after the last.
// Only a trace ends.
func (p *Plan) Next() (time.Duration, bool) {
	n := p.n
	p.n++
	switch p.arrivals.Kind {
	case ArrivalsTrace:
		if n >= len(p.arrivals.Trace) {
			return 0, false
		}
		return p.arrivals.Trace[n], true
	case ArrivalsPoisson:
		p.due += exponential(p.random.Uint64())
	case ArrivalsBurst:
		p.due = float64(n / p.arrivals.Burst * p.arrivals.Burst)
	default:
		p.due = float64(n)
	}
	// A plan of a tiny rate reaches beyond what a Duration holds, and what a run lasts.
	return time.Duration(min(p.line.when(p.due), MaxDuration.Seconds()) * 1e9), true
}

// hashedArrivals is how many arrivals, and what their requests draw, go into the
// hash of a plan: enough that no two plans that differ share one, few enough to
// take milliseconds.
const hashedArrivals = 1 << 14

// PlanHash returns 16 hexadecimal digits that are equal for configurations that
// send the same load: the arrivals, and what each request draws. Sizes of the
// runtime are not in it, so that the cells of a grid share theirs.
func PlanHash(cfg Config) string {
	h := sha256.New()
	_, _ = h.Write([]byte(cfg.loadText()))
	var b [40]byte
	plan := NewPlan(cfg)
	for i := range uint64(hashedArrivals) {
		var at time.Duration
		if cfg.Concurrency == 0 {
			var ok bool
			if at, ok = plan.Next(); !ok || cfg.Duration > 0 && at >= cfg.Duration {
				break
			}
		}
		binary.LittleEndian.PutUint64(b[0:], uint64(at))
		binary.LittleEndian.PutUint64(b[8:], draw(cfg.Seed, i, drawKey))
		binary.LittleEndian.PutUint64(b[16:], draw(cfg.Seed, i, drawFail))
		binary.LittleEndian.PutUint64(b[24:], draw(cfg.Seed, i, drawPanic))
		binary.LittleEndian.PutUint64(b[32:], uint64(cfg.Workload.Work.duration(draw(cfg.Seed, i, drawWork))))
		_, _ = h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
