package mailbox

import "unsafe"

// Claim is the first half of TryEnqueueBatch: it claims places for vs, which must fit, and returns the second half.
// A test that delays the second half is a producer that was descheduled in between.
func Claim[T any](m *MPSC[T], vs ...T) (publish func() (parked bool)) {
	r := m.loadRing()
	if r == nil {
		r = m.makeRing()
	}
	n := uint64(len(vs))
	for {
		t := m.tail.Load()
		if room, _ := m.room(t, n); room < n {
			return nil
		}
		if m.tail.CompareAndSwap(t, t+n) {
			return func() bool {
				for i, v := range vs {
					r.values[(t+uint64(i))&r.mask()] = v
				}
				return r.publish(t, n)
			}
		}
	}
}

// Slots returns what the slots hold, free ones included.
func Slots[T any](m *MPSC[T]) []T {
	if r := m.loadRing(); r != nil {
		return r.values
	}
	return nil
}

// HasRing reports whether the ring of m has been made.
func HasRing[T any](m *Mailbox[T]) bool { return m.queue.loadRing() != nil }

// ClaimIn is Claim for a Mailbox; publish wakes the consumer as its enqueues do.
func ClaimIn[T any](m *Mailbox[T], vs ...T) (publish func()) {
	inner := Claim(&m.queue.MPSC, vs...)
	return func() {
		if inner() {
			m.wakeConsumer()
		}
	}
}

// ReplaceOldest is what TryEnqueue does under DropOldest when it has found m full.
func ReplaceOldest[T any](m *Mailbox[T], v T) error { return m.replaceOldest(v) }

// MaxSpareWaiters is maxSpare.
const MaxSpareWaiters = maxSpare

// SpareWaiters counts the waiters that m keeps for senders to come.
func SpareWaiters[T any](m *Mailbox[T]) int {
	s := m.waitlist()
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for w := s.free; w != nil; w = w.next {
		n++
	}
	return n
}

// Unregister takes back what Register did.
func Unregister(kind string) {
	registered.Lock()
	defer registered.Unlock()
	delete(registered.kinds, kind)
}

// The memory of mailboxes that no message was sent to.
const (
	IdleMPSC    = unsafe.Sizeof(padded[*int]{})
	IdleMailbox = unsafe.Sizeof(Mailbox[*int]{})
)

// AgingStep is agingStep.
const AgingStep = agingStep

// Lines returns the numbers of the cache lines that the three parts of an MPSC begin and end in, if it begins offset bytes behind a line:
// what all read, what producers write, what the consumer writes.
func Lines(offset uintptr) (parts [3][2]uintptr) {
	var m MPSC[*int]
	at := [3][2]uintptr{
		{unsafe.Offsetof(m.capacity), unsafe.Offsetof(m.header) + unsafe.Sizeof(m.header)},
		{unsafe.Offsetof(m.tail), unsafe.Offsetof(m.headSeen) + unsafe.Sizeof(m.headSeen)},
		{unsafe.Offsetof(m.head), unsafe.Offsetof(m.ring) + unsafe.Sizeof(m.ring)},
	}
	for i, a := range at {
		parts[i] = [2]uintptr{(offset + a[0]) / 64, (offset + a[1] - 1) / 64}
	}
	return parts
}

// A Span is memory from Begin to before End.
type Span struct{ Begin, End uintptr }

func spanOf[First, Last any](first *First, last *Last) Span {
	return Span{uintptr(unsafe.Pointer(first)), uintptr(unsafe.Pointer(last)) + unsafe.Sizeof(*last)}
}

// Parts returns where the three parts of m lie, as in Lines.
func Parts[T any](m *MPSC[T]) []Span {
	return []Span{spanOf(&m.capacity, &m.header), spanOf(&m.tail, &m.headSeen), spanOf(&m.head, &m.ring)}
}

// MailboxParts is Parts for a Mailbox; the fourth part is what it has besides its ring.
func MailboxParts[T any](m *Mailbox[T]) []Span {
	return append(Parts(&m.queue.MPSC), spanOf(&m.onDrop, &m.wait))
}

// PriorityParts is Parts for all levels.
func PriorityParts[T any](p *Priority[T]) []Span {
	var parts []Span
	for i := range p.rings {
		parts = append(parts, Parts(&p.rings[i].MPSC)...)
	}
	return parts
}

// ReadsCopy reports whether m's ring has been made and is reached by the copy of its header, which is one.
func ReadsCopy[T any](m *MPSC[T]) bool {
	r, header := m.ring.Load(), &m.header
	return r != nil && m.loadRing() == header && unsafe.SliceData(header.words) == unsafe.SliceData(r.words) && len(header.words) == len(r.words) &&
		unsafe.SliceData(header.values) == unsafe.SliceData(r.values) && len(header.values) == len(r.values)
}
