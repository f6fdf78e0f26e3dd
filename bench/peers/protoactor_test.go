package peers_test

import (
	"io"
	"log/slog"
	"math/rand/v2"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/ringmill/ringmill/bench/savina"
)

// protoactorSides are the scenarios with protoactor-go's actors and its default mailbox, which is unbounded: a bounded one
// spins on a full mailbox, and two actors that tell each other can then stop for good. Messages that carry a number box it.
var protoactorSides = map[string]func(*savina.Run){
	"PingPong":                 protoPingPong,
	"Counting":                 protoCounting,
	"Flooded":                  func(r *savina.Run) { protoProduce(r, 1) },
	"ForkJoin":                 protoForkJoin,
	"Create/wait=each":         protoCreate,
	"ThreadRing":               protoThreadRing,
	"Big":                      protoBig,
	"Chameneos":                protoChameneos,
	"Skynet/leaves=100000":     protoSkynet,
	"Producers/producers=4":    func(r *savina.Run) { protoProduce(r, 4) },
	"Producers/producers=64":   func(r *savina.Run) { protoProduce(r, 64) },
	"RoundRobin/members=50":    protoRoundRobin,
	"Ask/inline=yes/load=none": protoAsk,
	"Ask/inline=no/load=none":  protoAsk,
	"UnderLoad/actors=50":      func(r *savina.Run) { protoUnderLoad(r, 50) },
	"UnderLoad/actors=1000":    func(r *savina.Run) { protoUnderLoad(r, 1000) },
	"UnderLoad/actors=100000":  func(r *savina.Run) { protoUnderLoad(r, r.Few(100_000)) },
	"Memory/used=no":           protoMemory,
}

func protoSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}))
}

// protoSpawn starts an actor that is given its own messages, without those of its life.
func protoSpawn(sys *actor.ActorSystem, handle func(c actor.Context, message any)) *actor.PID {
	return sys.Root.Spawn(protoProps(handle))
}

func protoProps(handle func(c actor.Context, message any)) *actor.Props {
	return actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case actor.SystemMessage, actor.AutoReceiveMessage:
		default:
			handle(c, m)
		}
	})
}

// end stops what a scenario has spawned.
func protoEnd(r *savina.Run, sys *actor.ActorSystem, pids ...*actor.PID) {
	r.End()
	for _, pid := range pids {
		sys.Root.Stop(pid)
	}
	sys.Shutdown()
}

type signal struct{}

func protoPingPong(r *savina.Run) {
	sys, done := protoSystem(), make(chan struct{})
	ball, left := new(signal), r.N
	var ping *actor.PID
	pong := protoSpawn(sys, func(c actor.Context, m any) { c.Send(ping, m) })
	ping = protoSpawn(sys, func(c actor.Context, m any) {
		if left <= 0 {
			close(done)
			return
		}
		left -= 2
		c.Send(pong, m)
	})
	r.Begin()
	sys.Root.Send(ping, ball)
	<-done
	protoEnd(r, sys, ping, pong)
}

func protoCounting(r *savina.Run) {
	sys, done, got := protoSystem(), make(chan struct{}), 0
	counter := protoSpawn(sys, func(actor.Context, any) {
		if got++; got == r.N {
			close(done)
		}
	})
	one := new(signal)
	producer := protoSpawn(sys, func(c actor.Context, _ any) {
		for range r.N {
			c.Send(counter, one)
		}
	})
	r.Begin()
	sys.Root.Send(producer, one)
	<-done
	protoEnd(r, sys, counter, producer)
}

func protoProduce(r *savina.Run, senders int) {
	sys, done, got := protoSystem(), make(chan struct{}), 0
	counter := protoSpawn(sys, func(actor.Context, any) {
		if got++; got == r.N {
			close(done)
		}
	})
	one := new(signal)
	r.Begin()
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for range (r.N + i) / senders {
				sys.Root.Send(counter, one)
			}
		})
	}
	<-done
	all.Wait()
	protoEnd(r, sys, counter)
}

// protoDeal sends N messages to n actors in turn.
func protoDeal(r *savina.Run, n int) {
	sys, done := protoSystem(), make(chan struct{})
	var left atomic.Int64
	left.Store(int64(r.N))
	pids := make([]*actor.PID, n)
	for i := range pids {
		pids[i] = protoSpawn(sys, func(actor.Context, any) {
			if left.Add(-1) == 0 {
				close(done)
			}
		})
	}
	one := new(signal)
	r.Begin()
	for i := range r.N {
		sys.Root.Send(pids[i%n], one)
	}
	<-done
	protoEnd(r, sys, pids...)
}

func protoForkJoin(r *savina.Run)   { protoDeal(r, 60) }
func protoRoundRobin(r *savina.Run) { protoDeal(r, 50) } // by hand: its router is slower

func protoCreate(r *savina.Run) {
	sys, got := protoSystem(), 0
	one := new(signal)
	r.Begin()
	for range r.N {
		pid := protoSpawn(sys, func(actor.Context, any) { got++ })
		sys.Root.Send(pid, one)
		r.Must(sys.Root.PoisonFuture(pid).Wait()) // its Stop loses the message
	}
	protoEnd(r, sys)
	if got != r.N {
		r.Errorf("%d messages handled, want %d", got, r.N)
	}
}

func protoThreadRing(r *savina.Run) {
	const actors = 100
	sys, done, left := protoSystem(), make(chan struct{}), r.N // left goes with the token
	pids := make([]*actor.PID, actors)
	for i := range pids {
		pids[i] = protoSpawn(sys, func(c actor.Context, m any) {
			if left == 0 {
				close(done)
				return
			}
			left--
			c.Send(pids[(i+1)%actors], m)
		})
	}
	r.Begin()
	sys.Root.Send(pids[0], new(signal))
	<-done
	protoEnd(r, sys, pids...)
}

func protoBig(r *savina.Run) {
	const actors = 120
	type ping struct{ from *actor.PID }
	type pong struct{}
	sys, done := protoSystem(), make(chan struct{})
	var playing atomic.Int64
	playing.Store(actors)
	answer := new(pong)
	pids := make([]*actor.PID, actors)
	for i := range pids {
		left, random := r.N/(2*actors), rand.New(rand.NewPCG(1, uint64(i)))
		own := new(ping)
		pids[i] = protoSpawn(sys, func(c actor.Context, m any) {
			if p, ok := m.(*ping); ok {
				c.Send(p.from, answer)
				return
			}
			if left--; left >= 0 {
				own.from = c.Self()
				c.Send(pids[random.IntN(actors)], own)
			} else if playing.Add(-1) == 0 {
				close(done)
			}
		})
	}
	r.Begin()
	for _, pid := range pids {
		sys.Root.Send(pid, answer)
	}
	<-done
	protoEnd(r, sys, pids...)
}

func protoChameneos(r *savina.Run) {
	const creatures = 100
	type request struct {
		colour int
		from   *actor.PID
	}
	type meeting struct {
		colour  int
		partner *actor.PID
	}
	type changed struct{ colour int }
	complement := func(a, b int) int {
		if a == b {
			return a
		}
		return 3 - a - b
	}
	sys, done := protoSystem(), make(chan struct{})
	var first *request
	meetings, sent := 0, 0
	mall := protoSpawn(sys, func(c actor.Context, m any) {
		switch {
		case meetings == r.N:
			if sent++; sent == creatures {
				close(done)
			}
		case first == nil:
			first = m.(*request)
		default:
			second := m.(*request)
			meetings++
			c.Send(first.from, &meeting{second.colour, second.from})
			first = nil
		}
	})
	pids := make([]*actor.PID, creatures)
	for i := range pids {
		colour := i % 3
		pids[i] = protoSpawn(sys, func(c actor.Context, m any) {
			switch m := m.(type) {
			case *meeting:
				colour = complement(colour, m.colour)
				c.Send(m.partner, &changed{colour})
			case *changed:
				colour = m.colour
			}
			c.Send(mall, &request{colour, c.Self()})
		})
	}
	begin := new(signal)
	r.Begin()
	for _, pid := range pids {
		sys.Root.Send(pid, begin)
	}
	<-done
	protoEnd(r, sys, append(pids, mall)...)
}

func protoSkynet(r *savina.Run) {
	leaves := r.Few(100_000)
	sys, sums := protoSystem(), make(chan int, 1)
	root := protoSpawn(sys, func(_ actor.Context, m any) { sums <- m.(int) })
	r.Begin()
	for range r.N {
		protoGrow(sys, root, 0, leaves)
		if sum := <-sums; sum != leaves*(leaves-1)/2 {
			r.Errorf("the tree of %d leaves sums to %d", leaves, sum)
		}
	}
	protoEnd(r, sys, root)
}

func protoGrow(sys *actor.ActorSystem, parent *actor.PID, first, leaves int) {
	sum, missing := 0, 10
	pid := protoSpawn(sys, func(c actor.Context, m any) {
		if n, ok := m.(int); ok {
			sum += n
			if missing--; missing == 0 {
				c.Send(parent, sum)
				c.Stop(c.Self())
			}
			return
		}
		if leaves == 1 {
			c.Send(parent, first)
			c.Stop(c.Self())
			return
		}
		for i := range 10 {
			protoGrow(sys, c.Self(), first+i*leaves/10, leaves/10)
		}
	})
	sys.Root.Send(pid, new(signal))
}

func protoAsk(r *savina.Run) {
	type question struct{ n int }
	sys := protoSystem()
	pid := protoSpawn(sys, func(c actor.Context, m any) { c.Respond(2 * m.(*question).n) })
	r.AskAll(func(n int) int {
		answer, err := sys.Root.RequestFuture(pid, &question{n}, time.Minute).Result()
		r.Must(err)
		return answer.(int)
	})
	protoEnd(r, sys, pid)
}

func protoUnderLoad(r *savina.Run, actors int) {
	sys, done := protoSystem(), make(chan struct{}, 1)
	var left atomic.Int64
	pids := make([]*actor.PID, actors)
	handle := func(c actor.Context, m any) {
		t := m.(*savina.Token)
		if t.Hops > 0 {
			c.Send(pids[t.Hop(actors)], t)
		} else if left.Add(-1) == 0 {
			done <- struct{}{}
		}
	}
	for i := range pids {
		pids[i] = protoSpawn(sys, handle)
	}
	left.Store(int64(actors))
	for _, pid := range pids {
		sys.Root.Send(pid, &savina.Token{})
	}
	<-done
	tokens := savina.Tokens(actors)
	left.Store(int64(tokens))
	r.Begin()
	for i := range tokens {
		t := r.NewToken(i, tokens)
		sys.Root.Send(pids[i*(actors/tokens)], &t)
	}
	<-done
	protoEnd(r, sys, pids...)
}

func protoMemory(r *savina.Run) {
	n := r.Few(100_000)
	sys := protoSystem()
	props := protoProps(func(actor.Context, any) {})
	var pids []*actor.PID
	r.BytesEach(n, func() func() {
		pids = make([]*actor.PID, n)
		for i := range pids {
			pids[i] = sys.Root.Spawn(props)
		}
		return func() { goruntime.KeepAlive(pids) }
	})
	protoEnd(r, sys, pids...)
}
