package scheduler

import (
	"fmt"
	"time"

	"github.com/ringmill/ringmill/mailbox"
)

// The levels of a PriorityQueue, the most urgent first.
const (
	Critical = mailbox.Urgent
	High     = mailbox.High
	Normal   = mailbox.Normal
	Low      = mailbox.Low
)

// PriorityConfig says how a PriorityQueue works. The zero value is valid.
type PriorityConfig[T any] struct {
	// Capacity is how many items each level has room for, 1 to 1,048,576. With
	// EarliestDeadlineFirst as many more may have been taken up for sorting. Defaults to
	// 4,096.
	Capacity int

	// EarliestDeadlineFirst orders the items of a level by deadline instead of arrival.
	// Defaults to false.
	EarliestDeadlineFirst bool

	// MaxDelay bounds how far a deadline puts an item back, from 1 ms: without a deadline, or
	// with a later one, an item is ordered as if its deadline were MaxDelay after the
	// queue has seen it, so that urgent ones cannot keep it waiting for ever. Only used with
	// EarliestDeadlineFirst. Defaults to 1 s.
	MaxDelay time.Duration

	// OnExpired, if set, is told about an item that is dropped because its deadline has
	// passed, on the consumer's goroutine, before the next item is returned. It must not
	// block and not use the queue.
	OnExpired func(v T, deadline time.Time)
}

const (
	defaultPriorityCapacity = 4096
	defaultMaxDelay         = time.Second
	minMaxDelay             = time.Millisecond
)

func (c PriorityConfig[T]) withDefaults() (PriorityConfig[T], error) {
	if c.Capacity == 0 {
		c.Capacity = defaultPriorityCapacity
	}
	if c.Capacity < 1 || c.Capacity > capacityLimit {
		return c, fmt.Errorf("scheduler: priority queue: Capacity is %d; want 1 to %d, or 0 for %d", c.Capacity, capacityLimit, defaultPriorityCapacity)
	}
	if c.MaxDelay == 0 {
		c.MaxDelay = defaultMaxDelay
	}
	if c.MaxDelay < minMaxDelay {
		return c, fmt.Errorf("scheduler: priority queue: MaxDelay is %v; want at least %v, or 0 for %v", c.MaxDelay, minMaxDelay, defaultMaxDelay)
	}
	return c, nil
}

// PriorityQueue is a bounded run queue of four levels whose items may have deadlines. Which
// level has the turn is decided as in a mailbox.Priority: of 15 items 8 are Critical, 4 High,
// 2 Normal and 1 Low as long as there are enough of each, and a level whose items have waited
// for long behind others counts as more urgent. So none starves. An item whose deadline
// has passed is never returned: it is dropped, counted and reported.
//
// TryEnqueue, Ready and Len are safe for concurrent use. TryDequeue belongs to the consumer: one
// goroutine at a time, as for mailbox.MPSC; several workers that share a queue guard it by a
// lock of theirs. Nothing blocks, and nothing allocates but the first filling. The clock is
// read only if an item has a deadline, or for the order by deadline.
type PriorityQueue[T any] struct {
	onExpired func(v T, deadline time.Time)
	arrivals  *mailbox.Priority[dated[T]] // by arrival, or nil:
	deadlines *deadlineLevels[T]          // earliest deadline first
	expired   uint64                      // the consumer's
}

// dated is an item with its deadline. It is kept small: a ring copies it several times.
type dated[T any] struct {
	value    T
	deadline time.Duration // since epoch; noDeadline if it has none
}

const noDeadline = time.Duration(never)

// NewPriorityQueue returns an empty queue.
func NewPriorityQueue[T any](cfg PriorityConfig[T]) (*PriorityQueue[T], error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	q := &PriorityQueue[T]{onExpired: cfg.OnExpired}
	if cfg.EarliestDeadlineFirst {
		q.deadlines = newDeadlineLevels[T](cfg.Capacity, cfg.MaxDelay)
	} else {
		q.arrivals = mailbox.NewPriority[dated[T]](cfg.Capacity)
	}
	return q, nil
}

// TryEnqueue adds v to a level. A zero deadline means none. It answers mailbox.ErrFull if
// the level is full, and panics if level is not one of the four.
func (q *PriorityQueue[T]) TryEnqueue(level mailbox.Level, v T, deadline time.Time) error {
	d := dated[T]{value: v, deadline: noDeadline}
	if !deadline.IsZero() {
		d.deadline = deadline.Sub(epoch)
	}
	if q.deadlines != nil {
		return q.deadlines.arrived[level].TryEnqueue(d)
	}
	return q.arrivals.TryEnqueue(level, d)
}

// TryDequeue takes the item whose turn it is, after it has dropped those on the way whose
// deadline has passed. It answers false if there is none; see mailbox.MPSC for what an
// enqueue in flight hides. Only the consumer may call it.
func (q *PriorityQueue[T]) TryDequeue() (v T, ok bool) {
	now := noDeadline // not read yet
	if q.deadlines != nil {
		now = q.deadlines.takeUp()
	}
	for {
		d, ok := q.next()
		if !ok {
			return v, false
		}
		if d.deadline == noDeadline {
			return d.value, true
		}
		if now == noDeadline {
			now = time.Since(epoch)
		}
		if now < d.deadline {
			return d.value, true
		}
		q.drop(d)
	}
}

// next takes the item whose turn it is, expired or not.
func (q *PriorityQueue[T]) next() (dated[T], bool) {
	if q.deadlines != nil {
		return q.deadlines.pop()
	}
	return q.arrivals.TryDequeue()
}

func (q *PriorityQueue[T]) drop(d dated[T]) {
	q.expired++
	if q.onExpired != nil {
		q.onExpired(d.value, epoch.Add(d.deadline))
	}
}

// Ready reports whether TryDequeue would find an item, if only one to drop. A consumer that goes
// idle stores that first and then asks, as with mailbox.MPSC.
func (q *PriorityQueue[T]) Ready() bool {
	if q.deadlines != nil {
		return q.deadlines.ready()
	}
	return q.arrivals.Ready()
}

// Len returns how many items wait.
func (q *PriorityQueue[T]) Len() int {
	if q.deadlines != nil {
		return q.deadlines.len()
	}
	return q.arrivals.Len()
}

// Expired returns how many items were dropped since the queue was made. Only the consumer may
// call it.
func (q *PriorityQueue[T]) Expired() uint64 { return q.expired }
