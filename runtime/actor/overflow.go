package actor

import (
	"errors"
	"sync"

	"github.com/ringmill/ringmill/mailbox"
)

// dropNewest is a mailbox that drops what it has no room for.
type dropNewest[T any] struct {
	box  *inbox[T]
	drop func(T)
}

func (q *dropNewest[T]) TryEnqueue(m T) error {
	err := q.box.TryEnqueue(m)
	if err == mailbox.ErrFull {
		q.drop(m)
		return nil
	}
	return err
}

func (q *dropNewest[T]) TryEnqueueBatch(ms []T) (int, error) { return enqueueEach(ms, q.TryEnqueue) }
func (q *dropNewest[T]) Drain(dst []T) int                   { return drainEach(q.box, dst) }
func (q *dropNewest[T]) Ready() bool                         { return q.box.Ready() }
func (q *dropNewest[T]) Len() int                            { return q.box.Len() }
func (q *dropNewest[T]) Close()                              { q.box.Close() }
func (q *dropNewest[T]) Drained() bool                       { return q.box.Drained() }

func drainEach[T any](box *inbox[T], dst []T) int {
	for i := range dst {
		m, ok := box.TryDequeue()
		if !ok {
			return i
		}
		dst[i] = m
	}
	return len(dst)
}

// dropOldest is a mailbox whose senders drop its oldest message when there is no room.
// A sender does the consumer's part then, so whoever takes messages out or closes the
// mailbox holds a lock, for a few moves of memory and never while user code runs.
//
// mailbox.Mailbox has the same for a consumer that sleeps: see its replaceOldest.
type dropOldest[T any] struct {
	ring *mailbox.MPSC[T]
	drop func(T)

	consumer sync.Mutex
}

// TryEnqueue gives up, and drops m, if the oldest message is still being written, or when
// other senders have taken each place that it made.
func (q *dropOldest[T]) TryEnqueue(m T) error {
	if err := q.ring.TryEnqueue(m); err != mailbox.ErrFull {
		return err
	}
	const attempts = 4 // each lost one means that another sender got in
	for range attempts {
		oldest, took, err := q.replace(m)
		if took {
			q.drop(oldest)
		}
		if err == errUnpublished {
			break
		}
		if err != mailbox.ErrFull {
			return err
		}
	}
	q.drop(m)
	return nil
}

// errUnpublished reports that the oldest message is still being written.
var errUnpublished = errors.New("actor: the oldest message is not published")

// replace takes the oldest message, unless the actor has made room meanwhile, and adds m.
// ErrFull means that another sender was faster. Close waits for the lock, so the answer
// after a take is never ErrClosed.
func (q *dropOldest[T]) replace(m T) (oldest T, took bool, err error) {
	q.consumer.Lock()
	defer q.consumer.Unlock()
	if q.ring.Closed() {
		return oldest, false, mailbox.ErrClosed
	}
	if q.ring.Len() == q.ring.Cap() {
		if oldest, took = q.ring.TryDequeue(); !took {
			return oldest, false, errUnpublished
		}
	}
	return oldest, took, q.ring.TryEnqueue(m)
}

// Close does not come between the take and the enqueue of a sender that makes room.
func (q *dropOldest[T]) Close() {
	q.consumer.Lock()
	defer q.consumer.Unlock()
	q.ring.Close()
}

func (q *dropOldest[T]) Drain(dst []T) int {
	q.consumer.Lock()
	defer q.consumer.Unlock()
	return q.ring.Drain(dst)
}

func (q *dropOldest[T]) TryEnqueueBatch(ms []T) (int, error) { return enqueueEach(ms, q.TryEnqueue) }
func (q *dropOldest[T]) Ready() bool                         { return q.ring.Ready() }
func (q *dropOldest[T]) Len() int                            { return q.ring.Len() }
func (q *dropOldest[T]) Drained() bool                       { return q.ring.Drained() }
