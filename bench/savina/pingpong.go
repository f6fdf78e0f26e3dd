package savina

import "github.com/ringmill/ringmill/runtime/actor"

// What does a hop between two actors cost, each of which waits for the other?
var pingPong = []Scenario{{
	Name: "PingPong", Unit: "hop", Small: 100,
	Ringmill: func(r *Run) {
		type ball struct {
			left int
			back actor.Ref[ball]
		}
		sys, done := r.system(), make(chan struct{})
		pong := actor.Spawn(sys, func(c *actor.Context[ball], m ball) error { return m.back.TellFrom(c, m) }, actor.Config{})
		ping := actor.Spawn(sys, func(c *actor.Context[ball], m ball) error {
			if m.left <= 0 {
				close(done)
				return nil
			}
			return pong.TellFrom(c, ball{left: m.left - 2, back: c.Self()})
		}, actor.Config{})
		r.Begin()
		r.Must(ping.Tell(ball{left: r.N}))
		<-done
	},
	Channel: func(r *Run) {
		ping, pong, done := make(chan int), make(chan int), make(chan struct{})
		go func() {
			for left := range pong {
				ping <- left
			}
			close(done)
		}()
		r.Begin()
		for left := r.N; left > 0; left -= 2 {
			pong <- left
			<-ping
		}
		close(pong)
		<-done
	},
}}
