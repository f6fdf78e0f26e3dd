package actor

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
)

// The names of the routers.
const (
	// RouterRoundRobin deals messages in turns; full members are passed over.
	RouterRoundRobin = "round-robin"

	// RouterIdle takes the first member, from the one whose turn it is, that has nothing
	// to do. If there is none among idleLooks (64) members it goes by turns.
	RouterIdle = "idle"

	// RouterLeastLoaded takes the one of two random members with fewer messages before it.
	RouterLeastLoaded = "least-loaded"

	// RouterHash takes the member that the message's key belongs to; see PoolConfig.Key and
	// Pool.TellKey, which does the same with a key at hand.
	RouterHash = "hash"

	// RouterBroadcast tells every member; see Pool.Broadcast.
	RouterBroadcast = "broadcast"
)

// Routers returns the names of the routers, sorted.
func Routers() []string {
	return []string{RouterBroadcast, RouterHash, RouterIdle, RouterLeastLoaded, RouterRoundRobin}
}

// Key says which messages belong together. It is made by KeyBy; the zero Key says nothing.
type Key struct {
	of any // func(M) uint64
}

// KeyBy makes a Key for pools with messages of type M. key is called by the sender, must be
// safe for concurrent use and must not block. Keys should be well spread, as a hash is.
func KeyBy[M any](key func(M) uint64) Key {
	if key == nil {
		panic("actor: KeyBy: the function is nil")
	}
	return Key{of: key}
}

// idleLooks bounds what RouterIdle costs a sender while everybody is busy.
const idleLooks = 64

// router returns the route of the pool's configuration.
func (p *Pool[M]) router() (func([]Ref[M], *scheduler.Worker, M) error, error) {
	if p.config.Key.of != nil && p.config.Router != RouterHash {
		return nil, fmt.Errorf("PoolConfig.Key is set with Router %q; want Router %q", p.config.Router, RouterHash)
	}
	switch p.config.Router {
	case "", RouterRoundRobin:
		return p.offerRound, nil
	case RouterIdle:
		return p.offerIdle, nil
	case RouterLeastLoaded:
		return p.offerLeastLoaded, nil
	case RouterBroadcast:
		return func(members []Ref[M], w *scheduler.Worker, m M) error {
			told, err := broadcast(members, w, m)
			if told > 0 && err == mailbox.ErrClosed {
				return nil // who has stopped needs no message, and tellNext must not tell the others again
			}
			return err
		}, nil
	case RouterHash:
		key, ok := p.config.Key.of.(func(M) uint64)
		if !ok {
			return nil, fmt.Errorf("PoolConfig.Key is a %T; Router %q wants KeyBy for the pool's messages, %v",
				p.config.Key.of, RouterHash, reflect.TypeFor[M]())
		}
		return func(members []Ref[M], w *scheduler.Worker, m M) error {
			return members[jumpHash(key(m), len(members))].actor.offer(m, w)
		}, nil
	}
	return nil, fmt.Errorf("PoolConfig.Router is %q; want one of %s", p.config.Router, strings.Join(Routers(), ", "))
}

// offerRound offers m to each of members once, beginning with the one whose turn it is.
func (p *Pool[M]) offerRound(members []Ref[M], w *scheduler.Worker, m M) error {
	answer := mailbox.ErrClosed
	next := p.turn.Next(len(members))
	for range members {
		switch err := members[next].actor.offer(m, w); err {
		case nil:
			return nil
		case mailbox.ErrFull:
			answer = err
		}
		if next++; next == len(members) {
			next = 0
		}
	}
	return answer
}

// offerIdle offers m to the first member, from the one whose turn it is, that is idle, and
// to all in turns if that fails.
func (p *Pool[M]) offerIdle(members []Ref[M], w *scheduler.Worker, m M) error {
	next := p.turn.Next(len(members))
	for range min(len(members), idleLooks) {
		a := members[next].actor
		if a.status.Load()&stateMask == idle && a.offer(m, w) == nil {
			return nil
		}
		if next++; next == len(members) {
			next = 0
		}
	}
	return p.offerRound(members, w, m)
}

// offerLeastLoaded offers m to the less loaded of two random members, and to all in turns
// if that fails. Two choices keep the longest queue at log log n; see
// scheduler.PolicyLeastLoaded.
func (p *Pool[M]) offerLeastLoaded(members []Ref[M], w *scheduler.Worker, m M) error {
	n := uint64(len(members))
	first, low := bits.Mul64(rand.Uint64(), n)
	chosen := members[first].actor
	if n > 1 {
		second, _ := bits.Mul64(low, n-1) // the low half is as random as the whole
		if second >= first {
			second++
		}
		if other := members[second].actor; other.load() < chosen.load() {
			chosen = other
		}
	}
	if chosen.offer(m, w) == nil {
		return nil
	}
	return p.offerRound(members, w, m)
}

// load is how many messages are before a new one, counting the one at work.
func (a *actor[M]) load() int {
	n := a.mailbox.Len()
	if a.status.Load()&stateMask != idle {
		n++
	}
	return n
}

// broadcast offers m to every member, and returns how many took it.
func broadcast[M any](members []Ref[M], w *scheduler.Worker, m M) (told int, err error) {
	for _, ref := range members {
		switch answer := ref.actor.offer(m, w); {
		case answer == nil:
			told++
		case err != mailbox.ErrFull:
			err = answer
		}
	}
	return told, err
}

// jumpHash spreads keys evenly over 0..n-1 and moves as few as possible when n changes
// (Lamping and Veach, A Fast, Minimal Memory, Consistent Hash Algorithm, 2014).
func jumpHash(key uint64, n int) int {
	b, j := int64(-1), int64(0)
	for j < int64(n) {
		b = j
		key = key*2862933555777941757 + 1
		j = int64(float64(b+1) * (float64(1<<31) / float64(key>>33+1)))
	}
	return int(b)
}
