package scheduler_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/scheduler"
)

func TestRoundRobin(t *testing.T) {
	var r scheduler.RoundRobin
	for i := range 10 {
		if got := r.Next(3); got != i%3 {
			t.Fatalf("turn %d: %d, want %d", i, got, i%3)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Next(0) did not panic")
		}
	}()
	r.Next(0)
}

// TestRoundRobinIsFair: also among racing callers every number comes up as often.
func TestRoundRobinIsFair(t *testing.T) {
	const callers, turns, n = 8, 700, 7
	var r scheduler.RoundRobin
	var got [n]atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range turns {
				got[r.Next(n)].Add(1)
			}
		})
	}
	wg.Wait()
	for i := range got {
		if c := got[i].Load(); c != callers*turns/n {
			t.Errorf("%d came up %d times, want %d", i, c, callers*turns/n)
		}
	}
}
