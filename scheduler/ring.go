package scheduler

import "sync/atomic"

// ring is a bounded queue of activations for many producers and many consumers.
//
// Positions count up from 0 and never wrap; position p lives in slot p & mask.
// The turn of a slot says who may touch its value:
//
//	turn == 2p      free: the producer that moves tail from p to p+1 owns it
//	turn == 2p + 1  published: the consumer that moves head from p to p+1 owns it
//
// A producer publishes by storing 2p+1 after the value; a consumer takes the
// value and frees the slot for the next lap by storing 2(p + len(slots)). Odd
// and even turns keep the two states apart even when the ring has one slot.
//
// A producer that has claimed a position and not yet published hides the
// positions behind it: pop and ready see the ring as empty. See Executor for why
// that cannot lose a wake-up.
type ring struct {
	slots []slot
	mask  uint64

	_    [64]byte // tail is written by producers, head by consumers
	tail atomic.Uint64
	_    [56]byte
	head atomic.Uint64
	_    [56]byte
}

type slot struct {
	turn  atomic.Uint64
	value Activation
}

// init makes room for at least capacity activations.
func (r *ring) init(capacity int) {
	size := 1
	for size < capacity {
		size *= 2
	}
	r.slots = make([]slot, size)
	r.mask = uint64(size - 1)
	for i := range r.slots {
		r.slots[i].turn.Store(2 * uint64(i))
	}
}

// push reports false if the ring is full.
func (r *ring) push(a Activation) bool {
	pos := r.tail.Load()
	for {
		s := &r.slots[pos&r.mask]
		switch turn := s.turn.Load(); {
		case turn == 2*pos:
			if r.tail.CompareAndSwap(pos, pos+1) {
				s.value = a
				s.turn.Store(2*pos + 1) // publishes value to the consumer of pos
				return true
			}
			pos = r.tail.Load()
		case turn < 2*pos: // still holds the value of the previous lap
			return false
		default: // another producer has claimed pos
			pos = r.tail.Load()
		}
	}
}

// pop reports nil if the ring is empty or its head is not yet published.
func (r *ring) pop() Activation {
	pos := r.head.Load()
	for {
		s := &r.slots[pos&r.mask]
		switch turn := s.turn.Load(); {
		case turn == 2*pos+1:
			if r.head.CompareAndSwap(pos, pos+1) {
				a := s.value
				s.value = nil
				s.turn.Store(2 * (pos + r.mask + 1)) // hands the slot to the producer one lap on
				return a
			}
			pos = r.head.Load()
		case turn < 2*pos+1:
			return nil
		default: // another consumer has taken pos
			pos = r.head.Load()
		}
	}
}

// ready reports whether the head is published, so that a pop would succeed.
func (r *ring) ready() bool {
	for {
		pos := r.head.Load()
		turn := r.slots[pos&r.mask].turn.Load()
		if turn == 2*pos+1 {
			return true
		}
		if turn < 2*pos+1 {
			return false
		}
		// Another consumer has taken pos in between: look at the new head.
	}
}

// len counts claimed positions; it is exact only while nobody else is at work.
func (r *ring) len() int {
	head := r.head.Load()
	tail := r.tail.Load() // after head, so that the result is not negative
	return int(tail - head)
}
