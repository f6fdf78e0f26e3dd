package processor

import (
	"container/heap"
	"slices"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
)

// A readyQueue orders the attempts that wait for a task actor. It belongs to
// one workflow actor and is bounded by the plans of the runs in flight.
type readyQueue interface {
	push(a *attempt)
	pop() *attempt // nil when empty
	len() int
	sweep() // removes attempts that were dropped
}

func newReadyQueue(s Schedule) readyQueue {
	q := new(readyLevels)
	for l := range q.levels {
		if s.byRank() {
			q.levels[l] = new(rankQueue)
		} else {
			q.levels[l] = new(fifoQueue)
		}
	}
	return q
}

// readyLevels has a queue for each priority, which take turns.
type readyLevels struct {
	n      int
	levels [mailbox.Low + 1]readyQueue
	turns  scheduler.LevelTurns
}

func (q *readyLevels) len() int { return q.n }

func (q *readyLevels) push(a *attempt) {
	q.levels[a.level].push(a)
	q.n++
}

func (q *readyLevels) pop() *attempt {
	if q.n == 0 {
		return nil
	}
	q.n--
	return q.levels[q.turns.Next(func(l mailbox.Level) bool { return q.levels[l].len() > 0 })].pop()
}

func (q *readyLevels) sweep() {
	q.n = 0
	for _, level := range q.levels {
		level.sweep()
		q.n += level.len()
	}
}

// A fifoQueue is a ring that doubles when full.
type fifoQueue struct {
	ring []*attempt // length is a power of two
	head int
	n    int
}

func (q *fifoQueue) len() int { return q.n }

func (q *fifoQueue) push(a *attempt) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = a
	q.n++
}

func (q *fifoQueue) pop() *attempt {
	if q.n == 0 {
		return nil
	}
	a := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	return a
}

func (q *fifoQueue) sweep() {
	for range q.n {
		if a := q.pop(); a.phase.Load() != phaseDropped {
			q.push(a)
		}
	}
}

func (q *fifoQueue) grow() {
	ring := make([]*attempt, max(16, 2*len(q.ring)))
	n := copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}

// A rankQueue is a heap: longest remaining path first, then oldest.
type rankQueue struct{ h rankHeap }

func (q *rankQueue) len() int        { return len(q.h) }
func (q *rankQueue) push(a *attempt) { heap.Push(&q.h, a) }

func (q *rankQueue) pop() *attempt {
	if len(q.h) == 0 {
		return nil
	}
	return heap.Pop(&q.h).(*attempt)
}

func (q *rankQueue) sweep() {
	q.h = slices.DeleteFunc(q.h, func(a *attempt) bool { return a.phase.Load() == phaseDropped })
	heap.Init(&q.h)
}

type rankHeap []*attempt

func (h rankHeap) Len() int      { return len(h) }
func (h rankHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *rankHeap) Push(x any)   { *h = append(*h, x.(*attempt)) }

func (h rankHeap) Less(i, j int) bool {
	if ri, rj := h[i].rank, h[j].rank; ri != rj {
		return ri > rj
	}
	return h[i].sequence < h[j].sequence
}

func (h *rankHeap) Pop() any {
	old := *h
	n := len(old) - 1
	a := old[n]
	old[n] = nil
	*h = old[:n]
	return a
}
