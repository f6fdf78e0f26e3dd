package savina

import (
	"context"

	"github.com/ringmill/ringmill/runtime/actor"
)

// createCapacity is small: these actors get one message.
const createCapacity = 8

// What does a whole life cost: created, one message, stopped? wait=each: one after the other. wait=end: fork-join create, up
// to 1,024 lives at once, where each ends itself.
var create = []Scenario{{
	Name: "Create/wait=each", Unit: "actor", Small: 50,
	Ringmill: func(r *Run) {
		sys, ctx, got := r.system(), context.Background(), 0
		r.Begin()
		for range r.N {
			ref := actor.Spawn(sys, func(*actor.Context[int], int) error { got++; return nil },
				actor.Config{MailboxCapacity: createCapacity})
			r.Must(ref.Tell(1))
			r.Must(ref.Stop(ctx))
		}
		r.End()
		if got != r.N {
			r.Errorf("%d messages handled, want %d", got, r.N)
		}
	},
	Channel: func(r *Run) {
		got := 0
		r.Begin()
		for range r.N {
			ch, done := make(chan int, createCapacity), make(chan struct{})
			go func() {
				for range ch {
					got++
				}
				close(done)
			}()
			ch <- 1
			close(ch)
			<-done
		}
		r.End()
		if got != r.N {
			r.Errorf("%d messages handled, want %d", got, r.N)
		}
	},
}, {
	Name: "Create/wait=end", Unit: "actor", Small: 50,
	Ringmill: func(r *Run) {
		sys, lives := r.system(), make(chan struct{}, capacity)
		r.Begin()
		for range r.N {
			lives <- struct{}{}
			ref := actor.Spawn(sys, func(c *actor.Context[int], _ int) error { c.Stop(); return nil },
				actor.Config{MailboxCapacity: createCapacity, OnStop: func() { <-lives }})
			r.Must(ref.Tell(1))
		}
		for range capacity {
			lives <- struct{}{}
		}
	},
	Channel: func(r *Run) {
		lives := make(chan struct{}, capacity)
		r.Begin()
		for range r.N {
			lives <- struct{}{}
			ch := make(chan int, createCapacity)
			go func() {
				<-ch
				<-lives
			}()
			ch <- 1
		}
		for range capacity {
			lives <- struct{}{}
		}
	},
}}
