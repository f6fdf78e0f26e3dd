package savina

import (
	"context"
	"sync"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

const busyPairs = 4

// What does a question with its answer cost, and how long does it take? On the channel side each question brings a channel
// for its answer. p50-ns and p99-ns are measured in a second pass, include one look at the clock, and need N of some 1,000.
// load=pairs: four pairs of actors, or of goroutines, play ping-pong meanwhile. inline=yes: the actor has Config.Inline.
var ask = []Scenario{
	askOf("inline=yes/load=none", true, false), askOf("inline=yes/load=pairs", true, true),
	askOf("inline=no/load=none", false, false), askOf("inline=no/load=pairs", false, true),
}

func askOf(name string, inline, loaded bool) Scenario {
	return Scenario{
		Name: "Ask/" + name, Unit: "question", Small: 100,
		Ringmill: func(r *Run) {
			sys := r.system()
			if loaded {
				defer playPairs(sys)()
			}
			askActor(r, sys, inline)
		},
		Channel: func(r *Run) {
			if loaded {
				defer playPairsChannel()()
			}
			askChannel(r)
		},
	}
}

// AskAll times questions: all of them together for ns/op, then each for the percentiles.
func (r *Run) AskAll(question func(n int) int) {
	r.Begin()
	for n := range r.N {
		if got := question(n); got != 2*n {
			r.Fatalf("asked for twice %d, got %d", n, got)
		}
	}
	r.End()
	samples := make([]time.Duration, min(r.N, 1<<17))
	last := time.Now()
	for i := range samples {
		question(i)
		now := time.Now()
		samples[i], last = now.Sub(last), now
	}
	r.percentiles(samples)
}

func askActor(r *Run, sys *actor.System, inline bool) {
	type question struct {
		n     int
		reply actor.ReplyTo[int]
	}
	ref := actor.Spawn(sys, func(_ *actor.Context[question], q question) error { return q.reply.Reply(2 * q.n) },
		actor.Config{Inline: inline})
	ctx := context.Background()
	r.AskAll(func(n int) int {
		answer, err := actor.Ask(ctx, ref, func(to actor.ReplyTo[int]) question { return question{n, to} })
		r.Must(err)
		return answer
	})
}

func askChannel(r *Run) {
	type question struct {
		n     int
		reply chan int
	}
	questions, done := make(chan question, capacity), make(chan struct{})
	go func() {
		for q := range questions {
			q.reply <- 2 * q.n
		}
		close(done)
	}()
	r.AskAll(func(n int) int {
		reply := make(chan int, 1)
		questions <- question{n, reply}
		return <-reply
	})
	close(questions)
	<-done
}

// playPairs has pairs of actors play until stop is called.
func playPairs(sys *actor.System) (stop func()) {
	type ball struct{ back actor.Ref[ball] }
	var refs []actor.Ref[ball]
	play := func(c *actor.Context[ball], m ball) error {
		_ = m.back.TellFrom(c, ball{c.Self()}) // refused when the game is over
		return nil
	}
	for range busyPairs {
		a, b := actor.Spawn(sys, play, actor.Config{}), actor.Spawn(sys, play, actor.Config{})
		_ = a.Tell(ball{b})
		refs = append(refs, a, b)
	}
	return func() {
		for _, ref := range refs {
			_ = ref.Stop(context.Background())
		}
	}
}

func playPairsChannel() (stop func()) {
	quit := make(chan struct{})
	var all sync.WaitGroup
	for range busyPairs {
		a, b := make(chan int, 1), make(chan int, 1)
		a <- 1
		play := func(in, out chan int) {
			for {
				select {
				case m := <-in:
					out <- m
				case <-quit:
					return
				}
			}
		}
		all.Go(func() { play(a, b) })
		all.Go(func() { play(b, a) })
	}
	return func() { close(quit); all.Wait() }
}
