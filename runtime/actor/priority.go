package actor

import "github.com/ringmill/ringmill/mailbox"

// Priority says how urgent an actor's messages are. It is made by PriorityBy; the zero
// Priority says nothing.
type Priority struct {
	level any // func(M) mailbox.Level
}

// PriorityBy makes a Priority for actors with messages of type M. level is called by the
// sender, must be safe for concurrent use and must not block; what is not a level counts as mailbox.Low.
// Messages of one sender and one level are handled in the order sent.
func PriorityBy[M any](level func(M) mailbox.Level) Priority {
	if level == nil {
		panic("actor: PriorityBy: the function is nil")
	}
	return Priority{level: level}
}

// priorityQueue is a mailbox.Priority that asks the message for its level.
type priorityQueue[T any] struct {
	*mailbox.Priority[T]
	level func(T) mailbox.Level
}

func (q *priorityQueue[T]) TryEnqueue(m T) error {
	return q.Priority.TryEnqueue(min(q.level(m), mailbox.Low), m)
}

func (q *priorityQueue[T]) TryEnqueueBatch(ms []T) (int, error) { return enqueueEach(ms, q.TryEnqueue) }

func enqueueEach[T any](ms []T, enqueue func(T) error) (int, error) {
	for i, m := range ms {
		if err := enqueue(m); err != nil {
			return i, err
		}
	}
	return len(ms), nil
}
