package processor

import (
	"container/list"
	"sync"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// shed ends a run that was never admitted.
func (p *Processor) shed(r *Run, full *OverloadError) {
	r.own.cancel(full)
	r.prepare()
	r.err = &RunError{Workflow: r.plan.Name, RunID: r.ID(), Status: workflow.StatusCancelled, Err: full}
	for i := range r.tasks {
		r.tasks[i].setStatus(workflow.StatusCancelled)
	}
	if p.timed {
		r.endedAt = p.clock.now()
	}
	r.status.Store(uint32(workflow.StatusCancelled))
	if r.named != nil {
		p.named.ended(r.named, true)
	}
	r.announce()
	p.counters(full).shed.Add(1)
	p.refused(r, full)
}

// takePlace sheds victim, which was admitted and has not begun, and admits r in
// its place. The order needs no room in a mailbox, since one run goes for it.
func (p *Processor) takePlace(r, victim *Run, full *OverloadError) {
	r.owner = victim.owner
	r.prepare()
	p.counters(full).shed.Add(1)
	p.refused(victim, full)
	victim.cancelAsked.Store(true)
	victim.own.cancel(full)
	victim.owner.post(control{kind: cancelRun, run: victim, cause: full})
	r.owner.post(control{kind: replaceRun, run: r})
	p.remember(r)
}

func (p *Processor) refused(r *Run, full *OverloadError) {
	if obs := p.cfg.Observer; obs != nil {
		e := newEvent(r)
		defer e.release()
		e.Err = full
		obs.Noticed(e, NoticeRefused)
	}
}

// A runList holds the admitted runs that may still be shed, oldest first.
type runList struct {
	mu   sync.Mutex
	runs list.List
}

// remember lists a run that was handed to its workflow actor and may be shed,
// when that is what the configuration wants. One that has begun or ended since
// is left out: ended moves the stage before it calls forget.
func (p *Processor) remember(r *Run) {
	if p.cfg.Overflow != OverflowDropOldest {
		return
	}
	p.unbegun.mu.Lock()
	if r.stage.Load() == stageWaiting {
		r.place = p.unbegun.runs.PushBack(r)
	}
	p.unbegun.mu.Unlock()
}

// forget takes a run off the list.
func (p *Processor) forget(r *Run) {
	if p.cfg.Overflow != OverflowDropOldest {
		return
	}
	p.unbegun.mu.Lock()
	if r.place != nil {
		p.unbegun.runs.Remove(r.place)
		r.place = nil
	}
	p.unbegun.mu.Unlock()
}

// oldest takes the oldest run of which no task has begun off the list and marks
// it as shed; nil if there is none.
func (p *Processor) oldest() *Run {
	p.unbegun.mu.Lock()
	defer p.unbegun.mu.Unlock()
	for e := p.unbegun.runs.Front(); e != nil; e = p.unbegun.runs.Front() {
		r := p.unbegun.runs.Remove(e).(*Run)
		r.place = nil
		if r.stage.CompareAndSwap(stageWaiting, stageShed) {
			return r
		}
	}
	return nil
}
