package processor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

// ErrIDConflict reports a run id that stands for another workflow or input already.
var ErrIDConflict = errors.New("ringmill: run id conflict")

// namedRuns finds runs by the ids that their callers gave them, so that an id given again means the same run: while that is
// in flight, and as long after its end as it is kept. Kept runs go when their time is over, and the one that ended first
// when they become too many.
//
// Invariants, with mu held:
//
//	N1  a named run is in byID from before its admission until it is refused, shed or forgotten
//	N2  kept lists, in the order of their ends, those in byID that have ended; weight is what they count in all, at most limit
//	N3  kept is empty, or the timer is armed for its first one or about to fire
type namedRuns struct {
	retention time.Duration
	limit     int
	clock     *clock
	wheel     *scheduler.Wheel

	mu     sync.Mutex
	byID   map[string]*namedRun
	kept   []*namedRun // from head on
	head   int
	weight int
	timer  scheduler.Timer
	armed  bool
	joined uint64
}

// A namedRun is a run id with what it stands for.
type namedRun struct {
	id      string
	plan    *workflow.Plan
	request string
	same    any

	stalled chan struct{} // closed when the first caller finds a bound hit
	full    *OverloadError
	ready   chan struct{} // closed when the run was admitted, or was not
	run     *Run          // before ready is closed; nil if it was not

	until  instant // is kept; 0 while it has not ended
	weight int
}

// tasksAsOne is how many tasks of a kept run count as another run against the limit: their reports are most of its memory.
const tasksAsOne = 16

func (n *namedRuns) init(p *Processor) {
	n.retention, n.limit, n.clock, n.wheel = p.cfg.RunRetention, p.cfg.RetainedRuns, &p.clock, p.wheel
	n.byID = make(map[string]*namedRun)
	n.timer.Init(n.expire)
}

// find returns the run of an id, and whether the caller is the first and has to start it.
func (n *namedRuns) find(id string, plan *workflow.Plan, request string, same any) (r *namedRun, first bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.byID[id]; r != nil {
		if err := r.conflict(plan, request, same); err != nil {
			return nil, false, err
		}
		return r, false, nil
	}
	r = &namedRun{id: id, plan: plan, request: request, same: same, ready: make(chan struct{}), stalled: make(chan struct{})}
	n.byID[id] = r
	return r, true, nil
}

// conflict reports how a request differs from the one that the id stands for.
func (r *namedRun) conflict(plan *workflow.Plan, request string, same any) error {
	switch {
	case r.plan != plan && !sameShape(r.plan, plan):
		return fmt.Errorf("%w: %q is a run of workflow %s with tasks of its own: give runs of different workflows different ids", ErrIDConflict, r.id, r.plan.Name)
	case r.request != request || r.same != same:
		return fmt.Errorf("%w: %q is a run of workflow %s with another input: give another id to a request that is another one", ErrIDConflict, r.id, r.plan.Name)
	}
	return nil
}

// sameShape reports whether two plans are one workflow that was defined twice.
func sameShape(a, b *workflow.Plan) bool {
	return a.Name == b.Name && slices.EqualFunc(a.Tasks, b.Tasks, func(a, b workflow.TaskPlan) bool {
		return a.Name == b.Name && slices.Equal(a.Deps, b.Deps)
	})
}

// started tells those who wait that the run was admitted, or with nil that it was not.
func (n *namedRuns) started(r *namedRun, run *Run) {
	n.mu.Lock()
	if run == nil {
		n.remove(r)
	}
	n.mu.Unlock()
	r.run = run
	close(r.ready)
}

// ended keeps a run that has ended; one that was shed was none.
func (n *namedRuns) ended(r *namedRun, shed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if shed {
		n.remove(r)
		return
	}
	r.until, r.weight = n.clock.now().after(n.retention), 1+len(r.plan.Tasks)/tasksAsOne
	n.kept = append(n.kept, r)
	n.weight += r.weight
	for n.weight > n.limit {
		n.forgetFirst()
	}
	n.arm()
}

// expire forgets the runs whose time is over.
func (n *namedRuns) expire() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.armed = false
	for now := n.clock.now(); n.head < len(n.kept) && n.kept[n.head].until <= now; {
		n.forgetFirst()
	}
	n.arm()
}

// arm lets the timer fire when the first one's time is over.
func (n *namedRuns) arm() {
	if !n.armed && n.head < len(n.kept) {
		n.armed = n.wheel.StartAt(&n.timer, n.clock.time(n.kept[n.head].until))
	}
}

func (n *namedRuns) forgetFirst() {
	r := n.kept[n.head]
	n.kept[n.head] = nil
	n.head++
	n.weight -= r.weight
	n.remove(r)
	if n.head > len(n.kept)/2 { // as many are moved as were forgotten
		n.kept = slices.Delete(n.kept, 0, n.head)
		n.head = 0
	}
}

// remove takes an id off, unless it stands for another run by now.
func (n *namedRuns) remove(r *namedRun) {
	if n.byID[r.id] == r {
		delete(n.byID, r.id)
	}
}

// stats returns how many ended runs are kept, and how many calls were answered with a run that was there.
func (n *namedRuns) stats() (kept int, joined uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.kept) - n.head, n.joined
}

// submitNamed is Submit for a run with an id. It returns the run of that id: a new one, or, joined, the one that is there.
func (p *Processor) submitNamed(ctx context.Context, plan *workflow.Plan, input any, opts Options) (r *Run, joined bool, err error) {
	for {
		if ctx.Err() != nil {
			return nil, false, Cause(ctx)
		}
		if p.stopping.Load() {
			return nil, false, ErrStopped
		}
		n, first, err := p.named.find(opts.ID, plan, opts.Request, opts.Same)
		if err != nil {
			return nil, false, err
		}
		if first {
			opts.named = n
			r, err := p.submit(ctx, plan, input, opts, nil)
			p.named.started(n, r)
			return r, false, err
		}
		if err := p.awaitNamed(ctx, n, p.waits(opts)); err != nil {
			return nil, false, err
		}
		if n.run != nil {
			p.named.mu.Lock()
			p.named.joined++
			p.named.mu.Unlock()
			return n.run, true, nil
		} // its caller gave up: try oneself
	}
}

// awaitNamed waits until somebody else's run was admitted or refused. One who does not wait for room has the answer as soon as
// that one waits for it.
func (p *Processor) awaitNamed(ctx context.Context, n *namedRun, patient bool) error {
	stalled := n.stalled
	if patient {
		stalled = nil
	}
	select {
	case <-n.ready: // alone: one that had to wait for room is still there when it has got it
		return nil
	default:
	}
	select {
	case <-n.ready:
		return nil
	case <-stalled:
		p.counters(n.full).refused.Add(1)
		if obs := p.cfg.Observer; obs != nil {
			obs.Noticed(&Event{Workflow: n.plan.Name, RunID: n.id, Item: -1, Actor: -1, Err: n.full}, NoticeRefused)
		}
		return n.full
	case <-ctx.Done():
		return Cause(ctx)
	}
}

// waits reports whether a caller waits for room.
func (p *Processor) waits(opts Options) bool {
	return p.cfg.Overflow == OverflowWait || p.cfg.Overflow == OverflowDefault && opts.Wait
}

// stall tells the others that the first caller of an id found a bound hit.
func (n *namedRun) stall(full *OverloadError) {
	n.full = full
	close(n.stalled)
}

// executeNamed is Execute for a run with an id. Whoever joins a run that is there waits within ctx, and does not cancel it.
func (p *Processor) executeNamed(ctx context.Context, plan *workflow.Plan, input any, opts Options) (any, error) {
	r, joined, err := p.submitNamed(ctx, plan, input, opts)
	if err != nil {
		return nil, err
	}
	select {
	case <-r.Done():
		return r.Outcome()
	case <-ctx.Done():
	}
	if r.Over() { // at the same moment: then its outcome counts
		return r.Outcome()
	}
	if joined {
		return nil, fmt.Errorf("ringmill: waiting for run %s, which another call started: %w", r.ID(), Cause(ctx))
	}
	r.Cancel(Cause(ctx))
	<-r.Done()
	return r.Outcome()
}
