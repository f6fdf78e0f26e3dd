package savina

import (
	goruntime "runtime"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/runtime/actor"
)

// memoryCapacity is that of the mailboxes and channels whose memory is measured.
const memoryCapacity = 256

// How many bytes does one of 100,000 idle actors take, heap and stacks, before its first message and after it? ns/op is the
// making of all of them, and of no interest.
var memory = []Scenario{{
	Name: "Memory/used=no", Unit: "100,000 actors", Small: 1,
	Ringmill: func(r *Run) { keepActors(r, false) },
	Channel:  func(r *Run) { keepGoroutines(r, false) },
}, {
	Name: "Memory/used=once", Unit: "100,000 actors", Small: 1,
	Ringmill: func(r *Run) { keepActors(r, true) },
	Channel:  func(r *Run) { keepGoroutines(r, true) },
}}

// BytesEach reports what build leaves behind for each of n.
func (r *Run) BytesEach(n int, build func() (drop func())) {
	var before, after goruntime.MemStats
	r.Begin()
	for i := range r.N {
		if i > 0 {
			break // one is enough
		}
		goruntime.GC()
		goruntime.ReadMemStats(&before)
		drop := build()
		goruntime.GC()
		goruntime.ReadMemStats(&after)
		drop()
	}
	r.End()
	used := func(m *goruntime.MemStats) float64 { return float64(m.HeapAlloc + m.StackInuse) }
	r.Metric((used(&after)-used(&before))/float64(n), "B/actor")
}

func keepActors(r *Run, use bool) {
	n := r.Few(100_000)
	sys := r.system()
	r.BytesEach(n, func() func() {
		refs := make([]actor.Ref[int], n)
		var left atomic.Int64
		left.Store(int64(n))
		done := make(chan struct{})
		handler := func(*actor.Context[int], int) error {
			if left.Add(-1) == 0 {
				close(done)
			}
			return nil
		}
		for i := range refs {
			refs[i] = actor.Spawn(sys, handler, actor.Config{MailboxCapacity: memoryCapacity})
			if use {
				r.Must(refs[i].Tell(1))
			}
		}
		if use {
			<-done
		}
		return func() { goruntime.KeepAlive(refs) }
	})
}

func keepGoroutines(r *Run, use bool) {
	n := r.Few(100_000)
	r.BytesEach(n, func() func() {
		chans := make([]chan int, n)
		var all sync.WaitGroup
		for i := range chans {
			chans[i] = make(chan int, memoryCapacity)
			all.Go(func() {
				for range chans[i] {
				}
			})
			if use {
				chans[i] <- 1
			}
		}
		return func() {
			for _, ch := range chans {
				close(ch)
			}
			all.Wait()
		}
	})
}
