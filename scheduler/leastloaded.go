package scheduler

import (
	"math/rand/v2"

	"github.com/ringmill/ringmill/mailbox"
)

// leastLoadedPolicy is PolicyLeastLoaded. Two choices are enough: the longest of n queues
// then grows as log log n, against log n / log log n with one, and a third adds little.
type leastLoadedPolicy[T any] struct {
	*desks[T]
	random func() uint64
}

func newLeastLoadedPolicy[T any](members, capacity int) *leastLoadedPolicy[T] {
	return &leastLoadedPolicy[T]{desks: newDesks[T](members, capacity), random: rand.Uint64}
}

// Assign is part of Policy.
func (p *leastLoadedPolicy[T]) Assign(v T, _ uint64, _ mailbox.Level) (member int, item T, err error) {
	better, other := p.choose()
	if p.members[other].depth() < p.members[better].depth() {
		better, other = other, better
	}
	if member, item, err = p.offer(better, v); err != nil {
		return p.offer(other, v)
	}
	return member, item, nil
}

// AssignAll is part of Policy.
func (p *leastLoadedPolicy[T]) AssignAll(vs []T, key uint64, level mailbox.Level, give func(member int, item T)) int {
	return assignEach(p, vs, key, level, give)
}

// choose returns two random members, different ones if there are two.
func (p *leastLoadedPolicy[T]) choose() (first, second int) {
	n := uint64(p.open())
	r := p.random()
	first = int(r & (1<<32 - 1) * n >> 32)
	if n == 1 {
		return first, first
	}
	second = int(r >> 32 * (n - 1) >> 32)
	if second >= first {
		second++
	}
	return first, second
}
