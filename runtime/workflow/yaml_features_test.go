package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/limit"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

var errOdd = errors.New("odd")

// funcs are what the tests' files call.
var funcs = workflow.Funcs(map[string]workflow.Func{
	"Double": workflow.FuncOf(func(_ context.Context, n int) (int, error) { return 2 * n, nil }),
	"Even": workflow.FuncOf(func(_ context.Context, n int) (int, error) {
		if n%2 == 1 {
			return 0, errOdd
		}
		return n, nil
	}),
	"Echo": func(_ context.Context, in json.RawMessage) (any, error) { return in, nil },
	"Fail": func(context.Context, json.RawMessage) (any, error) { return nil, errOdd },
})

// TestYAMLFeatures: what the format can say does what it says.
func TestYAMLFeatures(t *testing.T) {
	t.Setenv("RINGMILL_TEST", "mill")
	for _, test := range []struct{ name, text, input, want string }{
		{"expressions", `tasks: {a: {go: Echo, with: {sum: "${{ input.n + 1 }}", text: "n=${{ input.n }}, ${{ input.list }}", home: "${{ env.RINGMILL_TEST }}", run: "${{ run.id }}/${{ run.workflow }}", none: "${{ input.x ?? 'd' }}", big: "${{ input.big }}"}}}`,
			`{"n": 2, "list": [1,  2], "big": 12345678901234567890}`,
			`{"a":{"sum":3,"text":"n=2, [1,2]","home":"mill","run":"r-1/w","none":"d","big":12345678901234567890}}`},
		{"mixed argument", `tasks: {a: {cmd: [echo, "x=${{ input.n * 2 }}-${{ input.s }}"]}}`, `{"n": 2, "s": "b"}`, `{"a":"x=4-b"}`},
		{"expression output", "tasks: {a: {go: Double, with: 4}}\noutput: {more: \"${{ tasks.a.output > 7 }}\", text: \"a=${{ tasks.a.output }}\"}", `null`, `{"more":true,"text":"a=8"}`},
		{"JSON of a command", "tasks: {a: {cmd: [echo, '{\"x\": [1, 2]}']}}\noutput: ${{ fromJSON(tasks.a.output).x[1] }}", `null`, `2`},
		{"foreach", `tasks: {a: {go: Double, foreach: "${{ input }}"}}`, `[1, 2, 3]`, `{"a":[2,4,6]}`},
		{"foreach over nothing", `tasks: {a: {go: Double, foreach: []}}`, `null`, `{"a":[]}`},
		{"foreach with", `tasks: {a: {go: Echo, foreach: [x, "${{ input.y }}"], with: "${{ index }}${{ item }}"}}`, `{"y": "z"}`, `{"a":["0x","1z"]}`},
		{"foreach cmd", `tasks: {a: {cmd: [echo, "${{ item.k }}"], foreach: "${{ input }}"}}`, `[{"k": "v"}]`, `{"a":["v"]}`},
		{"keep_errors", `tasks: {a: {go: Even, foreach: [1, 2], keep_errors: true}}`, `null`, `{"a":[{"output":null,"error":"odd"},{"output":2,"error":null}]}`},
		{"when", `tasks: {a: {go: Double, with: 1, when: "${{ input > 1 }}"}, b: {go: Double, with: "${{ tasks.a.output }}"}, c: {go: Echo, with: "${{ tasks.a.status }}", trigger: all_done}, d: {go: Echo, with: 1, when: false}}`, `1`, `{"b":null,"c":"skipped","d":null}`},
		{"when true", `tasks: {a: {go: Double, with: 1, when: "${{ input > 1 }}"}}`, `2`, `{"a":2}`},
		{"may_fail", `tasks: {a: {go: Fail, may_fail: true}, b: {go: Echo, with: ["${{ tasks.a.status }}", "${{ tasks.a.error }}", "${{ tasks.a.output }}"], trigger: all_done}}`, `null`, `{"b":["failed","odd",null]}`},
		{"fallback", `tasks: {a: {go: Fail, may_fail: true}, b: {go: Echo, with: ok}, c: {go: Echo, with: "${{ tasks.a.output ?? tasks.b.output }}", trigger: any_succeeded}}`, `null`, `{"c":"ok"}`},
		{"switch", `tasks: {s: {switch: "${{ input }}", cases: {x: [a], y: [b, c]}, default: [d]}, a: {go: Echo, with: a}, b: {go: Echo, with: b}, c: {go: Echo, with: c}, d: {go: Echo, with: d}}`, `"y"`, `{"a":null,"b":"b","c":"c","d":null}`},
		{"switch by number", `tasks: {s: {switch: "${{ input }}", cases: {1: [a]}, default: [d]}, a: {go: Echo, with: a}, d: {go: Echo, with: d}}`, `1`, `{"a":"a","d":null}`},
		{"switch default", `tasks: {s: {switch: "${{ input }}", cases: {x: [a]}, default: [d]}, a: {go: Echo, with: a}, d: {go: Echo, with: d, when: "${{ input != 'q' }}"}}`, `"z"`, `{"a":null,"d":"d"}`},
		{"repeat", `tasks: {a: {go: Double, with: "${{ previous ?? 1 }}", repeat: {until: "${{ output > 10 and iteration == 3 }}", max: 9}}}`, `null`, `{"a":16}`},
		{"workflow", `tasks: {a: {workflow: {input: {type: integer}, tasks: {x: {go: Double, with: "${{ input }}"}}, output: "${{ tasks.x.output }}"}, with: "${{ input + 1 }}"}, b: {go: Double, with: "${{ tasks.a.output }}"}}`, `2`, `{"b":12}`},
		{"workflow foreach", `tasks: {a: {workflow: {tasks: {x: {go: Double, with: "${{ input }}"}}, output: "${{ tasks.x.output }}"}, foreach: [1, 2]}}`, `null`, `{"a":[2,4]}`},
		{"go without with", `tasks: {a: {go: Echo}}`, `7`, `{"a":null}`},
		{"loops in expressions", `tasks: {a: {go: Echo, with: "${{ map(filter(input, .ok), ({id: .id, n: #index})) }}"}}`, `[{"id": "a", "ok": true}, {"id": "b", "ok": false}]`, `{"a":[{"id":"a","n":0}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			def := mustParse(t, test.text, workflow.File("w.yaml"), funcs)
			out, r, err := execute(t.Context(), def.Plan(), json.RawMessage(test.input))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(out.(json.RawMessage)); got != test.want {
				t.Errorf("got  %s\nwant %s (%v)", got, test.want, r.status)
			}
		})
	}
}

// TestYAMLFeatureFailures: what goes wrong in a run is told with the expression,
// and is not tried again.
func TestYAMLFeatureFailures(t *testing.T) {
	for _, test := range []struct{ text, input, want string }{
		{`tasks: {a: {go: Echo, when: "${{ input.n }}"}}`, `{"n": 1}`, "task a: workflow: expression: ${{ input.n }}: it is a number, not true or false: compare it with something"},
		{`tasks: {a: {go: Echo, with: "${{ input.n + 'a' }}"}}`, `{"n": 1}`, "task a: workflow: expression: ${{ input.n + 'a' }}: invalid operation: int + string"},
		{`tasks: {a: {go: Echo, with: "${{ input.m + 1 }}"}}`, `{"n": 1}`, `task a: workflow: no value: ${{ input.m }}: there is no "m"`},
		{`tasks: {a: {go: Echo, with: "${{ env.RINGMILL_NOT_SET }}"}}`, `{}`, "task a: workflow: no value: ${{ env.RINGMILL_NOT_SET }}: the variable is not set: set it, or give a default with ??"},
		{`tasks: {a: {go: Echo, with: "x${{ input.n }}"}}`, `{"n": null}`, "task a: workflow: no value: ${{ input.n }} is null, which cannot be part of a text: give a default with ??"},
		{`tasks: {a: {go: Echo, foreach: "${{ input }}"}}`, `{}`, "task a: workflow: bad input: foreach of task a is an object: give a list"},
		{`tasks: {a: {go: Double, with: x}}`, `{}`, "task a: workflow: bad input: the task's input: json: cannot unmarshal string into Go value of type int"},
		{`tasks: {a: {go: Echo, with: "${{ 1..100000000 }}"}}`, `{}`, "task a: workflow: expression: ${{ 1..100000000 }}: memory budget exceeded"},
	} {
		def := mustParse(t, test.text, funcs)
		_, _, err := execute(t.Context(), def.Plan(), json.RawMessage(test.input))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.text, err, test.want)
		} else if !retry.IsPermanent(err) {
			t.Errorf("%s: would be tried again", test.text)
		}
	}
}

// TestYAMLCompensate: what succeeded is undone in reverse order, with its result.
func TestYAMLCompensate(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	def := mustParse(t, `
on_failure: continue
compensate_timeout: 5s
tasks:
  a: {go: Double, with: 1, compensate: {cmd: [sh, -c, 'echo "$1 $2" >> "$0"', "${{ input.log }}", "a", "${{ output }}"]}}
  b: {go: Double, with: "${{ tasks.a.output }}", compensate: {go: Fail}}
  c: {go: Fail, needs: [b]}
  d: {go: Double, with: 8}
  e: {go: Echo, needs: [c]}
`, funcs)
	p := def.Plan()
	if p.CompensateTimeout != 5*time.Second || p.OnFailure != workflow.Continue {
		t.Errorf("timeout %s, on failure %s", p.CompensateTimeout, p.OnFailure)
	}
	_, r, err := execute(t.Context(), p, json.RawMessage(fmt.Sprintf(`{"log": %q}`, log)))
	if !errors.Is(err, errOdd) || strings.Join(r.undone, " ") != "b a" || r.statusOf("d") != workflow.StatusSucceeded || r.statusOf("e") != workflow.StatusSkipped {
		t.Errorf("%v, undone %v, %v", err, r.undone, r.status)
	}
	if text, _ := os.ReadFile(log); string(text) != "a 2\n" {
		t.Errorf("log %q", text)
	}
}

// TestYAMLPolicies: policies go into the plan, declared in the file or given by the
// program.
func TestYAMLPolicies(t *testing.T) {
	own, _ := breaker.New(breaker.Config{Name: "own"})
	def := mustParse(t, `
timeout: 1m
breakers: {api: {failures: 2, failure_rate: 0.5, window: 20, open_for: 1s, trials: 2}}
rate_limits: {api: {per_second: 10, burst: 2, max_wait: 1s}}
concurrency_limits: {db: 3}
tasks:
  a: {go: Echo, breaker: api, rate_limit: api, concurrency: {limit: db, key: "u-${{ input.user }}"}, priority: high, heartbeat: 2s, inline: true, limit: 2, foreach: [1]}
  b: {go: Echo, breaker: own, concurrency: db, cache: {ttl: 1m, key: "${{ input.user }}"}}
`, funcs, workflow.Breakers(map[string]workflow.CircuitBreaker{"own": own}))
	p := def.Plan()
	a, b := p.Tasks[0], p.Tasks[1]
	if p.Timeout != time.Minute || a.Level != workflow.High || a.Heartbeat != 2*time.Second || !a.Inline || a.Limit != 2 {
		t.Errorf("%+v", a)
	}
	in := workflow.Inputs{Input: json.RawMessage(`{"user": "ada"}`)}
	if key, err := a.Concurrency.Key(in); key != "u-ada" || err != nil {
		t.Error(key, err)
	}
	if key, err := b.Cache.Key(in); key != "ada" || err != nil || b.Cache.TTL != time.Minute {
		t.Error(key, err)
	}
	if b.Breaker != own || b.Concurrency.Key != nil || b.Concurrency.Limit != a.Concurrency.Limit {
		t.Error("policies are not shared")
	}
	if br, ok := a.Breaker.(*breaker.Breaker); !ok || br.Name() != "api" {
		t.Errorf("breaker %v", a.Breaker)
	}
	if _, ok := a.RateLimit.(*limit.Rate); !ok {
		t.Errorf("rate limit %v", a.RateLimit)
	}
}

// TestYAMLCacheKey: the default key tells apart what a task reads, and nothing
// else.
func TestYAMLCacheKey(t *testing.T) {
	key := func(text, input string, results ...string) string {
		t.Helper()
		def := mustParse(t, text, funcs)
		in := workflow.Inputs{Input: json.RawMessage(input)}
		for _, r := range results {
			in.Results = append(in.Results, json.RawMessage(r))
		}
		k, err := def.Plan().Tasks[len(results)].Cache.Key(in)
		if err != nil || len(k) != 64 {
			t.Fatal(k, err)
		}
		return k
	}
	const a = `tasks: {a: {go: Echo, with: "${{ input.x }}", cache: {}}}`
	if key(a, `{"x": 1, "y": 1}`) != key(a, `{"x": 1, "y": 2}`) {
		t.Error("what a task does not read counts")
	}
	if key(a, `{"x": 1}`) == key(a, `{"x": 2}`) || key(a, `{"x": 1}`) == key(strings.Replace(a, "Echo", "Double", 1), `{"x": 1}`) {
		t.Error("what a task reads or is does not count")
	}
	const b = `tasks: {a: {go: Echo}, b: {go: Echo, foreach: "${{ tasks.a.output }}", with: "${{ item }}${{ input.x }}", cache: {}}}`
	if key(b, `{"x": 1}`, `[1]`) == key(b, `{"x": 1}`, `[2]`) || key(b, `{"x": 1}`, `[1]`) == key(b, `{"x": 2}`, `[1]`) {
		t.Error("the items do not count")
	}
}

// TestYAMLFiles: a workflow may be another file; what is wrong there is told with
// its name, and files that contain each other are refused.
func TestYAMLFiles(t *testing.T) {
	files := map[string]string{
		"d/sub.yaml": `{tasks: {x: {go: Double, with: "${{ input }}"}}, output: "${{ tasks.x.output }}"}`,
		"d/bad.yaml": "tasks:\n  x: {cmd: y}\n",
		"d/a.yaml":   `tasks: {x: {workflow: b.yaml}}`,
		"d/b.yaml":   `tasks: {x: {workflow: a.yaml}}`,
		"d/e/e.yaml": `tasks: {x: {workflow: ../sub.yaml, with: 1}}`,
	}
	open := workflow.Open(func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return []byte(text), nil
	})
	parse := func(text string) (*dynamic, error) {
		return workflow.ParseYAML([]byte(text), workflow.File("d/main.yaml"), open, funcs)
	}
	def, err := parse(`tasks: {a: {workflow: e/e.yaml}, b: {workflow: sub.yaml, with: 4}}`)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := execute(t.Context(), def.Plan(), nil)
	if err != nil || string(out.(json.RawMessage)) != `{"a":{"x":2},"b":8}` {
		t.Errorf("%s, %v", out, err)
	}
	for text, want := range map[string]string{
		`tasks: {a: {workflow: bad.yaml}, b: {cmd: z}}`: "d/main.yaml:1:43: cmd must be a list, not a string: write a list: cmd: [program, argument, ...]\n" +
			"d/bad.yaml:2:12: cmd must be a list, not a string: write a list: cmd: [program, argument, ...]",
		`tasks: {a: {workflow: a.yaml}}`:                 "d/b.yaml:1:23: workflows contain each other: d/a.yaml -> d/b.yaml -> d/a.yaml: remove one of these tasks",
		`tasks: {a: {workflow: no.yaml}}`:                "d/main.yaml:1:23: the workflow d/no.yaml cannot be read: file does not exist: check the path",
		`tasks: {a: {workflow: {tasks: {b: {cmd: x}}}}}`: "d/main.yaml:1:41: cmd must be a list, not a string: write a list: cmd: [program, argument, ...]",
		`tasks: {a: {workflow: "${{ input }}"}}`:         "d/main.yaml:1:23: workflow holds an expression: write the file's name as it is",
		strings.Repeat(`tasks: {a: {workflow: {`, 20) + `tasks: {a: {cmd: [x]}}` + strings.Repeat("}}}", 20): "d/main.yaml:1:391: workflows are nested more than 16 deep: flatten them",
	} {
		if _, err := parse(text); err == nil || err.Error() != want {
			t.Errorf("%.60s\ngot  %v\nwant %s", text, err, want)
		}
	}
	if _, err := workflow.ParseYAML([]byte(`tasks: {a: {workflow: x.yaml}}`)); !errors.Is(err, workflow.ErrUnsupported) {
		t.Errorf("without Open: %v", err)
	}
}

// TestYAMLFeatureErrors: mistakes are told with their place, all at once.
func TestYAMLFeatureErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`tasks: {a: {go: Doble}}`, `f.yaml:1:17: the function "Doble" is unknown: did you mean "Double"?`},
		{`tasks: {a: {shell: ls}, b: {http: {url: x}}}`, "f.yaml:1:20: tasks of the kind shell are not enabled: pass --allow-shell or, in Go, shell.Kind to workflow.Kinds; or write an argument list: cmd: [program, argument, ...]\n" +
			"f.yaml:1:35: tasks of the kind http are not enabled: pass http.Kind to workflow.Kinds"},
		{`tasks: {a: {go: Echo, cmd: [x]}}`, "f.yaml:1:9: the task a has more than one kind: go, cmd: leave one, and make tasks of the others"},
		{`tasks: {a: {go: Echo, limit: 0, keep_errors: 1}}`, "f.yaml:1:23: limit bounds the items of a foreach, which the task does not have: leave it out, or add foreach\n" +
			"f.yaml:1:30: limit: 0 is not a number of items: give a whole number of items, 1 to 1073741824\n" +
			"f.yaml:1:33: keep_errors is about the items of a foreach, which the task does not have: leave it out, or add foreach\n" +
			"f.yaml:1:46: keep_errors must be a boolean, not a number: write true or false"},
		{`tasks: {a: {go: Echo, when: input.x, trigger: all_doen, priority: urgent}}`, "f.yaml:1:29: when: \"input.x\" is not one expression: put all of it between ${{ and }}\n" +
			"f.yaml:1:47: trigger: \"all_doen\" is unknown: did you mean \"all_done\"?\n" +
			"f.yaml:1:67: priority: \"urgent\" is unknown: use default, critical, high, normal, low"},
		{`tasks: {a: {go: Echo, with: "${{ item }}"}, b: {go: Echo, when: "${{ item }}", foreach: [1]}}`, "f.yaml:1:34: ${{ item }}: \"item\" is unknown here: use input, tasks, run, env\n" +
			"f.yaml:1:70: ${{ item }}: \"item\" is unknown here: use input, tasks, run, env"},
		{`tasks: {a: {go: Echo, repeat: {max: 0}, foreach: 3}}`, "f.yaml:1:37: max: 0 is not a number of iterations: give a whole number of iterations, 1 to 1048576\n" +
			"f.yaml:1:50: foreach must be a list or an expression, not a number: write foreach: ${{ tasks.NAME.output }}"},
		{`tasks: {a: {go: Echo, repeat: {max: 3}}}`, "f.yaml:1:31: repeat needs until and max: write repeat: {until: ${{ ... }}, max: N}"},
		{`tasks: {a: {go: Echo, breaker: x, rate_limit: y, concurrency: {key: k}}}`, "f.yaml:1:32: breaker names \"x\", which does not exist: declare it under breakers of the workflow\n" +
			"f.yaml:1:47: rate_limit names \"y\", which does not exist: declare it under rate_limits of the workflow\n" +
			"f.yaml:1:63: concurrency names no limit: write concurrency: {limit: NAME, key: ...}"},
		{"breakers: {x: {failure_rate: 2, failures: 0}}\nrate_limits: {x: {burst: 2}, y: {per_second: 0}}\nconcurrency_limits: {z: 0}\ntasks: {a: {go: Echo}}",
			"f.yaml:1:30: failure_rate: 2 is out of range: give a share of the calls, more than 0, at most 1\n" +
				"f.yaml:1:43: failures: 0 is not a number of failures: give a whole number of failures, 1 to 2147483647\n" +
				"f.yaml:2:18: rate limit x does not say how many calls a second: write per_second: N\n" +
				"f.yaml:2:46: per_second: 0 is out of range: give a number more than 0, at most 1e9\n" +
				"f.yaml:3:25: z: 0 is not a number of tasks: give a whole number of tasks, 1 to 1048576"},
		{`tasks: {a: {go: Echo, with: "${{ run.id }}", cache: {}}}`, "f.yaml:1:53: the task is cached and refers to run.id, which no two runs share: write cache: {key: ...} without it"},
		{`tasks: {a: {go: Echo, compensate: {workflow: x}}, b: {go: Echo, compensate: {with: 1}}}`, "f.yaml:1:35: compensate must have one kind of task: write compensate: {cmd: [program, argument, ...]}\n" +
			"f.yaml:1:36: unknown key \"workflow\" in compensate: use cmd, description, go, http, js, retry, shell, timeout, ts, with\n" +
			"f.yaml:1:77: compensate must have one kind of task: write compensate: {cmd: [program, argument, ...]}"},
		{`tasks: {a: {switch: "${{ input }}"}, b: {go: Echo, cases: {}}, c: {switch: x, cases: {k: [zz]}, retry: {}}}`, "f.yaml:1:12: the switch a has no cases: add cases: {VALUE: [TASK]}\n" +
			"f.yaml:1:52: cases belongs to a switch, which the task is not: leave it out, or add switch\n" +
			"f.yaml:1:91: cases.k names the task \"zz\", which does not exist: declare it under tasks\n" +
			"f.yaml:1:97: retry has no meaning for a switch: leave it out, or give it to the tasks of the cases"},
		{`tasks: {s: {switch: "${{ tasks.a.output }}", cases: {k: [a]}}, a: {go: Echo}}`, "f.yaml:1:9: tasks wait for each other: s -> a -> s: remove one of these dependencies"},
		{`tasks: {a: {cmd: [x], inline: true}}`, "f.yaml:1:23: inline is for quick Go functions, and cmd waits for something else: leave it out"},
		{"on_failure: stop\ntimeout: 3\ntasks: {a: {go: Echo}}", "f.yaml:1:13: on_failure: \"stop\" is unknown: use fail_fast, continue\nf.yaml:2:10: timeout: 3 has no unit: write a number with its unit: timeout: 2s"},
		{"tasks: {a: {go: Echo}}\noutput: \"${{ run.id }} ${{ input.x + }}\"", "f.yaml:2:14: ${{ run.id }}: \"run\" is unknown here: use input, tasks, env\nf.yaml:2:37: ${{ input.x + }}: unexpected token EOF: correct the expression"},
	} {
		_, err := workflow.ParseYAML([]byte(test.text), workflow.File("f.yaml"), funcs)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s\ngot\n%v\nwant\n%s", test.text, err, test.want)
		}
	}
}

func TestKindErrors(t *testing.T) {
	run := func(context.Context, workflow.Call) (any, error) { return nil, nil }
	for want, k := range map[string]workflow.Kind{
		"its name is not made of":       {Name: "A-b", Run: run},
		"tasks have a key of this name": {Name: "retry", Run: run},
		"it has no Run":                 {Name: "x"},
		"its schema: unexpected EOF":    {Name: "x", Run: run, Schema: "{"},
		"its schema: ":                  {Name: "x", Run: run, Schema: `{"type": "objekt"}`},
	} {
		_, err := workflow.ParseYAML([]byte("tasks: {a: {cmd: [x]}}"), workflow.Kinds(k))
		if !errors.Is(err, workflow.ErrBadOption) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
	_, err := workflow.ParseYAML([]byte("tasks: {a: {cmd: [x]}}"), workflow.Kinds(workflow.Kind{Name: "x", Run: run}, workflow.Kind{Name: "x", Run: run}),
		workflow.Funcs(map[string]workflow.Func{"f": nil}), workflow.Breakers(map[string]workflow.CircuitBreaker{"b": (*breaker.Breaker)(nil)}))
	for _, want := range []string{`two kinds have the name "x"`, `Funcs: "f" is nil`, `Breakers: "b" is nil`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

// ExampleKinds adds a kind of task of one's own.
func ExampleKinds() {
	greet := workflow.Kind{
		Name:   "greet",
		Schema: `{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}, "additionalProperties": false}`,
		Run: func(_ context.Context, c workflow.Call) (any, error) {
			var config struct{ Name string }
			if err := json.Unmarshal(c.Config, &config); err != nil {
				return nil, err
			}
			return "hello " + config.Name, nil
		},
	}
	_, err := workflow.ParseYAML([]byte(`tasks: {a: {greet: {nme: "${{ input.user }}"}}}`), workflow.Kinds(greet), workflow.File("f.yaml"))
	fmt.Println(err)
	// Output: f.yaml:1:20: greet has the unknown field nme: leave it out; greet.name is missing: pass it: correct the value of greet
}
