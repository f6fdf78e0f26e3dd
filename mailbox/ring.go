package mailbox

import "sync/atomic"

// parkedBit is set in a slot's word by a consumer that sleeps until that slot is published.
const parkedBit = 1 << 63

// ring is the memory of an MPSC. Words and values lie apart: an array of {word, value} pairs starts off a
// cache line for some sizes of T, and then some slots straddle two lines.
type ring[T any] struct {
	words  []atomic.Uint64 // as many as values, a power of two
	values []T
}

func newRing[T any](size uint64) *ring[T] {
	switch size {
	case 1:
		s := new(ring1[T])
		s.ring = ring[T]{words: s.w[:], values: s.v[:]}
		return &s.ring
	case 8:
		s := new(ring8[T])
		s.ring = ring[T]{words: s.w[:], values: s.v[:]}
		return &s.ring
	case 16:
		s := new(ring16[T])
		s.ring = ring[T]{words: s.w[:], values: s.v[:]}
		return &s.ring
	case 64:
		s := new(ring64[T])
		s.ring = ring[T]{words: s.w[:], values: s.v[:]}
		return &s.ring
	}
	return &ring[T]{words: make([]atomic.Uint64, size), values: make([]T, size)}
}

// ring1, ring8, ring16 and ring64 are small rings in one piece of memory instead of three: mailboxes of short lives are made often.
// Each size needs a type, so there are few: 1 is what the runtime gives its task actors, 8 and 16 are what small actors of
// short lives are taken to ask for (the benchmark of creating actors has 8), and 64 still lies in one page if
// values are small: among 100,000 actors each page is a miss of its own. Rings of other sizes cost two allocations more.
type (
	ring1[T any] struct {
		ring[T]
		w [1]atomic.Uint64
		v [1]T
	}
	ring8[T any] struct {
		ring[T]
		w [8]atomic.Uint64
		v [8]T
	}
	ring16[T any] struct {
		ring[T]
		w [16]atomic.Uint64
		v [16]T
	}
	ring64[T any] struct {
		ring[T]
		w [64]atomic.Uint64
		v [64]T
	}
)

// mask takes a position to its slot.
func (r *ring[T]) mask() uint64 { return uint64(len(r.words)) - 1 }

// word is what the first slot of a published run [p, p+n) holds: the lap of p, counted from 1, above the length.
// With size 2^k the length takes the low k+1 bits, so no two laps of a slot share a word below position 2^62,
// and parkedBit stays free.
// Only the first slot of a run is written; a later slot keeps the word of an older lap and is never looked at.
func (r *ring[T]) word(p, n uint64) uint64 {
	return ((p|r.mask())+1)<<1 + n
}

// publish hands the run [p, p+n) to the consumer and reports whether the consumer was parked on it.
func (r *ring[T]) publish(p, n uint64) (parked bool) {
	// Publishes the values written before it. On amd64 a store would be the same instruction.
	return r.words[p&r.mask()].Swap(r.word(p, n))&parkedBit != 0
}

// published returns the length of the run that starts at p, or 0 if it has not been published.
func (r *ring[T]) published(p uint64) uint64 {
	return r.length(r.words[p&r.mask()].Load(), p)
}

// length returns the length of the run at p that the word w of its slot announces, or 0 if w is of another lap.
func (r *ring[T]) length(w, p uint64) uint64 {
	n := w - r.word(p, 0)
	if n > uint64(len(r.words)) { // an older lap, perhaps with parkedBit: the difference is negative or huge
		return 0
	}
	return n
}

// take moves the published messages from position p on into dst and clears their slots. It stops at the end of
// dst, at position end, or at the end of the array, whichever comes first, and returns how many it moved.
func (r *ring[T]) take(dst []T, p, end uint64) uint64 {
	i := p & r.mask()
	n := min(end-p, uint64(len(dst)), uint64(len(r.words))-i)
	if n == 1 { // a run of one is the common case, and copy costs more than an assignment
		var zero T
		dst[0], r.values[i] = r.values[i], zero
		return 1
	}
	copy(dst[:n], r.values[i:])
	clear(r.values[i : i+n])
	return n
}
