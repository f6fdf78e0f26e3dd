package actor

import "github.com/ringmill/ringmill/mailbox"

// An inbox is an actor's mailbox: the lock-free ring, reached without an indirect
// call, or one of another kind, which is there to be compared with it.
type inbox[M any] struct {
	ring  *mailbox.MPSC[M] // nil if another kind was asked for
	other *otherKind[M]
}

type otherKind[M any] struct {
	mailbox.Queue[M]
	capacity int
	one      [1]M // where messages come out; belongs to the actor's side
}

func newInbox[M any](kind string, capacity int) (inbox[M], error) {
	if kind == "" || kind == mailbox.KindMPSC {
		return inbox[M]{ring: mailbox.NewMPSC[M](capacity)}, nil
	}
	queue, err := mailbox.NewKind[M](kind, capacity)
	if err != nil {
		return inbox[M]{}, err
	}
	return inbox[M]{other: &otherKind[M]{Queue: queue, capacity: capacity}}, nil
}

func (b *inbox[M]) Cap() int {
	if b.ring != nil {
		return b.ring.Cap()
	}
	return b.other.capacity
}

func (b *inbox[M]) TryEnqueue(m M) error {
	if b.ring != nil {
		return b.ring.TryEnqueue(m)
	}
	return b.other.TryEnqueue(m)
}

func (b *inbox[M]) TryDequeue() (m M, ok bool) {
	if b.ring != nil {
		return b.ring.TryDequeue()
	}
	if b.other.Drain(b.other.one[:]) == 0 {
		return m, false
	}
	b.other.one[0], m = m, b.other.one[0] // keeps nothing alive
	return m, true
}

func (b *inbox[M]) Ready() bool {
	if b.ring != nil {
		return b.ring.Ready()
	}
	return b.other.Ready()
}

func (b *inbox[M]) Drained() bool {
	if b.ring != nil {
		return b.ring.Drained()
	}
	return b.other.Drained()
}

func (b *inbox[M]) Len() int {
	if b.ring != nil {
		return b.ring.Len()
	}
	return b.other.Len()
}

func (b *inbox[M]) Close() {
	if b.ring != nil {
		b.ring.Close()
		return
	}
	b.other.Close()
}
