package runtime

import (
	"fmt"
	"strings"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/scheduler"
)

// These types belong to the engine and are part of this package's contract.
type (
	// Observer is told about runs and attempts; see processor.Observer.
	Observer = processor.Observer
	// Event describes a run or an attempt to an Observer.
	Event = processor.Event
	// Notice says what Observer.Noticed reports.
	Notice = processor.Notice
	// SizeDecision is a change of the number of task actors; see Config.TaskActorsMax.
	SizeDecision = scheduler.SizeDecision
	// Clock is a time that somebody else lets pass; see Config.Clock.
	Clock = scheduler.Clock
	// Overflow says what happens to a run that finds a bound hit.
	Overflow = processor.Overflow
	// Schedule is the order in which ready tasks are handed out.
	Schedule = processor.Schedule
	// ActorStats is a snapshot of one actor; see Runtime.Actors.
	ActorStats = actor.ActorStats
	// Stats is a snapshot of a Runtime's counters and gauges.
	Stats = processor.Stats
	// BoundStats counts what became of runs that found a bound hit.
	BoundStats = processor.BoundStats
	// Progress counts a run's tasks by state.
	Progress = processor.Progress
	// Report tells how a run went.
	Report = processor.Report
	// TaskReport tells how a task went.
	TaskReport = processor.TaskReport
	// CompensationReport tells how a compensation went.
	CompensationReport = processor.CompensationReport
	// RunError is how a run ended that no failed task ended.
	RunError = processor.RunError
	// OverloadError says which bound refused a run.
	OverloadError = processor.OverloadError
	// LeakError refuses an attempt of a task of which too many bodies ignore their cancelled context.
	LeakError = processor.LeakError
)

// What a full bound means; see the processor package's constants.
const (
	OverflowDefault    = processor.OverflowDefault    // Execute waits, Start fails
	OverflowWait       = processor.OverflowWait       // the caller waits within its context
	OverflowFail       = processor.OverflowFail       // ErrOverloaded at once
	OverflowDropNewest = processor.OverflowDropNewest // the new run ends with ErrOverloaded
	OverflowDropOldest = processor.OverflowDropOldest // the oldest run that has not begun does
)

// The orders of ready tasks.
const (
	ScheduleFIFO         = processor.ScheduleFIFO         // as they became ready
	ScheduleCriticalPath = processor.ScheduleCriticalPath // longest remaining path first, by declared durations
	ScheduleMeasuredPath = processor.ScheduleMeasuredPath // the same by what tasks took in earlier runs
)

// The notices of Observer.Noticed; see processor.Notice for what each Event holds.
const (
	NoticeRetry      = processor.NoticeRetry
	NoticeLeaked     = processor.NoticeLeaked
	NoticeReturned   = processor.NoticeReturned
	NoticeRefused    = processor.NoticeRefused
	NoticeDeadLetter = processor.NoticeDeadLetter
	NoticeDefect     = processor.NoticeDefect
	NoticeResized    = processor.NoticeResized

	NoticeBreakerOpened = processor.NoticeBreakerOpened
	NoticeBreakerClosed = processor.NoticeBreakerClosed
)

// Errors that callers branch on, with errors.Is.
var (
	// ErrOverloaded reports that MaxRuns or MailboxCapacity was hit; errors.As
	// to *OverloadError names the bound.
	ErrOverloaded = processor.ErrOverloaded
	// ErrStopped reports that the Runtime was stopped.
	ErrStopped = processor.ErrStopped
	// ErrIDConflict reports an ID that is a run of another workflow or input already.
	ErrIDConflict = processor.ErrIDConflict
)

// Observers joins several observers into one; see processor.Observers.
func Observers(obs ...Observer) Observer { return processor.Observers(obs...) }

var (
	overflowNames = [...]string{"default", "wait", "fail", "drop-newest", "drop-oldest"}
	scheduleNames = [...]string{"fifo", "critical-path", "measured-path"}
)

// ParseOverflow reads default, wait, fail, drop-newest or drop-oldest.
func ParseOverflow(s string) (Overflow, error) {
	i, err := find(overflowNames[:], s)
	return Overflow(i), err
}

// ParseSchedule reads fifo, critical-path or measured-path.
func ParseSchedule(s string) (Schedule, error) {
	i, err := find(scheduleNames[:], s)
	return Schedule(i), err
}

// ParsePolicy checks that s is a policy: hash, idle, least-loaded or round-robin.
func ParsePolicy(s string) (string, error) {
	_, err := find(scheduler.Policies(), s)
	return s, err
}

// ParseMailboxKind checks that s is a kind of mailbox that this program links: chan,
// mpsc, mutex, or one that was registered.
func ParseMailboxKind(s string) (string, error) {
	_, err := find(mailbox.Kinds(), s)
	return s, err
}

func find(names []string, s string) (int, error) {
	for i, name := range names {
		if s == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q is unknown; want %s", s, strings.Join(names, ", "))
}
