package savina

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// What does a hop cost while many others have work? Up to 1,000 tokens, one an actor, go round 50, 1,000 or 100,000 actors.
var underLoad = []Scenario{underLoadOf(50), underLoadOf(1000), underLoadOf(100_000)}

const (
	underLoadTokens   = 1000
	underLoadCapacity = 64
)

func underLoadOf(actors int) Scenario {
	return Scenario{
		Name: fmt.Sprintf("UnderLoad/actors=%d", actors), Unit: "hop", Small: 5000,
		Ringmill: func(r *Run) { passTokens(r, r.Few(actors)) },
		Channel:  func(r *Run) { passTokensChannel(r, r.Few(actors)) },
	}
}

// hop spreads the hops over all.
func hop(i, actors int) int { return (i*7 + 13) % actors }

func passTokens(r *Run, actors int) {
	sys, done := r.system(), make(chan struct{})
	var left atomic.Int64
	refs := make([]actor.Ref[int], actors)
	for i := range refs {
		to := hop(i, actors)
		refs[i] = actor.Spawn(sys, func(c *actor.Context[int], hops int) error {
			if hops == 0 {
				if left.Add(-1) == 0 {
					close(done)
				}
				return nil
			}
			j := to
			for refs[j].TellFrom(c, hops-1) == mailbox.ErrFull { // tokens bunch up: go round the full one
				j = hop(j, actors)
			}
			return nil
		}, actor.Config{MailboxCapacity: underLoadCapacity})
	}
	tokens := min(actors, underLoadTokens)
	left.Store(int64(tokens))
	r.Begin()
	for i := range tokens {
		r.Must(refs[i*(actors/tokens)].Tell(r.N / tokens))
	}
	<-done
	r.End()
}

func passTokensChannel(r *Run, actors int) {
	done := make(chan struct{})
	var left atomic.Int64
	chans := make([]chan int, actors)
	for i := range chans {
		chans[i] = make(chan int, underLoadCapacity) // a full one blocks its senders
	}
	var all sync.WaitGroup
	for i := range chans {
		to := chans[hop(i, actors)]
		all.Go(func() {
			for hops := range chans[i] {
				if hops > 0 {
					to <- hops - 1
				} else if left.Add(-1) == 0 {
					close(done)
				}
			}
		})
	}
	tokens := min(actors, underLoadTokens)
	left.Store(int64(tokens))
	r.Begin()
	for i := range tokens {
		chans[i*(actors/tokens)] <- r.N / tokens
	}
	<-done
	r.End()
	for _, ch := range chans {
		close(ch)
	}
	all.Wait()
}
