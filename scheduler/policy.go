package scheduler

import (
	"fmt"
	"strings"

	"github.com/ringmill/ringmill/mailbox"
)

// Policy decides which member of a pool gets which item. NewPolicy makes one by name.
//
// Members are numbered from 0 and all start idle. A member is handed one item at a time:
// by Assign while it is idle, by its own Next when it has finished one. So whoever holds a
// Policy needs one goroutine (or actor) a member at most, and none while it is idle:
//
//	member, item, err := p.Assign(v, key)
//	if member >= 0 { wake the member with item }
//
//	for ok := true; ok; item, ok = p.Next(member) { work on item }   // the member
//
// All methods are safe for concurrent use, do not block and do not allocate, but for the
// first filling of a queue. Every item that Assign has accepted is returned exactly once, by
// an Assign or a Next, as long as busy members call Next.
type Policy[T any] interface {
	// Assign finds a place for v. With member >= 0 the caller must now give item to that
	// member; item is v, or an older one in whose stead v waits. With member == -1 and no
	// error v waits. When there is no room the error is mailbox.ErrFull and v is still
	// the caller's. Only PolicyHash looks at key, and only PolicyIdle at level: under the others items
	// wait in the order in which they came.
	Assign(v T, key uint64, level mailbox.Level) (member int, item T, err error)

	// AssignAll finds places for the items of vs, in order, as far as there is room, and returns for how many. It
	// calls give for each item that the caller must hand to a member, which may be an older one.
	AssignAll(vs []T, key uint64, level mailbox.Level, give func(member int, item T)) int

	// Next returns the next item for a member that has finished its last one, or false:
	// then the member is idle. It must be called by (or for) a busy member, once for each
	// item it was given.
	Next(member int) (item T, ok bool)

	// Exchange queues v, as Assign does, and returns the next item for a member that has finished its last one and
	// would call Next: v itself if nothing is older. It finds room for v always, since an item leaves.
	// False means that this policy does not do that, and that v is still the caller's.
	Exchange(member int, v T, level mailbox.Level) (item T, ok bool)

	// Waits reports whether items wait that Next(member) could return now. It is cheap.
	Waits(member int) bool

	// Resize changes how many members are given items, 1 to the number that the policy was made with: those
	// numbered below size. Others finish what they have, the items that wait for them included. It calls
	// give for items that wait and that members now have to be given. Under PolicyHash it moves keys to other
	// members, so that items of a key may change places.
	Resize(size int, give func(member int, item T))

	// Load returns how many of the members that are given items are idle, and how many items wait. It is exact only
	// while nobody else is at work.
	Load() (idle, queued int)
}

// The names of the policies.
const (
	// PolicyIdle gives an item to an idle member, in turn; when nobody is idle it waits in
	// a queue that all share. Nothing waits while a member is idle. See IdlePool.
	PolicyIdle = "idle"

	// PolicyRoundRobin deals items to the members in strict turns; full members are passed
	// over, once around. An item may wait behind a long one while others are idle, so it
	// is for short and equal items.
	PolicyRoundRobin = "round-robin"

	// PolicyLeastLoaded takes the less loaded of two random members: the longest queue stays
	// far shorter than by turns, without a state that all share.
	PolicyLeastLoaded = "least-loaded"

	// PolicyHash gives all items of a key to the same member, one at a time and in the order
	// of their Assign calls. Keys should be many and alike: a busy key has no second member.
	PolicyHash = "hash"

	// DefaultPolicy is the policy to use where a configuration leaves it empty.
	DefaultPolicy = PolicyIdle
)

// MaxPolicyMembers and MaxPolicyCapacity are the largest arguments of NewPolicy.
const (
	MaxPolicyMembers  = 1 << 16
	MaxPolicyCapacity = 1 << 24
)

// Policies returns the names that NewPolicy knows, sorted.
func Policies() []string {
	return []string{PolicyHash, PolicyIdle, PolicyLeastLoaded, PolicyRoundRobin}
}

// NewPolicy returns the named policy over a number of members, 1 to MaxPolicyMembers; ""
// means DefaultPolicy. Capacity, 1 to MaxPolicyCapacity, is how many items may wait: in all
// under PolicyIdle, for each member under the others, whose queues take their memory when
// the first item waits for that member.
func NewPolicy[T any](name string, members, capacity int) (Policy[T], error) {
	if members < 1 || members > MaxPolicyMembers {
		return nil, fmt.Errorf("scheduler: policy %s: members is %d; want 1 to %d", name, members, MaxPolicyMembers)
	}
	if capacity < 1 || capacity > MaxPolicyCapacity {
		return nil, fmt.Errorf("scheduler: policy %s: capacity is %d; want 1 to %d", name, capacity, MaxPolicyCapacity)
	}
	switch name {
	case "", PolicyIdle:
		return idlePolicy[T]{NewIdlePool[T](members, capacity)}, nil
	case PolicyRoundRobin:
		return &roundRobinPolicy[T]{desks: newDesks[T](members, capacity)}, nil
	case PolicyLeastLoaded:
		return newLeastLoadedPolicy[T](members, capacity), nil
	case PolicyHash:
		return &hashPolicy[T]{desks: newDesks[T](members, capacity)}, nil
	}
	return nil, fmt.Errorf("scheduler: unknown policy %q; want one of %s", name, strings.Join(Policies(), ", "))
}

// idlePolicy is an IdlePool, which needs no key.
type idlePolicy[T any] struct {
	pool *IdlePool[T]
}

func (p idlePolicy[T]) Assign(v T, _ uint64, level mailbox.Level) (member int, item T, err error) {
	return p.pool.AssignLevel(v, level)
}

func (p idlePolicy[T]) AssignAll(vs []T, _ uint64, level mailbox.Level, give func(member int, item T)) int {
	if p.pool.AssignAll(vs, level, give) == nil {
		return len(vs)
	}
	return assignEach(p, vs, 0, level, give)
}

func (p idlePolicy[T]) Resize(size int, give func(member int, item T)) { p.pool.Resize(size, give) }
func (p idlePolicy[T]) Next(member int) (item T, ok bool)              { return p.pool.Next(member) }
func (p idlePolicy[T]) Exchange(member int, v T, level mailbox.Level) (item T, ok bool) {
	return p.pool.Exchange(member, v, level)
}

func (p idlePolicy[T]) Waits(int) bool           { return p.pool.Queued() > 0 }
func (p idlePolicy[T]) Load() (idle, queued int) { return p.pool.Idle(), p.pool.Queued() }

// assignEach is AssignAll, an item at a time.
func assignEach[T any](p Policy[T], vs []T, key uint64, level mailbox.Level, give func(member int, item T)) int {
	for i, v := range vs {
		member, item, err := p.Assign(v, key, level)
		if err != nil {
			return i
		}
		if member >= 0 {
			give(member, item)
		}
	}
	return len(vs)
}

// roundRobinPolicy is PolicyRoundRobin.
type roundRobinPolicy[T any] struct {
	*desks[T]
	turn RoundRobin
}

func (p *roundRobinPolicy[T]) Assign(v T, _ uint64, _ mailbox.Level) (member int, item T, err error) {
	size := p.open()
	first := p.turn.Next(size)
	for m := first; m < size; m++ {
		if member, item, err = p.offer(m, v); err == nil {
			return member, item, nil
		}
	}
	for m := range first {
		if member, item, err = p.offer(m, v); err == nil {
			return member, item, nil
		}
	}
	return -1, item, mailbox.ErrFull
}

func (p *roundRobinPolicy[T]) AssignAll(vs []T, key uint64, level mailbox.Level, give func(member int, item T)) int {
	return assignEach(p, vs, key, level, give)
}
