// Package listsched simulates greedy list scheduling of a plan on identical
// workers. It is the reference that the engine's makespan is measured against.
//
// The simulation knows no overhead: whenever a worker is free and a task is
// ready, the worker begins the first ready task at once.
package listsched

import (
	"container/heap"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// Order says which of two ready tasks begins first. seq is the order in which
// they became ready.
type Order func(a, b Ready) bool

// Ready is a task that waits for a worker.
type Ready struct {
	Task int32
	Seq  int     // the order in which tasks became ready
	Rank float64 // upward rank
}

// FIFO begins the task that became ready first.
func FIFO(a, b Ready) bool { return a.Seq < b.Seq }

// CriticalPath begins the task with the longest remaining path, the older one
// among equals.
func CriticalPath(a, b Ready) bool {
	if a.Rank != b.Rank {
		return a.Rank > b.Rank
	}
	return a.Seq < b.Seq
}

// Makespan returns the time from the start of the plan to the end of its last
// task when every task takes its Weight.
func Makespan(p *workflow.Plan, workers int, order Order) time.Duration {
	s := simulation{plan: p, free: workers, ready: readyHeap{order: order}}
	s.pending = make([]int, len(p.Tasks))
	for i := range p.Tasks {
		s.pending[i] = len(p.Tasks[i].Deps)
	}
	for _, root := range p.Roots {
		s.push(root)
	}
	s.begin()
	for len(s.running) > 0 {
		// Everything that ends at this moment ends before anything begins.
		for s.now = s.running[0].end; len(s.running) > 0 && s.running[0].end == s.now; {
			s.finish(heap.Pop(&s.running).(busy).task)
		}
		s.begin()
	}
	return s.now
}

// Bound returns max(critical path, work / workers), which no schedule beats.
func Bound(p *workflow.Plan, workers int) time.Duration {
	path, _ := p.CriticalPath(func(i int) time.Duration { return p.Tasks[i].Weight })
	var work time.Duration
	for i := range p.Tasks {
		work += p.Tasks[i].Weight
	}
	return max(path, work/time.Duration(workers))
}

type simulation struct {
	plan    *workflow.Plan
	now     time.Duration
	free    int
	seq     int
	pending []int // dependencies that have not ended, by task
	ready   readyHeap
	running busyHeap
}

func (s *simulation) push(task int32) {
	heap.Push(&s.ready, Ready{Task: task, Seq: s.seq, Rank: s.plan.Tasks[task].Rank})
	s.seq++
}

func (s *simulation) begin() {
	for ; s.free > 0 && s.ready.Len() > 0; s.free-- {
		task := heap.Pop(&s.ready).(Ready).Task
		heap.Push(&s.running, busy{task: task, end: s.now + s.plan.Tasks[task].Weight})
	}
}

func (s *simulation) finish(task int32) {
	s.free++
	for _, next := range s.plan.Tasks[task].Succs {
		if s.pending[next]--; s.pending[next] == 0 {
			s.push(next)
		}
	}
}

type readyHeap struct {
	order Order
	items []Ready
}

func (h readyHeap) Len() int           { return len(h.items) }
func (h readyHeap) Less(i, j int) bool { return h.order(h.items[i], h.items[j]) }
func (h readyHeap) Swap(i, j int)      { h.items[i], h.items[j] = h.items[j], h.items[i] }
func (h *readyHeap) Push(x any)        { h.items = append(h.items, x.(Ready)) }
func (h *readyHeap) Pop() any {
	n := len(h.items) - 1
	x := h.items[n]
	h.items = h.items[:n]
	return x
}

type busy struct {
	task int32
	end  time.Duration
}

type busyHeap []busy

func (h busyHeap) Len() int { return len(h) }
func (h busyHeap) Less(i, j int) bool {
	if h[i].end != h[j].end {
		return h[i].end < h[j].end
	}
	return h[i].task < h[j].task
}
func (h busyHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *busyHeap) Push(x any)   { *h = append(*h, x.(busy)) }
func (h *busyHeap) Pop() any {
	n := len(*h) - 1
	x := (*h)[n]
	*h = (*h)[:n]
	return x
}
