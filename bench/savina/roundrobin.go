package savina

import (
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
	goruntime "runtime"
)

const poolSize = 50

// What does a message cost that a router deals to the next of 50? On the channel side the sender counts by hand.
var roundRobin = []Scenario{{
	Name: "RoundRobin/members=50", Unit: "message", Small: 6000,
	Ringmill: func(r *Run) {
		var left atomic.Int64
		left.Store(int64(r.N))
		done := make(chan struct{})
		pool := actor.NewPool(r.system(), poolSize, func() func(*actor.Context[int], int) error {
			return func(*actor.Context[int], int) error {
				if left.Add(-1) == 0 {
					close(done)
				}
				return nil
			}
		}, actor.PoolConfig{MailboxCapacity: capacity})
		r.Begin()
		for i := range r.N {
			for pool.Tell(i) == mailbox.ErrFull {
				goruntime.Gosched()
			}
		}
		<-done
	},
	Channel: func(r *Run) {
		var left atomic.Int64
		left.Store(int64(r.N))
		done := make(chan struct{})
		chans := make([]chan int, poolSize)
		var all sync.WaitGroup
		for i := range chans {
			chans[i] = make(chan int, capacity)
			all.Go(func() {
				for range chans[i] {
					if left.Add(-1) == 0 {
						close(done)
					}
				}
			})
		}
		r.Begin()
		for i := range r.N {
			chans[i%poolSize] <- i
		}
		<-done
		r.End()
		for _, ch := range chans {
			close(ch)
		}
		all.Wait()
	},
}}
