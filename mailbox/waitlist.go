package mailbox

import (
	"sync"
	"sync/atomic"
)

// waitlist holds the senders that wait for room, in the order of their arrival, and what they send. Whoever knows of room
// calls serve, which enqueues for them in that order: a sender never enqueues for itself once it is listed, so that none
// overtakes another. The zero value is ready.
//
// A sender is listed before it calls serve, and the consumer frees places before it loads count: either the sender's serve
// finds the place or the consumer finds the sender.
//
// runtime/actor has a list of its own for TellWait, as there a sender that is woken tries again itself: see waiterList.
type waitlist[T any] struct {
	count atomic.Int64 // listed waiters, so that a consumer whom nobody waits for takes no lock

	mu    sync.Mutex
	first *waiter[T]
	last  *waiter[T]
	free  *waiter[T] // waiters to use again, linked by next
	spare int        // how many those are, at most maxSpare
}

// maxSpare bounds the memory that a crowd of senders leaves behind: some 12 KB for messages that are pointers. Where more
// senders wait at once the others make a waiter for each wait.
const maxSpare = 64

// waiter is one waiting sender. Its fields but woken are guarded by waitlist.mu.
type waiter[T any] struct {
	woken      chan struct{} // holds a token from when serve unlisted the waiter until the sender takes it
	rest       []T           // what is not enqueued yet; the sender's own slice, or single
	single     [1]T
	err        error // why serve unlisted it with a rest
	listed     bool
	prev, next *waiter[T]
}

// push lists a new waiter, the last one, that sends v, or vs if that is not nil.
func (s *waitlist[T]) push(v T, vs []T) *waiter[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.free
	if w == nil {
		w = &waiter[T]{woken: make(chan struct{}, 1)}
	} else {
		s.free = w.next
		s.spare--
	}
	w.rest = vs
	if vs == nil {
		w.single[0] = v
		w.rest = w.single[:]
	}
	w.listed, w.prev, w.next = true, s.last, nil
	if s.last == nil {
		s.first = w
	} else {
		s.last.next = w
	}
	s.last = w
	s.count.Add(1)
	return w
}

// done ends the wait of w, and its listing if it is still listed, and returns how much was not enqueued and why, if
// serve knows.
func (s *waitlist[T]) done(w *waiter[T]) (left int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.listed {
		s.unlink(w)
	}
	left, err = len(w.rest), w.err
	select {
	case <-w.woken: // when the sender gave up just then
	default:
	}
	w.rest, w.err = nil, nil
	clear(w.single[:])
	w.prev, w.next = nil, nil
	if s.spare < maxSpare {
		w.next, s.free = s.free, w
		s.spare++
	}
	return left, err
}

// serve gives what the waiters send to enqueue, in order, until it is full. It unlists and wakes those that have
// nothing left or whom enqueue answers otherwise.
func (s *waitlist[T]) serve(enqueue func([]T) (int, error)) {
	if s.count.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := s.first; w != nil; w = s.first {
		n, err := enqueue(w.rest)
		w.rest = w.rest[n:]
		if err == ErrFull {
			return
		}
		w.err = err
		s.unlink(w)
		w.woken <- struct{}{}
	}
}

func (s *waitlist[T]) unlink(w *waiter[T]) {
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
