package peers_test

// Whole workflows of tasks that do nothing, by what a Go program has at hand: errgroup and sync.WaitGroup-like groups
// with in-degree counters of their own, and pools. See bench/workflow_test.go for what the sides leave out.

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/alitto/pond/v2"
	"github.com/sourcegraph/conc"

	"github.com/ringmill/ringmill/bench/graphs"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// byCounters executes a graph on what spawn starts: each task starts the successors whose counters it brings to 0.
func byCounters(ctx context.Context, successors [][]int, inDegree []int32, body graphs.Body, spawn func(task func() error)) {
	pending := make([]atomic.Int32, len(inDegree))
	for i, n := range inDegree {
		pending[i].Store(n)
	}
	var task func(i int) func() error
	task = func(i int) func() error {
		return func() error {
			if _, err := body(ctx, i); err != nil {
				return err
			}
			for _, s := range successors[i] {
				if pending[s].Add(-1) == 0 {
					spawn(task(s))
				}
			}
			return nil
		}
	}
	for i, n := range inDegree {
		if n == 0 {
			spawn(task(i))
		}
	}
}

// byConc executes a graph on a conc.WaitGroup, which keeps panics. Its pools take no tasks from tasks once they are waited for.
func byConc(ctx context.Context, successors [][]int, inDegree []int32, body graphs.Body) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg conc.WaitGroup
	var failed atomic.Pointer[error]
	byCounters(ctx, successors, inDegree, body, func(task func() error) {
		wg.Go(func() {
			if err := task(); err != nil && failed.CompareAndSwap(nil, &err) {
				cancel(err)
			}
		})
	})
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// byPond executes a graph as a group of tasks on a pool that all runs share.
func byPond(ctx context.Context, pool pond.Pool, successors [][]int, inDegree []int32, body graphs.Body) error {
	group := pool.NewGroupContext(ctx)
	byCounters(ctx, successors, inDegree, body, func(task func() error) { group.SubmitErr(task) })
	return group.Wait()
}

// workflowSides are ours, through the actors and with Inline tasks, and the others; pond's pool has as many workers as
// there are task actors.
var workflowSides = []string{"ringmill", "inline", "errgroup", "conc", "pond"}

func workflowSide(tb testing.TB, impl string, g graphs.Graph, body graphs.Body) func(ctx context.Context) error {
	successors, inDegree := g.Edges()
	switch impl {
	case "errgroup":
		return func(ctx context.Context) error { return graphs.ByErrgroup(ctx, successors, inDegree, body) }
	case "conc":
		return func(ctx context.Context) error { return byConc(ctx, successors, inDegree, body) }
	case "pond":
		pool := pond.NewPool(runtime.DefaultTaskActors)
		tb.Cleanup(pool.StopAndWait)
		return func(ctx context.Context) error { return byPond(ctx, pool, successors, inDegree, body) }
	}
	if impl == "inline" {
		return g.ByRingmill(tb, body, workflow.Inline())
	}
	return g.ByRingmill(tb, body)
}

// BenchmarkWorkflow runs one workflow after the other from one caller.
func BenchmarkWorkflow(b *testing.B) {
	for _, c := range graphs.Shapes {
		for _, impl := range workflowSides {
			b.Run(fmt.Sprintf("shape=%s/impl=%s", c.Name, impl), func(b *testing.B) {
				graphs.Repeat(b, workflowSide(b, impl, c.Graph, graphs.Noop), len(c.Graph))
			})
		}
	}
}

// BenchmarkCallers runs workflows of three tasks from many callers at once.
func BenchmarkCallers(b *testing.B) {
	for _, callers := range []int{1, 64, 1024} {
		for _, impl := range workflowSides {
			b.Run(fmt.Sprintf("shape=chain-3/callers=%d/impl=%s", callers, impl), func(b *testing.B) {
				graphs.FromCallers(b, callers, workflowSide(b, impl, graphs.Chain(3), graphs.Noop))
			})
		}
	}
}

// TestWorkflowSides holds that all sides execute the same: every task once, none before what it waits for.
func TestWorkflowSides(t *testing.T) {
	for _, c := range graphs.Shapes {
		for _, impl := range workflowSides {
			check := graphs.NewCheck(c.Graph)
			if err := workflowSide(t, impl, c.Graph, check.Body)(t.Context()); err != nil {
				t.Errorf("%s, %s: %v", c.Name, impl, err)
			}
			if err := check.Done(); err != nil {
				t.Errorf("%s, %s: %v", c.Name, impl, err)
			}
		}
	}
}
