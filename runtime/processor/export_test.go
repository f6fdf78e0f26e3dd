package processor

import (
	"context"
	"reflect"
	"unsafe"

	"github.com/ringmill/ringmill/scheduler"
)

// Line is a line of callers, for the tests.
type Line struct{ l line }

// Places is a bounded count, for the tests.
type Places = places

// NewPlaces returns a count with a limit.
func NewPlaces(limit int64) *Places { return &places{limit: limit} }

// Enter takes a place.
func (p *places) Enter() bool { return p.enter() }

// Leave gives it back.
func (p *places) Leave() int64 { return p.leave() }

// Queue lists a caller.
func (l *Line) Queue(front bool) *Waiter { return (*Waiter)(l.l.queue(front)) }

// Unqueue takes it off.
func (l *Line) Unqueue(w *Waiter) { l.l.unqueue((*waiter)(w)) }

// Call calls the first.
func (l *Line) Call() { l.l.call() }

// Waiter is a caller in line.
type Waiter waiter

// Called is closed when the caller is called.
func (w *Waiter) Called() <-chan struct{} { return w.called }

// LeakBudget is a budget of leaked bodies, for the tests.
type LeakBudget struct{ b leakBudget }

// Add counts delta bodies of a task, "" for a change of the budget alone, and returns how many breakers are open then, and how many that
// has opened and closed.
func (l *LeakBudget) Add(task string, delta, budget int) (open, opened, closed int) {
	o, c := l.b.add(taskKind{task: task}, delta, func() int { return budget })
	return int(l.b.open.Load()), len(o), len(c)
}

// Spare looks at a run that a caller keeps for its next call, and returns the names of its fields that are not as a new run has
// them; false if the caller at hand keeps none.
func (p *Processor) Spare() (differ []string, ok bool) {
	c := p.callers.Get().(*caller)
	defer p.callers.Put(c)
	if c.spare == nil {
		return nil, false
	}
	run := reflect.ValueOf(c.spare).Elem()
	for i := range run.NumField() {
		switch name := run.Type().Field(i).Name; name {
		case "plan", "p", "caller", "private": // the same for the next call, or set by runOf
		case "state", "tasks", "open": // set by prepare
		case "level", "deadline", "timeout": // set by init
		default:
			if !run.Field(i).IsZero() {
				differ = append(differ, name)
			}
		}
	}
	return differ, true
}

// Posted counts the orders that no workflow actor has taken yet.
func (p *Processor) Posted() (n int) {
	for _, w := range p.workflows {
		w.mu.Lock()
		n += len(w.orders)
		w.mu.Unlock()
	}
	return n
}

// StuckTimer returns what is called when the body with this context has ignored its end; the context must be one with a heartbeat, as
// the body is given it.
func StuckTimer(ctx context.Context) scheduler.TimerHandler {
	return (*armed)(unsafe.Pointer(ctx.(*scheduler.DeadlineContext))) // its first field
}

// Overstays has the timer of the body with this context fire, as one whose deadline has passed; the context must be that of a task with no
// more than a Timeout.
func Overstays(ctx context.Context) { ctx.(*boundContext).report() }
