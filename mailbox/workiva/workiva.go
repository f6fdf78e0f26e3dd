// Package workiva brings the mailbox kind "workiva": the RingBuffer of go-datastructures, which other Go actor frameworks
// build their bounded mailboxes on. It is a baseline to measure against, not a kind to run services on: Drain may spin
// while a producer is between claiming a slot and filling it, so it must never be used inside a worker.
//
// Importing the package registers the kind:
//
//	import _ "github.com/ringmill/ringmill/mailbox/workiva"
//
// The buffer is used through Put and Get only. Its Offer answers "full" when it is not, and Put and Get spin when it is full
// or empty; so the package counts places and messages itself and calls Put only with a place and Get only with a
// message. Messages that are not pointers are boxed, which allocates.
package workiva

import (
	"sync/atomic"

	"github.com/Workiva/go-datastructures/queue"

	"github.com/ringmill/ringmill/mailbox"
)

// Kind is the name to give to mailbox.NewKind.
const Kind = "workiva"

func init() {
	mailbox.Register(Kind, func(capacity int) mailbox.Queue[any] { return New(capacity) })
}

const closedBit = 1 << 62

// Queue is a RingBuffer with an exact capacity and a Close that loses nothing. Its methods keep the contracts of the
// methods of mailbox.MPSC, but for the spinning of Drain and for batches, which go in one by one.
type Queue struct {
	ring     *queue.RingBuffer
	capacity int64
	taken    atomic.Int64 // places taken, and closedBit; moves up by CAS, so no refused enqueue is ever counted in it
	filled   atomic.Int64 // messages whose Put has returned and that Get has not taken
}

// New returns an open, empty queue.
func New(capacity int) *Queue {
	// A RingBuffer of one slot cannot tell full from empty.
	return &Queue{ring: queue.NewRingBuffer(uint64(max(capacity, 2))), capacity: int64(capacity)}
}

// TryEnqueue adds v at the end.
func (q *Queue) TryEnqueue(v any) error {
	for {
		taken := q.taken.Load()
		switch {
		case taken&closedBit != 0:
			return mailbox.ErrClosed
		case taken == q.capacity:
			return mailbox.ErrFull
		}
		if q.taken.CompareAndSwap(taken, taken+1) {
			_ = q.ring.Put(v) // fails only after Dispose, which is never called
			q.filled.Add(1)
			return nil
		}
	}
}

// TryEnqueueBatch adds one by one: the buffer knows no batches. Other senders' messages may come in between, and Close too:
// then it answers how many it added and mailbox.ErrClosed.
func (q *Queue) TryEnqueueBatch(vs []any) (int, error) {
	for i, v := range vs {
		if err := q.TryEnqueue(v); err != nil {
			return i, err
		}
	}
	return len(vs), nil
}

// Drain takes up to len(dst) messages. It spins while the oldest one is claimed but not filled and a later one is filled.
func (q *Queue) Drain(dst []any) int {
	n := int(min(q.filled.Load(), int64(len(dst))))
	for i := range n {
		dst[i], _ = q.ring.Get() // as for Put
	}
	q.filled.Add(int64(-n))
	q.taken.Add(int64(-n)) // after Get, so that Put finds the slot free
	return n
}

// Ready reports whether Drain would find a message.
func (q *Queue) Ready() bool { return q.filled.Load() > 0 }

// Len returns the number of messages waiting, those being enqueued included.
func (q *Queue) Len() int { return int(q.taken.Load() &^ closedBit) }

// Close makes every later enqueue answer mailbox.ErrClosed.
func (q *Queue) Close() { q.taken.Or(closedBit) }

// Drained reports whether the queue is closed and everything accepted has been taken.
func (q *Queue) Drained() bool { return q.taken.Load() == closedBit }
