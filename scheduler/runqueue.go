package scheduler

import (
	"sync"
	"sync/atomic"
)

// runQueue is the queue of an executor: two lanes. In fresh are the activations that somebody has scheduled, in spent those
// that have used up a slice and want another. Fresh ones come first, or a quiet actor would wait for a slice of each busy one;
// after some of them the spent ones come first once. They get on always: the count begins anew only when an activation joins
// them or leaves them, and one that has joined is not fresh before it has left.
//
// An item is in one lane, and whoever looks for work looks at both, each time: what the comment of Executor says about one
// queue holds for each lane by itself.
type runQueue struct {
	fresh, spent lane
}

// maxFreshInRow is how many fresh ones a worker takes before it prefers the spent ones once. It begins to count when a slice was
// used up, so that a fresh one never waits for a second slice.
const maxFreshInRow = 3

// init makes the rings. Fewer activations are busy for more than a slice than there are, so the second is smaller.
func (q *runQueue) init(capacity int) {
	q.fresh.ring.init(capacity)
	q.spent.ring.init(max(capacity/4, 1))
}

// push adds a, behind all in its lane.
func (q *runQueue) push(a Activation) { q.fresh.push(a) }

// pushSpent adds a, which has used up its slice.
func (q *runQueue) pushSpent(a Activation) { q.spent.push(a) }

// pop returns nil if nothing is visible, and whether what it returns had used up a slice.
func (q *runQueue) pop(spentFirst bool) (a Activation, spent bool) {
	if !spentFirst {
		if a := q.fresh.pop(); a != nil {
			return a, false
		}
	}
	if a := q.spent.pop(); a != nil || !spentFirst {
		return a, a != nil
	}
	return q.fresh.pop(), false
}

// empty reports whether pop would find nothing.
func (q *runQueue) empty() bool { return q.fresh.empty() && q.spent.empty() }

func (q *runQueue) len() int { return q.fresh.len() + q.spent.len() }

// lane is a queue: a lock-free ring for the common case and a locked list for what does not fit. It never refuses; its length
// is bounded by the number of activations because each is queued at most once.
//
// Order is first in, first out up to races: while the list holds anything, new
// activations go to its end and the ring, which holds the older ones, runs dry
// before the list is taken from. So the list is served after at most one ring.
//
// The lock covers a few moves of memory and never user code.
type lane struct {
	ring ring

	spilled atomic.Int64 // length of list, stored under mu
	mu      sync.Mutex
	list    fifo[Activation]
}

// push adds a. Once it has returned, a is visible to pop and empty, or hidden
// behind a ring position whose producer is still inside push.
func (q *lane) push(a Activation) {
	if q.spilled.Load() == 0 && q.ring.push(a) {
		return
	}
	q.mu.Lock()
	q.list.push(a)
	q.spilled.Store(int64(q.list.n)) // publishes a to empty and pop
	q.mu.Unlock()
}

// pop returns nil if nothing is visible.
func (q *lane) pop() Activation {
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
func (q *lane) empty() bool {
	return !q.ring.ready() && q.spilled.Load() == 0
}

func (q *lane) len() int {
	return q.ring.len() + int(q.spilled.Load())
}
