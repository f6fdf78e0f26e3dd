package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
)

// TestNoAllocations: nothing is allocated for a message after the ring is there, whatever its type.
func TestNoAllocations(t *testing.T) {
	t.Run("pointer", func(t *testing.T) { noAllocations(t, new(int)) })
	t.Run("int", func(t *testing.T) { noAllocations(t, 7) })
	t.Run("64 bytes", func(t *testing.T) { noAllocations(t, [8]uint64{1}) })
}

func noAllocations[T any](t *testing.T, v T) {
	m, small := mailbox.NewMPSC[T](64), mailbox.NewMPSC[T](1)
	blocking := mailbox.New(mailbox.Config[T]{})
	priority := mailbox.NewPriority[T](64)
	full := mailbox.New(mailbox.Config[T]{Capacity: 1, Overflow: mailbox.Wait})
	_ = full.TryEnqueue(v)
	ctx := context.Background()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	batch, dst := make([]T, 16), make([]T, 16)
	paths := map[string]func(){
		"single": func() { _ = m.TryEnqueue(v); m.TryDequeue() },
		"batch":  func() { _, _ = m.TryEnqueueBatch(batch); m.Drain(dst) },
		"full": func() {
			_, _ = small.TryEnqueue(v), small.TryEnqueue(v)
			small.Drain(dst)
		},
		"blocking":       func() { _ = blocking.Enqueue(ctx, v); _, _ = blocking.Dequeue(ctx) },
		"blocking batch": func() { _, _ = blocking.EnqueueBatch(ctx, batch); _, _ = blocking.DequeueBatch(ctx, dst) },
		"priority":       func() { _ = priority.TryEnqueue(mailbox.Low, v); priority.TryDequeue() },
		"give up":        func() { _ = full.Enqueue(ended, v) },
		"give up batch":  func() { _, _ = full.EnqueueBatch(ended, batch) },
	}
	for name, path := range paths {
		if n := testing.AllocsPerRun(1000, path); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestNoAllocationsToWait: nothing is allocated for a sender that waits and is served, after the first.
func TestNoAllocationsToWait(t *testing.T) {
	const runs = 1000
	m := mailbox.New(mailbox.Config[int]{Capacity: 1, Overflow: mailbox.Wait})
	fill(t, m)
	turns := make(chan struct{}, 1)
	var consumer sync.WaitGroup
	consumer.Go(func() {
		for range turns {
			_, _ = m.Dequeue(t.Context())
		}
	})
	// With the one processor that AllocsPerRun leaves, the consumer takes its turn when the sender sleeps.
	n := testing.AllocsPerRun(runs, func() {
		turns <- struct{}{}
		_ = m.Enqueue(t.Context(), 1)
	})
	close(turns)
	consumer.Wait()
	if waited := m.Stats().Waited; n != 0 || waited < runs/2 {
		t.Errorf("%v allocations; %d of %d senders waited", n, waited, runs+1)
	}
}

// TestIdleMemory: a mailbox that nothing was sent to takes at most 256 bytes, whatever its capacity. TestParkedConsumer
// shows that a sleeping consumer makes no ring either.
func TestIdleMemory(t *testing.T) {
	if mailbox.IdleMPSC > 192 || mailbox.IdleMailbox > 256 {
		t.Errorf("MPSC takes %d bytes, want at most 192; Mailbox %d, want at most 256", mailbox.IdleMPSC, mailbox.IdleMailbox)
	}
	m := mailbox.NewMPSC[int](mailbox.MaxCapacity)
	m.TryDequeue()
	m.Drain(make([]int, 1))
	if n, err := m.TryEnqueueBatch(nil); n != 0 || err != nil {
		t.Errorf("TryEnqueueBatch(nil) = %d, %v", n, err)
	}
	m.Close()
	if err := m.TryEnqueue(1); !errors.Is(err, mailbox.ErrClosed) {
		t.Errorf("TryEnqueue after Close = %v", err)
	}
	if n, err := m.TryEnqueueBatch([]int{1, 2}); n != 0 || !errors.Is(err, mailbox.ErrClosed) {
		t.Errorf("TryEnqueueBatch after Close = %d, %v", n, err)
	}
	if m.Ready() || !m.Drained() || mailbox.Slots(m) != nil {
		t.Error("a mailbox without messages has a ring")
	}
}

// TestLines: what all read, what producers write and what the consumer writes lie in a cache line each, in a mailbox by itself
// and in one 8 bytes behind the beginning of a line.
func TestLines(t *testing.T) {
	if strconv.IntSize != 64 {
		t.Skip("lines are kept apart where a word has 64 bits")
	}
	for _, offset := range []uintptr{0, 8} {
		if parts, want := mailbox.Lines(offset), [3][2]uintptr{{0, 0}, {1, 1}, {2, 2}}; parts != want {
			t.Errorf("at offset %d the parts lie in the lines %v, want %v", offset, parts, want)
		}
	}
}

// TestPartsShareNoLine: no cache line holds two parts of mailboxes, the neighbours' in memory included, whichever way they are made.
func TestPartsShareNoLine(t *testing.T) {
	if strconv.IntSize != 64 {
		t.Skip("lines are kept apart where a word has 64 bits")
	}
	const n, line = 64, 64
	parts := map[string][]mailbox.Span{}
	kept := make([]any, 0, 3*n) // on the heap, where mailboxes are
	for i := range n {
		single, parking, levels := mailbox.NewMPSC[*int](1), mailbox.New(mailbox.Config[*int]{}), mailbox.NewPriority[*int](1)
		kept = append(kept, single, parking, levels)
		parts[fmt.Sprint("MPSC ", i)] = mailbox.Parts(single)
		parts[fmt.Sprint("Mailbox ", i)] = mailbox.MailboxParts(parking)
		parts[fmt.Sprint("Priority ", i)] = mailbox.PriorityParts(levels)
	}
	holder := map[uintptr]string{}
	for name, spans := range parts {
		for i, span := range spans {
			part := fmt.Sprintf("part %d of %s", i, name)
			for l := span.Begin / line; l <= (span.End-1)/line; l++ {
				if other, taken := holder[l]; taken {
					t.Fatalf("%s and %s share a line", part, other)
				}
				holder[l] = part
			}
		}
	}
	goruntime.KeepAlive(kept)
}

// TestFirstEnqueueCopiesHeader: once the first enqueue has returned, the ring is reached without a look at its own memory.
func TestFirstEnqueueCopiesHeader(t *testing.T) {
	for _, capacity := range []int{1, 3, 64, 1000} {
		m := mailbox.NewMPSC[int](capacity)
		if mailbox.ReadsCopy(m) {
			t.Errorf("capacity %d: a copy before there is a ring", capacity)
		}
		if err := m.TryEnqueue(1); err != nil || !mailbox.ReadsCopy(m) {
			t.Errorf("capacity %d: TryEnqueue = %v; the header is not reached by a copy", capacity, err)
		}
	}
}
