package mailbox

import "sync/atomic"

// chanQueue is the kind "chan": a Go channel behind the Queue interface. It is here to be compared with.
//
// The channel itself is never closed, because a send on a closed channel panics. Instead an enqueue counts itself in
// senders before it looks at closed, and Drained looks at closed before it looks at senders.
type chanQueue[T any] struct {
	messages chan T
	senders  atomic.Int64 // enqueues that may still send
	closed   atomic.Bool
}

func newChanQueue[T any](capacity int) *chanQueue[T] {
	checkCapacity(capacity)
	return &chanQueue[T]{messages: make(chan T, capacity)}
}

func (q *chanQueue[T]) TryEnqueue(v T) error {
	q.senders.Add(1)
	defer q.senders.Add(-1)
	if q.closed.Load() {
		return ErrClosed
	}
	select {
	case q.messages <- v:
		return nil
	default:
		return ErrFull
	}
}

// TryEnqueueBatch sends one by one: a channel knows no batches. Other senders' messages may come in between, and Close too:
// then it answers how many it sent and ErrClosed.
func (q *chanQueue[T]) TryEnqueueBatch(vs []T) (int, error) {
	for i, v := range vs {
		if err := q.TryEnqueue(v); err != nil {
			return i, err
		}
	}
	return len(vs), nil
}

func (q *chanQueue[T]) Drain(dst []T) int {
	for i := range dst {
		select {
		case dst[i] = <-q.messages:
		default:
			return i
		}
	}
	return len(dst)
}

func (q *chanQueue[T]) Ready() bool { return len(q.messages) > 0 }

func (q *chanQueue[T]) Len() int { return len(q.messages) }

func (q *chanQueue[T]) Close() { q.closed.Store(true) }

func (q *chanQueue[T]) Drained() bool {
	return q.closed.Load() && q.senders.Load() == 0 && len(q.messages) == 0
}
