package savina

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/runtime/actor"
)

const forkJoinActors = 60

// What does a message cost that one goroutine deals to 60 actors in turn?
var forkJoin = []Scenario{{
	Name: "ForkJoin", Unit: "message", Small: 6000,
	Ringmill: func(r *Run) {
		sys, ctx, done := r.system(), context.Background(), make(chan struct{})
		var working atomic.Int64
		refs := make([]actor.Ref[int], forkJoinActors)
		for i := range refs {
			left := (r.N + forkJoinActors - 1 - i) / forkJoinActors
			if left > 0 {
				working.Add(1)
			}
			refs[i] = actor.Spawn(sys, func(*actor.Context[int], int) error {
				if left--; left == 0 && working.Add(-1) == 0 {
					close(done)
				}
				return nil
			}, actor.Config{MailboxCapacity: capacity})
		}
		r.Begin()
		for i := range r.N {
			r.Must(refs[i%forkJoinActors].TellWait(ctx, i))
		}
		<-done
	},
	Channel: func(r *Run) {
		var all sync.WaitGroup
		chans := make([]chan int, forkJoinActors)
		for i := range chans {
			chans[i] = make(chan int, capacity)
			all.Go(func() {
				for range (r.N + forkJoinActors - 1 - i) / forkJoinActors {
					<-chans[i]
				}
			})
		}
		r.Begin()
		for i := range r.N {
			chans[i%forkJoinActors] <- i
		}
		all.Wait()
	},
}}
