package mailbox

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// waitlist holds the senders that wait for room, in the order of their arrival. The zero value is ready.
type waitlist struct {
	count atomic.Int64 // waiters.Len(), so that a consumer without waiting senders takes no lock
	mu    sync.Mutex
	list  list.List // of *waiter
}

// waiter is one waiting sender. woken holds a token if and only if wake has taken the waiter off the list.
type waiter struct {
	woken   chan struct{}
	element *list.Element // nil while off the list; guarded by waitlist.mu
}

func (s *waitlist) push() *waiter {
	w := &waiter{woken: make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.element = s.list.PushBack(w)
	s.count.Store(int64(s.list.Len()))
	return w
}

// pushFront puts w, which was woken, back as the first to be woken.
func (s *waitlist) pushFront(w *waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.element = s.list.PushFront(w)
	s.count.Store(int64(s.list.Len()))
}

// remove takes w off the list and reports whether it was there; if not, it has been woken.
func (s *waitlist) remove(w *waiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.element == nil {
		return false
	}
	s.list.Remove(w.element)
	w.element = nil
	s.count.Store(int64(s.list.Len()))
	return true
}

// wake wakes the first n waiters, or all if there are fewer.
func (s *waitlist) wake(n int) {
	if s.count.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; n > 0 && s.list.Len() > 0; n-- {
		w := s.list.Remove(s.list.Front()).(*waiter)
		w.element = nil
		w.woken <- struct{}{}
	}
	s.count.Store(int64(s.list.Len()))
}

func (s *waitlist) wakeAll() { s.wake(MaxCapacity) }
