package actor

import "github.com/ringmill/ringmill/mailbox"

// An inbox is an actor's mailbox: the lock-free ring, reached without an indirect
// call, or one of another kind, which is there to be compared with it.
type inbox[M any] struct {
	other *otherKind[M] // nil unless another kind was asked for
	ring  mailbox.MPSC[M]
}

// lone is an inbox outside an actor, which has its lines to itself.
type lone[M any] struct {
	inbox[M]
	_ [32]byte
}

type otherKind[M any] struct {
	mailbox.Queue[M]
	capacity int
	one      [1]M // where messages come out; belongs to the actor's side
}

// init makes the mailbox; it is called once, before the actor is seen by others.
func (b *inbox[M]) init(kind string, capacity int) error {
	if kind == "" || kind == mailbox.KindMPSC {
		b.ring.Init(capacity)
		return nil
	}
	queue, err := mailbox.NewKind[M](kind, capacity)
	if err != nil {
		return err
	}
	b.other = &otherKind[M]{Queue: queue, capacity: capacity}
	return nil
}

func (b *inbox[M]) Cap() int {
	if b.other == nil {
		return b.ring.Cap()
	}
	return b.other.capacity
}

func (b *inbox[M]) TryEnqueue(m M) error {
	if b.other == nil {
		return b.ring.TryEnqueue(m)
	}
	return b.other.TryEnqueue(m)
}

func (b *inbox[M]) TryDequeue() (m M, ok bool) {
	if b.other == nil {
		return b.ring.TryDequeue()
	}
	if b.other.Drain(b.other.one[:]) == 0 {
		return m, false
	}
	b.other.one[0], m = m, b.other.one[0] // keeps nothing alive
	return m, true
}

func (b *inbox[M]) Ready() bool {
	if b.other == nil {
		return b.ring.Ready()
	}
	return b.other.Ready()
}

func (b *inbox[M]) Drained() bool {
	if b.other == nil {
		return b.ring.Drained()
	}
	return b.other.Drained()
}

func (b *inbox[M]) Len() int {
	if b.other == nil {
		return b.ring.Len()
	}
	return b.other.Len()
}

func (b *inbox[M]) Close() {
	if b.other == nil {
		b.ring.Close()
		return
	}
	b.other.Close()
}
