package graphs

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
)

// Repeat measures run, one call after the other.
func Repeat(b *testing.B, run func(ctx context.Context) error, tasks int) {
	b.ReportAllocs()
	for b.Loop() {
		if err := run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tasks), "ns/task")
}

// FromCallers measures run, called by many goroutines at once: as many as said on the 2 cores that figures are quoted for.
func FromCallers(b *testing.B, callers int, run func(ctx context.Context) error) {
	b.ReportAllocs()
	b.SetParallelism(max(1, callers/2))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := run(b.Context()); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// A Check watches one execution of a graph.
type Check struct {
	graph Graph
	ran   []atomic.Int32
	ended []atomic.Bool
	early atomic.Int64 // tasks that began before one that they wait for had ended
}

// NewCheck returns a Check for one execution.
func NewCheck(g Graph) *Check {
	return &Check{graph: g, ran: make([]atomic.Int32, len(g)), ended: make([]atomic.Bool, len(g))}
}

// Body is the body of all tasks.
func (c *Check) Body(_ context.Context, task int) (int, error) {
	for _, d := range c.graph[task] {
		if !c.ended[d].Load() {
			c.early.Add(1)
		}
	}
	c.ran[task].Add(1)
	c.ended[task].Store(true)
	return 0, nil
}

// Done says what was wrong: every task runs once, none before what it waits for.
func (c *Check) Done() error {
	for i := range c.ran {
		if n := c.ran[i].Load(); n != 1 {
			return fmt.Errorf("task %d ran %d times, want once", i, n)
		}
	}
	if n := c.early.Load(); n > 0 {
		return fmt.Errorf("%d tasks began before one that they wait for had ended", n)
	}
	return nil
}
