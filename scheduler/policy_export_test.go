package scheduler

import "math/rand/v2"

// SeedPolicy makes the choices of PolicyLeastLoaded come from src; the other policies make none.
func SeedPolicy[T any](p Policy[T], src rand.Source) {
	if p, ok := p.(*leastLoadedPolicy[T]); ok {
		p.random = src.Uint64
	}
}
