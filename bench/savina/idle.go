package savina

import (
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

const idleActors = 1000

// How much processor time do 1,000 idle actors take? cpu-us/s is of one second, in tests of some milliseconds.
var idle = []Scenario{{
	Name: "Idle/actors=1000", Unit: "second", Small: 1,
	Ringmill: func(r *Run) {
		sys := r.system()
		for range idleActors {
			ref := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{})
			r.Must(ref.Tell(1))
		}
		r.measureIdle()
	},
	Channel: func(r *Run) {
		chans := make([]chan int, idleActors)
		var all sync.WaitGroup
		for i := range chans {
			chans[i] = make(chan int, capacity)
			all.Go(func() {
				for range chans[i] {
				}
			})
			chans[i] <- 1
		}
		r.measureIdle()
		for _, ch := range chans {
			close(ch)
		}
		all.Wait()
	},
}}

func (r *Run) measureIdle() {
	debug.FreeOSMemory() // or the runtime does so in the background, and that is what would be measured
	period := time.Second
	if r.isTest() {
		period = 10 * time.Millisecond
	}
	<-time.After(period / 4)
	before, start := r.cpuTime(), time.Now()
	<-time.After(period)
	r.Metric(float64((r.cpuTime()-before).Microseconds())/time.Since(start).Seconds(), "cpu-us/s")
}

func (r *Run) cpuTime() time.Duration {
	var u syscall.Rusage
	r.Must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
