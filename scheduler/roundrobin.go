package scheduler

import "sync/atomic"

// RoundRobin deals out the numbers 0..n-1 in turn. The zero value is ready. It
// is safe for concurrent use, never blocks and never allocates.
//
// It is one atomic counter: callers that race get different turns, so any n
// calls in a row deal every number exactly once as long as n stays the same.
type RoundRobin struct {
	next atomic.Uint64
}

// Next returns the next number of 0..n-1. It panics if n is below 1.
func (r *RoundRobin) Next(n int) int {
	if n < 1 {
		panic("scheduler: RoundRobin.Next: n must be at least 1")
	}
	return int((r.next.Add(1) - 1) % uint64(n))
}
