package bench_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/bench/listsched"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// instances are the recorded production workflows, by their path below
// wfinstances. A machine that has only the repository skips the tests that need
// them.
func instances(t testing.TB) map[string][]byte {
	t.Helper()
	shared := os.Getenv("RINGMILL_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "shared")
	}
	root := filepath.Join(shared, "data", "wfinstances")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("the recorded workflows are missing: no folder %s (RINGMILL_SHARED names another place)", root)
	}
	found := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		found[filepath.ToSlash(name)] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

type dynamic = workflow.Definition[json.RawMessage, json.RawMessage]

func parse(t testing.TB, name string, data []byte, scale float64) *dynamic {
	t.Helper()
	def, err := workflow.Parse(data, workflow.File(name), workflow.TimeScale(scale))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// orderWatcher counts how often each task ran and whether its parents had ended
// before.
type orderWatcher struct {
	t     *testing.T
	plan  *workflow.Plan
	index map[string]int
	began []atomic.Int32
	ended []atomic.Bool
}

func watch(t *testing.T, p *workflow.Plan) *orderWatcher {
	w := &orderWatcher{t: t, plan: p, index: map[string]int{}, began: make([]atomic.Int32, len(p.Tasks)), ended: make([]atomic.Bool, len(p.Tasks))}
	for i := range p.Tasks {
		w.index[p.Tasks[i].Name] = i
	}
	return w
}

func (w *orderWatcher) RunStarted(ctx context.Context, _ *runtime.Event) context.Context { return ctx }
func (w *orderWatcher) RunEnded(context.Context, *runtime.Event)                         {}
func (w *orderWatcher) Noticed(*runtime.Event, runtime.Notice)                           {}

func (w *orderWatcher) AttemptStarted(ctx context.Context, e *runtime.Event) context.Context {
	i := w.index[e.Task]
	w.began[i].Add(1)
	for _, d := range w.plan.Tasks[i].Deps {
		if !w.ended[d].Load() {
			w.t.Errorf("%s began before its parent %s ended", e.Task, w.plan.Tasks[d].Name)
		}
	}
	return ctx
}

func (w *orderWatcher) AttemptEnded(_ context.Context, e *runtime.Event) {
	w.ended[w.index[e.Task]].Store(true)
}

// TestInstances: every recorded workflow runs each task exactly once, none before
// its parents, and its 2,000 tasks take well under a second when they do nothing.
func TestInstances(t *testing.T) {
	const most = 50 * time.Millisecond // for 100 tasks; the race detector and a busy machine included
	for name, data := range instances(t) {
		t.Run(name, func(t *testing.T) {
			def := parse(t, name, data, 0)
			w := watch(t, def.Plan())
			rt := newRuntime(t, runtime.Config{Observer: w})
			start := time.Now()
			if _, err := runtime.Execute(t.Context(), rt, def, nil); err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			for i := range w.began {
				if n := w.began[i].Load(); n != 1 || !w.ended[i].Load() {
					t.Errorf("%s began %d times, ended %v", def.Plan().Tasks[i].Name, n, w.ended[i].Load())
				}
			}
			if limit := most * time.Duration(1+len(w.began)/100); took > limit {
				t.Errorf("%d tasks took %v, want at most %v", len(w.began), took, limit)
			}
		})
	}
}

func newRuntime(t testing.TB, cfg runtime.Config) *runtime.Runtime {
	t.Helper()
	rt, err := runtime.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return rt
}

// TestMakespan: in virtual time, in which only the tasks' sleeping takes any, every recorded workflow takes the engine at
// most 1.03 times as long as the simulation of greedy list scheduling says, with 8 and with 50 task actors and in both
// orders. What happens at one moment the two may do in different orders; nothing else can tell them apart. On real time
// see the suite makespan of the results.
func TestMakespan(t *testing.T) {
	const most = 1.03
	orders := map[runtime.Schedule]listsched.Order{runtime.ScheduleFIFO: listsched.FIFO, runtime.ScheduleCriticalPath: listsched.CriticalPath}
	for name, data := range instances(t) {
		t.Run(name, func(t *testing.T) {
			def := parse(t, name, data, 1)
			for _, workers := range []int{8, 50} {
				for schedule, order := range orders {
					want := listsched.Makespan(def.Plan(), workers, order)
					got := virtualMakespan(t, def, runtime.Config{TaskActors: workers, WorkflowActors: 1, TaskTimings: true, Schedule: schedule})
					if ratio := float64(got) / float64(want); ratio > most || want < listsched.Bound(def.Plan(), workers) {
						t.Errorf("%v, %d task actors: makespan %v is %.3f times the simulation's %v, want at most %.2f",
							schedule, workers, got, ratio, want, most)
					}
				}
			}
		})
	}
}

// TestMeasuredPath: without any declared duration the second run of each recorded workflow already goes by what the first
// has measured, and takes what it takes with the durations declared, within 1 %.
func TestMeasuredPath(t *testing.T) {
	for name, data := range instances(t) {
		t.Run(name, func(t *testing.T) {
			const workers = 8
			def := parse(t, name, data, 1)
			want := listsched.Makespan(def.Plan(), workers, listsched.CriticalPath)
			forget(def.Plan())
			synctest.Test(t, func(t *testing.T) {
				rt := newRuntime(t, runtime.Config{TaskActors: workers, WorkflowActors: 1, Schedule: runtime.ScheduleMeasuredPath})
				for i := range 2 {
					start := time.Now()
					if _, err := runtime.Execute(t.Context(), rt, def, nil); err != nil {
						t.Fatal(err)
					}
					if got := time.Since(start); i == 1 && float64(got) > 1.01*float64(want) {
						t.Errorf("by measured durations %v, by declared ones %v", got, want)
					}
				}
			})
		})
	}
}

// forget makes all ranks of a plan the same, as if no task said how long it takes.
func forget(p *workflow.Plan) {
	for i := range p.Tasks {
		p.Tasks[i].Weight, p.Tasks[i].Rank = 0, 0
	}
}

// virtualMakespan runs a workflow once in a bubble of virtual time.
func virtualMakespan(t *testing.T, def *dynamic, cfg runtime.Config) (makespan time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		rt := newRuntime(t, cfg)
		run, err := runtime.Start(t.Context(), rt, def, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Result(t.Context()); err != nil {
			t.Fatal(err)
		}
		makespan = run.Report().Makespan
	})
	return makespan
}
