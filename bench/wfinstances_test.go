package bench_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
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

// TestMakespan compares the engine, on tasks that sleep, with the simulation of
// greedy list scheduling on as many workers: at most 1.10 times as long. The
// workflows that take more than some seconds run only with RINGMILL_STRESS.
func TestMakespan(t *testing.T) {
	const (
		scale   = 0.01
		workers = 50
		most    = 1.10
	)
	longest := 12 * time.Second
	switch {
	case os.Getenv("RINGMILL_STRESS") != "":
		longest = time.Hour
	case testing.Short():
		longest = 2 * time.Second
	}
	for name, data := range instances(t) {
		if !strings.HasPrefix(name, "pegasus/montage/") && !strings.HasPrefix(name, "pegasus/epigenomics/") {
			continue
		}
		def := parse(t, name, data, scale)
		want := listsched.Makespan(def.Plan(), workers, listsched.FIFO)
		if want > longest {
			t.Logf("%s: left out, it takes %v", name, want)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the tasks sleep
			rt := newRuntime(t, runtime.Config{TaskActors: workers, TaskTimings: true})
			run, err := runtime.Start(t.Context(), rt, def, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := run.Result(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := run.Report().Makespan
			ratio := float64(got) / float64(want)
			t.Logf("makespan %v, simulation %v, ratio %.3f, bound %v", got, want, ratio, listsched.Bound(def.Plan(), workers))
			if ratio > most {
				t.Errorf("makespan %v is %.3f times the simulation's %v, want at most %.2f", got, ratio, want, most)
			}
		})
	}
}
