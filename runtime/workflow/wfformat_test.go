package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// wf wraps specification and execution tasks into a file.
func wf(specification, execution string) string {
	return `{"name": "w", "schemaVersion": "1.5", "workflow": {
"specification": {"tasks": [` + specification + `]},
"execution": {"tasks": [` + execution + `]}}}`
}

const diamond = `{"id": "a", "name": "x", "children": ["b", "c"], "parents": []},
{"id": "b", "name": "x", "children": ["d"], "parents": ["a"]},
{"id": "c", "name": "x", "children": ["d"], "parents": ["a"]},
{"id": "d", "name": "x", "parents": ["c", "b"]}`

const diamondTimes = `{"id": "a", "runtimeInSeconds": 1}, {"id": "c", "runtimeInSeconds": 2.5},
{"id": "b", "runtimeInSeconds": 4}, {"id": "d", "runtimeInSeconds": 0}`

func TestWfFormat(t *testing.T) {
	p := mustParse(t, "\xef\xbb\xbf"+wf(diamond, diamondTimes), workflow.TimeScale(0.5)).Plan()
	for i, want := range []struct {
		name   string
		deps   []int32
		succs  []int32
		weight time.Duration
		rank   time.Duration
	}{
		{"a", nil, []int32{1, 2}, 500 * time.Millisecond, 2500 * time.Millisecond},
		{"b", []int32{0}, []int32{3}, 2 * time.Second, 2 * time.Second},
		{"c", []int32{0}, []int32{3}, 1250 * time.Millisecond, 1250 * time.Millisecond},
		{"d", []int32{1, 2}, nil, 0, 0},
	} {
		got := p.Tasks[i]
		if got.Name != want.name || !slices.Equal(got.Deps, want.deps) || !slices.Equal(got.Succs, want.succs) ||
			got.Weight != want.weight || got.Rank != float64(want.rank) {
			t.Errorf("task %d: %s deps %v succs %v weight %s rank %v", i, got.Name, got.Deps, got.Succs, got.Weight, got.Rank)
		}
	}
	if length, path := p.CriticalPath(nil); length != 2500*time.Millisecond || !slices.Equal(path, []int{0, 1}) && !slices.Equal(path, []int{0, 1, 3}) {
		t.Errorf("critical path %v of %s", path, length)
	}
}

// TestTimeScale: a task sleeps its recorded time times the scale, on the clock
// and not a tick longer, and wakes when it is cancelled.
func TestTimeScale(t *testing.T) {
	for scale, want := range map[float64]time.Duration{0: 0, 0.01: 75 * time.Millisecond, 1: 7500 * time.Millisecond, 2: 15 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			p := mustParse(t, wf(diamond, diamondTimes), workflow.TimeScale(scale)).Plan()
			begin := time.Now()
			out, err := interpret(t.Context(), p, nil)
			if took := time.Since(begin); took != want || err != nil || string(out.(json.RawMessage)) != "null" {
				t.Errorf("scale %v: %s in %s, %v; want %s", scale, out, took, err, want)
			}
			if p.Tasks[1].Weight == 0 {
				t.Errorf("scale %v: no weight", scale)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		p := mustParse(t, wf(diamond, diamondTimes)).Plan()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := p.Tasks[1].Run(ctx, workflow.Inputs{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}

// TestNoTimeAllocates: a task that does not sleep costs no memory.
func TestNoTimeAllocates(t *testing.T) {
	run := mustParse(t, wf(diamond, diamondTimes), workflow.TimeScale(0)).Plan().Tasks[1].Run
	ctx, in := t.Context(), workflow.Inputs{}
	if n := testing.AllocsPerRun(100, func() { _, _ = run(ctx, in) }); n > 0 {
		t.Errorf("a task allocates %v times", n)
	}
}

func TestWfFormatErrors(t *testing.T) {
	two := `{"id": "a", "children": ["b"]}, {"id": "b", "parents": ["a"]}`
	times := `{"id": "a", "runtimeInSeconds": 1}, {"id": "b", "runtimeInSeconds": 1}`
	for _, test := range []struct {
		name, text string
		is         error
		want       string
	}{
		{"broken JSON", `{"workflow": {"specification": {"tasks": [}}}`, workflow.ErrSyntax,
			"f.json:1:43: invalid JSON: invalid character '}' looking for beginning of value: correct the JSON"},
		{"cut off", wf(two, times)[:100], workflow.ErrSyntax,
			"f.json:2:48: the JSON ends too early: correct the JSON"},
		{"wrong type", wf(`{"id": "a", "children": "b"}`, ``), workflow.ErrSyntax,
			"f.json:2:55: workflow.specification.tasks.children is a JSON string, not of the type that belongs here: correct the JSON"},
		{"version", strings.Replace(wf(two, times), "1.5", "1.4", 1), workflow.ErrSyntax,
			"f.json:1:32: schemaVersion is \"1.4\", and only \"1.5\" is understood: convert the file to WfFormat 1.5"},
		{"an older shape", `{"name": "w", "schemaVersion": "1.4", "workflow": {"tasks": [{"name": "a", "runtime": 1}]}}`, workflow.ErrSyntax,
			"f.json:1:32: schemaVersion is \"1.4\", and only \"1.5\" is understood: convert the file to WfFormat 1.5"},
		{"no version", strings.Replace(wf(two, times), `"schemaVersion": "1.5", `, "", 1), workflow.ErrSyntax,
			"f.json:1:1: schemaVersion is \"\", and only \"1.5\" is understood: convert the file to WfFormat 1.5"},
		{"no tasks", wf(``, ``), workflow.ErrNoTasks,
			"f.json:2:28: workflow.specification has no tasks: add at least one task"},
		{"missing id", wf(two+`, {"name": "c"}`, times), workflow.ErrBadName,
			"f.json:2:92: the id of task number 3 is empty: give it a printable name of 1 to 256 bytes without surrounding spaces"},
		{"duplicate id", wf(two+`, {"id": "a", "children": ["b"]}`, times), workflow.ErrDuplicateTask,
			"f.json:2:99: the tasks number 1 and 3 both have the id a: give each task its own id"},
		{"unknown parent", wf(`{"id": "a", "parents": ["b"], "children": ["c"]}`, `{"id": "a", "runtimeInSeconds": 1}`), workflow.ErrUnknownTask,
			"f.json:2:53: parents of task a names the task \"b\", which does not exist: correct the id, or add the task\n" +
				"f.json:2:72: children of task a names the task \"c\", which does not exist: correct the id, or add the task"},
		{"a child that does not know its parent", wf(`{"id": "a", "children": ["b"]}, {"id": "b"}`, times), workflow.ErrSyntax,
			"f.json:2:53: the task a lists b as its child, which does not list it as a parent: correct one of the two lists"},
		{"a parent that does not know its child", wf(`{"id": "a"}, {"id": "b", "parents": ["a"]}`, times), workflow.ErrSyntax,
			"f.json:2:65: the task b lists a as its parent, which does not list it as a child: correct one of the two lists"},
		{"cycle", wf(`{"id": "a", "children": ["b"], "parents": ["b"]}, {"id": "b", "parents": ["a"], "children": ["a"]}`, times), workflow.ErrCycle,
			"f.json:2:36: tasks wait for each other: a -> b -> a: remove one of these dependencies"},
		{"runtimes", wf(two, `{"id": "a", "runtimeInSeconds": -1}, {"id": "b"}, {"id": "b", "runtimeInSeconds": 2}, {"id": "c", "runtimeInSeconds": 1}`), workflow.ErrUnknownTask,
			"f.json:3:25: the task a has a negative runtimeInSeconds: -1: correct the entry\n" +
				"f.json:3:62: the task b has no runtimeInSeconds: correct the entry\n" +
				"f.json:3:75: workflow.execution has the task b twice: correct the entry\n" +
				"f.json:3:111: workflow.execution has a task \"c\", which workflow.specification lacks: correct the entry"},
		{"a long time", wf(two, `{"id": "a", "runtimeInSeconds": 1e300}, {"id": "b", "runtimeInSeconds": 1}`), workflow.ErrSyntax,
			"f.json:3:25: the task a has a runtimeInSeconds beyond 292 years: 1e+300: correct the entry"},
		{"no execution", wf(two, `{"id": "a", "runtimeInSeconds": 1}`), workflow.ErrSyntax,
			"f.json:2:61: workflow.execution lacks the task b: add it with its runtimeInSeconds"},
	} {
		t.Run(test.name, func(t *testing.T) {
			def, err := workflow.Parse([]byte(test.text), workflow.File("f.json"))
			if def != nil || err == nil || err.Error() != test.want {
				t.Fatalf("got\n%v\nwant\n%s", err, test.want)
			}
			if _, ok := errors.AsType[*workflow.SyntaxError](err); !ok || !errors.Is(err, test.is) {
				t.Errorf("%T: Is(%v) = %t", err, test.is, errors.Is(err, test.is))
			}
		})
	}
	if _, err := workflow.ParseWfFormat([]byte(wf(two, times)), workflow.TimeScale(math.NaN())); !errors.Is(err, workflow.ErrBadOption) {
		t.Errorf("TimeScale(NaN): %v", err)
	}
	if _, err := workflow.ParseWfFormat([]byte("tasks: {}")); !errors.Is(err, workflow.ErrSyntax) {
		t.Errorf("YAML as WfFormat: %v", err)
	}
}

// TestLargeTimeScale: a scale that is too large for times that are not is blamed
// itself, and once.
func TestLargeTimeScale(t *testing.T) {
	_, err := workflow.Parse([]byte(wf(diamond, diamondTimes)), workflow.File("f.json"), workflow.TimeScale(1e300))
	want := "f.json:6:25: the time scale 1e+300 makes the task a, which took 1 s, sleep longer than 292 years: give a smaller time scale"
	if !errors.Is(err, workflow.ErrBadOption) || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// instances returns the files of recorded production workflows, which are not
// part of the repository.
func instances(tb testing.TB) []string {
	shared := os.Getenv("RINGMILL_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	dir := filepath.Join(shared, "data", "wfinstances")
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".json" {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		tb.Skipf("no recorded workflows in %s; set RINGMILL_SHARED to the folder that holds data/wfinstances", dir)
	}
	return files
}

// TestInstances: every recorded workflow is read, and its plan says the same as
// the file about tasks, edges and run times.
func TestInstances(t *testing.T) {
	for _, file := range instances(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			def, err := workflow.Parse(data, workflow.File(file), workflow.TimeScale(0))
			if err != nil {
				t.Fatal(err)
			}
			checkPlan(t, def.Plan())
			var raw struct {
				Workflow struct {
					Specification struct {
						Tasks []struct {
							ID      string
							Parents []string
						}
					}
					Execution struct {
						Tasks []struct{ RuntimeInSeconds float64 }
					}
				}
			}
			if err := json.Unmarshal(data, &raw); err != nil {
				t.Fatal(err)
			}
			for i, task := range raw.Workflow.Specification.Tasks {
				var parents []string
				for _, d := range def.Plan().Tasks[i].Deps {
					parents = append(parents, def.Plan().Tasks[d].Name)
				}
				slices.Sort(parents)
				slices.Sort(task.Parents)
				if def.Plan().Tasks[i].Name != task.ID || !slices.Equal(parents, task.Parents) {
					t.Errorf("task %d is %s after %v; the file says %s after %v", i, def.Plan().Tasks[i].Name, parents, task.ID, task.Parents)
				}
			}
			var weights, recorded float64
			for _, task := range def.Plan().Tasks {
				weights += task.Weight.Seconds()
			}
			for _, task := range raw.Workflow.Execution.Tasks {
				recorded += task.RuntimeInSeconds
			}
			if math.Abs(weights-recorded) > 1e-6*recorded {
				t.Errorf("weights add up to %v s, recorded run times to %v s", weights, recorded)
			}
		})
	}
}

// BenchmarkParse reads the largest recorded workflow.
func BenchmarkParse(b *testing.B) {
	var largest []byte
	for _, file := range instances(b) {
		data, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		if len(data) > len(largest) {
			largest = data
		}
	}
	b.SetBytes(int64(len(largest)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := workflow.Parse(largest); err != nil {
			b.Fatal(err)
		}
	}
}
