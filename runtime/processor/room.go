package processor

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// A room counts the runs in flight and keeps the callers that wait for a place.
// Entering and leaving take no lock while nobody waits.
//
// Invariant: 0 <= inFlight <= limit.
type room struct {
	limit    int64
	inFlight atomic.Int64
	line     line
}

// enter takes a place, or answers false when all are taken.
func (r *room) enter() bool {
	for {
		n := r.inFlight.Load()
		if n >= r.limit {
			return false
		}
		if r.inFlight.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave gives a place back and says how many are still taken.
func (r *room) leave() int64 {
	n := r.inFlight.Add(-1)
	r.line.call()
	return n
}

// A line is the callers that wait for one bound, first come first served.
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
