package savina

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// What does a message cost where many have work? Each actor has had one message before the time begins, so that nobody's memory
// is made within. UnderLoad: up to 1,000 tokens, at random among 50, 1,000 or 100,000 actors.
// Dealt: one goroutine outside gives each of them a message in turn.
var underLoad = slices.Concat(underLoadOf(50), underLoadOf(1000), underLoadOf(100_000))

const (
	underLoadTokens   = 1000
	underLoadCapacity = 64
)

func underLoadOf(actors int) []Scenario {
	return []Scenario{{
		Name: fmt.Sprintf("UnderLoad/actors=%d", actors), Unit: "hop", Small: 5000,
		Ringmill: func(r *Run) { passTokens(r, r.Few(actors)) },
		Channel:  func(r *Run) { passTokensChannel(r, r.Few(actors)) },
	}, {
		Name: fmt.Sprintf("Dealt/actors=%d", actors), Unit: "message", Small: 5000,
		Ringmill: func(r *Run) { deal(r, r.Few(actors)) },
		Channel:  func(r *Run) { dealChannel(r, r.Few(actors)) },
	}}
}

// A Token goes from actor to actor. Its way is random: were it fixed, tokens that share one would catch each other up and go
// on as a batch, and what is measured would be batches. The same hops are made on all sides. An actor whose mailbox is full, as
// tokens gather where the system takes a thread its processor, is passed over: waiting for room in a circle would not end.
type Token struct {
	Hops int32 // left
	At   uint32
}

// NewToken returns the i-th of several tokens with the units of r between them.
func (r *Run) NewToken(i, tokens int) Token { return Token{Hops: int32(r.N / tokens), At: uint32(i)} }

// Hop uses up a hop and returns the actor that it leads to.
func (t *Token) Hop(actors int) int {
	t.Hops--
	t.At = t.At*1664525 + 1013904223 // the constants of Numerical Recipes: all 2^32 numbers in turn
	return int(uint64(t.At) * uint64(actors) >> 32)
}

// Tokens is how many are among so many actors.
func Tokens(actors int) int { return min(actors, underLoadTokens) }

func passTokens(r *Run, actors int) {
	sys, done := r.system(), make(chan struct{}, 1)
	var left atomic.Int64
	refs := make([]actor.Ref[Token], actors)
	handler := func(c *actor.Context[Token], t Token) error {
		if t.Hops == 0 {
			if left.Add(-1) == 0 {
				done <- struct{}{}
			}
			return nil
		}
		to := t.Hop(actors)
		for refs[to].TellFrom(c, t) == mailbox.ErrFull {
			to = (to + 1) % actors
		}
		return nil
	}
	for i := range refs {
		refs[i] = actor.Spawn(sys, handler, actor.Config{MailboxCapacity: underLoadCapacity})
	}
	left.Store(int64(actors))
	for i := range refs {
		r.Must(refs[i].Tell(Token{}))
	}
	<-done
	tokens := Tokens(actors)
	left.Store(int64(tokens))
	r.Begin()
	for i := range tokens {
		r.Must(refs[i*(actors/tokens)].Tell(r.NewToken(i, tokens)))
	}
	<-done
	r.End()
}

func passTokensChannel(r *Run, actors int) {
	done := make(chan struct{}, 1)
	var left atomic.Int64
	chans := make([]chan Token, actors)
	for i := range chans {
		chans[i] = make(chan Token, underLoadCapacity)
	}
	var all sync.WaitGroup
	for _, ch := range chans {
		all.Go(func() {
			for t := range ch {
				if t.Hops > 0 {
					to := t.Hop(actors)
					for sent := false; !sent; {
						select {
						case chans[to] <- t:
							sent = true
						default:
							to = (to + 1) % actors
						}
					}
				} else if left.Add(-1) == 0 {
					done <- struct{}{}
				}
			}
		})
	}
	left.Store(int64(actors))
	for i := range chans {
		chans[i] <- Token{}
	}
	<-done
	tokens := Tokens(actors)
	left.Store(int64(tokens))
	r.Begin()
	for i := range tokens {
		chans[i*(actors/tokens)] <- r.NewToken(i, tokens)
	}
	<-done
	r.End()
	for _, ch := range chans {
		close(ch)
	}
	all.Wait()
}

func deal(r *Run, actors int) {
	sys, ctx, done := r.system(), context.Background(), make(chan struct{}, 1)
	var left atomic.Int64
	handler := func(*actor.Context[int], int) error {
		if left.Add(-1) == 0 {
			done <- struct{}{}
		}
		return nil
	}
	refs := make([]actor.Ref[int], actors)
	for i := range refs {
		refs[i] = actor.Spawn(sys, handler, actor.Config{MailboxCapacity: underLoadCapacity})
	}
	left.Store(int64(actors))
	for i := range refs {
		r.Must(refs[i].Tell(i))
	}
	<-done
	left.Store(int64(r.N))
	r.Begin()
	for i := range r.N {
		r.Must(refs[i%actors].TellWait(ctx, i))
	}
	<-done
	r.End()
}

func dealChannel(r *Run, actors int) {
	done := make(chan struct{}, 1)
	var left atomic.Int64
	var all sync.WaitGroup
	chans := make([]chan int, actors)
	for i := range chans {
		ch := make(chan int, underLoadCapacity)
		chans[i] = ch
		all.Go(func() {
			for range ch {
				if left.Add(-1) == 0 {
					done <- struct{}{}
				}
			}
		})
	}
	left.Store(int64(actors))
	for i := range chans {
		chans[i] <- i
	}
	<-done
	left.Store(int64(r.N))
	r.Begin()
	for i := range r.N {
		chans[i%actors] <- i
	}
	<-done
	r.End()
	for _, ch := range chans {
		close(ch)
	}
	all.Wait()
}
