package scheduler

import "math/rand/v2"

// leastLoadedPolicy is PolicyLeastLoaded. Two choices are enough: the longest of n queues
// then grows as log log n, against log n / log log n with one, and a third adds little.
type leastLoadedPolicy[T any] struct {
	desks[T]
	random func() uint64
}

func newLeastLoadedPolicy[T any](members, capacity int) *leastLoadedPolicy[T] {
	return &leastLoadedPolicy[T]{desks: newDesks[T](members, capacity), random: rand.Uint64}
}

// Assign is part of Policy.
func (p *leastLoadedPolicy[T]) Assign(v T, _ uint64) (member int, item T, err error) {
	better, other := p.choose()
	if p.desks[other].depth() < p.desks[better].depth() {
		better, other = other, better
	}
	if member, item, err = p.offer(better, v); err != nil {
		return p.offer(other, v)
	}
	return member, item, nil
}

// choose returns two random members, different ones if there are two.
func (p *leastLoadedPolicy[T]) choose() (first, second int) {
	n := uint64(len(p.desks))
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
