package bench_test

import (
	"container/heap"
	"context"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// BenchmarkMailboxWake: what does a message cost from send through wake-up to consumption, when the consumer sleeps while
// there is nothing to do and senders sleep while there is no room? load=saturated: the senders send as fast as they can.
// load=half: each sends bursts of capacity/2/producers, at least one message, and sleeps until the last of a burst is consumed.
func BenchmarkMailboxWake(b *testing.B) {
	for _, load := range []string{"saturated", "half"} {
		for _, producers := range []int{1, 2, 4, 8, 64} {
			burst := 0
			if load == "half" {
				burst = max(1, wakeCapacity/2/producers)
			}
			b.Run(fmt.Sprintf("load=%s/impl=mailbox/producers=%d", load, producers), func(b *testing.B) {
				benchmarkWake(b, producers, burst, startMailbox)
			})
			b.Run(fmt.Sprintf("load=%s/impl=chan/producers=%d", load, producers), func(b *testing.B) {
				benchmarkWake(b, producers, burst, startChan)
			})
		}
	}
}

const wakeCapacity = 1024

// letter is a message of BenchmarkMailboxWake. consumed, if not nil, is told that it was.
type letter struct{ consumed chan struct{} }

func (l *letter) consume() {
	if l.consumed != nil {
		l.consumed <- struct{}{}
	}
}

func benchmarkWake(b *testing.B, producers, burst int, start func() (send func(*letter), stop func())) {
	b.ReportAllocs()
	send, stop := start()
	b.ResetTimer()
	sendFrom(producers, b.N, func(n int) {
		plain, last := new(letter), &letter{make(chan struct{}, 1)}
		for sent := 1; sent <= n; sent++ {
			if burst == 0 || sent%burst > 0 && sent < n {
				send(plain)
				continue
			}
			send(last)
			<-last.consumed
		}
	})
	stop()
}

func startMailbox() (send func(*letter), stop func()) {
	ctx := context.Background()
	m := mailbox.New(mailbox.Config[*letter]{Capacity: wakeCapacity, Overflow: mailbox.Wait})
	var consumer sync.WaitGroup
	consumer.Go(func() {
		run := make([]*letter, 64)
		for {
			n, err := m.DequeueBatch(ctx, run)
			if err != nil {
				return
			}
			for _, l := range run[:n] {
				l.consume()
			}
		}
	})
	return func(l *letter) { _ = m.Enqueue(ctx, l) }, func() { m.Close(); consumer.Wait() }
}

func startChan() (send func(*letter), stop func()) {
	c := make(chan *letter, wakeCapacity)
	var consumer sync.WaitGroup
	consumer.Go(func() {
		for l := range c {
			l.consume()
		}
	})
	return func(l *letter) { c <- l }, func() { close(c); consumer.Wait() }
}

// BenchmarkMailboxLatency: how long is one message on its way to a consumer that has nothing else to do? p50-ns, p99-ns and
// p99.9-ns are one way, the reading of the clock included; ns/op is the round trip. With wait=park the next message often comes
// while the mailbox's consumer is in the one yield before it sleeps, so these are not the figures of waking a thread.
func BenchmarkMailboxLatency(b *testing.B) {
	for wait, name := range []string{mailbox.Park: "park", mailbox.BusyPoll: "poll"} {
		b.Run("impl=mailbox/wait="+name, func(b *testing.B) {
			m := mailbox.New(mailbox.Config[time.Time]{Wait: mailbox.WaitStrategy(wait)})
			measureLatency(b,
				func(t time.Time) { _ = m.TryEnqueue(t) },
				func() time.Time { t, _ := m.Dequeue(context.Background()); return t })
		})
	}
	b.Run("impl=chan/wait=park", func(b *testing.B) {
		c := make(chan time.Time, mailbox.DefaultCapacity)
		measureLatency(b, func(t time.Time) { c <- t }, func() time.Time { return <-c })
	})
}

func measureLatency(b *testing.B, send func(time.Time), receive func() time.Time) {
	samples := make([]time.Duration, b.N)
	var received atomic.Int64
	var consumer sync.WaitGroup
	b.ResetTimer()
	consumer.Go(func() {
		for i := range samples {
			samples[i] = time.Since(receive())
			received.Store(int64(i + 1))
		}
	})
	for i := range samples {
		send(time.Now())
		for spins := 0; received.Load() <= int64(i); spins++ {
			if spins%1000 == 999 { // the consumer may need this core
				goruntime.Gosched()
			}
		}
	}
	consumer.Wait()
	slices.Sort(samples)
	for _, p := range []float64{50, 99, 99.9} {
		b.ReportMetric(float64(samples[int(p/100*float64(len(samples)-1))]), fmt.Sprintf("p%g-ns", p))
	}
}

// BenchmarkMailboxIdle: how many bytes does a mailbox of the default capacity take before its first message? kind=mailbox is
// mailbox.Mailbox, the ring with a consumer that can sleep; in the row with sleeper=1 it has slept, and what it needs for that
// is there.
func BenchmarkMailboxIdle(b *testing.B) {
	for _, kind := range mailbox.Kinds() {
		b.Run("kind="+kind, func(b *testing.B) {
			measureIdle(b, func() any { q, _ := mailbox.NewKind[*int](kind, mailbox.DefaultCapacity); return q })
		})
	}
	b.Run("kind=mailbox", func(b *testing.B) {
		measureIdle(b, func() any { return mailbox.New(mailbox.Config[*int]{}) })
	})
	b.Run("kind=mailbox/sleeper=1", func(b *testing.B) {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		measureIdle(b, func() any {
			m := mailbox.New(mailbox.Config[*int]{})
			_, _ = m.Dequeue(ended) // falls asleep before it looks at the context
			return m
		})
	})
}

func measureIdle(b *testing.B, create func() any) {
	const count = 1000
	queues := make([]any, count)
	var before, after goruntime.MemStats
	for b.Loop() {
		clear(queues)
		goruntime.GC()
		goruntime.ReadMemStats(&before)
		for i := range queues {
			queues[i] = create()
		}
		goruntime.ReadMemStats(&after)
	}
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/count, "B/mailbox")
}

// BenchmarkMailboxPriority: what does priority cost? One push and one pop with all four levels in use, beside a plain mailbox
// and a heap under a mutex.
func BenchmarkMailboxPriority(b *testing.B) {
	const backlog = 64
	b.Run("impl=none", func(b *testing.B) {
		b.ReportAllocs()
		m := mailbox.NewMPSC[int](2 * backlog)
		for i := range backlog {
			_ = m.TryEnqueue(i)
		}
		for b.Loop() {
			_ = m.TryEnqueue(1)
			m.TryDequeue()
		}
	})
	b.Run("impl=levels", func(b *testing.B) {
		b.ReportAllocs()
		p := mailbox.NewPriority[int](2 * backlog)
		for i := range backlog {
			_ = p.TryEnqueue(mailbox.Level(i%4), i)
		}
		level := mailbox.Urgent
		for b.Loop() {
			_ = p.TryEnqueue(level, 1)
			p.TryDequeue()
			level = (level + 1) % 4
		}
	})
	b.Run("impl=heap", func(b *testing.B) {
		b.ReportAllocs()
		var q heapQueue
		for i := range backlog {
			q.push(i%4, i)
		}
		level := 0
		for b.Loop() {
			q.push(level, 1)
			q.pop()
			level = (level + 1) % 4
		}
	})
}

// heapQueue is a priority queue as one would write it by hand: container/heap under a mutex, FIFO within a level.
type heapQueue struct {
	mu    sync.Mutex
	items heapItems
	seq   int
}

type heapItem struct{ level, seq, value int }

type heapItems []heapItem

func (h heapItems) Len() int { return len(h) }
func (h heapItems) Less(i, j int) bool {
	return h[i].level < h[j].level || h[i].level == h[j].level && h[i].seq < h[j].seq
}
func (h heapItems) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heapItems) Push(x any)   { *h = append(*h, x.(heapItem)) }
func (h *heapItems) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

func (q *heapQueue) push(level, v int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seq++
	heap.Push(&q.items, heapItem{level, q.seq, v})
}

func (q *heapQueue) pop() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return heap.Pop(&q.items).(heapItem).value
}
