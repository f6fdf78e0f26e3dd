// Package peers_test compares Ringmill with other libraries. It is a module of its own, so that nobody who uses Ringmill
// downloads them.
package peers_test

import (
	"context"
	"fmt"
	goruntime "runtime"
	"sync"
	"testing"

	"github.com/Workiva/go-datastructures/queue"
	"github.com/asynkron/protoactor-go/actor"
	"github.com/puzpuzpuz/xsync/v4"

	"github.com/ringmill/ringmill/mailbox"
)

const (
	capacity  = 1024
	producers = 4
)

// message is the payload: a pointer to one is sent. ack, if not nil, is told that the message was consumed.
type message struct {
	ack chan struct{}
}

func consume(m *message) {
	if m.ack != nil {
		m.ack <- struct{}{}
	}
}

// side is one implementation whose consumer sleeps while there is nothing to do. start begins consuming; send waits
// for room, asleep but with protoactor, which yields and retries; stop returns after the consumer has taken everything and ended.
type side struct {
	name  string
	start func() (send func(*message), stop func())
}

var sides = []side{
	{"ringmill", startRingmill},
	{"chan", startChan},
	{"protoactor", func() (func(*message), func()) { return startProtoactor(actor.Bounded(capacity)) }},
	{"protoactor-unbounded", func() (func(*message), func()) { return startProtoactor(actor.Unbounded()) }},
}

func startRingmill() (send func(*message), stop func()) {
	m := mailbox.New(mailbox.Config[*message]{Capacity: capacity, Overflow: mailbox.Wait})
	ctx := context.Background()
	var consumer sync.WaitGroup
	consumer.Go(func() {
		run := make([]*message, 64)
		for {
			n, err := m.DequeueBatch(ctx, run)
			if err != nil {
				return
			}
			for _, v := range run[:n] {
				consume(v)
			}
		}
	})
	send = func(v *message) { _ = m.Enqueue(ctx, v) }
	stop = func() { m.Close(); consumer.Wait() }
	return send, stop
}

func startChan() (send func(*message), stop func()) {
	c := make(chan *message, capacity)
	var consumer sync.WaitGroup
	consumer.Go(func() {
		for v := range c {
			consume(v)
		}
	})
	send = func(v *message) { c <- v }
	stop = func() { close(c); consumer.Wait() }
	return send, stop
}

// lastMessage ends a protoactor consumer, which has no close.
type lastMessage struct{ done chan struct{} }

type invoker struct{}

func (invoker) InvokeSystemMessage(any)  {}
func (invoker) EscalateFailure(_, _ any) {}
func (invoker) InvokeUserMessage(msg any) {
	switch v := msg.(type) {
	case *message:
		consume(v)
	case *lastMessage:
		close(v.done)
	}
}

func startProtoactor(newMailbox actor.MailboxProducer) (send func(*message), stop func()) {
	m := newMailbox()
	m.RegisterHandlers(invoker{}, actor.NewDefaultDispatcher(300))
	m.Start()
	send = func(v *message) { m.PostUserMessage(v) }
	stop = func() {
		last := &lastMessage{make(chan struct{})}
		m.PostUserMessage(last)
		<-last.done
	}
	return send, stop
}

// BenchmarkMailboxWake measures one message from send through wake-up to consumption, with a consumer that sleeps
// when it finds nothing. load=saturated: the producers send as fast as the mailbox takes it. load=half: each sends
// bursts of capacity/2/producers and waits until the last of a burst was consumed, so the mailbox is never more than
// half full and the consumer falls asleep between the bursts.
func BenchmarkMailboxWake(b *testing.B) {
	for _, load := range []string{"saturated", "half"} {
		for _, s := range sides {
			b.Run(fmt.Sprintf("load=%s/impl=%s", load, s.name), func(b *testing.B) {
				b.ReportAllocs()
				send, stop := s.start()
				b.ResetTimer()
				spread(b.N, func(n int) {
					if load == "half" {
						sendBursts(n, send)
						return
					}
					v := new(message)
					for range n {
						send(v)
					}
				})
				stop()
			})
		}
	}
}

func sendBursts(n int, send func(*message)) {
	const burst = capacity / 2 / producers
	plain, last := new(message), &message{ack: make(chan struct{}, 1)}
	for n > 0 {
		for range min(burst, n) - 1 {
			send(plain)
		}
		send(last)
		<-last.ack
		n -= burst
	}
}

// spread runs send on every producer at once, with its part of n messages.
func spread(n int, send func(n int)) {
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() { send((n + p) / producers) })
	}
	wg.Wait()
}

// spinner is a queue that answers full and empty; sender and consumer yield and ask again. The channel blocks instead.
type spinner struct {
	name    string
	enqueue func(*message) bool
	dequeue func() int // how many it took
}

func spinners() []spinner {
	ring, run := mailbox.NewMPSC[*message](capacity), make([]*message, 64)
	x := xsync.NewMPMCQueue[*message](capacity)
	w := queue.NewRingBuffer(capacity)
	c := make(chan *message, capacity)
	return []spinner{
		{"ringmill",
			func(v *message) bool { return ring.TryEnqueue(v) == nil },
			func() int { return ring.Drain(run) }},
		{"chan",
			func(v *message) bool { c <- v; return true },
			func() int { <-c; return 1 }},
		{"xsync",
			func(v *message) bool { return x.TryEnqueue(v) },
			func() int {
				if _, ok := x.TryDequeue(); ok {
					return 1
				}
				return 0
			}},
		{"workiva",
			func(v *message) bool { return w.Put(v) == nil },
			func() int { _, _ = w.Get(); return 1 }},
	}
}

// BenchmarkMailboxSpin measures single sends while nobody sleeps: a full or empty answer is retried after a yield, which
// is what Workiva's Put and Get do inside; only the channel's two sides block. The consumer takes what is there: a run where the queue can give one
// (Ringmill's Drain), else one message.
func BenchmarkMailboxSpin(b *testing.B) {
	for _, s := range spinners() {
		b.Run("impl="+s.name, func(b *testing.B) {
			b.ReportAllocs()
			var consumer sync.WaitGroup
			consumer.Go(func() {
				for got := 0; got < b.N; {
					n := s.dequeue()
					if n == 0 {
						goruntime.Gosched()
					}
					got += n
				}
			})
			spread(b.N, func(n int) {
				v := new(message)
				for sent := 0; sent < n; {
					if s.enqueue(v) {
						sent++
					} else {
						goruntime.Gosched()
					}
				}
			})
			consumer.Wait()
		})
	}
}

// BenchmarkMailboxBatch sends and receives in batches of 16 where the queue can. ns/op is per message. Ringmill's mailbox
// and the channel sleep when they are full or empty, xsync's queue has no way to: there both sides yield and ask again.
func BenchmarkMailboxBatch(b *testing.B) {
	impls := []struct {
		name  string
		start func() (send, receive func(n int))
	}{
		{"ringmill", startBatchRingmill},
		{"chan", startBatchChan},
		{"xsync", startBatchXsync},
	}
	for _, impl := range impls {
		b.Run("batch=16/impl="+impl.name, func(b *testing.B) {
			b.ReportAllocs()
			send, receive := impl.start()
			b.ResetTimer()
			var consumer sync.WaitGroup
			consumer.Go(func() { receive(b.N) })
			spread(b.N, send)
			consumer.Wait()
		})
	}
}

func startBatchRingmill() (send, receive func(n int)) {
	const batch = 16
	ctx := context.Background()
	m := mailbox.New(mailbox.Config[*message]{Capacity: capacity, Overflow: mailbox.Wait})
	send = func(n int) {
		vs := make([]*message, batch)
		for ; n > 0; n -= batch {
			_, _ = m.EnqueueBatch(ctx, vs[:min(n, batch)])
		}
	}
	receive = func(n int) {
		dst := make([]*message, 64)
		for n > 0 {
			got, _ := m.DequeueBatch(ctx, dst)
			n -= got
		}
	}
	return send, receive
}

func startBatchChan() (send, receive func(n int)) {
	c := make(chan *message, capacity)
	send = func(n int) {
		for range n {
			c <- nil
		}
	}
	receive = func(n int) {
		for range n {
			<-c
		}
	}
	return send, receive
}

func startBatchXsync() (send, receive func(n int)) {
	q := xsync.NewMPMCQueue[*message](capacity)
	send = func(n int) {
		for range n {
			for !q.TryEnqueue(nil) {
				goruntime.Gosched()
			}
		}
	}
	receive = func(n int) {
		for range n {
			for _, ok := q.TryDequeue(); !ok; _, ok = q.TryDequeue() {
				goruntime.Gosched()
			}
		}
	}
	return send, receive
}
