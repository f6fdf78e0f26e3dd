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
// while another member is idle. The queue has the four levels of a mailbox.Priority,
// which share the members 8:4:2:1; what says no level is Normal.
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
//	I1  a bit is cleared by exactly one caller, who then gives that member one item,
//	    or retires it under mu
//	I2  while mu is free, no AssignAll or Resize is under way, and queued > 0, no bit
//	    is settled
//	I3  0 <= queued <= limit
//	I4  while no Next or Resize is under way, no member at or above size has its bit set
//
// I2 is what keeps work from being stranded: when all calls have returned every
// set bit is settled, so then either the queue is empty or nobody is idle. It
// holds because Assign adds to the queue and then scans the bits under one hold
// of mu (a settled bit would be found: the older item goes to it), and Next sets
// its bit and then loads queued: one of the two sees the other. A Next that sees
// work takes mu and its own bit back, unless an Assign was faster and brings it
// an item. AssignAll and Resize match items and idle members until one of the two has run out.
//
// I4 holds for the same reason: Resize stores size and then clears the bits at or above
// it, Next sets its bit and then loads size.
type IdlePool[T any] struct {
	members int
	limit   int
	size    atomic.Int64 // members that may work, stored under mu
	turn    RoundRobin
	idle    []atomic.Uint64

	queued atomic.Int64 // length of queue, stored under mu
	mu     sync.Mutex
	queue  levelQueue[T]
	away   []uint64 // members that Resize has retired, a bit each; made by the first Resize
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
	p.size.Store(int64(members))
	for m := range members {
		p.setIdle(m)
	}
	return p
}

// Assign is AssignLevel at Normal.
func (p *IdlePool[T]) Assign(v T) (member int, item T, err error) { return p.AssignLevel(v, Normal) }

// AssignLevel finds a place for v.
//
// With member >= 0 the caller must now give item to that member; item is v, or an
// older one in whose stead v was queued. With member == -1 and no error v waits
// in the queue, and a member's Next returns it. When the queue is full too the
// error is mailbox.ErrFull and v is still the caller's.
func (p *IdlePool[T]) AssignLevel(v T, level mailbox.Level) (member int, item T, err error) {
	if p.queued.Load() == 0 { // otherwise older items come first
		if m := p.claim(); m >= 0 {
			return m, v, nil
		}
	}
	return p.assignQueued(v, level)
}

func (p *IdlePool[T]) assignQueued(v T, level mailbox.Level) (member int, item T, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue.n == p.limit {
		m := p.claim()
		if m < 0 {
			return -1, item, mailbox.ErrFull
		}
		return m, p.exchange(v, level), nil
	}
	p.queue.push(level, v)
	p.publish() // before the bits are scanned: see I2
	m := p.claim()
	if m < 0 {
		return -1, item, nil
	}
	item, _ = p.queue.pop()
	p.publish()
	return m, item, nil
}

// AssignAll finds places for all of vs, or for none: then the error is mailbox.ErrFull. It
// queues them in their order and calls give for each item that it hands to an idle member, which
// may be an older one. The lock is not held during give.
func (p *IdlePool[T]) AssignAll(vs []T, level mailbox.Level, give func(member int, item T)) error {
	p.mu.Lock()
	if p.queue.n+len(vs) > p.limit {
		p.mu.Unlock()
		return mailbox.ErrFull
	}
	for _, v := range vs {
		p.queue.push(level, v)
	}
	p.publish() // before the bits are scanned: see I2
	p.match(give)
	return nil
}

// match gives queued items to idle members until one of the two has run out. mu is held, and
// is free when match returns.
func (p *IdlePool[T]) match(give func(member int, item T)) {
	for p.queue.n > 0 {
		m := p.claim()
		if m < 0 {
			break
		}
		item, _ := p.queue.pop()
		p.publish()
		p.mu.Unlock()
		give(m, item)
		p.mu.Lock()
	}
	p.mu.Unlock()
}

// Resize changes how many members may work, 1 to the number that the pool was made with: those
// numbered below size. One above it that is busy finishes what it has; its Next then answers
// false and it is given nothing more. give is called, as by AssignAll, for items that wait and
// the members that come back for them.
func (p *IdlePool[T]) Resize(size int, give func(member int, item T)) {
	size = min(max(size, 1), p.members)
	p.mu.Lock()
	if p.away == nil {
		p.away = make([]uint64, len(p.idle))
	}
	old := int(p.size.Load())
	p.size.Store(int64(size)) // before the bits are looked at: see I4
	for m := size; m < old; m++ {
		if p.claimMember(m) {
			p.away[m/64] |= 1 << (m % 64)
		}
	}
	for m := old; m < size; m++ {
		if bit := uint64(1) << (m % 64); p.away[m/64]&bit != 0 {
			p.away[m/64] &^= bit
			p.setIdle(m)
		}
	}
	p.match(give)
}

// Size returns how many members may work.
func (p *IdlePool[T]) Size() int { return int(p.size.Load()) }

// exchange queues v and returns the oldest item, which is v if there is none.
func (p *IdlePool[T]) exchange(v T, level mailbox.Level) T {
	if p.queue.n == 0 {
		return v
	}
	p.queue.push(level, v) // first: by its level it may be the one whose turn it is
	oldest, _ := p.queue.pop()
	return oldest
}

// Next returns the next item for a member that has finished its last one, or
// false: then the member is idle, and Assign will name it when there is work, or it is retired.
func (p *IdlePool[T]) Next(member int) (T, bool) {
	if p.queued.Load() == 0 {
		p.setIdle(member)
		if p.queued.Load() == 0 && int64(member) < p.size.Load() { // after the bit: see I2 and I4
			var none T
			return none, false
		}
		if !p.claimMember(member) {
			var none T
			return none, false // an Assign was faster and gives this member its item, or it is retired
		}
	}
	return p.nextQueued(member)
}

// Exchange is Assign of v and Next of a busy member at once: v joins the queue and the oldest item leaves it, which is
// v if nothing waits. The queue does not grow, so nobody has to be woken (I2), and there is always room. False
// means that the member is to retire: then v is still the caller's.
func (p *IdlePool[T]) Exchange(member int, v T, level mailbox.Level) (item T, ok bool) {
	if int64(member) >= p.size.Load() {
		return item, false
	}
	if p.queued.Load() == 0 {
		return v, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exchange(v, level), true
}

// nextQueued is Next for a member whose bit is clear.
func (p *IdlePool[T]) nextQueued(member int) (v T, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int64(member) >= p.size.Load() {
		p.away[member/64] |= 1 << (member % 64)
		return v, false
	}
	v, ok = p.queue.pop()
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
	start := p.turn.Next(int(p.size.Load()))
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
