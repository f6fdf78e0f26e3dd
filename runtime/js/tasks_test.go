package js_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/js"
	"github.com/ringmill/ringmill/runtime/workflow"
)

func tasks(t *testing.T, config js.Config, files map[string]string) *js.Tasks {
	t.Helper()
	if config.CacheDir == "" {
		config.CacheDir = cacheDir
	}
	k := js.NewTasks(config, func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	})
	t.Cleanup(func() {
		if err := k.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return k
}

func execute(t *testing.T, k *js.Tasks, definition, input string) (string, error) {
	t.Helper()
	def, err := workflow.ParseYAML([]byte(definition), workflow.Kinds(k.Kinds()...))
	if err != nil {
		return "", err
	}
	rt, err := runtime.New(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	out, err := runtime.Execute(t.Context(), rt, def, json.RawMessage(input))
	return string(out), err
}

func TestTasks(t *testing.T) {
	_ = engine(t, js.Config{})
	k := tasks(t, js.Config{}, map[string]string{"lib/double.ts": "export default (n: number): number => n * 2"})
	var console []js.ConsoleOutput
	k.Console = func(c js.ConsoleOutput) { console = append(console, c) }
	out, err := execute(t, k, `
tasks:
  one:
    js: |
      console.log('seen', input.n)
      return input.n + 1
    with: ${{ input }}
  two:
    ts: {file: lib/double.ts}
    with: ${{ tasks.one.output }}
output: ${{ tasks.two.output }}`, `{"n":4}`)
	if err != nil || out != "10" || len(console) != 1 {
		t.Fatalf("%s, %v, console %+v", out, err, console)
	}
	if c := console[0]; c.Source != "script" || c.Text != "seen 4\n" || c.Task != "one" || c.Workflow != "definition" || c.RunID == "" || c.Attempt != 1 || c.Item != -1 || c.Condition || c.Truncated {
		t.Errorf("console %+v", c)
	}
	for definition, text := range map[string]string{
		"tasks: {a: {js: 'const = 1'}}":           "js: script:1:7: SyntaxError",
		"tasks: {a: {ts: {file: gone.ts}}}":       "file does not exist",
		"tasks: {a: {js: {path: x}}}":             "js",
		"tasks: {a: {js: 'return ${{ input }}'}}": "taken for code",
		"tasks: {a: {js: 'throw new Error(1)'}}":  "js: script:1:11: Error: 1",
	} {
		if _, err := execute(t, k, definition, "null"); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want %s", definition, err, text)
		}
	}
	_, err = execute(t, k, "tasks: {a: {js: 'for (;;);', timeout: 50ms}}", "null")
	if failed, ok := errors.AsType[*js.Error](err); !ok || failed.Class != js.ClassTimeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a task's own timeout: %v", err)
	}
}

// TestTaskContext: a script learns which task it is.
func TestTaskContext(t *testing.T) {
	_ = engine(t, js.Config{})
	k := tasks(t, js.Config{}, nil)
	out, err := execute(t, k, `
name: w
tasks:
  a: {js: 'if (ctx.attempt < 3) throw new Error("again"); return [ctx.workflow, ctx.task, ctx.attempt, typeof ctx.runId, ctx.item === undefined]', retry: {max: 3, backoff: 0s}}
  b: {js: 'return [input, ctx.item]', foreach: [x, y], limit: 1}
  c: {ts: 'return 1', when: {ts: '(ctx as any).task === "c" && (input as any).n === 7'}}`, `{"n":7}`)
	if want := `{"a":["w","a",3,"string",true],"b":[["x",0],["y",1]],"c":1}`; err != nil || out != want {
		t.Errorf("%s, %v; want %s", out, err, want)
	}
}

// TestWhen: conditions in JavaScript choose tasks of every kind, are asked once, and
// skip or fail the task.
func TestWhen(t *testing.T) {
	_ = engine(t, js.Config{})
	k := tasks(t, js.Config{Limits: js.Limits{ConditionTimeout: 100 * time.Millisecond}}, map[string]string{"c.js": "export default async ({n}) => { await null; return n > 5 }"})
	var mu sync.Mutex
	asked := 0
	k.Console = func(c js.ConsoleOutput) {
		mu.Lock()
		defer mu.Unlock()
		if c.Condition {
			asked++
		}
	}
	for _, c := range []struct{ definition, input, want string }{
		{`tasks: {a: {js: 'return 1', when: {js: 'input.n > 5'}}}`, `{"n":6}`, `{"a":1}`},
		{`tasks: {a: {js: 'return 1', when: {js: 'input.n > 5'}}}`, `{"n":5}`, `{"a":null}`},
		{`tasks: {a: {js: 'return 1', when: {js: {file: c.js}}}}`, `{"n":6}`, `{"a":1}`},
		{`tasks: {a: {js: 'return 1', when: {js: {file: c.js}}}}`, `{"n":0}`, `{"a":null}`},
		{`tasks: {a: {js: 'return 4'}, b: {cmd: [echo, ran], when: {js: 'input === 4', with: "${{ tasks.a.output }}"}}}`, `null`, `{"b":"ran"}`},
		{`tasks: {a: {js: 'return 4'}, b: {cmd: [echo, ran], when: {ts: 'const n: number = input as number; return n === 5', with: "${{ tasks.a.output }}"}}}`, `null`, `{"b":null}`},
		{`tasks: {a: {js: 'return input', foreach: [1, 2], when: {js: 'input'}}}`, `true`, `{"a":[1,2]}`},
		{`tasks: {a: {js: 'return input', foreach: [1, 2], when: {js: 'input'}}}`, `0`, `{"a":null}`},
		{`tasks: {a: {workflow: {tasks: {x: {js: 'return 3'}}, output: "${{ tasks.x.output }}"}, when: {js: '"yes"'}}}`, `null`, `{"a":3}`},
		{`tasks: {a: {workflow: {tasks: {x: {js: 'return 3'}}}, when: {js: 'undefined'}}}`, `null`, `{"a":null}`},
		{`tasks: {a: {js: 'return 1', when: {js: 'false'}}, b: {js: 'return 2', needs: [a]}, c: {js: 'return 3', needs: [a], trigger: all_done}}`, `null`, `{"b":null,"c":3}`},
		{`tasks: {a: {js: 'return 1', when: {js: 'throw new Error("x")'}, may_fail: true}, c: {js: 'return 3', needs: [a], trigger: all_done}}`, `null`, `{"c":3}`},
		{`tasks: {a: {js: 'return 1', task_timeout: 10s, timeout: 5s, retry: {max: 2}, heartbeat: 5s, when: {js: 'await new Promise(r => setTimeout(r, 20)); return true'}}}`, `null`, `{"a":1}`},
		{`tasks: {a: {js: 'if (ctx.attempt < 3) throw 1; return 1', retry: {max: 3, backoff: 0s}, when: {js: 'console.log("asked"); return true'}}}`, `null`, `{"a":1}`},
	} {
		out, err := execute(t, k, c.definition, c.input)
		if err != nil || out != c.want {
			t.Errorf("%s of %s: %s, %v; want %s", c.definition, c.input, out, err, c.want)
		}
	}
	if asked != 1 {
		t.Errorf("a condition of a task with three attempts was asked %d times, want once", asked)
	}
	for definition, text := range map[string]string{
		`tasks: {a: {js: 'return 1', when: {js: 'throw new Error("no")'}}}`:     "when: js: script:1:11: Error: no",
		`tasks: {a: {js: 'return 1', when: {js: 'for (;;);'}}}`:                 "when: js: script: stopped: it ran longer than its limit of 100ms",
		`tasks: {a: {js: 'return 1', when: {js: 'input +'}}}`:                   "1:40",
		`tasks: {a: {js: 'return 1', when: {js: '1', ts: '2'}}}`:                "when has 2 conditions",
		`tasks: {a: {js: 'return 1', when: {with: 1}}}`:                         "when has 0 conditions",
		`tasks: {a: {js: 'return 1', when: {jss: '1'}}}`:                        `did you mean "js"`,
		`tasks: {a: {js: 'return 1', when: {js: '${{ input }} > 1'}}}`:          "taken for code",
		`tasks: {a: {js: 'return 1', when: {js: '1', with: "${{ tasks.b }}"}}}`: "b",
		`tasks: {a: {js: 'return 1', when: {js: {path: x}}}}`:                   "js.file is missing",
	} {
		if _, err := execute(t, k, definition, "null"); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want %s", definition, err, text)
		}
	}
	_, err := execute(t, k, `tasks: {a: {js: 'return 1', when: {js: 'for (;;);'}}}`, "null")
	if failed, ok := errors.AsType[*js.Error](err); !ok || failed.Class != js.ClassTimeout {
		t.Errorf("a condition without end: %v", err)
	}
	if _, err := workflow.ParseYAML([]byte(`tasks: {a: {cmd: [echo], when: {js: '1'}}}`)); err == nil || !strings.Contains(err.Error(), "no kind of conditions is enabled") {
		t.Errorf("without the kinds: %v", err)
	}
	text, err := workflow.Schema(k.Kinds()...)
	if err != nil || !strings.Contains(string(text), "What the condition is given") {
		t.Errorf("the schema has no conditions: %v", err)
	}
}

// TestHandlers: Go programs call scripts as they call functions.
func TestHandlers(t *testing.T) {
	e := engine(t, js.Config{})
	type order struct{ Price, N int }
	total := js.Func[order, int](e, compile(t, e, "return input.Price * input.N"))
	dear, err := e.Compile(t.Context(), js.Source{Code: "input > 100", Condition: true})
	if err != nil {
		t.Fatal(err)
	}
	b := workflow.New[order]("w")
	sum := workflow.Task(b, "sum", total, b.Input())
	say := workflow.Task(b, "say", func(context.Context, int) (string, error) { return "dear", nil }, sum, workflow.WhenAsk(sum, js.Condition[int](e, dear)))
	def, err := workflow.Build(b, say)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := runtime.New(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rt.Stop(context.Background()) }()
	for n, want := range map[int]string{5: "", 50: "dear"} {
		if got, err := runtime.Execute(t.Context(), rt, def, order{10, n}); err != nil || got != want {
			t.Errorf("%d: %q, %v; want %q", n, got, err, want)
		}
	}
	text := js.Func[int, string](e, compile(t, e, "return input"))
	if _, err := text(t.Context(), 4); js.ClassOf(err) != js.ClassScript || !strings.Contains(err.Error(), "string") {
		t.Errorf("a number as a string: %v", err)
	}
}

// TestTasksWithoutEngine: files are read, tasks fail and say what to do.
func TestTasksWithoutEngine(t *testing.T) {
	if _, err := os.Stat("engine.wasm"); err == nil {
		if e, err := js.New(js.Config{}); err == nil {
			_ = e.Close(t.Context())
			t.Skip("the engine is built in")
		}
	}
	k := tasks(t, js.Config{}, nil)
	_, err := execute(t, k, "tasks: {a: {js: 'return 1', retry: {max: 3}}}", "null")
	if !errors.Is(err, js.ErrNoEngine) || !strings.Contains(err.Error(), "make build") || !strings.Contains(err.Error(), "attempt 1:") {
		t.Errorf("without the engine: %v", err)
	}
}
