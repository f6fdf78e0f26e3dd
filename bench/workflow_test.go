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
	"math/rand/v2"
	"testing"

	"golang.org/x/sync/errgroup"

	"sync/atomic"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A graph lists, for each task, the earlier tasks that it waits for.
type graph [][]int

func chain(n int) graph {
	g := make(graph, n)
	for i := 1; i < n; i++ {
		g[i] = []int{i - 1}
	}
	return g
}

// fan is one root, n leaves and one end that waits for them.
func fan(n int) graph {
	g := make(graph, n+2)
	for i := 1; i <= n; i++ {
		g[i] = []int{0}
		g[n+1] = append(g[n+1], i)
	}
	return g
}

// random gives each task up to three earlier ones, mostly near ones.
func random(n int) graph {
	g, rng := make(graph, n), rand.New(rand.NewPCG(1, 2))
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

// successors and in-degrees, which the hand-written executors prepare once.
func (g graph) edges() (successors [][]int, inDegree []int32) {
	successors, inDegree = make([][]int, len(g)), make([]int32, len(g))
	for i, deps := range g {
		inDegree[i] = int32(len(deps))
		for _, d := range deps {
			successors[d] = append(successors[d], i)
		}
	}
	return successors, inDegree
}

func noop(context.Context, int) (int, error) { return 0, nil }

// define makes the graph a workflow, whose tasks have the options.
func (g graph) define(tb testing.TB, opts ...workflow.Option) *workflow.Definition[int, int] {
	b := workflow.New[int]("graph")
	nodes := make([]workflow.Node, len(g))
	for i, deps := range g {
		after := make([]workflow.Node, len(deps))
		for j, d := range deps {
			after[j] = nodes[d]
		}
		nodes[i] = workflow.Task(b, fmt.Sprint(i), noop, b.Input(), append(opts[:len(opts):len(opts)], workflow.After(after...))...)
	}
	def, err := workflow.Build(b, b.Input())
	if err != nil {
		tb.Fatal(err)
	}
	return def
}

// byErrgroup executes the graph with errgroup and atomic in-degree counters.
func byErrgroup(ctx context.Context, successors [][]int, inDegree []int32, body func(context.Context, int) (int, error)) error {
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

// byChannels executes the graph with a goroutine and a done channel a task.
func byChannels(ctx context.Context, g graph, body func(context.Context, int) (int, error)) error {
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

var graphs = []struct {
	name string
	g    graph
}{
	{"chain-10", chain(10)},
	{"fan-100", fan(100)},
	{"fan-1000", fan(1000)},
	{"random-1000", random(1000)},
}

// ours are our sides: through the actors, and with all tasks Inline, which the caller of Execute then executes itself.
var ours = map[string][]workflow.Option{"ringmill": nil, "inline": {workflow.Inline()}}

// BenchmarkWorkflow runs one workflow after the other from one caller.
func BenchmarkWorkflow(b *testing.B) {
	for _, c := range graphs {
		successors, inDegree := c.g.edges()
		each := map[string]func(ctx context.Context) error{
			"errgroup": func(ctx context.Context) error { return byErrgroup(ctx, successors, inDegree, noop) },
			"channels": func(ctx context.Context) error { return byChannels(ctx, c.g, noop) },
		}
		for _, impl := range []string{"ringmill", "inline", "errgroup", "channels"} {
			b.Run(fmt.Sprintf("shape=%s/impl=%s", c.name, impl), func(b *testing.B) {
				run := each[impl]
				if opts, ours := ours[impl]; ours {
					rt, def := newRuntime(b, runtime.Config{}), c.g.define(b, opts...)
					run = func(ctx context.Context) error { _, err := runtime.Execute(ctx, rt, def, 0); return err }
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := run(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(c.g)), "ns/task")
			})
		}
	}
}

// BenchmarkCallers runs workflows of three tasks from many callers at once.
func BenchmarkCallers(b *testing.B) {
	g := chain(3)
	successors, inDegree := g.edges()
	for _, callers := range []int{1, 64, 1024} {
		for _, impl := range []string{"ringmill", "inline", "errgroup", "channels"} {
			b.Run(fmt.Sprintf("shape=chain-3/callers=%d/impl=%s", callers, impl), func(b *testing.B) {
				run := func(ctx context.Context) error { return byErrgroup(ctx, successors, inDegree, noop) }
				switch impl {
				case "channels":
					run = func(ctx context.Context) error { return byChannels(ctx, g, noop) }
				case "ringmill", "inline":
					rt, def := newRuntime(b, runtime.Config{}), g.define(b, ours[impl]...)
					run = func(ctx context.Context) error { _, err := runtime.Execute(ctx, rt, def, 0); return err }
				}
				b.ReportAllocs()
				b.SetParallelism(max(1, callers/2)) // callers on the 2 cores that the figures are quoted for
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := run(b.Context()); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}

// TestGraphs holds that the three ways execute the same thing: every task once,
// none before what it waits for.
func TestGraphs(t *testing.T) {
	for _, c := range graphs {
		for _, impl := range []string{"ringmill", "errgroup", "channels"} {
			ended := make([]atomic.Bool, len(c.g))
			ran := new(atomic.Int64)
			body := func(_ context.Context, i int) (int, error) {
				for _, d := range c.g[i] {
					if !ended[d].Load() {
						t.Errorf("%s, %s: task %d began before %d ended", c.name, impl, i, d)
					}
				}
				ended[i].Store(true)
				ran.Add(1)
				return 0, nil
			}
			var err error
			successors, inDegree := c.g.edges()
			switch impl {
			case "ringmill":
				b := workflow.New[int]("graph")
				nodes := make([]workflow.Node, len(c.g))
				for i, deps := range c.g {
					var after []workflow.Node
					for _, d := range deps {
						after = append(after, nodes[d])
					}
					nodes[i] = workflow.Task(b, fmt.Sprint(i), func(ctx context.Context, _ int) (int, error) { return body(ctx, i) },
						b.Input(), workflow.After(after...))
				}
				def, buildErr := workflow.Build(b, b.Input())
				if buildErr != nil {
					t.Fatal(buildErr)
				}
				_, err = runtime.Execute(t.Context(), newRuntime(t, runtime.Config{}), def, 0)
			case "errgroup":
				err = byErrgroup(t.Context(), successors, inDegree, body)
			case "channels":
				err = byChannels(t.Context(), c.g, body)
			}
			if err != nil || ran.Load() != int64(len(c.g)) {
				t.Errorf("%s, %s: %d of %d tasks ran, %v", c.name, impl, ran.Load(), len(c.g), err)
			}
		}
	}
}
