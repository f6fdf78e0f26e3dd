package bench_test

import (
	"context"
	goruntime "runtime"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
)

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
