package bench_test

// What does a workflow cost, compared with the same graph executed by hand?
//
// Every task does nothing, so the figures are pure overhead. "errgroup" is what
// one writes by hand when one knows how: a goroutine a task, started by the
// predecessor that brings an atomic in-degree counter to zero. "channels" is the
// textbook way: a goroutine a task from the start, each waiting for a channel
// that every predecessor closes. Neither has retries, timeouts, results between
// tasks, reports, or a bound on the tasks at once.

import (
	"context"
	"fmt"
	"testing"

	"github.com/ringmill/ringmill/bench/graphs"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// workflowSides are ours, through the actors and with all tasks Inline, which the caller of Execute then executes itself, and
// the two by hand.
var workflowSides = []string{"ringmill", "inline", "errgroup", "channels"}

func side(tb testing.TB, impl string, g graphs.Graph, body graphs.Body) func(ctx context.Context) error {
	successors, inDegree := g.Edges()
	switch impl {
	case "errgroup":
		return func(ctx context.Context) error { return graphs.ByErrgroup(ctx, successors, inDegree, body) }
	case "channels":
		return func(ctx context.Context) error { return graphs.ByChannels(ctx, g, body) }
	case "inline":
		return g.ByRingmill(tb, body, workflow.Inline())
	}
	return g.ByRingmill(tb, body)
}

// BenchmarkWorkflow runs one workflow after the other from one caller.
func BenchmarkWorkflow(b *testing.B) {
	for _, c := range graphs.Shapes {
		for _, impl := range workflowSides {
			b.Run(fmt.Sprintf("shape=%s/impl=%s", c.Name, impl), func(b *testing.B) {
				graphs.Repeat(b, side(b, impl, c.Graph, graphs.Noop), len(c.Graph))
			})
		}
	}
}

// BenchmarkCallers runs workflows of three tasks from many callers at once.
func BenchmarkCallers(b *testing.B) {
	for _, callers := range []int{1, 64, 1024} {
		for _, impl := range workflowSides {
			b.Run(fmt.Sprintf("shape=chain-3/callers=%d/impl=%s", callers, impl), func(b *testing.B) {
				graphs.FromCallers(b, callers, side(b, impl, graphs.Chain(3), graphs.Noop))
			})
		}
	}
}

// TestGraphs holds that all sides execute the same: every task once, none before what it waits for.
func TestGraphs(t *testing.T) {
	for _, c := range graphs.Shapes {
		for _, impl := range workflowSides {
			check := graphs.NewCheck(c.Graph)
			if err := side(t, impl, c.Graph, check.Body)(t.Context()); err != nil {
				t.Errorf("%s, %s: %v", c.Name, impl, err)
			}
			if err := check.Done(); err != nil {
				t.Errorf("%s, %s: %v", c.Name, impl, err)
			}
		}
	}
}
