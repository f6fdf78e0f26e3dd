package bench_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
)

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
