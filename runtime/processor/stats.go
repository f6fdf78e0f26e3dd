package processor

import (
	"sync/atomic"
	"time"
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

	Shed             uint64        // runs dropped by OverflowDropNewest or OverflowDropOldest
	RefusedRuns      uint64        // refusals by the bound MaxRuns
	RefusedMailboxes uint64        // refusals by full mailboxes
	Waited           uint64        // callers that waited for room
	WaitedTime       time.Duration // how long they waited, in all

	InFlight int // runs now
	MaxRuns  int

	AttemptsStarted uint64
	Retries         uint64
	Panics          uint64
	Timeouts        uint64 // attempts and tasks that took too long
	DeadLetters     uint64
	Leaked          int // task bodies that ignored their cancelled context and still run

	Ready          int // attempts in the workflow actors' ready lists
	Queued         int // attempts handed out that wait for a task actor
	TaskActors     int
	IdleTaskActors int

	Workflows []WorkflowActorStats
}

// WorkflowActorStats describes one workflow actor.
type WorkflowActorStats struct {
	Runs       int // that it drives
	MailboxLen int // runs that wait in its mailbox
	MailboxCap int // places for runs
}

// counters are the processor-wide ones; those of a workflow actor have one
// writer, the others are rare or spread over the task actors.
type counters struct {
	shed, refusedRuns, refusedMailboxes, waited atomic.Uint64
	waitedNanos                                 atomic.Int64
	panics, timeouts, retries                   atomic.Uint64
	leaked                                      atomic.Int64
}

// Stats returns a snapshot. It does not block and may be called at any time.
func (p *Processor) Stats() Stats {
	s := Stats{
		Shed:             p.count.shed.Load(),
		RefusedRuns:      p.count.refusedRuns.Load(),
		RefusedMailboxes: p.count.refusedMailboxes.Load(),
		Waited:           p.count.waited.Load(),
		WaitedTime:       time.Duration(p.count.waitedNanos.Load()),
		InFlight:         int(p.runs.taken.Load()),
		MaxRuns:          p.cfg.MaxRuns,
		Retries:          p.count.retries.Load(),
		Panics:           p.count.panics.Load(),
		Timeouts:         p.count.timeouts.Load(),
		DeadLetters:      p.sys.Stats().DeadLetters,
		Leaked:           int(p.count.leaked.Load()),
		Queued:           p.pool.Queued(),
		TaskActors:       p.cfg.TaskActors,
		IdleTaskActors:   p.pool.Idle(),
		Workflows:        make([]WorkflowActorStats, len(p.workflows)),
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
