package processor

import (
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// Config sizes a Processor. The package runtime fills in defaults and checks
// every field before it comes here; New trusts it.
type Config struct {
	WorkflowActors  int // actors that drive runs, at least 1
	TaskActors      int // tasks that execute at once, at least 1; with bounds below: at the start
	TaskActorsMin   int // bounds within which the number follows the load; both 0: it stays
	TaskActorsMax   int
	MailboxCapacity int             // runs that one workflow actor's mailbox holds, at least 1
	MailboxKind     string          // of the workflow actors: a name that mailbox.NewKind knows
	MaxRuns         int             // runs in flight, at least 1
	CancelGrace     time.Duration   // how long a cancelled task may take to return
	CompensateGrace time.Duration   // how long Stop lets compensations go on when its context has ended
	Overflow        Overflow        // what a full bound means
	RunRetention    time.Duration   // how long runs with an id of their caller's are kept after their end
	RetainedRuns    int             // how many, at least 1; one for each 16 tasks more
	CacheEntries    int             // results of tasks that are kept; 0 is cache.DefaultEntries
	Policy          string          // which task actor gets which task: a name that scheduler.NewPolicy knows
	Schedule        Schedule        // order of ready tasks
	Observer        Observer        // may be nil
	TaskTimings     bool            // record queue and run times of every task
	SampleActors    bool            // measure wait and service of one message in 64 of each actor
	Clock           scheduler.Clock // nil: the real time
}

// maxTaskActors is how many there may ever be at once.
func (c Config) maxTaskActors() int { return max(c.TaskActors, c.TaskActorsMax) }

const (
	mostPrefetch  = 960
	leastPrefetch = 64
)

// prefetch is how many attempts beyond one per task actor a workflow actor may
// have handed out: what a task actor makes ready goes straight into the pool's queue as
// far as there are credits, and through the workflow actor beyond that. With
// critical-path order there are none: what was handed out can no longer be
// overtaken by something more urgent. Under policies that keep a queue for each task actor every one of those
// has room for all, so there it is less.
func (c Config) prefetch() int {
	switch {
	case c.Schedule.byRank():
		return 0
	case c.Policy != "" && c.Policy != scheduler.PolicyIdle:
		return leastPrefetch
	}
	return max(leastPrefetch, min(mostPrefetch, scheduler.MaxPolicyCapacity/2/c.WorkflowActors))
}

// Overflow says what happens to a run that finds a bound hit.
type Overflow uint8

const (
	// OverflowDefault lets the caller of Execute wait and answers Start with
	// an error.
	OverflowDefault Overflow = iota
	// OverflowWait lets the caller wait for room within its context.
	OverflowWait
	// OverflowFail answers ErrOverloaded at once.
	OverflowFail
	// OverflowDropNewest sheds the new run: it is not an error to start it,
	// but it has ended with ErrOverloaded.
	OverflowDropNewest
	// OverflowDropOldest sheds the oldest run of which no task has begun and
	// gives its place to the new one. When every run in flight has begun, the
	// new one is shed.
	OverflowDropOldest
)

// Schedule is the order in which a workflow actor hands out ready tasks.
type Schedule uint8

const (
	// ScheduleFIFO hands out tasks in the order in which they became ready.
	ScheduleFIFO Schedule = iota
	// ScheduleCriticalPath hands out the task with the longest remaining
	// path first (its upward rank), the older one among equals.
	ScheduleCriticalPath
	// ScheduleMeasuredPath is ScheduleCriticalPath by what tasks have taken
	// in earlier runs of their workflow, and by declared durations until then.
	ScheduleMeasuredPath
)

// byRank reports whether the most urgent task goes first.
func (s Schedule) byRank() bool { return s == ScheduleCriticalPath || s == ScheduleMeasuredPath }
