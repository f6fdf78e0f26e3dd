package mailbox_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/mailbox"
)

// The status of a mailbox that workers serve in turn.
const (
	idle int32 = iota
	scheduled
)

// TestStressDispatch: the protocol that Ready is for loses no wake-up and never lets two workers consume at once. Producers
// schedule an idle mailbox after each enqueue; a worker that found nothing stores idle and then asks Ready. A lost wake-up
// leaves a message behind and shows as a hang.
func TestStressDispatch(t *testing.T) {
	procs := []int{1, 2, 4}
	for _, n := range procs {
		t.Run(fmt.Sprintf("procs=%d", n), func(t *testing.T) {
			withProcs(t, n)
			dispatchRound(t, stressTime(t, len(procs)))
		})
	}
}

func dispatchRound(t *testing.T, d time.Duration) {
	const producers, workers = 3, 2
	m := mailbox.NewMPSC[int](4)
	var status, consumers atomic.Int32
	runQueue := make(chan struct{}, 1) // holds at most the one activation of the mailbox
	schedule := func() {
		if status.CompareAndSwap(idle, scheduled) {
			runQueue <- struct{}{}
		}
	}

	var received atomic.Int64
	activation := func() {
		if consumers.Add(1) > 1 {
			t.Error("two workers consume at once")
		}
		dst := make([]int, 3)
		for n := m.Drain(dst); n > 0; n = m.Drain(dst) {
			received.Add(int64(n))
		}
		consumers.Add(-1)
		status.Store(idle)
		if m.Ready() {
			schedule()
		}
	}
	stop := make(chan struct{})
	var workersDone sync.WaitGroup
	for range workers {
		workersDone.Go(func() {
			for {
				select {
				case <-runQueue:
					activation()
				case <-stop:
					return
				}
			}
		})
	}

	r := newRand(t)
	end := time.Now().Add(d)
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for range producers {
		pr := rand.New(rand.NewPCG(r.Uint64(), 0))
		wg.Go(func() {
			for time.Now().Before(end) {
				n, _ := m.TryEnqueueBatch(make([]int, 1+pr.IntN(3)))
				accepted.Add(int64(n))
				schedule()
				if n == 0 || pr.IntN(8) == 0 {
					yield()
				}
			}
		})
	}
	wg.Wait()
	for received.Load() < accepted.Load() { // nobody schedules any more but the workers
		yield()
	}
	close(stop)
	workersDone.Wait()
	if received.Load() != accepted.Load() || m.Len() != 0 {
		t.Fatalf("received %d messages of %d accepted, %d left", received.Load(), accepted.Load(), m.Len())
	}
}
