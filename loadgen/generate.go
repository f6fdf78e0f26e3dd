package loadgen

import (
	"sync"
	"time"
)

// mostGrace is how long after its end a plan is still sent when the generator is
// late.
const mostGrace = time.Second

// mostCounted bounds the counting of arrivals that were not sent.
const mostCounted = 20_000_000

// generate sends the plan: it waits for each intended time and hands the request to
// an idle client, so that it neither allocates nor waits for an answer.
func (s *session) generate() {
	p := s.cfg.pacer
	p.begin()
	defer p.end()
	plan := NewPlan(s.cfg)
	limit := s.cfg.Duration
	grace := limit + min(mostGrace, limit/10)
	free := time.Duration(0) // until then every client was busy
	measuring := false
	index := uint64(0)
	for ; s.cfg.Requests == 0 || index < uint64(s.cfg.Requests); index++ {
		at, ok := plan.Next()
		if !ok || at >= limit {
			break
		}
		p.until(s.start, at, &s.stop)
		if s.stop.Load() {
			break
		}
		if !measuring && at >= s.cfg.Warmup {
			measuring = true
			s.sendBegin = p.cpu()
		}
		now := s.elapsed()
		late := now - max(at, free)
		c, held := s.pool.get(grace)
		if held {
			now = s.elapsed()
			free = now
			s.held++
		}
		if c == nil {
			if !s.stop.Load() {
				s.unsent = s.countUnsent(plan, index)
			}
			break
		}
		if measuring {
			recordIn(s.lag, int64(late))
		}
		c.jobs <- job{index, at}
		if now > grace {
			s.unsent = s.countUnsent(plan, index+1) - 1
			break
		}
	}
	s.sendEnd = p.cpu()
}

// countUnsent counts the arrivals that were due and not sent: the one that was
// taken from the plan last, and those behind it.
func (s *session) countUnsent(plan *Plan, index uint64) uint64 {
	n := uint64(1)
	for n < mostCounted && (s.cfg.Requests == 0 || index+n < uint64(s.cfg.Requests)) {
		at, ok := plan.Next()
		if !ok || at >= s.cfg.Duration {
			break
		}
		n++
	}
	return n
}

type job struct {
	index    uint64
	intended time.Duration
}

// A client sends one request at a time and waits for its answer.
type client struct {
	jobs chan job // room for the one that it is idle for
	rec  *recorder
	r    Request
}

// A pool keeps the idle clients of an open loop; the one that became idle last is
// the next to go, since its stack is still in a cache.
type pool struct {
	s     *session
	limit int
	all   sync.WaitGroup

	mu      sync.Mutex
	idle    []*client
	made    int
	waiting bool // the generator waits for freed
	closed  bool
	freed   chan struct{}
}

func newPool(s *session, limit int) *pool {
	return &pool{s: s, limit: limit, freed: make(chan struct{}, 1)}
}

// get returns an idle client; held says that it had to wait for one. It returns nil
// when there is none until the session stops or the time of grace is over.
func (p *pool) get(grace time.Duration) (c *client, held bool) {
	for {
		p.mu.Lock()
		if n := len(p.idle); n > 0 {
			c = p.idle[n-1]
			p.idle = p.idle[:n-1]
			p.mu.Unlock()
			return c, held
		}
		if p.made < p.limit {
			c = &client{jobs: make(chan job, 1), rec: p.s.recorders[p.made%len(p.s.recorders)]}
			p.made++
			p.mu.Unlock()
			p.all.Go(func() { p.work(c) })
			return c, held
		}
		p.waiting, held = true, true
		p.mu.Unlock()
		timeUp := time.NewTimer(grace - p.s.elapsed())
		select {
		case <-p.freed:
			timeUp.Stop()
		case <-p.s.stopped:
			timeUp.Stop()
			return nil, true
		case <-timeUp.C:
			return nil, true
		}
	}
}

// work serves requests until the pool is closed.
func (p *pool) work(c *client) {
	for j := range c.jobs {
		p.s.serve(&c.r, c.rec, j.index, j.intended)
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return
		}
		p.idle = append(p.idle, c)
		wake := p.waiting
		p.waiting = false
		p.mu.Unlock()
		if wake {
			select {
			case p.freed <- struct{}{}:
			default: // one that nobody took is still there
			}
		}
	}
}

// close ends the idle clients now and the others when they become so. Nobody may
// call get any more.
func (p *pool) close() *sync.WaitGroup {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		close(c.jobs)
	}
	p.idle = nil
	return &p.all
}

func (p *pool) busy() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made - len(p.idle)
}
