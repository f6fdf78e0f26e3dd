package processor

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/runtime/breaker"
)

// A leakBudget keeps a task that ignores its cancelled context from taking all goroutines there are. Bodies that were
// given up count against a budget of one for each task actor; while it is spent, the breaker of every kind of task that
// holds a part of it is open: no further attempt of those begins. A body that returns gives its part back.
//
// There are no trials as with breaker.Breaker: one that went wrong would cost another goroutine for good. All methods
// are safe for concurrent use.
type leakBudget struct {
	spent   atomic.Bool   // written with mu held; the one thing that is looked at before an attempt
	refused atomic.Uint64 // attempts
	open    atomic.Int64  // kinds whose breaker is open; written with mu held

	mu    sync.Mutex
	kinds map[taskKind]int // bodies that still run; an entry is never 0, so there are no more than bodies
	total int              // their sum
}

// taskKind is a task of a workflow, by name: a workflow that is built anew for each run is still the same kind.
type taskKind struct {
	workflow, task string
	undo           bool // the task's compensation: it takes its part of the budget, but is never refused, as the run owes it
}

func kindOf(a *attempt) taskKind {
	return taskKind{a.run.plan.Name, a.plan().Name, a.run.own.undoes != nil}
}

// add counts delta bodies of a kind, 1 or -1 (a body may return before it is added), or none of them if only the
// budget has changed, and returns the kinds whose breaker that has opened or closed. It calls budget with mu held: of two calls
// the later one goes by the later budget.
func (b *leakBudget) add(kind taskKind, delta int, budget func() int) (opened, closed []taskKind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if delta != 0 {
		if b.kinds == nil {
			b.kinds = make(map[taskKind]int)
		}
		b.total += delta
		if b.kinds[kind] += delta; b.kinds[kind] == 0 {
			delete(b.kinds, kind)
		}
	}
	was, is := b.spent.Load(), b.total >= budget()
	b.spent.Store(is)
	switch {
	case !was && is:
		opened = b.holders()
	case was && !is:
		closed = b.holders()
		switch n := b.kinds[kind]; {
		case kind.undo:
		case delta < 0 && n == 0:
			closed = append(closed, kind)
		case delta > 0 && n == 1: // the budget has grown meanwhile: this breaker has not been open
			closed = slices.DeleteFunc(closed, func(k taskKind) bool { return k == kind })
		}
	case kind.undo: // has no breaker
	case is && delta > 0 && b.kinds[kind] == 1:
		opened = []taskKind{kind}
	case is && delta < 0 && b.kinds[kind] == 0:
		closed = []taskKind{kind}
	}
	b.open.Add(int64(len(opened) - len(closed)))
	return opened, closed
}

// holders returns the kinds with a breaker that hold a part of the budget. It needs mu.
func (b *leakBudget) holders() []taskKind {
	all := make([]taskKind, 0, len(b.kinds))
	for kind, n := range b.kinds {
		if n > 0 && !kind.undo {
			all = append(all, kind)
		}
	}
	return all
}

// refuse returns an error if the breaker of a kind is open. It is called only while the budget is spent.
func (b *leakBudget) refuse(kind taskKind, budget int) error {
	if kind.undo {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	own := b.kinds[kind]
	if own <= 0 || !b.spent.Load() {
		return nil
	}
	b.refused.Add(1)
	return &LeakError{Workflow: kind.workflow, Task: kind.task, Leaked: own, Total: b.total, Budget: budget}
}

// A LeakError refuses an attempt of a task of which too many bodies have ignored their cancelled context; nothing was
// run. It satisfies errors.Is(err, breaker.ErrOpen).
type LeakError struct {
	Workflow, Task string
	Leaked         int // bodies of this task that still run
	Total          int // of all tasks
	Budget         int // that many may, the number of task actors
}

func (e *LeakError) Error() string {
	return fmt.Sprintf("the breaker of task %s in workflow %s is open: %d of its bodies ignored their cancelled context and still run, %d of all tasks, as many as may (%d): let them return when ctx.Done() is closed",
		e.Task, e.Workflow, e.Leaked, e.Total, e.Budget)
}

// Is reports whether target is breaker.ErrOpen.
func (e *LeakError) Is(target error) bool { return target == breaker.ErrOpen }

// countLeak counts a body of a that was given up (1) or has returned after all (-1), and tells the observer what that
// does to breakers.
func (p *Processor) countLeak(a *attempt, delta int) {
	p.tellBreakers(p.leaks.add(kindOf(a), delta, p.taskActors))
}

// tellBreakers is called without locks: an observer is user code. Two changes at the same moment may be told in either order.
func (p *Processor) tellBreakers(opened, closed []taskKind) {
	obs := p.cfg.Observer
	if obs == nil {
		return
	}
	for _, kind := range opened {
		obs.Noticed(&Event{Workflow: kind.workflow, Task: kind.task, Item: -1, Actor: -1}, NoticeBreakerOpened)
	}
	for _, kind := range closed {
		obs.Noticed(&Event{Workflow: kind.workflow, Task: kind.task, Item: -1, Actor: -1}, NoticeBreakerClosed)
	}
}
