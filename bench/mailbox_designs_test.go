package bench_test

import (
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
)

// BenchmarkMailboxDesign compares mailbox.MPSC with rings that were built and not taken. They keep what a fair measurement
// needs and no more: no Close, no parking, capacities that are powers of two. Those that claim by CAS pause after a lost one
// as MPSC does.
func BenchmarkMailboxDesign(b *testing.B) {
	const capacity = 1024
	designs := []struct {
		name string
		make func() mailbox.Queue[*int]
	}{
		{"runs", func() mailbox.Queue[*int] { return mailbox.NewMPSC[*int](capacity) }},
		{"sequences", func() mailbox.Queue[*int] { return newSequenceRing[*int](capacity) }},
		{"bitmap", func() mailbox.Queue[*int] { return newBitmapRing[*int](capacity) }},
		{"tickets", func() mailbox.Queue[*int] { return newTicketRing[*int](capacity) }},
		{"doublebuffer", func() mailbox.Queue[*int] { return newDoubleBuffer[*int](capacity) }},
	}
	for _, d := range designs {
		for _, producers := range []int{1, 4} {
			for _, batch := range []int{1, 16} {
				b.Run(fmt.Sprintf("design=%s/producers=%d/batch=%d", d.name, producers, batch), func(b *testing.B) {
					throughput(b, d.make(), mailboxSetup{producers: producers, batch: batch}, new(int))
				})
			}
		}
	}
}

// backOff is the pause of mailbox.MPSC after a lost CAS.
//
//go:noinline
func backOff() {
	const rounds = 2000
	for range rounds {
	}
}

// notClosable completes a mailbox.Queue for a design that is only measured.
type notClosable struct{}

func (notClosable) Ready() bool   { return false }
func (notClosable) Len() int      { return 0 }
func (notClosable) Close()        {}
func (notClosable) Drained() bool { return false }

// sequenceRing is Vyukov's bounded queue with one consumer: each slot has a sequence number beside its value, which says
// whose turn it is. A batch is as many single sends.
type sequenceRing[T any] struct {
	notClosable
	slots []sequenceSlot[T]
	_     [40]byte
	tail  atomic.Uint64
	_     [56]byte
	head  uint64 // the consumer's
}

type sequenceSlot[T any] struct {
	sequence atomic.Uint64 // p: free for position p; p+1: filled
	value    T
}

func newSequenceRing[T any](capacity int) *sequenceRing[T] {
	q := &sequenceRing[T]{slots: make([]sequenceSlot[T], capacity)}
	for i := range q.slots {
		q.slots[i].sequence.Store(uint64(i))
	}
	return q
}

func (q *sequenceRing[T]) TryEnqueue(v T) error {
	for {
		t := q.tail.Load()
		slot := &q.slots[t&uint64(len(q.slots)-1)]
		switch seq := slot.sequence.Load(); {
		case seq == t:
			if q.tail.CompareAndSwap(t, t+1) {
				slot.value = v
				slot.sequence.Store(t + 1)
				return nil
			}
			backOff()
		case seq < t:
			return mailbox.ErrFull
		}
	}
}

func (q *sequenceRing[T]) TryEnqueueBatch(vs []T) (int, error) {
	for i, v := range vs {
		if err := q.TryEnqueue(v); err != nil {
			return i, err
		}
	}
	return len(vs), nil
}

func (q *sequenceRing[T]) Drain(dst []T) int {
	size := uint64(len(q.slots))
	for i := range dst {
		slot := &q.slots[q.head&(size-1)]
		if slot.sequence.Load() != q.head+1 {
			return i
		}
		var zero T
		dst[i], slot.value = slot.value, zero
		slot.sequence.Store(q.head + size)
		q.head++
	}
	return len(dst)
}

// bitmapRing publishes by flipping bits, 64 slots to a word, so that a batch costs one atomic add and the consumer finds a run by
// counting bits. All producers and the consumer meet in the same few words.
type bitmapRing[T any] struct {
	notClosable
	words    []atomic.Uint64
	values   []T
	shift    int
	_        [64]byte
	tail     atomic.Uint64
	headSeen atomic.Uint64
	_        [48]byte
	head     atomic.Uint64
}

func newBitmapRing[T any](capacity int) *bitmapRing[T] {
	return &bitmapRing[T]{
		words:  make([]atomic.Uint64, max(1, capacity/64)),
		values: make([]T, capacity),
		shift:  bits.TrailingZeros(uint(capacity)),
	}
}

func (q *bitmapRing[T]) TryEnqueue(v T) error {
	t, n := q.claim(1)
	if n == 0 {
		return mailbox.ErrFull
	}
	q.values[t&uint64(len(q.values)-1)] = v
	q.publish(t, 1)
	return nil
}

func (q *bitmapRing[T]) TryEnqueueBatch(vs []T) (int, error) {
	t, n := q.claim(uint64(len(vs)))
	first := copy(q.values[t&uint64(len(q.values)-1):], vs[:n])
	copy(q.values, vs[first:n])
	q.publish(t, n)
	if n < uint64(len(vs)) {
		return int(n), mailbox.ErrFull
	}
	return int(n), nil
}

func (q *bitmapRing[T]) claim(want uint64) (t, n uint64) {
	for {
		t := q.tail.Load()
		free := int64(len(q.values)) - int64(t-q.headSeen.Load())
		if free < int64(want) {
			h := q.head.Load()
			q.headSeen.Store(h)
			free = max(int64(len(q.values))-int64(t-h), 0)
		}
		n := min(uint64(free), want)
		if n == 0 || q.tail.CompareAndSwap(t, t+n) {
			return t, n
		}
		backOff()
	}
}

// publish flips the bits of [t, t+n): up in even laps, down in odd ones. No add carries, as each bit is known.
func (q *bitmapRing[T]) publish(t, n uint64) {
	for n > 0 {
		i := t & uint64(len(q.values)-1)
		part := min(n, 64-i%64)
		flip := (^uint64(0) >> (64 - part)) << (i % 64)
		if t>>q.shift%2 == 1 {
			flip = -flip
		}
		q.words[i/64].Add(flip)
		t += part
		n -= part
	}
}

func (q *bitmapRing[T]) Drain(dst []T) int {
	h := q.head.Load()
	p, end := h, h+uint64(len(dst))
	for p < end {
		i := p & uint64(len(q.values)-1)
		w := q.words[i/64].Load()
		if p>>q.shift%2 == 1 {
			w = ^w
		}
		n := min(uint64(bits.TrailingZeros64(^(w >> (i % 64)))), 64-i%64, end-p)
		if n == 0 {
			break
		}
		copy(dst[p-h:], q.values[i:i+n])
		clear(q.values[i : i+n])
		p += n
	}
	if p > h {
		q.head.Store(p)
	}
	return int(p - h)
}

// ticketRing claims with one atomic add instead of a CAS. A ticket cannot be given back, so producers that pass the check
// together overshoot the capacity, by one each: the capacity is soft and the array has slack for it.
type ticketRing[T any] struct {
	notClosable
	words    []atomic.Uint64
	values   []T
	capacity uint64
	_        [64]byte
	tail     atomic.Uint64
	headSeen atomic.Uint64
	_        [48]byte
	head     atomic.Uint64
}

func newTicketRing[T any](capacity int) *ticketRing[T] {
	return &ticketRing[T]{
		words:    make([]atomic.Uint64, 2*capacity),
		values:   make([]T, 2*capacity),
		capacity: uint64(capacity),
	}
}

func (q *ticketRing[T]) TryEnqueue(v T) error {
	_, err := q.TryEnqueueBatch([]T{v})
	return err
}

// TryEnqueueBatch takes all of vs or nothing: how much fits is not known when the ticket is drawn.
func (q *ticketRing[T]) TryEnqueueBatch(vs []T) (int, error) {
	n := uint64(len(vs))
	if int64(q.tail.Load()+n-q.headSeen.Load()) > int64(q.capacity) {
		q.headSeen.Store(q.head.Load())
		if int64(q.tail.Load()+n-q.headSeen.Load()) > int64(q.capacity) {
			return 0, mailbox.ErrFull
		}
	}
	t := q.tail.Add(n) - n
	mask := uint64(len(q.values) - 1)
	for i, v := range vs {
		q.values[(t+uint64(i))&mask] = v
		q.words[(t+uint64(i))&mask].Store(t + uint64(i) + 1)
	}
	return len(vs), nil
}

func (q *ticketRing[T]) Drain(dst []T) int {
	mask := uint64(len(q.values) - 1)
	h := q.head.Load()
	n := uint64(0)
	for n < uint64(len(dst)) && q.words[(h+n)&mask].Load() == h+n+1 {
		var zero T
		dst[n], q.values[(h+n)&mask] = q.values[(h+n)&mask], zero
		n++
	}
	if n > 0 {
		q.head.Store(h + n)
	}
	return int(n)
}

// doubleBuffer lets producers append to a slice under a mutex; the consumer swaps it for its empty one.
type doubleBuffer[T any] struct {
	notClosable
	mu   sync.Mutex
	in   []T
	_    [64]byte
	out  []T // the consumer's
	next int // first message of out that has not been taken
}

func newDoubleBuffer[T any](capacity int) *doubleBuffer[T] {
	return &doubleBuffer[T]{in: make([]T, 0, capacity), out: make([]T, 0, capacity)}
}

func (q *doubleBuffer[T]) TryEnqueue(v T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.in) == cap(q.in) {
		return mailbox.ErrFull
	}
	q.in = append(q.in, v)
	return nil
}

func (q *doubleBuffer[T]) TryEnqueueBatch(vs []T) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(vs), cap(q.in)-len(q.in))
	q.in = append(q.in, vs[:n]...)
	if n < len(vs) {
		return n, mailbox.ErrFull
	}
	return n, nil
}

func (q *doubleBuffer[T]) Drain(dst []T) int {
	if q.next == len(q.out) {
		clear(q.out)
		q.mu.Lock()
		q.in, q.out = q.out[:0], q.in
		q.mu.Unlock()
		q.next = 0
	}
	n := copy(dst, q.out[q.next:])
	q.next += n
	return n
}
