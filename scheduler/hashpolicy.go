package scheduler

import (
	"math/bits"

	"github.com/ringmill/ringmill/mailbox"
)

// hashPolicy is PolicyHash.
type hashPolicy[T any] struct {
	*desks[T]
}

// Assign is part of Policy.
func (p *hashPolicy[T]) Assign(v T, key uint64, _ mailbox.Level) (member int, item T, err error) {
	return p.offer(p.memberOf(key), v)
}

// AssignAll is part of Policy.
func (p *hashPolicy[T]) AssignAll(vs []T, key uint64, level mailbox.Level, give func(member int, item T)) int {
	return assignEach(p, vs, key, level, give)
}

// memberOf spreads keys evenly, consecutive ones too.
func (p *hashPolicy[T]) memberOf(key uint64) int {
	member, _ := bits.Mul64(mix(key), uint64(p.open()))
	return int(member)
}

// mix is the finalizer of SplitMix64: every bit of key moves half the bits of the result.
func mix(key uint64) uint64 {
	key ^= key >> 30
	key *= 0xbf58476d1ce4e5b9
	key ^= key >> 27
	key *= 0x94d049bb133111eb
	return key ^ key>>31
}
