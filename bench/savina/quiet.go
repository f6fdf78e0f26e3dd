package savina

import (
	"fmt"
	"sync"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

// How long does a message to a quiet actor wait beside one, or 16, that are flooded with work of 1 us? p50-ns and p99-ns are
// from Tell to the handler, the reading of the clock included; what the sender waits for its processor is in ns/op.
var quiet = []Scenario{quietBeside(1), quietBeside(16)}

func quietBeside(hot int) Scenario {
	return Scenario{
		Name: fmt.Sprintf("QuietBesideHot/hot=%d", hot), Unit: "message", Small: 50,
		Ringmill: func(r *Run) { waitBeside(r, hot) },
		Channel:  func(r *Run) { waitBesideChannel(r, hot) },
	}
}

func waitBeside(r *Run, floods int) {
	sys, over := r.system(), make(chan struct{})
	for range floods {
		hot := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
			work()
			select {
			case <-over:
				return nil
			default:
				return c.Self().TellFrom(c, m)
			}
		}, actor.Config{MailboxCapacity: capacity})
		for range capacity / 2 {
			r.Must(hot.Tell(0))
		}
	}
	waits := make(chan time.Duration, 1)
	quiet := actor.Spawn(sys, func(_ *actor.Context[time.Time], sent time.Time) error {
		waits <- time.Since(sent)
		return nil
	}, actor.Config{})
	r.measureQuiet(func(sent time.Time) { r.Must(quiet.Tell(sent)) }, waits)
	close(over)
}

func waitBesideChannel(r *Run, floods int) {
	over := make(chan struct{})
	var all sync.WaitGroup
	for range floods {
		hot := make(chan int, capacity)
		for range capacity / 2 {
			hot <- 0
		}
		all.Go(func() {
			for m := range hot {
				work()
				select {
				case <-over:
					return
				default:
					hot <- m
				}
			}
		})
	}
	waits, quiet := make(chan time.Duration, 1), make(chan time.Time, capacity)
	go func() {
		for sent := range quiet {
			waits <- time.Since(sent)
		}
	}()
	r.measureQuiet(func(sent time.Time) { quiet <- sent }, waits)
	close(over)
	close(quiet)
	all.Wait()
}

// work takes 1 us.
func work() {
	for start := time.Now(); time.Since(start) < time.Microsecond; {
	}
}

func (r *Run) measureQuiet(send func(time.Time), waits <-chan time.Duration) {
	samples := make([]time.Duration, r.N)
	r.Begin()
	for i := range samples {
		send(time.Now())
		samples[i] = <-waits
	}
	r.End()
	r.percentiles(samples)
}
