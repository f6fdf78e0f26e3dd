package bench_test

import (
	"container/heap"
	"sync"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
)

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
