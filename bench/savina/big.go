package savina

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/runtime/actor"
)

const bigActors = 120

// What does a message cost among many that send to many? Each of 120 actors pings another one at random, waits for the
// answer, and pings the next. A message is a ping or an answer.
var big = []Scenario{{
	Name: "Big", Unit: "message", Small: 4000,
	Ringmill: func(r *Run) {
		type message struct {
			from   int
			answer bool
		}
		sys, done := r.system(), make(chan struct{})
		var playing atomic.Int64
		playing.Store(bigActors)
		refs := make([]actor.Ref[message], bigActors)
		for i := range refs {
			left, random := r.N/(2*bigActors), rand.New(rand.NewPCG(1, uint64(i)))
			refs[i] = actor.Spawn(sys, func(c *actor.Context[message], m message) error {
				if !m.answer {
					return refs[m.from].TellFrom(c, message{answer: true})
				}
				if left--; left >= 0 {
					return refs[random.IntN(bigActors)].TellFrom(c, message{from: i})
				}
				if playing.Add(-1) == 0 {
					close(done)
				}
				return nil
			}, actor.Config{MailboxCapacity: 2 * bigActors})
		}
		r.Begin()
		for _, ref := range refs {
			r.Must(ref.Tell(message{answer: true}))
		}
		<-done
	},
	Channel: func(r *Run) {
		type message struct {
			from   int
			answer bool
		}
		var playing atomic.Int64
		playing.Store(bigActors)
		done := make(chan struct{})
		chans := make([]chan message, bigActors)
		for i := range chans {
			chans[i] = make(chan message, 2*bigActors) // never full: everybody has one ping on its way
		}
		var all sync.WaitGroup
		for i := range chans {
			left, random := r.N/(2*bigActors), rand.New(rand.NewPCG(1, uint64(i)))
			all.Go(func() {
				for m := range chans[i] {
					if !m.answer {
						chans[m.from] <- message{answer: true}
					} else if left--; left >= 0 {
						chans[random.IntN(bigActors)] <- message{from: i}
					} else if playing.Add(-1) == 0 {
						close(done)
					}
				}
			})
		}
		r.Begin()
		for _, ch := range chans {
			ch <- message{answer: true}
		}
		<-done
		r.End()
		for _, ch := range chans {
			close(ch)
		}
		all.Wait()
	},
}}
