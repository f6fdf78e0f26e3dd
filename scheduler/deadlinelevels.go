package scheduler

import (
	"time"

	"github.com/ringmill/ringmill/mailbox"
)

// deadlineLevels orders the items of each level of a PriorityQueue by deadline. What arrives
// goes to a ring for each level; the consumer takes it up into a heap of its own and enters one
// ticket in a mailbox.Priority, which so deals in turns of levels instead of items.
//
//	P1  a level has as many tickets as its heap has items
//
// Only the consumer writes either, and both are bounded by the capacity.
type deadlineLevels[T any] struct {
	capacity int
	maxDelay time.Duration
	arrived  [levels]*mailbox.MPSC[dated[T]]
	tickets  *mailbox.Priority[mailbox.Level]

	// The consumer's.
	sorted [levels]deadlineHeap[T]
	taken  uint64 // items taken up so far
}

const levels = int(Low) + 1

func newDeadlineLevels[T any](capacity int, maxDelay time.Duration) *deadlineLevels[T] {
	l := &deadlineLevels[T]{capacity: capacity, maxDelay: maxDelay, tickets: mailbox.NewPriority[mailbox.Level](capacity)}
	for i := range l.arrived {
		l.arrived[i] = mailbox.NewMPSC[dated[T]](capacity)
	}
	return l
}

// takeUp sorts in what has arrived, as far as there is room, and returns the time, or
// noDeadline if it had no need of it.
func (l *deadlineLevels[T]) takeUp() (now time.Duration) {
	now = noDeadline
	for i := range l.arrived {
		for len(l.sorted[i]) < l.capacity {
			d, ok := l.arrived[i].TryDequeue()
			if !ok {
				break
			}
			if now == noDeadline {
				now = time.Since(epoch)
			}
			l.sort(mailbox.Level(i), d, now)
		}
	}
	return now
}

func (l *deadlineLevels[T]) sort(level mailbox.Level, d dated[T], now time.Duration) {
	l.sorted[level].push(ranked[T]{dated: d, order: min(d.deadline, now+l.maxDelay), number: l.taken})
	l.taken++
	if err := l.tickets.TryEnqueue(level, level); err != nil {
		panic("scheduler: a level has more tickets than items: " + err.Error()) // P1
	}
}

// pop takes the first item of the level whose turn it is.
func (l *deadlineLevels[T]) pop() (dated[T], bool) {
	level, ok := l.tickets.TryDequeue()
	if !ok {
		return dated[T]{}, false
	}
	return l.sorted[level].pop().dated, true
}

func (l *deadlineLevels[T]) ready() bool {
	for i := range l.arrived {
		if l.arrived[i].Ready() {
			return true
		}
	}
	return l.tickets.Ready()
}

func (l *deadlineLevels[T]) len() int {
	n := l.tickets.Len()
	for i := range l.arrived {
		n += l.arrived[i].Len()
	}
	return n
}

// ranked is an item of a heap and what its place depends on.
type ranked[T any] struct {
	dated[T]
	order  time.Duration // the deadline that it is sorted by,
	number uint64        // and by arrival if that is equal
}

// before reports whether r runs before other.
func (r *ranked[T]) before(other *ranked[T]) bool {
	return r.order < other.order || r.order == other.order && r.number < other.number
}

// deadlineHeap is a binary heap with the item to run first on top. container/heap would box
// every item.
type deadlineHeap[T any] []ranked[T]

func (h *deadlineHeap[T]) push(r ranked[T]) {
	s := append(*h, r)
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !r.before(&s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = r
	*h = s
}

// pop returns the item on top; there must be one.
func (h *deadlineHeap[T]) pop() ranked[T] {
	s := *h
	top, last := s[0], s[len(s)-1]
	s[len(s)-1] = ranked[T]{} // keeps nothing alive
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return top
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(s) {
			break
		}
		if child+1 < len(s) && s[child+1].before(&s[child]) {
			child++
		}
		if !s[child].before(&last) {
			break
		}
		s[i] = s[child]
		i = child
	}
	s[i] = last
	return top
}
