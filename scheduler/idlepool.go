package scheduler

import (
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
)

// IdlePool hands work to idle members, in turn; when nobody is idle, work waits
// in one bounded queue that members empty before they become idle again. Compared
// with dealing work to a queue per member, nothing ever waits behind a long item
// while another member is idle.
//
// Members are numbered 0..members-1 and all start idle. A member is handed one
// item at a time: by Assign while it is idle, by its own Next when it has finished
// one. All methods are safe for concurrent use; Next must be called by (or for) a
// member that is busy, once for each item it was given. Nothing allocates except
// the first filling of the queue.
//
// Invariants. A member is idle while its bit in idle is set; a set bit is settled
// once the Next that set it has seen queued == 0 afterwards.
//
//	I1  a bit is cleared by exactly one caller, who then gives that member one item
//	I2  while mu is free and queued > 0, no bit is settled
//	I3  0 <= queued <= limit
//
// I2 is what keeps work from being stranded: when all calls have returned every
// set bit is settled, so then either the queue is empty or nobody is idle. It
// holds because Assign adds to the queue and then scans the bits under one hold
// of mu (a settled bit would be found: the older item goes to it), and Next sets
// its bit and then loads queued: one of the two sees the other. A Next that sees
// work takes mu and its own bit back, unless an Assign was faster and brings it
// an item.
type IdlePool[T any] struct {
	members int
	limit   int
	turn    RoundRobin
	idle    []atomic.Uint64

	queued atomic.Int64 // length of queue, stored under mu
	mu     sync.Mutex
	queue  fifo[T]
}

// NewIdlePool returns a pool whose members are all idle and whose queue has room
// for overflow items. It panics if members is below 1 or overflow is negative.
func NewIdlePool[T any](members, overflow int) *IdlePool[T] {
	if members < 1 {
		panic(fmt.Sprintf("scheduler: NewIdlePool: members is %d; want at least 1", members))
	}
	if overflow < 0 {
		panic(fmt.Sprintf("scheduler: NewIdlePool: overflow is %d; want 0 or more", overflow))
	}
	p := &IdlePool[T]{members: members, limit: overflow, idle: make([]atomic.Uint64, (members+63)/64)}
	for m := range members {
		p.setIdle(m)
	}
	return p
}

// Assign finds a place for v.
//
// With member >= 0 the caller must now give item to that member; item is v, or an
// older one in whose stead v was queued. With member == -1 and no error v waits
// in the queue, and a member's Next returns it. When the queue is full too the
// error is mailbox.ErrFull and v is still the caller's.
func (p *IdlePool[T]) Assign(v T) (member int, item T, err error) {
	if p.queued.Load() == 0 { // otherwise older items come first
		if m := p.claim(); m >= 0 {
			return m, v, nil
		}
	}
	return p.assignQueued(v)
}

func (p *IdlePool[T]) assignQueued(v T) (member int, item T, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue.n == p.limit {
		m := p.claim()
		if m < 0 {
			return -1, item, mailbox.ErrFull
		}
		return m, p.exchange(v), nil
	}
	p.queue.push(v)
	p.publish() // before the bits are scanned: see I2
	m := p.claim()
	if m < 0 {
		return -1, item, nil
	}
	item, _ = p.queue.pop()
	p.publish()
	return m, item, nil
}

// exchange queues v and returns the oldest item, which is v if there is none.
func (p *IdlePool[T]) exchange(v T) T {
	oldest, ok := p.queue.pop()
	if !ok {
		return v
	}
	p.queue.push(v)
	return oldest
}

// Next returns the next item for a member that has finished its last one, or
// false: then the member is idle, and Assign will name it when there is work.
func (p *IdlePool[T]) Next(member int) (T, bool) {
	if p.queued.Load() == 0 {
		p.setIdle(member)
		if p.queued.Load() == 0 { // after the bit: see I2
			var none T
			return none, false
		}
		if !p.claimMember(member) {
			var none T
			return none, false // an Assign was faster and gives this member its item
		}
	}
	return p.nextQueued(member)
}

// nextQueued is Next for a member whose bit is clear.
func (p *IdlePool[T]) nextQueued(member int) (T, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.queue.pop()
	if !ok {
		p.setIdle(member) // settled: the queue is empty and cannot grow before Unlock
		return v, false
	}
	p.publish()
	return v, true
}

// Idle returns how many members are idle.
func (p *IdlePool[T]) Idle() int {
	n := 0
	for i := range p.idle {
		n += bits.OnesCount64(p.idle[i].Load())
	}
	return n
}

// Queued returns how many items wait for a member.
func (p *IdlePool[T]) Queued() int { return int(p.queued.Load()) }

// publish tells the lock-free paths how long the queue is; mu is held.
func (p *IdlePool[T]) publish() { p.queued.Store(int64(p.queue.n)) }

func (p *IdlePool[T]) setIdle(member int) {
	p.idle[member/64].Or(1 << (member % 64))
}

// claimMember reports whether the caller is the one who cleared the member's bit.
func (p *IdlePool[T]) claimMember(member int) bool {
	bit := uint64(1) << (member % 64)
	return p.idle[member/64].And(^bit)&bit != 0
}

// claim takes an idle member, the first at or after the one whose turn it is, or
// returns -1 if it has seen no bit.
func (p *IdlePool[T]) claim() int {
	start := p.turn.Next(p.members)
	first, below := start/64, uint64(1)<<(start%64)-1
	if m := p.claimIn(first, ^below); m >= 0 {
		return m
	}
	for word := first + 1; word < len(p.idle); word++ {
		if m := p.claimIn(word, ^uint64(0)); m >= 0 {
			return m
		}
	}
	for word := range first {
		if m := p.claimIn(word, ^uint64(0)); m >= 0 {
			return m
		}
	}
	return p.claimIn(first, below)
}

// claimIn takes the lowest set bit of a word under mask, or returns -1.
func (p *IdlePool[T]) claimIn(word int, mask uint64) int {
	for {
		set := p.idle[word].Load() & mask
		if set == 0 {
			return -1
		}
		m := word*64 + bits.TrailingZeros64(set)
		if p.claimMember(m) {
			return m
		}
	}
}
