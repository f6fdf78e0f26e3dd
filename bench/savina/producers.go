package savina

import (
	"context"
	"sync"

	"github.com/ringmill/ringmill/runtime/actor"
)

// What does a message cost that goroutines outside send to one actor as fast as it takes them? They sleep while the mailbox
// is full, as senders to a full channel do.
var (
	flooded = []Scenario{{
		Name: "Flooded", Unit: "message", Small: 3000,
		Ringmill: func(r *Run) { produce(r, 1) },
		Channel:  func(r *Run) { produceChannel(r, 1) },
	}}
	producers = []Scenario{{
		Name: "Producers/producers=4", Unit: "message", Small: 6000,
		Ringmill: func(r *Run) { produce(r, 4) },
		Channel:  func(r *Run) { produceChannel(r, 4) },
	}, {
		Name: "Producers/producers=64", Unit: "message", Small: 6000,
		Ringmill: func(r *Run) { produce(r, 64) },
		Channel:  func(r *Run) { produceChannel(r, 64) },
	}}
)

func produce(r *Run, senders int) {
	done, got := make(chan struct{}), 0
	ref := actor.Spawn(r.system(), func(*actor.Context[int], int) error {
		if got++; got == r.N {
			close(done)
		}
		return nil
	}, actor.Config{MailboxCapacity: capacity})
	ctx := context.Background()
	r.Begin()
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for range (r.N + i) / senders {
				if err := ref.TellWait(ctx, 1); err != nil {
					r.Error(err)
				}
			}
		})
	}
	<-done
	r.End()
	all.Wait()
}

func produceChannel(r *Run, senders int) {
	ch, done := make(chan int, capacity), make(chan struct{})
	go func() {
		for range r.N {
			<-ch
		}
		close(done)
	}()
	r.Begin()
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for range (r.N + i) / senders {
				ch <- 1
			}
		})
	}
	<-done
	r.End()
	all.Wait()
}
