package bench_test

import (
	"context"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/mailbox"
)

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
