package mailbox

import (
	"sync"
	"sync/atomic"
)

// waitlist holds the senders that wait for room, in the order of their arrival, those woken in vain in front. The zero value is ready.
//
// A sender is listed before it tries to enqueue, and the consumer frees places before it loads count: either the
// try finds the place or the consumer finds the sender.
type waitlist struct {
	count atomic.Int64 // listed waiters, so that a consumer whom nobody waits for takes no lock

	mu    sync.Mutex
	first *waiter
	last  *waiter
	free  *waiter // waiters to use again, linked by next
}

// waiter is one waiting sender. Its fields but woken are guarded by waitlist.mu.
type waiter struct {
	woken      chan struct{} // holds a token from when wake unlisted the waiter until the sender takes it
	listed     bool
	prev, next *waiter
}

// push lists a new waiter as the last one.
func (s *waitlist) push() *waiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.free
	if w == nil {
		w = &waiter{woken: make(chan struct{}, 1)}
	} else {
		s.free = w.next
	}
	s.link(w, s.last, nil)
	return w
}

// pushFront lists w, which was woken, as the first one.
func (s *waitlist) pushFront(w *waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link(w, nil, s.first)
}

// done ends the wait of w and reports whether w was still listed. If not, it has been woken, and that wake-up is now
// the caller's to pass on.
func (s *waitlist) done(w *waiter) (wasListed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wasListed = w.listed
	if wasListed {
		s.unlink(w)
	} else {
		<-w.woken
	}
	w.prev, w.next = nil, s.free
	s.free = w
	return wasListed
}

// wake unlists the first n waiters, or all if there are fewer, and wakes them.
func (s *waitlist) wake(n int) {
	if s.count.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; n > 0 && s.first != nil; n-- {
		w := s.first
		s.unlink(w)
		w.woken <- struct{}{}
	}
}

// wakeAll wakes every waiter.
func (s *waitlist) wakeAll() { s.wake(int(s.count.Load())) }

func (s *waitlist) link(w, prev, next *waiter) {
	w.listed, w.prev, w.next = true, prev, next
	if prev == nil {
		s.first = w
	} else {
		prev.next = w
	}
	if next == nil {
		s.last = w
	} else {
		next.prev = w
	}
	s.count.Add(1)
}

func (s *waitlist) unlink(w *waiter) {
	if w.prev == nil {
		s.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		s.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.listed = false
	s.count.Add(-1)
}
