package bench_test

// What does a single task cost: allocations by how its workflow was made, and what retries, a breaker and a timeout add to
// one that succeeds?

import (
	"context"
	"encoding/json"
	"fmt"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/bench/graphs"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

const tasksInRow = 100

// rowYAML is a workflow of tasks in a row that do nothing.
func rowYAML(tb testing.TB) func(ctx context.Context, rt *runtime.Runtime) error {
	var b strings.Builder
	b.WriteString("name: row\ntasks:\n  t0: {go: Noop}\n")
	for i := 1; i < tasksInRow; i++ {
		fmt.Fprintf(&b, "  t%d: {go: Noop, needs: [t%d]}\n", i, i-1)
	}
	var null any = json.RawMessage("null") // JSON already
	noop := func(context.Context, json.RawMessage) (any, error) { return null, nil }
	def, err := workflow.ParseYAML([]byte(b.String()), workflow.Funcs(map[string]workflow.Func{"Noop": noop}))
	if err != nil {
		tb.Fatal(err)
	}
	return func(ctx context.Context, rt *runtime.Runtime) error {
		_, err := runtime.Execute(ctx, rt, def, nil)
		return err
	}
}

// rowWfFormat is the same as a recorded workflow whose tasks take no time.
func rowWfFormat(tb testing.TB) func(ctx context.Context, rt *runtime.Runtime) error {
	var spec, exec []string
	for i := range tasksInRow {
		parents, children := "[]", "[]"
		if i > 0 {
			parents = fmt.Sprintf(`["t%d"]`, i-1)
		}
		if i < tasksInRow-1 {
			children = fmt.Sprintf(`["t%d"]`, i+1)
		}
		spec = append(spec, fmt.Sprintf(`{"name":"t%[1]d","id":"t%[1]d","parents":%[2]s,"children":%[3]s}`, i, parents, children))
		exec = append(exec, fmt.Sprintf(`{"id":"t%d","runtimeInSeconds":1}`, i))
	}
	text := fmt.Sprintf(`{"name":"row","schemaVersion":"1.5","workflow":{"specification":{"tasks":[%s]},"execution":{"tasks":[%s]}}}`,
		strings.Join(spec, ","), strings.Join(exec, ","))
	def := parse(tb, "row.json", []byte(text), 0)
	return func(ctx context.Context, rt *runtime.Runtime) error {
		_, err := runtime.Execute(ctx, rt, def, nil)
		return err
	}
}

// rowTyped hands a number from task to task, which has to be kept for each.
func rowTyped(tb testing.TB) func(ctx context.Context, rt *runtime.Runtime) error {
	b := workflow.New[int]("row")
	inc := func(_ context.Context, n int) (int, error) { return n + 1, nil }
	last := workflow.Task(b, "t0", inc, b.Input())
	for i := 1; i < tasksInRow; i++ {
		last = workflow.Task(b, fmt.Sprint("t", i), inc, last)
	}
	def, err := workflow.Build(b, last)
	if err != nil {
		tb.Fatal(err)
	}
	return func(ctx context.Context, rt *runtime.Runtime) error {
		n, err := runtime.Execute(ctx, rt, def, 1000) // small numbers have memory already
		if err == nil && n != 1000+tasksInRow {
			err = fmt.Errorf("the result is %d, want %d", n, 1000+tasksInRow)
		}
		return err
	}
}

// BenchmarkTaskAllocs runs 100 tasks in a row.
func BenchmarkTaskAllocs(b *testing.B) {
	for _, c := range []struct {
		name string
		row  func(testing.TB) func(context.Context, *runtime.Runtime) error
	}{{"yaml", rowYAML}, {"wfformat", rowWfFormat}, {"typed", rowTyped}} {
		b.Run("tasks="+c.name, func(b *testing.B) {
			rt, run := newRuntime(b, runtime.Config{}), c.row(b)
			var before, after goruntime.MemStats
			goruntime.ReadMemStats(&before)
			for b.Loop() {
				if err := run(b.Context(), rt); err != nil {
					b.Fatal(err)
				}
			}
			goruntime.ReadMemStats(&after)
			per := float64(b.N) * tasksInRow
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/per, "allocs/task")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/per, "ns/task")
		})
	}
}

// BenchmarkArmed runs 100 tasks in a row with and without retries, a breaker and a timeout, in turns, and reports what those
// add to each task.
func BenchmarkArmed(b *testing.B) {
	rt, ctx := newRuntime(b, runtime.Config{}), b.Context()
	shared, err := breaker.New(breaker.Config{})
	if err != nil {
		b.Fatal(err)
	}
	plain := graphs.Chain(tasksInRow).Define(b, graphs.Noop)
	armed := graphs.Chain(tasksInRow).Define(b, graphs.Noop, workflow.Retry(retry.Exponential{}), workflow.Breaker(shared), workflow.Timeout(time.Minute))
	var took [2]time.Duration
	var mallocs [2]uint64
	var stats goruntime.MemStats
	const inTurn = 20
	for b.Loop() {
		for i, def := range []*workflow.Definition[int, int]{plain, armed} {
			goruntime.ReadMemStats(&stats)
			before, start := stats.Mallocs, time.Now()
			for range inTurn {
				if _, err := runtime.Execute(ctx, rt, def, 0); err != nil {
					b.Fatal(err)
				}
			}
			took[i] += time.Since(start)
			goruntime.ReadMemStats(&stats)
			mallocs[i] += stats.Mallocs - before
		}
	}
	per := float64(b.N) * inTurn * tasksInRow
	b.ReportMetric(float64(took[1]-took[0])/per, "armed-ns/task")
	b.ReportMetric((float64(mallocs[1])-float64(mallocs[0]))/per, "armed-allocs/task")
}

// BenchmarkRunsInFlight starts runs of three tasks while all task actors are held up, and reports what each takes.
func BenchmarkRunsInFlight(b *testing.B) {
	const runs = 1_000_000
	var perRun float64
	for b.Loop() {
		perRun = bytesInFlight(b, runs)
	}
	b.ReportMetric(perRun, "B/run")
}
