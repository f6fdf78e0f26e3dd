package scheduler

import (
	"sync"
	"sync/atomic"
)

// runQueue is the queue of an executor: a lock-free ring for the common case and
// a locked list for what does not fit. It never refuses; its length is bounded by
// the number of activations because each is queued at most once.
//
// Order is first in, first out up to races: while the list holds anything, new
// activations go to its end and the ring, which holds the older ones, runs dry
// before the list is taken from. So the list is served after at most one ring.
//
// The lock covers a few moves of memory and never user code.
type runQueue struct {
	ring ring

	spilled atomic.Int64 // length of list, stored under mu
	mu      sync.Mutex
	list    fifo[Activation]
}

// push adds a. Once it has returned, a is visible to pop and empty, or hidden
// behind a ring position whose producer is still inside push.
func (q *runQueue) push(a Activation) {
	if q.spilled.Load() == 0 && q.ring.push(a) {
		return
	}
	q.mu.Lock()
	q.list.push(a)
	q.spilled.Store(int64(q.list.n)) // publishes a to empty and pop
	q.mu.Unlock()
}

// pop returns nil if nothing is visible.
func (q *runQueue) pop() Activation {
	if a := q.ring.pop(); a != nil {
		return a
	}
	if q.spilled.Load() == 0 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	a, _ := q.list.pop()
	q.spilled.Store(int64(q.list.n))
	return a
}

// empty reports whether pop would find nothing.
func (q *runQueue) empty() bool {
	return !q.ring.ready() && q.spilled.Load() == 0
}

func (q *runQueue) len() int {
	return q.ring.len() + int(q.spilled.Load())
}
