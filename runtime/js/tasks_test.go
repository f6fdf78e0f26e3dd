package js_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

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
	var console []string
	k.Console = func(source, text string) { console = append(console, source+"|"+text) }
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
	if err != nil || out != "10" || len(console) != 1 || console[0] != "script|seen 4\n" {
		t.Errorf("%s, %v, console %q", out, err, console)
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
