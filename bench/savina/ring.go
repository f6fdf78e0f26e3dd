package savina

import (
	"sync"

	"github.com/ringmill/ringmill/runtime/actor"
)

const ringActors = 100

// What does a hop cost of one token that goes round 100 actors?
var threadRing = []Scenario{{
	Name: "ThreadRing", Unit: "hop", Small: 250,
	Ringmill: func(r *Run) {
		sys, done := r.system(), make(chan struct{})
		refs := make([]actor.Ref[int], ringActors)
		for i := range refs {
			refs[i] = actor.Spawn(sys, func(c *actor.Context[int], left int) error {
				if left == 0 {
					close(done)
					return nil
				}
				return refs[(i+1)%ringActors].TellFrom(c, left-1)
			}, actor.Config{MailboxCapacity: 1})
		}
		r.Begin()
		r.Must(refs[0].Tell(r.N))
		<-done
	},
	Channel: func(r *Run) {
		done := make(chan struct{})
		chans := make([]chan int, ringActors)
		for i := range chans {
			chans[i] = make(chan int, 1)
		}
		var all sync.WaitGroup
		for i := range chans {
			all.Go(func() {
				next := chans[(i+1)%ringActors]
				for left := range chans[i] {
					if left == 0 {
						close(done)
						return
					}
					next <- left - 1
				}
			})
		}
		r.Begin()
		chans[0] <- r.N
		<-done
		r.End()
		for _, ch := range chans {
			close(ch)
		}
		all.Wait()
	},
}}
