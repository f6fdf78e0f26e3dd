package scheduler

import (
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
)

// desks are the members' own queues, under the policies that choose a member first.
type desks[T any] struct {
	members []desk[T]
	size    atomic.Int64 // members that are offered items; the others empty their desks
}

// desk is where the items of one member wait.
//
// Whoever takes the member out of idle, by CAS, is the one consumer of mail until the
// member is idle again: an Assign that finds it idle first, and the member after that.
//
//	offer  enqueue; if idle: CAS idle -> busy, then take
//	take   dequeue; nothing: store idle; then, if mail is ready, CAS idle -> busy and
//	       dequeue again
//
// Invariants:
//
//	D1  at most one goroutine is between a CAS to busy and the store of idle after it
//	D2  while mail's head is published the member is busy, or somebody is on the way from an
//	    enqueue or a store of idle to its look at the other
//
// D2 says that nothing is stranded: offer publishes and then looks at idle, take stores
// idle and then looks at the mail, so one of the two sees the other. An item that is
// claimed and not published hides those behind it; its producer is still inside offer.
type desk[T any] struct {
	mail *mailbox.MPSC[T]
	idle atomic.Bool
	_    [48]byte // one desk a cache line
}

func newDesks[T any](members, capacity int) *desks[T] {
	d := new(desks[T])
	d.members = make([]desk[T], members)
	for i := range d.members {
		d.members[i].mail = mailbox.NewMPSC[T](capacity)
		d.members[i].idle.Store(true)
	}
	d.size.Store(int64(members))
	return d
}

// open returns how many members are offered items.
func (d *desks[T]) open() int { return int(d.size.Load()) }

// Resize is part of Policy. Nothing has to be given: what waits on a desk is its member's.
func (d *desks[T]) Resize(size int, _ func(member int, item T)) {
	d.size.Store(int64(min(max(size, 1), len(d.members))))
}

// offer puts v on a member's desk and wakes the member, if it is idle, with the oldest item
// there. The error is mailbox.ErrFull.
func (d *desks[T]) offer(member int, v T) (woken int, item T, err error) {
	own := &d.members[member]
	if err = own.mail.TryEnqueue(v); err != nil {
		return -1, item, err
	}
	if own.claim() {
		if item, ok := own.take(); ok {
			return member, item, nil
		}
	}
	return -1, item, nil
}

// Next is part of Policy.
func (d *desks[T]) Next(member int) (item T, ok bool) { return d.members[member].take() }

// Exchange is part of Policy; an item may have to go to another member's desk.
func (d *desks[T]) Exchange(_ int, _ T, _ mailbox.Level) (item T, ok bool) { return item, false }

// Waits is part of Policy.
func (d *desks[T]) Waits(member int) bool { return d.members[member].mail.Ready() }

// Load is part of Policy.
func (d *desks[T]) Load() (idle, queued int) {
	for i := range d.members {
		if i < d.open() && d.members[i].idle.Load() {
			idle++
		}
		queued += d.members[i].mail.Len()
	}
	return idle, queued
}

// claim reports whether the caller has taken the member out of idle.
func (d *desk[T]) claim() bool {
	return d.idle.Load() && d.idle.CompareAndSwap(true, false)
}

// take returns the oldest item for a busy member, or makes it idle.
func (d *desk[T]) take() (item T, ok bool) {
	for {
		if item, ok = d.mail.TryDequeue(); ok {
			return item, true
		}
		d.idle.Store(true) // before the mail is looked at: see D2
		if !d.mail.Ready() || !d.claim() {
			return item, false
		}
	}
}

// depth returns how many items the member has, the one it works on included.
func (d *desk[T]) depth() int {
	n := d.mail.Len()
	if !d.idle.Load() {
		n++
	}
	return n
}
