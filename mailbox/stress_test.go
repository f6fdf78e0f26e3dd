package mailbox_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/mailbox/workiva"
)

// note is a message of the stress tests: the seq-th of its producer, the index-th of a batch of size.
type note struct {
	from, seq, index, size int
}

// checker is a consumer's view of what it got.
type checker struct {
	batches bool // batches must arrive without another message in between
	next    []int
	last    note
	got     int
}

func (c *checker) add(n note) error {
	if n.seq != c.next[n.from] {
		return fmt.Errorf("producer %d: message %d, want %d", n.from, n.seq, c.next[n.from])
	}
	if c.batches && n.index > 0 && (c.last.from != n.from || c.last.index != n.index-1) {
		return fmt.Errorf("producer %d: part %d of a batch comes after %+v", n.from, n.index, c.last)
	}
	c.next[n.from]++
	c.last = n
	c.got++
	return nil
}

// produce sends singles and batches of up to 5 until stop is set or the queue is closed. It returns how many were accepted.
func produce(q mailbox.Queue[note], from int, r *rand.Rand, stop *atomic.Bool) (accepted int) {
	buf := make([]note, 5)
	for !stop.Load() {
		batch := buf[:1+r.IntN(len(buf))]
		for i := range batch {
			batch[i] = note{from, accepted + i, i, len(batch)}
		}
		n, err := 1, error(nil)
		if len(batch) == 1 {
			if err = q.TryEnqueue(batch[0]); err != nil {
				n = 0
			}
		} else {
			n, err = q.TryEnqueueBatch(batch)
		}
		accepted += n
		if errors.Is(err, mailbox.ErrClosed) {
			break
		}
		if err != nil || r.IntN(64) == 0 {
			yield()
		}
	}
	return accepted
}

// run lets three producers and a consumer at q for d, closes it, and checks order and loss.
func run(t *testing.T, q mailbox.Queue[note], d time.Duration, batches bool, capacity int) {
	t.Helper()
	const producers = 3
	r := newRand(t)
	var stop atomic.Bool
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for p := range producers {
		pr := rand.New(rand.NewPCG(r.Uint64(), 0))
		wg.Go(func() { accepted.Add(int64(produce(q, p, pr, &stop))) })
	}
	finished := make(chan struct{})
	end := time.AfterFunc(d, func() {
		defer close(finished)
		stop.Store(true)
		wg.Wait()
		q.Close()
	})
	defer end.Stop()

	c := checker{batches: batches, next: make([]int, producers)}
	dst := make([]note, 7)
	for {
		drained := q.Drained() // before Drain: nothing comes after it
		n := q.Drain(dst[:1+r.IntN(len(dst))])
		for _, v := range dst[:n] {
			if err := c.add(v); err != nil {
				stop.Store(true)
				t.Fatal(err)
			}
		}
		if l := q.Len(); l < 0 || l > capacity {
			t.Errorf("Len = %d with capacity %d", l, capacity)
		}
		if n == 0 {
			if drained {
				break
			}
			yield()
		}
	}
	<-finished
	if int64(c.got) != accepted.Load() {
		t.Fatalf("received %d messages of %d accepted", c.got, accepted.Load())
	}
	if c.got == 0 {
		t.Fatal("no message was sent")
	}
}

// TestStressOrderAndLoss: whatever the size of the ring and the number of threads, each producer's messages arrive
// complete and in order, batches arrive in one piece, and Len keeps its bounds. Tiny rings wrap around all the time.
func TestStressOrderAndLoss(t *testing.T) {
	sizes, procs := []int{2, 8, 1024}, []int{1, 2, 4, 16}
	for _, size := range sizes {
		for _, n := range procs {
			t.Run(fmt.Sprintf("size=%d/procs=%d", size, n), func(t *testing.T) {
				withProcs(t, n)
				run(t, mailbox.NewMPSC[note](size), stressTime(t, len(sizes)*len(procs)), true, size)
			})
		}
	}
}

// TestStressKinds: every kind keeps the same promises, batches in one piece aside.
func TestStressKinds(t *testing.T) {
	kinds := mailbox.Kinds()
	for _, kind := range kinds {
		for _, size := range []int{3, 64} {
			t.Run(fmt.Sprintf("kind=%s/size=%d", kind, size), func(t *testing.T) {
				q, err := mailbox.NewKind[note](kind, size)
				if err != nil {
					t.Fatal(err)
				}
				run(t, q, stressTime(t, 2*len(kinds)), kind != mailbox.KindChan && kind != workiva.Kind, size)
			})
		}
	}
}

// TestStressCloseRace: with Close at any moment between enqueues, what was accepted before is delivered and nothing
// after. Each round is short, so that thousands of closes meet producers in the middle of an enqueue.
func TestStressCloseRace(t *testing.T) {
	kinds, procs := mailbox.Kinds(), []int{1, 2, 4}
	for _, kind := range kinds {
		for _, n := range procs {
			t.Run(fmt.Sprintf("kind=%s/procs=%d", kind, n), func(t *testing.T) {
				withProcs(t, n)
				r := newRand(t)
				rounds := 0
				for end := time.Now().Add(stressTime(t, len(kinds)*len(procs))); time.Now().Before(end); rounds++ {
					q, err := mailbox.NewKind[note](kind, 1+r.IntN(8))
					if err != nil {
						t.Fatal(err)
					}
					closeRound(t, q, r)
				}
				t.Logf("%d rounds", rounds)
			})
		}
	}
}

func closeRound(t *testing.T, q mailbox.Queue[note], r *rand.Rand) {
	const producers = 2
	var never atomic.Bool
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for p := range producers {
		pr := rand.New(rand.NewPCG(r.Uint64(), 0))
		wg.Go(func() { accepted.Add(int64(produce(q, p, pr, &never))) })
	}
	pause := r.IntN(50)
	wg.Go(func() {
		for range pause {
			yield()
		}
		q.Close()
	})
	c := checker{next: make([]int, producers)}
	dst := make([]note, 4)
	for {
		drained := q.Drained()
		n := q.Drain(dst)
		for _, v := range dst[:n] {
			if err := c.add(v); err != nil {
				t.Error(err)
			}
		}
		if n == 0 && drained {
			break
		}
		if n == 0 {
			yield()
		}
	}
	wg.Wait()
	if int64(c.got) != accepted.Load() || !q.Drained() {
		t.Fatalf("received %d messages of %d accepted; Drained %t", c.got, accepted.Load(), q.Drained())
	}
}
