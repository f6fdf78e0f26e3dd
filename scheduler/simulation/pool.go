package simulation

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// Interval is the time between two decisions about the size.
const Interval = 100 * time.Millisecond

// Pool is a pool whose size a Sizer decides: items arrive at random, wait in one queue and are worked on, by a virtual
// clock. It is for one goroutine.
type Pool struct {
	// Rate is how many items arrive in a second, on average. A change counts from the next arrival on.
	Rate float64
	// Decisions are those of the Sizer, one an Interval.
	Decisions []scheduler.SizeDecision

	sizer   *scheduler.Sizer
	rng     *rand.Rand
	service func(busy int) time.Duration

	now, nextArrival time.Duration
	queue            []time.Duration // arrival of each item that waits
	busy             []work          // the first to finish first

	seen   scheduler.SizeObservation // of this interval
	waited time.Duration             // of the items that began in it, in all
	begun  int
	worked time.Duration // by all members
}

// work is an item that is worked on.
type work struct{ began, finishes time.Duration }

// NewPool returns a pool at time 0. service is the time that an item takes that makes busy members busy.
func NewPool(s *scheduler.Sizer, seed uint64, rate float64, service func(busy int) time.Duration) *Pool {
	p := &Pool{Rate: rate, sizer: s, rng: rand.New(rand.NewPCG(seed, 0)), service: service}
	p.nextArrival = p.gap()
	return p
}

// Now returns the time that has passed.
func (p *Pool) Now() time.Duration { return p.now }

func (p *Pool) gap() time.Duration {
	return time.Duration(p.rng.ExpFloat64() * float64(time.Second) / p.Rate)
}

// Run lets d pass, with a decision every Interval.
func (p *Pool) Run(d time.Duration) {
	for end := p.now + d; p.now < end; {
		p.runInterval(p.now + Interval)
		p.decide()
	}
}

func (p *Pool) runInterval(end time.Duration) {
	for {
		finishes := len(p.busy) > 0 && p.busy[0].finishes <= p.nextArrival
		at := p.nextArrival
		if finishes {
			at = p.busy[0].finishes
		}
		if at > end {
			p.advance(end)
			return
		}
		p.advance(at)
		if finishes {
			p.seen.Completed++
			p.seen.Service += p.now - p.busy[0].began
			p.busy = p.busy[1:]
		} else {
			p.seen.Arrived++
			p.queue = append(p.queue, p.now)
			p.nextArrival = p.now + p.gap()
		}
		p.start()
	}
}

func (p *Pool) advance(to time.Duration) {
	p.worked += time.Duration(len(p.busy)) * (to - p.now)
	p.now = to
}

// start gives waiting items to free members. After a shrink there are none until enough have finished.
func (p *Pool) start() {
	for len(p.queue) > 0 && len(p.busy) < p.sizer.Size() {
		p.waited += p.now - p.queue[0]
		p.queue = p.queue[1:]
		p.begun++
		w := work{p.now, p.now + p.service(len(p.busy)+1)}
		i, _ := slices.BinarySearchFunc(p.busy, w, func(a, b work) int { return cmp.Compare(a.finishes, b.finishes) })
		p.busy = slices.Insert(p.busy, i, w)
	}
}

func (p *Pool) decide() {
	o := p.seen
	o.Elapsed, o.Queued = Interval, len(p.queue)
	o.Busy = min(1, float64(p.worked)/float64(Interval*time.Duration(p.sizer.Size())))
	if p.begun > 0 {
		o.Wait = p.waited / time.Duration(p.begun)
	} else if len(p.queue) > 0 {
		o.Wait = p.now - p.queue[0]
	}
	p.Decisions = append(p.Decisions, p.sizer.Observe(o))
	p.seen, p.waited, p.begun, p.worked = scheduler.SizeObservation{}, 0, 0, 0
	p.start() // there may be more members now
}

// Settled returns how long after from the waits became short for half a second; until now if they have not.
func (p *Pool) Settled(from time.Duration) time.Duration {
	calm := 0
	for _, d := range p.Decisions {
		if d.At <= from {
			continue
		}
		if calm++; d.Wait > 5*time.Millisecond {
			calm = 0
		}
		if calm == 5 {
			return d.At - 5*Interval - from
		}
	}
	return p.now - from
}

// Sizes returns the least and the most size decided from a moment on.
func (p *Pool) Sizes(from time.Duration) (least, most int) {
	least = 1 << 30
	for _, d := range p.Decisions {
		if d.At > from {
			least, most = min(least, d.To), max(most, d.To)
		}
	}
	return least, most
}
