package savina

import "github.com/ringmill/ringmill/runtime/actor"

// What does a message cost that one actor sends another as fast as it can? An actor cannot wait for room: the counter tells
// the producer whenever it has handled a burst, and the producer keeps two bursts on their way. The channel's sender blocks.
var counting = []Scenario{{
	Name: "Counting", Unit: "message", Small: 3000,
	Ringmill: func(r *Run) {
		const burst = capacity / 2
		type goOn struct{}
		sys, done := r.system(), make(chan struct{})
		var producer actor.Ref[goOn]
		got, left := 0, r.N
		counter := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
			if got++; got == r.N {
				close(done)
			} else if got%burst == 0 {
				return producer.TellFrom(c, goOn{})
			}
			return nil
		}, actor.Config{MailboxCapacity: capacity})
		producer = actor.Spawn(sys, func(c *actor.Context[goOn], _ goOn) error {
			for range min(left, burst) {
				if err := counter.TellFrom(c, 1); err != nil {
					return err
				}
			}
			left = max(0, left-burst)
			return nil
		}, actor.Config{})
		r.Begin()
		r.Must(producer.Tell(goOn{}))
		r.Must(producer.Tell(goOn{}))
		<-done
	},
	Channel: func(r *Run) { produceChannel(r, 1) },
}}
