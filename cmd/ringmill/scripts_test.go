package main_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// withEngine is a command that has the JavaScript engine; without one the test is
// skipped.
func withEngine(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	engine, err := filepath.Abs("../../runtime/js/engine.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(engine); err != nil {
		t.Skip("the JavaScript engine was not fetched: run make js-engine, which needs npm")
	}
	cmd := command(t, args...)
	cmd.Env = append(cmd.Env, "RINGMILL_JS_ENGINE="+engine)
	return cmd
}

const scripted = `
name: scripted
tasks:
  a:
    js: |
      console.log('first', ctx.attempt)
      if (ctx.attempt === 1) throw new Error('again')
      console.warn('é'.repeat(3))
      return 4
    retry: {max: 2, backoff: 0s}
  b: {js: 'console.log("not this"); return 1', when: {js: 'console.log("asked"); return input > 4', with: "${{ tasks.a.output }}"}}
  c: {workflow: {tasks: {x: {js: 'console.log("below"); return 3'}}, output: "${{ tasks.x.output }}"}}
`

// TestScriptConsole: what scripts write is part of the task's record.
func TestScriptConsole(t *testing.T) {
	cmd := withEngine(t, "run", "wf.yaml", "--json", "--count", "2")
	write(t, cmd, "wf.yaml", scripted)
	r := finish(t, cmd)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
	for _, o := range objects(t, r.stdout) {
		want := []string{"first 1\nfirst 2\nwarn: ééé\n", "asked\n", "below\n"}
		for i, task := range o.Tasks {
			if task.Console == nil || task.Console.Text != want[i] || task.Console.Truncated {
				t.Errorf("task %s: console %+v, want %q", task.Name, task.Console, want[i])
			}
		}
		if o.Tasks[1].Status != "skipped" {
			t.Errorf("task b %s, want skipped by its condition", o.Tasks[1].Status)
		}
	}
	cmd = withEngine(t, "run", "wf.yaml", "--json", "--run-id", "orders/17")
	write(t, cmd, "wf.yaml", scripted)
	for i, task := range objects(t, finish(t, cmd).stdout)[0].Tasks {
		if want := []string{"first 1\nfirst 2\nwarn: ééé\n", "asked\n", "below\n"}[i]; task.Console == nil || task.Console.Text != want {
			t.Errorf("an id with a slash: task %s: console %+v, want %q", task.Name, task.Console, want)
		}
	}
	cmd = withEngine(t, "run", "wf.yaml")
	write(t, cmd, "wf.yaml", scripted)
	r = finish(t, cmd)
	for _, line := range []string{"a: first 1\n", "a: first 2\na: warn: ééé\n", "b: asked\n", "x: below\n"} {
		if r.code != 0 || !strings.Contains(r.stderr, line) {
			t.Errorf("no %q in %+v", line, r)
		}
	}
	cmd = withEngine(t, "run", "wf.yaml", "--json")
	write(t, cmd, "wf.yaml", `tasks: {a: {js: 'for (let i = 0; i < 5000; i++) console.log("x".repeat(100)); return 1', foreach: [1, 2, 3]}}`)
	if o := objects(t, finish(t, cmd).stdout)[0]; len(o.Tasks[0].Console.Text) > 64<<10 || !o.Tasks[0].Console.Truncated {
		t.Errorf("%d bytes of console, truncated %t", len(o.Tasks[0].Console.Text), o.Tasks[0].Console.Truncated)
	}
}

// TestScriptConsoleBelow: the console of a task below belongs to the task of the file
// that it is part of, whose name may have slashes.
func TestScriptConsoleBelow(t *testing.T) {
	cmd := withEngine(t, "run", "wf.yaml", "--json")
	write(t, cmd, "wf.yaml", `
tasks:
  mail/send: {workflow: {tasks: {x/y: {js: 'console.log("one"); return 1'}}, output: "${{ tasks['x/y'].output }}"}}
  mail: {workflow: {tasks: {x: {js: 'console.log("two"); return 1'}}, output: "${{ tasks.x.output }}"}}
  mail/send/all: {js: 'console.log("three"); return 1'}
`)
	r := finish(t, cmd)
	if r.code != 0 {
		t.Fatalf("%+v", r)
	}
	want := map[string]string{"mail/send": "one\n", "mail": "two\n", "mail/send/all": "three\n"}
	for _, task := range objects(t, r.stdout)[0].Tasks {
		if task.Console == nil || task.Console.Text != want[task.Name] {
			t.Errorf("task %s: console %+v, want %q", task.Name, task.Console, want[task.Name])
		}
	}
}

// TestScriptsUnchecked: a program without the engine says that it has not checked the
// scripts of a file, also those of conditions and below, and only then.
func TestScriptsUnchecked(t *testing.T) {
	r := ringmill(t, scripted, "validate", "wf.yaml")
	if r.code != 0 || !strings.HasPrefix(r.stdout, "wf.yaml: ok: ") || !strings.HasSuffix(r.stdout, ", 4 scripts not checked\n") ||
		!strings.HasPrefix(r.stderr, "ringmill: 4 scripts not checked: this program was built without JavaScript: run 'make build' ") {
		t.Errorf("%+v", r)
	}
	if r := ringmill(t, scripted, "validate", "wf.yaml", "--json"); r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, `"problems":[],"unchecked_scripts":4}`) {
		t.Errorf("%+v", r)
	}
	if r := ringmill(t, scripted+"  d: {cmd: [x], needs: [gone]}\n", "validate", "wf.yaml"); r.code != 2 || !strings.Contains(r.stderr, "4 scripts not checked") {
		t.Errorf("%+v", r)
	}
	if r := ringmill(t, "tasks: {a: {js: {file: gone.js}}, b: {js: return 1}}\n", "validate", "wf.yaml"); r.code != 2 || !strings.Contains(r.stderr, "gone.js: no such file") || !strings.HasPrefix(r.stderr, "ringmill: 1 script not checked: ") {
		t.Errorf("with a script that is not there: %+v", r)
	}
	if r := ringmill(t, ok, "validate", "wf.yaml"); r.code != 0 || r.stderr != "" {
		t.Errorf("without scripts: %+v", r)
	}
	cmd := withEngine(t, "validate", "wf.yaml")
	write(t, cmd, "wf.yaml", scripted)
	if r := finish(t, cmd); r.code != 0 || r.stderr != "" || strings.Contains(r.stdout, "not checked") {
		t.Errorf("with an engine: %+v", r)
	}
}

// TestScriptMetrics: runs with scripts show their engine's metrics, others have none.
func TestScriptMetrics(t *testing.T) {
	const wait = `cmd: [sh, -c, "until [ -e go ]; do sleep 0.02; done"]`
	for workflow, has := range map[string]bool{
		"tasks: {wait: {" + wait + "}}": false,
		"tasks: {a: {js: return 1}, wait: {" + wait + `, with: "${{ tasks.a.output }}"}}`: true,
	} {
		cmd := withEngine(t, "run", "wf.yaml", "--metrics", "127.0.0.1:0", "--json")
		write(t, cmd, "wf.yaml", workflow)
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(stderr)
		line, err := lines.ReadString('\n')
		url, ok := strings.CutPrefix(strings.TrimSpace(line), "ringmill: metrics on ")
		if err != nil || !ok {
			t.Fatalf("standard error begins with %q, %v", line, err)
		}
		text := get(t, url)
		if strings.Contains(text, "\nringmill_js_calls_total ") != has || strings.Contains(text, "\nringmill_js_run_seconds_count ") != has {
			t.Errorf("%s: %d bytes of metrics, want those of the engine: %t", workflow, len(text), has)
		}
		write(t, cmd, "go", "")
		rest, _ := io.ReadAll(lines)
		if err := cmd.Wait(); err != nil || len(rest) > 0 {
			t.Errorf("%v, standard error goes on with %q", err, rest)
		}
	}
}

// TestScriptFailure: the class and the author's place are told.
func TestScriptFailure(t *testing.T) {
	for source, want := range map[string][2]string{
		`ts: "type T = number\nconst x: any = null\nreturn x.y"`: {"script", "script:3:"},
		`js: "const a = []; for (;;) a.push('x'.repeat(1e6))"`:   {"oom", "out of memory"},
	} {
		cmd := withEngine(t, "run", "wf.yaml", "--json")
		write(t, cmd, "wf.yaml", "tasks:\n  a:\n    "+source)
		r := finish(t, cmd)
		if r.code != 1 {
			t.Fatalf("%+v", r)
		}
		o := objects(t, r.stdout)[0]
		if e := o.Error; e == nil || e.Class != want[0] || !strings.Contains(e.Message, want[1]) || e.Task != "a" {
			t.Errorf("%s: %+v, want class %s and %s", source, e, want[0], want[1])
		}
		if e := o.Tasks[0].Error; e == nil || !strings.Contains(*e, want[1]) {
			t.Errorf("%s: of the task %v, want %s", source, e, want[1])
		}
	}
}

// TestScriptConditionFiles: validate and graph know conditions, the schema too.
func TestScriptConditionFiles(t *testing.T) {
	cmd := withEngine(t, "validate", "wf.yaml")
	write(t, cmd, "wf.yaml", scripted)
	if r := finish(t, cmd); r.code != 0 {
		t.Errorf("%+v", r)
	}
	cmd = withEngine(t, "validate", "wf.yaml")
	write(t, cmd, "wf.yaml", "tasks:\n  a:\n    js: return 1\n    when: {js: 'input >'}\n")
	if r := finish(t, cmd); r.code != 2 || !strings.Contains(r.stderr, "wf.yaml:4:") || !strings.Contains(r.stderr, "SyntaxError") {
		t.Errorf("%+v", r)
	}
	cmd = withEngine(t, "graph", "wf.yaml", "--format", "mermaid")
	write(t, cmd, "wf.yaml", scripted)
	if r := finish(t, cmd); r.code != 0 || !strings.Contains(r.stdout, "t0 --> t1") {
		t.Errorf("an edge of a condition's with is missing: %+v", r)
	}
	if r := finish(t, command(t, "schema")); r.code != 0 || !strings.Contains(r.stdout, "What the condition is given") {
		t.Errorf("the schema has no conditions: %s", r.stdout)
	}
}

// TestEngineStartsForScriptsOnly: a file without scripts does not look for the engine,
// one with a script says what to do, and all files can be checked without it.
func TestEngineStartsForScriptsOnly(t *testing.T) {
	for file, want := range map[string]string{
		"tasks: {a: {cmd: [echo, hi]}}": "",
		"tasks: {a: {js: return 1}}":    "RINGMILL_JS_ENGINE",
	} {
		cmd := command(t, "run", "wf.yaml")
		cmd.Env = append(cmd.Env, "RINGMILL_JS_ENGINE=nowhere.wasm")
		write(t, cmd, "wf.yaml", file)
		if r := finish(t, cmd); (r.code == 0) != (want == "") || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v", file, r)
		}
	}
	const script = "tasks: {a: {js: return 1, when: {js: 'true'}}}" // the binary was built without it
	for _, args := range [][]string{{"validate", "wf.yaml"}, {"graph", "wf.yaml"}} {
		if r := ringmill(t, script, args...); r.code != 0 {
			t.Errorf("%v: %+v", args, r)
		}
	}
	r := ringmill(t, script, "run", "wf.yaml")
	for _, text := range []string{"make build (needs npm)", "RINGMILL_JS_ENGINE", "js.Config.Module"} {
		if r.code != 1 || !strings.Contains(r.stderr, text) {
			t.Errorf("%q is not in %+v", text, r)
		}
	}
	load := []string{"loadgen", "run", "--workflow", "wf.yaml", "--concurrency", "1", "--count", "5", "--live", "off"}
	if r := ringmill(t, script, load...); r.code != 2 || !strings.Contains(r.stderr, "--workflow: js: the JavaScript engine is not part") {
		t.Errorf("a load of scripts without the engine: %+v", r)
	}
	if r := ringmill(t, script, append(load, "--work", "1us")...); r.code != 0 {
		t.Errorf("a load in place of the scripts: %+v", r)
	}
}

// TestLoadgenScript: one script is a workload, as are files with scripts.
func TestLoadgenScript(t *testing.T) {
	const code = "export default (input, ctx) => ({ sum: input.n.reduce((a, b) => a + b, 0), task: ctx.task })"
	for _, name := range []string{"js:lib/sum.js", "ts:lib/sum.js", "wf.yaml"} {
		cmd := withEngine(t, "loadgen", "run", "--workflow", name, "--input", `{"n": [1, 2, 3]}`, "--concurrency", "4", "--count", "200", "--duration", "20s", "--threshold", "errors<=0%", "--live", "off")
		if err := os.Mkdir(filepath.Join(cmd.Dir, "lib"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, cmd, "lib/sum.js", code)
		write(t, cmd, "wf.yaml", "tasks: {a: {js: {file: lib/sum.js}, with: '${{ input }}', when: {js: 'input.n.length'}}}")
		if r := finish(t, cmd); r.code != 0 || !strings.Contains(r.stdout, "200") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	cmd := withEngine(t, "loadgen", "run", "--workflow", "js:bad.js", "--concurrency", "1", "--count", "1")
	write(t, cmd, "bad.js", "const = 1")
	if r := finish(t, cmd); r.code != 2 || !strings.Contains(r.stderr, "bad.js:1:7: SyntaxError") {
		t.Errorf("%+v", r)
	}
	for args, want := range map[string]string{"js:": "want js:FILE", "js:gone.js": "--workflow: gone.js: no such file or directory: check the path\n"} {
		cmd := withEngine(t, "loadgen", "run", "--workflow", args, "--concurrency", "1", "--count", "1")
		if r := finish(t, cmd); r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v", args, r)
		}
	}
	r, _ := runLoadgen(t, "run", "--workflow", "js:x.js", "--concurrency", "1", "--count", "1")
	if r.code == 0 || !strings.Contains(r.stderr, "make build") {
		t.Errorf("without the engine: %+v", r)
	}
}

// TestTypeScriptWithoutEnd: a source that the compiler does not come to an end with is refused
// in time, and the program ends.
func TestTypeScriptWithoutEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the compiler's 5 s")
	}
	cmd := withEngine(t, "validate", "wf.yaml")
	write(t, cmd, "wf.yaml", "tasks: {a: {ts: {file: a.ts}}}")
	write(t, cmd, "a.ts", "const x: any = "+strings.Repeat("a ? (b) : c => ", 60)+"d"+strings.Repeat(" : e", 60)+"\nreturn x")
	if r := finish(t, cmd); r.code > 2 {
		t.Errorf("%+v", r)
	}
	cmd = withEngine(t, "run", "wf.yaml", "--json")
	write(t, cmd, "wf.yaml", "tasks: {a: {ts: {file: a.ts}, timeout: 20s}}")
	write(t, cmd, "a.ts", "const x: any = "+strings.Repeat("a ? (b) : c => ", 60)+"d"+strings.Repeat(" : e", 60)+"\nreturn x")
	r := finish(t, cmd)
	if r.code != 1 || objects(t, r.stdout)[0].Error.Class != "timeout" {
		t.Errorf("%+v", r)
	}
}
