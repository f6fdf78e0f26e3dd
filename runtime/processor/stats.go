package processor

import (
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/cache"
)

// Stats is a snapshot of a Processor's counters and gauges. The counters only
// rise. Each is read by itself, so while runs are under way sums may be off by
// the few that moved meanwhile; after Stop they are exact:
// Accepted = Succeeded + Failed + Cancelled.
type Stats struct {
	Accepted  uint64 // runs that a workflow actor has taken up; one that still waits in a mailbox is in InFlight only
	Succeeded uint64
	Failed    uint64
	Cancelled uint64 // shed runs that had been admitted are among them

	RunsBound    BoundStats // what MaxRuns did
	MailboxBound BoundStats // what MailboxCapacity did

	InFlight int // runs now
	MaxRuns  int

	AttemptsStarted uint64
	Retries         uint64
	Panics          uint64
	Timeouts        uint64 // attempts and tasks that took too long
	JoinedRuns      uint64 // calls with the id of a run that was there already
	RetainedRuns    int    // runs that have ended and are kept for their id
	Compensations   uint64 // that have ended, well or not
	NotCompensated  uint64 // of these, those that failed, or were not called since the runtime was stopped
	DeadLetters     uint64
	ObserverPanics  uint64 // panics of the Observer, which were contained
	Defects         uint64 // panics of the engine itself; anything but 0 is worth a bug report
	Leaked          int    // task bodies that ignored their cancelled context and still run
	LeakBreakers    int    // tasks that are refused since Leaked has reached TaskActors, by workflow and name
	LeakRefusals    uint64 // attempts of them that were refused, each with a *LeakError

	Ready          int // attempts in the workflow actors' ready lists
	Queued         int // attempts handed out that wait for a task actor
	TaskActors     int // that may work now
	IdleTaskActors int
	Resizes        uint64 // changes of TaskActors

	Cache cache.Stats // of tasks' results

	Workflows []WorkflowActorStats
}

// BoundStats counts what became of runs that found a bound hit.
type BoundStats struct {
	Refused    uint64        // answered with ErrOverloaded, at once or after a wait in vain
	Waited     uint64        // callers that waited for room; under each bound that they waited for
	WaitedTime time.Duration // how long, in all
	Shed       uint64        // runs dropped by OverflowDropNewest or OverflowDropOldest
}

// WorkflowActorStats describes one workflow actor.
type WorkflowActorStats struct {
	Runs       int // that it drives
	MailboxLen int // runs that wait in its mailbox
	MailboxCap int // places for runs
}

// counters are the processor-wide ones, which are rare; what counts each run and task is spread over the
// workflow actors.
type counters struct {
	runs, mailboxes           boundCounters
	panics, timeouts, retries atomic.Uint64
	observerPanics, defects   atomic.Uint64
	undone, notUndone         atomic.Uint64
	leaked                    atomic.Int64
}

type boundCounters struct {
	refused, waited, shed atomic.Uint64
	waitedNanos           atomic.Int64
}

func (c *boundCounters) stats() BoundStats {
	return BoundStats{
		Refused:    c.refused.Load(),
		Waited:     c.waited.Load(),
		WaitedTime: time.Duration(c.waitedNanos.Load()),
		Shed:       c.shed.Load(),
	}
}

// Actors returns the present state of the processor's own actors; see actor.System.Actors.
func (p *Processor) Actors() []actor.ActorStats { return p.sys.Actors() }

// Stats returns a snapshot. It does not block and may be called at any time.
func (p *Processor) Stats() Stats {
	idle, queued := p.pool.Load()
	s := Stats{
		RunsBound:      p.count.runs.stats(),
		MailboxBound:   p.count.mailboxes.stats(),
		InFlight:       int(p.runs.taken.Load()),
		MaxRuns:        p.cfg.MaxRuns,
		Retries:        p.count.retries.Load(),
		Panics:         p.count.panics.Load(),
		Timeouts:       p.count.timeouts.Load(),
		Compensations:  p.count.undone.Load(),
		NotCompensated: p.count.notUndone.Load(),
		DeadLetters:    p.sys.Stats().DeadLetters,
		ObserverPanics: p.count.observerPanics.Load(),
		Defects:        p.count.defects.Load(),
		Leaked:         int(p.count.leaked.Load()),
		LeakBreakers:   int(p.leaks.open.Load()),
		LeakRefusals:   p.leaks.refused.Load(),
		Queued:         queued,
		TaskActors:     p.taskActors(),
		IdleTaskActors: idle,
		Workflows:      make([]WorkflowActorStats, len(p.workflows)),
	}
	s.RetainedRuns, s.JoinedRuns = p.named.stats()
	if c := p.cache.Load(); c != nil {
		s.Cache = c.Stats()
	}
	if p.sizing != nil {
		s.Resizes = p.sizing.changes.Load()
	}
	for i := range p.hops {
		s.AttemptsStarted += p.hops[i].Load()
	}
	for i, w := range p.workflows {
		s.Accepted += w.accepted.Load()
		s.Succeeded += w.succeeded.Load()
		s.Failed += w.failed.Load()
		s.Cancelled += w.cancelled.Load()
		s.AttemptsStarted += w.started.Load()
		s.Ready += int(w.readyLen.Load())
		s.Workflows[i] = WorkflowActorStats{
			Runs:       int(w.runCount.Load()),
			MailboxLen: int(w.waiting.taken.Load()),
			MailboxCap: p.cfg.MailboxCapacity,
		}
	}
	return s
}
