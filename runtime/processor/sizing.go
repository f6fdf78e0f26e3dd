package processor

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// A sizing changes the number of task actors that work, within bounds, as a
// scheduler.Sizer decides from what they do in each interval.
//
// Its timer runs only while there is something to observe: it is armed when a run
// begins, and not armed again once nothing is in flight and the size is the least.
type sizing struct {
	p        *Processor
	interval time.Duration
	timer    scheduler.Timer
	armed    atomic.Bool
	size     atomic.Int64
	changes  atomic.Uint64
	usage    []usage      // by place of a task actor
	at       atomic.Int64 // instant at which the present interval began

	mu       sync.Mutex // guards what follows; only observe uses it, on the wheel's goroutine
	sizer    *scheduler.Sizer
	before   sums // at the beginning of the interval
	inSystem int  // attempts then
	stalled  time.Duration
}

// usage is what was done in one place of the pool, written by the task actor that has it.
type usage struct {
	since     atomic.Int64 // instant at which the present body began, 0 between two
	begun     atomic.Int64
	completed atomic.Int64
	service   atomic.Int64 // ns of completed bodies
	busy      atomic.Int64 // ns of completed bodies, without what lay in earlier intervals than their end
	waited    atomic.Int64 // ns between ready and begun
	_         [16]byte     // a cache line each
}

// sums are over all task actors.
type sums struct{ begun, completed, service, busy, waited int64 }

func newSizing(p *Processor) (*sizing, error) {
	cfg := scheduler.SizerConfig{Min: p.cfg.TaskActorsMin, Max: p.cfg.TaskActorsMax}
	sizer, err := scheduler.NewSizer(cfg, p.cfg.TaskActors)
	if err != nil {
		return nil, err
	}
	s := &sizing{p: p, interval: sizer.Interval(), sizer: sizer, usage: make([]usage, p.cfg.TaskActorsMax)}
	s.size.Store(int64(p.cfg.TaskActors))
	s.timer.Init(s.observe)
	return s, nil
}

// wake begins to observe, if nobody does.
func (s *sizing) wake() {
	if s.armed.Load() || !s.armed.CompareAndSwap(false, true) {
		return
	}
	s.at.Store(int64(s.p.clock.now()))
	s.p.wheel.Start(&s.timer, s.interval)
}

// begin and end note what a task actor does.
func (s *sizing) begin(place int, a *attempt) {
	u := &s.usage[place]
	u.since.Store(int64(a.startedAt))
	u.begun.Add(1)
	u.waited.Add(int64(a.startedAt.since(a.queuedAt)))
}

func (s *sizing) end(place int, a *attempt) {
	u := &s.usage[place]
	u.since.Store(0)
	u.completed.Add(1)
	u.service.Add(int64(a.endedAt.since(a.startedAt)))
	u.busy.Add(int64(a.endedAt.since(max(a.startedAt, instant(s.at.Load())))))
}

// observe takes in one interval and carries the decision out.
func (s *sizing) observe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.observation()
	if !ok {
		s.p.wheel.Start(&s.timer, s.interval)
		return
	}
	d := s.sizer.Observe(o)
	if d.To != d.From {
		s.p.resize(d)
	}
	if s.p.runs.taken.Load() == 0 && d.To == s.p.cfg.TaskActorsMin {
		s.armed.Store(false) // before the count is read again: begin counts and then asks
		if s.p.runs.taken.Load() == 0 || !s.armed.CompareAndSwap(false, true) {
			return
		}
	}
	s.p.wheel.Start(&s.timer, s.interval)
}

// observation sums up what has happened since the last one.
func (s *sizing) observation() (o scheduler.SizeObservation, ok bool) {
	at, from := s.p.clock.now(), instant(s.at.Load())
	o.Elapsed = at.since(from)
	if o.Elapsed <= 0 {
		return o, false
	}
	var now sums
	running, busy := 0, time.Duration(0)
	for i := range s.usage {
		u := &s.usage[i]
		now.begun += u.begun.Load()
		now.completed += u.completed.Load()
		now.service += u.service.Load()
		now.busy += u.busy.Load()
		now.waited += u.waited.Load()
		if since := instant(u.since.Load()); since != 0 {
			running++
			busy += at.since(max(since, from))
		}
	}
	now.busy += int64(busy)
	_, queued := s.p.pool.Load()
	for _, w := range s.p.workflows {
		queued += int(w.readyLen.Load())
	}
	inSystem := queued + running
	begun := now.begun - s.before.begun
	o.Completed = int(now.completed - s.before.completed)
	o.Service = time.Duration(now.service - s.before.service)
	o.Arrived = max(0, o.Completed+inSystem-s.inSystem)
	o.Queued = queued
	o.Busy = min(1, float64(now.busy-s.before.busy)/float64(o.Elapsed)/float64(s.size.Load()))
	now.busy -= int64(busy) // those bodies count again, up to the end of the next interval
	switch {
	case begun > 0:
		s.stalled = 0
		o.Wait = time.Duration(now.waited-s.before.waited) / time.Duration(begun)
	case queued > 0:
		s.stalled += o.Elapsed
		o.Wait = s.stalled
	default:
		s.stalled = 0
	}
	s.before, s.inSystem = now, inSystem
	s.at.Store(int64(at))
	return o, true
}

// resize makes d.To task actors work.
func (p *Processor) resize(d scheduler.SizeDecision) {
	for i := range d.To {
		if p.members[i].Load() == nil {
			p.members[i].Store(p.newTaskActor(i))
		}
	}
	p.sys.Executor(true).AddWorkers(d.To - d.From)
	p.pool.Resize(d.To, p.giveFunc)
	p.sizing.size.Store(int64(d.To))
	p.sizing.changes.Add(1)
	p.tellBreakers(p.leaks.add(taskKind{}, 0, p.taskActors))
	for p.count.leaked.Load() <= int64(d.To) && p.refill() {
		// Places that were left empty, as too many bodies had leaked for the size before.
	}
	if obs := p.cfg.Observer; obs != nil {
		obs.Noticed(&Event{Item: -1, Actor: -1, Resize: &d}, NoticeResized)
	}
}

// taskActors returns how many task actors may work now.
func (p *Processor) taskActors() int {
	if p.sizing == nil {
		return p.cfg.TaskActors
	}
	return int(p.sizing.size.Load())
}
