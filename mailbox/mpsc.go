package mailbox

import (
	"fmt"
	"math/bits"
	"sync/atomic"
)

// MaxCapacity is the largest number of messages that one mailbox can be made for.
const MaxCapacity = 1 << 30

// closedBit is set in MPSC.tail by Close. Every claim compares the whole word, so none succeeds afterwards.
const closedBit = 1 << 63

// MPSC is a bounded ring for many producers and one consumer at a time.
//
// The TryEnqueue methods, Ready, Len, Cap, Close, Closed and Drained are safe for
// concurrent use. TryDequeue and Drain belong to the consumer: at most one
// goroutine at a time may be inside them, and handing the role to another
// goroutine needs a happens-before edge, as a channel or an atomic status word
// gives. No method blocks; a producer that loses the race for a place pauses for a
// fraction of a microsecond and tries again. None allocates but the first enqueue,
// which makes the ring. Dequeued slots are cleared, so the ring keeps no message
// alive.
//
// A refusal means full: ErrFull is answered only if at one moment during the call
// the mailbox was open and held its capacity. An accepted message is delivered
// exactly once, in the order of the claims, also after Close.
//
// What is lock-free and what is not: claiming a place is lock-free, but a producer
// claims first and publishes later. One that is descheduled in between hides the
// messages claimed after its own until it runs again. Meanwhile TryDequeue and
// Drain answer "nothing ready" and do not spin. Hence an empty answer means that
// the mailbox was empty or that an enqueue was in flight; with no enqueue in
// flight it is exact.
//
// Positions count messages from 0; position p lives in slot p mod size, where size
// is the power of two at or above capacity. A run is the slots
// [p, p+n) that one enqueue claimed.
//
// Invariants:
//
//	I1  head <= tail <= head + capacity <= head + size
//	I2  headSeen is a value that head had, so headSeen <= head
//	I3  words[p mod size] carries p's lap and a length n if and only if the run [p, p+n) has been published
//	I4  every position in [head, ready) is published
//	I5  slots outside [head, tail) hold the zero value
//	I6  parkedBit is only ever set in the word of head's slot, while that slot is not published;
//	    without a ring, ring == asleep() stands for it
//	I7  header is written once, by who has made the ring, before made is set, and read only by who has seen made
//
// A slot of position p belongs to the producer whose CAS moved tail over p until
// that producer's store into words; then to the consumer until its store into head
// passes p; then to nobody until tail reaches p + size.
type MPSC[T any] struct {
	// Read by all, written by Init and the first enqueue.
	capacity uint32
	made     atomic.Bool // header is valid
	header   ring[T]     // a copy of *ring, which would be one line more to wait for; its address is also a mark, see asleep
	_        [8]byte

	// The producers' line.
	tail     atomic.Uint64 // next position to claim, and closedBit
	headSeen atomic.Uint64 // a recent head: spares the producers the consumer's line
	_        [48]byte

	// The consumer's line.
	head  atomic.Uint64           // next position to dequeue
	ready atomic.Uint64           // end of the last run of two or more that was found published; at or below head if there is none left
	ring  atomic.Pointer[ring[T]] // nil until the first enqueue; asleep() while the consumer sleeps before it
}

// padded is an MPSC alone in its lines. An owner may do without and put there what goes with them: 40 bytes behind it, of the
// consumer, or 8 before it, read by all, and 32 behind. MPSC keeps its parts in lines of their own at either offset.
type padded[T any] struct {
	MPSC[T]
	_ [40]byte
}

// NewMPSC returns an open, empty mailbox for exactly capacity messages.
// It panics if capacity is not within 1 to MaxCapacity.
func NewMPSC[T any](capacity int) *MPSC[T] {
	m := new(padded[T])
	m.Init(capacity)
	return &m.MPSC
}

// Init makes the zero MPSC what NewMPSC returns, for one that lies inside its owner. It must be called once, before any
// other method and before anybody else sees m. It panics as NewMPSC does. What follows m in its owner lies in the cache line that
// the consumer writes: fields that producers use belong elsewhere.
func (m *MPSC[T]) Init(capacity int) {
	checkCapacity(capacity)
	m.capacity = uint32(capacity)
}

// checkCapacity panics if a mailbox cannot be made so large or so small.
func checkCapacity(capacity int) {
	if capacity < 1 || capacity > MaxCapacity {
		panic(fmt.Sprintf("mailbox: capacity %d is out of range; want 1 to %d", capacity, MaxCapacity))
	}
}

// TryEnqueue adds v at the end. It answers ErrFull if capacity messages are waiting, ErrClosed after Close.
func (m *MPSC[T]) TryEnqueue(v T) error {
	_, err := m.enqueue(v)
	return err
}

// enqueue is TryEnqueue that reports whether the consumer was parked on v's slot.
func (m *MPSC[T]) enqueue(v T) (parked bool, err error) {
	r := m.loadRing()
	if r == nil {
		if m.Closed() {
			return false, ErrClosed
		}
		r = m.makeRing()
	}
	for {
		t := m.tail.Load()
		// One comparison for the common case: closedBit in t, or a headSeen above it, makes the difference huge.
		if t-m.headSeen.Load() >= uint64(m.capacity) {
			if room, err := m.room(t, 1); room == 0 {
				return false, err
			}
		}
		if m.tail.CompareAndSwap(t, t+1) {
			r.values[t&r.mask()] = v
			return r.publish(t, 1), nil
		}
		backOff()
	}
}

// TryEnqueueBatch adds the longest prefix of vs that fits, in order and with no other message in between, and returns
// its length. The consumer sees the whole prefix at once. It answers ErrFull if the prefix is shorter than vs and
// ErrClosed, having added nothing, after Close. The mailbox keeps no reference to vs.
func (m *MPSC[T]) TryEnqueueBatch(vs []T) (int, error) {
	n, _, err := m.enqueueBatch(vs)
	return n, err
}

func (m *MPSC[T]) enqueueBatch(vs []T) (taken int, parked bool, err error) {
	r := m.loadRing()
	if r == nil {
		if m.Closed() {
			return 0, false, ErrClosed
		}
		if len(vs) == 0 {
			return 0, false, nil
		}
		r = m.makeRing()
	}
	for {
		t := m.tail.Load()
		n, err := m.room(t, uint64(len(vs)))
		if n == 0 {
			return 0, false, err
		}
		// Success shows that tail was t when room loaded head: a short prefix filled the mailbox exactly.
		if m.tail.CompareAndSwap(t, t+n) {
			first := copy(r.values[t&r.mask():], vs[:n])
			copy(r.values, vs[first:n])
			return int(n), r.publish(t, n), err
		}
		backOff()
	}
}

// room returns how many of want messages fit at tail t, and why not all if it is fewer.
//
// ErrFull is true of the moment when t was loaded: tail was t and open, and head, which only grows, was at most the
// head loaded here, so capacity messages were waiting.
func (m *MPSC[T]) room(t, want uint64) (uint64, error) {
	if t&closedBit != 0 {
		return 0, ErrClosed
	}
	// Signed: a head loaded after t may have passed it, and then the claim's CAS fails.
	if free := int64(m.capacity) - int64(t-m.headSeen.Load()); free >= int64(want) {
		return want, nil
	}
	h := m.head.Load()
	if h != m.headSeen.Load() { // a store takes the line from the producers that have room
		// A slower producer may store an older head over this one; the next producer then comes here again.
		m.headSeen.Store(h)
	}
	free := int64(m.capacity) - int64(t-h) // not below 0: I1 held when t was loaded
	if free >= int64(want) {
		return want, nil
	}
	return uint64(free), ErrFull
}

// TryDequeue takes the oldest message. It answers false if nothing is ready: see the type's comment.
// Only the consumer may call it.
func (m *MPSC[T]) TryDequeue() (T, bool) {
	var v, zero T
	r := m.loadRing()
	if r == nil {
		return zero, false
	}
	h := m.head.Load()
	if h >= m.ready.Load() {
		n := r.published(h)
		if n == 0 {
			return zero, false
		}
		if n > 1 {
			m.ready.Store(h + n)
		}
	}
	slot := &r.values[h&r.mask()]
	v, *slot = *slot, zero
	m.head.Store(h + 1) // gives the slot back to the producers
	return v, true
}

// Drain takes up to len(dst) of the oldest messages into dst and returns how many. All of them leave the mailbox
// with one store that the producers see. It answers 0 if nothing is ready. Only the consumer may call it.
func (m *MPSC[T]) Drain(dst []T) int {
	r := m.loadRing()
	if r == nil {
		return 0
	}
	h, ready := m.head.Load(), m.ready.Load()
	p, end := h, h+uint64(len(dst))
	for p < end {
		if p >= ready {
			n := r.published(p)
			if n == 0 {
				break
			}
			ready = p + n
		}
		p += r.take(dst[p-h:], p, ready)
	}
	if p == h {
		return 0
	}
	if ready > p {
		m.ready.Store(ready) // before head: Ready must not see p without it
	}
	m.head.Store(p) // gives the slots back to the producers
	return int(p - h)
}

// Ready reports whether the next message has been published. It is safe for concurrent use; for callers other than the
// consumer the answer may be wrong either way by the time they get it, as the consumer may have taken messages meanwhile.
//
// It closes the gap between "found nothing" and "went idle". The consumer stores idle into its status word and then
// calls Ready; a producer enqueues and then loads the status word. All four are sequentially consistent, so either
// Ready sees the message, or the producer sees idle and wakes the consumer; possibly both, never neither.
// A message behind an unpublished one is woken for by the producer of the unpublished one.
func (m *MPSC[T]) Ready() bool {
	r := m.loadRing()
	if r == nil {
		return false
	}
	h := m.head.Load()
	return h < m.ready.Load() || r.published(h) != 0
}

// Len returns how many messages wait, those being written included. It is safe for concurrent use and exact at one moment
// of the call, unless the consumer is so fast that no such moment is found: then it may be too low, never too high.
func (m *MPSC[T]) Len() int {
	h := m.head.Load()
	for range 3 {
		t := m.tail.Load() &^ closedBit
		now := m.head.Load()
		if now == h { // head did not move, so it was h when tail was t
			return int(t - h)
		}
		h = now
	}
	t := m.tail.Load() &^ closedBit
	return int(max(int64(t-m.head.Load()), 0)) // a head loaded after t may have passed it
}

// Cap returns the capacity.
func (m *MPSC[T]) Cap() int { return int(m.capacity) }

// Close makes every later enqueue answer ErrClosed. What was accepted before can still be dequeued. It is idempotent.
func (m *MPSC[T]) Close() { m.tail.Or(closedBit) }

// Closed reports whether Close has been called.
func (m *MPSC[T]) Closed() bool { return m.tail.Load()&closedBit != 0 }

// Drained reports whether the mailbox is closed and everything accepted has been dequeued. Once true it stays true.
func (m *MPSC[T]) Drained() bool {
	return m.tail.Load() == m.head.Load()|closedBit
}

// backOff keeps a producer that lost the race for a place away from tail for some 0.6 us, in which the winner can claim
// dozens of places without the cache line going back and forth: with four producers that spin on a full ring a
// message takes 13 ns instead of 33. The pause is bounded, so a claim stays lock-free.
//
//go:noinline
func backOff() {
	const rounds = 2000
	for range rounds {
	}
}

// loadRing returns the ring, nil before the first enqueue.
func (m *MPSC[T]) loadRing() *ring[T] {
	if m.made.Load() {
		return &m.header
	}
	if r := m.ring.Load(); r != m.asleep() {
		return r
	}
	return nil
}

// asleep is what ring points to instead of a ring while the consumer sleeps: a mark, of which only the address counts.
func (m *MPSC[T]) asleep() *ring[T] { return &m.header }

// makeRing allocates the ring; of several first enqueues one wins and all use its ring. The mark of a consumer that sleeps
// moves with the same CAS into the word of position 0, which is the head as long as there is no ring.
func (m *MPSC[T]) makeRing() *ring[T] {
	if m.capacity == 0 { // 0 - 1 would be the size of a ring that no memory holds
		panic("mailbox: MPSC without a capacity; make it by NewMPSC, or call Init first")
	}
	fresh := newRing[T](1 << bits.Len32(m.capacity-1))
	for { // a lost CAS: another producer won, or the consumer went to sleep or was woken
		r := m.ring.Load()
		switch r {
		case nil:
			fresh.words[0].Store(0)
		case m.asleep():
			fresh.words[0].Store(parkedBit)
		default:
			return r
		}
		if m.ring.CompareAndSwap(r, fresh) {
			m.header = *fresh
			m.made.Store(true)
			return fresh
		}
	}
}
