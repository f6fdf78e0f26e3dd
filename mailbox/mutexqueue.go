package mailbox

import "sync"

// mutexQueue is the kind "mutex": a ring under a lock. It is here to be compared with.
type mutexQueue[T any] struct {
	mu     sync.Mutex
	values []T
	head   int // index of the oldest message
	length int
	closed bool
}

func newMutexQueue[T any](capacity int) *mutexQueue[T] {
	checkCapacity(capacity)
	return &mutexQueue[T]{values: make([]T, capacity)}
}

func (q *mutexQueue[T]) TryEnqueue(v T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case q.length == len(q.values):
		return ErrFull
	}
	q.push(v)
	return nil
}

func (q *mutexQueue[T]) TryEnqueueBatch(vs []T) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0, ErrClosed
	}
	n := min(len(vs), len(q.values)-q.length)
	for _, v := range vs[:n] {
		q.push(v)
	}
	if n < len(vs) {
		return n, ErrFull
	}
	return n, nil
}

func (q *mutexQueue[T]) push(v T) {
	q.values[(q.head+q.length)%len(q.values)] = v
	q.length++
}

func (q *mutexQueue[T]) Drain(dst []T) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(dst), q.length)
	for i := range dst[:n] {
		var zero T
		dst[i], q.values[q.head] = q.values[q.head], zero
		q.head = (q.head + 1) % len(q.values)
	}
	q.length -= n
	return n
}

func (q *mutexQueue[T]) Ready() bool { return q.Len() > 0 }

func (q *mutexQueue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.length
}

func (q *mutexQueue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *mutexQueue[T]) Drained() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && q.length == 0
}
