// Package graphs has the graphs of tasks that the benchmarks execute, and the ways to execute them that one writes by hand.
package graphs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A Graph lists, for each task, the earlier tasks that it waits for.
type Graph [][]int

// Chain is n tasks in a row.
func Chain(n int) Graph {
	g := make(Graph, n)
	for i := 1; i < n; i++ {
		g[i] = []int{i - 1}
	}
	return g
}

// Fan is one root, n leaves and one end that waits for them.
func Fan(n int) Graph {
	g := make(Graph, n+2)
	for i := 1; i <= n; i++ {
		g[i] = []int{0}
		g[n+1] = append(g[n+1], i)
	}
	return g
}

// Random gives each task up to three earlier ones, mostly near ones.
func Random(n int) Graph {
	g, rng := make(Graph, n), rand.New(rand.NewPCG(1, 2))
	for i := 1; i < n; i++ {
		seen := map[int]bool{}
		for range rng.IntN(4) {
			if d := max(0, i-1-rng.IntN(50)); !seen[d] {
				seen[d] = true
				g[i] = append(g[i], d)
			}
		}
	}
	return g
}

// Edges returns successors and in-degrees, which the hand-written executors prepare once.
func (g Graph) Edges() (successors [][]int, inDegree []int32) {
	successors, inDegree = make([][]int, len(g)), make([]int32, len(g))
	for i, deps := range g {
		inDegree[i] = int32(len(deps))
		for _, d := range deps {
			successors[d] = append(successors[d], i)
		}
	}
	return successors, inDegree
}

// Noop is a task that does nothing.
func Noop(context.Context, int) (int, error) { return 0, nil }

// A Body is what a task does; it is told which task it is.
type Body = func(ctx context.Context, task int) (int, error)

// Define makes the graph a workflow, whose tasks have the body and the options.
func (g Graph) Define(tb testing.TB, body Body, opts ...workflow.Option) *workflow.Definition[int, int] {
	b := workflow.New[int]("graph")
	nodes := make([]workflow.Node, len(g))
	for i, deps := range g {
		after := make([]workflow.Node, len(deps))
		for j, d := range deps {
			after[j] = nodes[d]
		}
		nodes[i] = workflow.Task(b, fmt.Sprint(i), func(ctx context.Context, _ int) (int, error) { return body(ctx, i) }, b.Input(),
			append(opts[:len(opts):len(opts)], workflow.After(after...))...)
	}
	def, err := workflow.Build(b, b.Input())
	if err != nil {
		tb.Fatal(err)
	}
	return def
}

// ByRingmill returns what executes the graph on a Runtime of its own with the default configuration.
func (g Graph) ByRingmill(tb testing.TB, body Body, opts ...workflow.Option) func(ctx context.Context) error {
	rt, err := runtime.New(runtime.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := rt.Stop(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	def := g.Define(tb, body, opts...)
	return func(ctx context.Context) error { _, err := runtime.Execute(ctx, rt, def, 0); return err }
}

// ByErrgroup executes the graph with errgroup and atomic in-degree counters.
func ByErrgroup(ctx context.Context, successors [][]int, inDegree []int32, body Body) error {
	group, ctx := errgroup.WithContext(ctx)
	pending := make([]atomic.Int32, len(inDegree))
	for i, n := range inDegree {
		pending[i].Store(n)
	}
	var run func(i int) func() error
	run = func(i int) func() error {
		return func() error {
			if _, err := body(ctx, i); err != nil {
				return err
			}
			for _, s := range successors[i] {
				if pending[s].Add(-1) == 0 {
					group.Go(run(s))
				}
			}
			return nil
		}
	}
	for i, n := range inDegree {
		if n == 0 {
			group.Go(run(i))
		}
	}
	return group.Wait()
}

// ByChannels executes the graph with a goroutine and a done channel a task.
func ByChannels(ctx context.Context, g Graph, body Body) error {
	done := make([]chan struct{}, len(g))
	for i := range done {
		done[i] = make(chan struct{})
	}
	failed := make(chan error, len(g))
	for i, deps := range g {
		go func() {
			defer close(done[i])
			for _, d := range deps {
				<-done[d]
			}
			if _, err := body(ctx, i); err != nil {
				failed <- err
			}
		}()
	}
	for i := range done {
		<-done[i]
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// Shapes are the graphs that are measured, by the name of their rows.
var Shapes = []struct {
	Name  string
	Graph Graph
}{
	{"chain-10", Chain(10)},
	{"fan-100", Fan(100)},
	{"fan-1000", Fan(1000)},
	{"random-1000", Random(1000)},
}
