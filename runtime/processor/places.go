package processor

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// places is a bounded count: of runs in flight, or of runs in one mailbox. Its
// methods are safe for concurrent use and take no lock.
//
// Invariant: 0 <= taken <= limit.
type places struct {
	limit int64
	taken atomic.Int64
}

// enter takes a place, or answers false when all are taken.
func (p *places) enter() bool {
	for {
		n := p.taken.Load()
		if n >= p.limit {
			return false
		}
		if p.taken.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave gives a place back and says how many are still taken.
func (p *places) leave() int64 { return p.taken.Add(-1) }

// A line is the callers that wait for one bound. They are called first come first
// served, but who has not been in line may find a place before them.
//
// Nobody sleeps beside a free place: a caller lists itself and then looks for a
// place again, and whoever frees a place looks at the line afterwards; one of
// the two sees the other.
type line struct {
	waiting atomic.Int32 // len(callers), readable without mu
	mu      sync.Mutex
	callers list.List // of *waiter
}

// A waiter is one caller in line. called is closed, under the line's mu, when it
// is its turn to look again.
type waiter struct {
	called chan struct{}
	place  *list.Element // nil once called
}

// queue lists a new waiter; one that was called in vain goes to the front.
func (l *line) queue(front bool) *waiter {
	w := &waiter{called: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if front {
		w.place = l.callers.PushFront(w)
	} else {
		w.place = l.callers.PushBack(w)
	}
	l.waiting.Add(1)
	return w
}

// call tells the first in line to look again.
func (l *line) call() {
	if l.waiting.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.callFirst()
}

// callAll tells everybody in line to look again.
func (l *line) callAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.callFirst() {
	}
}

// unqueue removes a waiter that does not need the bound any more. If it had been
// called meanwhile the call is passed on, since the place may still be free.
func (l *line) unqueue(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.place == nil {
		l.callFirst()
		return
	}
	l.remove(w)
}

// callFirst reports whether there was anybody to call; mu is held.
func (l *line) callFirst() bool {
	first := l.callers.Front()
	if first == nil {
		return false
	}
	w := first.Value.(*waiter)
	l.remove(w)
	close(w.called)
	return true
}

func (l *line) remove(w *waiter) {
	l.callers.Remove(w.place)
	w.place = nil
	l.waiting.Add(-1)
}
