package processor

import (
	"context"
	"sync"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

// An Observer is told about runs, attempts and things worth noticing. Its
// methods are called on the engine's goroutines, or on that of a caller of
// Execute while it is in there, or of whoever is refused, possibly at the same
// time. They must not block, take a lock that is held around Execute, nor call
// runtime.Goexit. A panic is contained and counted in Stats.ObserverPanics; a nil
// context that is returned counts as the one given. The *Event is valid only
// during the call.
//
// A nil Observer costs nothing: no event is built and no clock is read for it.
type Observer interface {
	// RunStarted is called when a run begins. The context
	// it returns is the parent of every context that the run's tasks see.
	RunStarted(ctx context.Context, e *Event) context.Context
	// RunEnded is called once for every RunStarted, with the context that
	// RunStarted returned.
	RunEnded(ctx context.Context, e *Event)
	// AttemptStarted is called before a task body runs. The context it
	// returns is the one that the body sees.
	AttemptStarted(ctx context.Context, e *Event) context.Context
	// AttemptEnded is called once for every AttemptStarted, with the
	// context that AttemptStarted returned.
	AttemptEnded(ctx context.Context, e *Event)
	// Noticed reports an incident that is neither start nor end.
	Noticed(e *Event, n Notice)
}

// A Notice says what Observer.Noticed reports.
type Notice uint8

// The notices. Which fields of the Event are set beside Workflow stands behind each.
const (
	NoticeRetry         Notice = iota + 1 // a task will be tried again: RunID, Task, Item, Attempt (the failed one), Err, Queue (the back-off)
	NoticeLeaked                          // a task body ignored its cancelled context: RunID, Task, Item, Attempt, Actor
	NoticeReturned                        // a leaked body returned after all (at that very moment even before NoticeLeaked): the same
	NoticeRefused                         // a run was refused or shed: Err names the bound
	NoticeDeadLetter                      // a message could not be delivered: Err
	NoticeDefect                          // the engine itself panicked, which is worth a bug report: Err
	NoticeResized                         // the number of task actors follows the load: Resize
	NoticeBreakerOpened                   // as many bodies have leaked as may, of this task too: its attempts are refused: Task
	NoticeBreakerClosed                   // attempts of the task are made again: Task
)

// String returns the notice as one lower-case word.
func (n Notice) String() string {
	switch n {
	case NoticeRetry:
		return "retry"
	case NoticeLeaked:
		return "leaked"
	case NoticeReturned:
		return "returned"
	case NoticeRefused:
		return "refused"
	case NoticeDeadLetter:
		return "dead_letter"
	case NoticeDefect:
		return "defect"
	case NoticeResized:
		return "resized"
	case NoticeBreakerOpened:
		return "breaker_opened"
	case NoticeBreakerClosed:
		return "breaker_closed"
	}
	return "unknown"
}

// An Event describes a run or one attempt of a task.
type Event struct {
	Workflow string
	RunID    string
	Task     string          // empty for a run
	Item     int             // index of a Map's item, else -1
	Attempt  int             // from 1; 0 for a run
	Actor    int             // index of the task actor (attempt) or workflow actor (run)
	Status   workflow.Status // when ended: how
	Err      error           // when ended: nil if succeeded
	At       time.Time       // of the start, or of the end
	Queue    time.Duration   // waited before it started
	Run      time.Duration   // when ended: from start to end

	// Compensation says that the attempt undoes the task, whose run ends otherwise than well. Of a workflow that
	// is a task, Task is that task's name, a slash, and the name within.
	Compensation bool

	Resize *scheduler.SizeDecision // of NoticeResized
}

// events keeps Events between calls of an observer: handing a pointer to an
// interface would otherwise allocate one each time.
var events = sync.Pool{New: func() any { return new(Event) }}

// newEvent describes a run. Give it back with release.
func newEvent(r *Run) *Event {
	e := events.Get().(*Event)
	*e = Event{Workflow: r.plan.Name, RunID: r.ID(), Item: -1, Actor: -1}
	return e
}

// release ends the use of an event.
func (e *Event) release() {
	*e = Event{} // keeps no error alive
	events.Put(e)
}

// Observers joins several observers into one that calls them in order; the
// context returned by one is handed to the next. Nil observers are left out;
// it returns nil when none is left.
func Observers(obs ...Observer) Observer {
	var joined observers
	for _, o := range obs {
		if o != nil {
			joined = append(joined, o)
		}
	}
	switch len(joined) {
	case 0:
		return nil
	case 1:
		return joined[0]
	}
	return joined
}

// observers calls each of its members. End methods are called in reverse order,
// so that the first observer encloses the others.
type observers []Observer

func (o observers) RunStarted(ctx context.Context, e *Event) context.Context {
	for _, x := range o {
		ctx = x.RunStarted(ctx, e)
	}
	return ctx
}

func (o observers) RunEnded(ctx context.Context, e *Event) {
	for i := len(o) - 1; i >= 0; i-- {
		o[i].RunEnded(ctx, e)
	}
}

func (o observers) AttemptStarted(ctx context.Context, e *Event) context.Context {
	for _, x := range o {
		ctx = x.AttemptStarted(ctx, e)
	}
	return ctx
}

func (o observers) AttemptEnded(ctx context.Context, e *Event) {
	for i := len(o) - 1; i >= 0; i-- {
		o[i].AttemptEnded(ctx, e)
	}
}

func (o observers) Noticed(e *Event, n Notice) {
	for _, x := range o {
		x.Noticed(e, n)
	}
}
