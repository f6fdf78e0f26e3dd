package loadgen

import "time"

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
	var waitBegin, beganAt time.Duration
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
			waitBegin, _ = p.waited()
			beganAt = s.elapsed()
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
	s.rank = p.preferred()
	if waited, ok := p.waited(); ok && measuring {
		if took := s.elapsed() - beganAt; took > 0 {
			w := min(1, float64(waited-waitBegin)/float64(took))
			s.sendWait = &w
		}
	}
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
