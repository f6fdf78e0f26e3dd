package bench_test

import (
	"fmt"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
	_ "github.com/ringmill/ringmill/mailbox/workiva"
)

// BenchmarkMailboxThroughput: how does the cost of a message depend on kind, capacity, producers, batch and payload? Full and
// empty answers are retried after a yield. load=saturated: the producers send as fast as they can. load=half: each sends
// bursts of capacity/2/producers and waits until the consumer has taken them, so that half the places are in use at most;
// 64 producers cannot do that with 16 places. ns/op is per message, without making the queue and its first message.
//
// bench/results records load=half at capacity 1024 only.
//
// The whole matrix is large; choose rows with -bench, such as 'MailboxThroughput/load=saturated/kind=.*/capacity=1024/'.
func BenchmarkMailboxThroughput(b *testing.B) {
	for _, load := range []string{"saturated", "half"} {
		for _, kind := range mailbox.Kinds() {
			for _, capacity := range []int{16, 256, 1024, 4096, 65536} {
				for _, producers := range []int{1, 2, 4, 8, 64} {
					for _, batch := range []int{1, 16} {
						if load == "half" && capacity/2 < producers {
							continue
						}
						name := fmt.Sprintf("load=%s/kind=%s/capacity=%d/producers=%d/batch=%d", load, kind, capacity, producers, batch)
						s := mailboxSetup{kind: kind, capacity: capacity, producers: producers, batch: batch}
						if load == "half" {
							s.burst = capacity / 2 / producers
						}
						b.Run(name+"/payload=int", func(b *testing.B) { benchmarkThroughput(b, s, 7) })
						b.Run(name+"/payload=pointer", func(b *testing.B) { benchmarkThroughput(b, s, new(int)) })
						b.Run(name+"/payload=64B", func(b *testing.B) { benchmarkThroughput(b, s, [8]uint64{7}) })
					}
				}
			}
		}
	}
}

type mailboxSetup struct {
	kind                       string
	capacity, producers, batch int
	burst                      int // messages a producer may have in flight; 0: no limit
}

func benchmarkThroughput[T any](b *testing.B, s mailboxSetup, v T) {
	q, err := mailbox.NewKind[T](s.kind, s.capacity)
	if err != nil {
		b.Fatal(err)
	}
	throughput(b, q, s, v)
}

func throughput[T any](b *testing.B, q mailbox.Queue[T], s mailboxSetup, v T) {
	b.ReportAllocs()
	if err := q.TryEnqueue(v); err != nil || q.Drain(make([]T, 1)) != 1 { // the first message makes the ring
		b.Fatalf("the first message did not pass: %v", err)
	}
	b.ResetTimer()
	var received atomic.Int64
	var consumer sync.WaitGroup
	consumer.Go(func() {
		dst := make([]T, 64)
		for n := 0; n < b.N; {
			got := q.Drain(dst)
			if got == 0 {
				goruntime.Gosched()
				continue
			}
			n += got
			if s.burst > 0 {
				received.Store(int64(n))
			}
		}
	})
	var sent atomic.Int64
	sendFrom(s.producers, b.N, func(n int) {
		batch := make([]T, s.batch)
		for i := range batch {
			batch[i] = v
		}
		for n > 0 {
			part := n
			if s.burst > 0 {
				part = min(n, s.burst)
			}
			n -= part
			sendAll(q, batch, part)
			if s.burst > 0 {
				// At least this many are in the queue or were: when as many have been received, this burst has been.
				for mine := sent.Add(int64(part)); received.Load() < mine; {
					goruntime.Gosched()
				}
			}
		}
	})
	consumer.Wait()
}

// sendAll enqueues n messages, singly if batch has one element.
func sendAll[T any](q mailbox.Queue[T], batch []T, n int) {
	for n > 0 {
		done := 0
		if len(batch) > 1 {
			done, _ = q.TryEnqueueBatch(batch[:min(n, len(batch))])
		} else if q.TryEnqueue(batch[0]) == nil {
			done = 1
		}
		if done == 0 {
			goruntime.Gosched()
		}
		n -= done
	}
}

// sendFrom runs send on as many goroutines as there are producers, each with its part of n.
func sendFrom(producers, n int, send func(n int)) {
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() { send((n + p) / producers) })
	}
	wg.Wait()
}
