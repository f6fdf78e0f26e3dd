package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/handler/command"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

type dynamic = workflow.Definition[json.RawMessage, json.RawMessage]

func mustParse(t *testing.T, text string, opts ...workflow.ParseOption) *dynamic {
	t.Helper()
	def, err := workflow.Parse([]byte(text), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

func ExampleParseYAML() {
	_, err := workflow.ParseYAML([]byte(`
tasks:
  load: {cmd: [cat, orders.csv]}
  count: {cmd: wc -l, with: "${{ tasks.laod.output }}", timeout: -2s}
`), workflow.File("orders.yaml"))
	fmt.Println(err)
	// Output:
	// orders.yaml:4:16: cmd must be a list, not a string: write a list: cmd: [program, argument, ...]
	// orders.yaml:4:33: the reference tasks.laod.output names the task "laod", which does not exist: did you mean "load"?
	// orders.yaml:4:66: timeout: -2s is negative: give a duration of 0 or more
}

func TestYAMLPlan(t *testing.T) {
	def := mustParse(t, `
name: order
input: {type: object, required: [user], properties: {user: {type: string}}}
tasks:
  notify:
    cmd: [echo, "${{ tasks.score.output }}"]
    needs: [audit, audit]
  score:
    cmd: [cat]
    with: {prices: "${{ tasks.price.output }}", user: "${{ input.user }}"}
    timeout: 2s
    task_timeout: 1m30s
    retry: {max: 5, backoff: 50ms, max_backoff: 2s, jitter: 0.2, max_elapsed: 30s}
  price: {cmd: [printf, 1.10]}
  audit: {cmd: ["true"]}
output: "${{ tasks.score.output }}"
`)
	p := def.Plan()
	if def.Name() != "order" || !slices.Equal(p.Roots, []int32{2, 3}) {
		t.Errorf("name %q, roots %v", def.Name(), p.Roots)
	}
	for i, want := range []struct {
		name string
		deps []int32
		rank float64
	}{{"notify", []int32{1, 3}, 1}, {"score", []int32{2}, 2}, {"price", nil, 3}, {"audit", nil, 2}} {
		if got := p.Tasks[i]; got.Name != want.name || !slices.Equal(got.Deps, want.deps) || got.Rank != want.rank {
			t.Errorf("task %d: %s %v %v, want %v", i, got.Name, got.Deps, got.Rank, want)
		}
	}
	score := p.Tasks[1]
	if score.Timeout != 2*time.Second || score.TaskTimeout != 90*time.Second {
		t.Errorf("timeouts %s, %s", score.Timeout, score.TaskTimeout)
	}
	policy := score.Retry.(retry.Exponential)
	if policy.MaxAttempts != 5 || policy.Base != 50*time.Millisecond || policy.Max != 2*time.Second || policy.Jitter != 0.2 || policy.MaxElapsed != 30*time.Second {
		t.Errorf("policy %+v", policy)
	}
	out, err := interpret(t.Context(), p, json.RawMessage(`{"user": "Ada"}`))
	if want := `"{\"prices\":\"1.10\",\"user\":\"Ada\"}"`; err != nil || string(out.(json.RawMessage)) != want {
		t.Errorf("output %s, %v; want %s", out, err, want)
	}
}

func TestDefaultName(t *testing.T) {
	for file, want := range map[string]string{"dir/nightly.report.yaml": "nightly.report", "": "workflow", "-": "-", "a\tb.yaml": "workflow"} {
		if got := mustParse(t, "tasks: {a: {cmd: [x]}}", workflow.File(file)).Name(); got != want {
			t.Errorf("file %q gives %q, want %q", file, got, want)
		}
	}
	if got := mustParse(t, "tasks: {a: {cmd: [x]}}").Name(); got != "definition" {
		t.Errorf("no file gives %q", got)
	}
}

// TestYAMLValues: how values travel through inputs, arguments, standard input,
// results and outputs.
func TestYAMLValues(t *testing.T) {
	for _, test := range []struct {
		name, text, input, want string
	}{
		{"leaf tasks", "tasks: {b: {cmd: [printf, 1]}, a: {cmd: [printf, '\"2\"']}, c: {cmd: [echo, x], needs: [b]}}", ``,
			`{"a":"\"2\"","c":"x"}`},
		{"one trailing newline goes", "tasks: {a: {cmd: [printf, 'x\\n\\n']}}", ``, `{"a":"x\n"}`},
		{"no escapes for HTML", "tasks: {a: {cmd: [echo, '<&>']}}", ``, `{"a":"<&>"}`},
		{"scalars as written", "tasks: {a: {cmd: [printf, '%s ', 1.10, 0x10, true, 1e3, 2020-01-01, yes, 123456789012345678901234567890]}}", ``,
			`{"a":"1.10 0x10 true 1e3 2020-01-01 yes 123456789012345678901234567890 "}`},
		{"arguments from the input", `tasks: {a: {cmd: [printf, '%s|', "${{ input.s }}", "${{ input.n }}", "${{input.l[1]}}", "${{ input.o }}", "${{ input['a b'] }}"]}}`,
			`{"s": "a \"b\"\n", "n": 1.50, "l": [0, {"x": [1, 2]}], "o": { "k" : null }, "a b": false}`,
			`{"a":"a \"b\"\n|1.50|{\"x\":[1,2]}|{\"k\":null}|false|"}`},
		{"a whole value keeps its type", `{"tasks": {"a": {"cmd": ["true"]}}, "output": {"n": "${{ input.n }}", "z": "${{ input.z }}", "list": ["${{ input }}", 1.10, null, "${"]}}`,
			`{"n": 1.50, "z": null}`, `{"n":1.50,"z":null,"list":[{"n": 1.50, "z": null},1.10,null,"${"]}`},
		{"output without references", "tasks: {a: {cmd: [\"true\"]}}\noutput: {done: true, x: 0x10}", ``, `{"done":true,"x":16}`},
		{"the input as output", "tasks: {a: {cmd: [\"true\"]}}\noutput: ${{ input }}", ``, `null`},
		{"standard input", "tasks: {a: {cmd: [cat], with: {x: [\"${{ input }}\", \"${{ input[0] }}\"]}}}", `[7]`, `{"a":"{\"x\":[[7],7]}"}`},
		{"no standard input", "tasks: {a: {cmd: [cat]}}", `[7]`, `{"a":""}`},
		{"alias", "tasks:\n  a: {cmd: &c [echo, x]}\n  b: {cmd: *c}\n", ``, `{"a":"x","b":"x"}`},
		{"names in brackets", "tasks:\n  a-b.c: {cmd: [echo, x]}\n  d: {cmd: [echo, '${{ tasks[\"a-b.c\"].output }}']}\n", ``, `{"d":"x"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			def := mustParse(t, test.text)
			var input any = json.RawMessage(test.input)
			if test.input == "" {
				input = json.RawMessage(nil)
			}
			out, err := interpret(t.Context(), def.Plan(), input)
			if err != nil {
				t.Fatal(err)
			}
			got := string(out.(json.RawMessage))
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if !json.Valid([]byte(got)) {
				t.Errorf("%s is not JSON", got)
			}
		})
	}
}

// TestYAMLRunErrors: what can only go wrong in a run, and whether another
// attempt could help.
func TestYAMLRunErrors(t *testing.T) {
	for _, test := range []struct {
		name, text, input string
		permanent         bool
		want              string
	}{
		{"missing field", `tasks: {a: {cmd: [echo, "${{ input.user.name }}"]}}`, `{"user": {}}`, true,
			`workflow w, task a, attempt 1: workflow: no value: ${{ input.user.name }}: there is no "name"`},
		{"no input", `tasks: {a: {cmd: [echo, "${{ input.user }}"]}}`, ``, true,
			`workflow w, task a, attempt 1: workflow: no value: ${{ input.user }}: there is no input: pass an object with "user"`},
		{"no input for an item", `tasks: {a: {cmd: [echo, "${{ input[3] }}"]}}`, ``, true,
			`workflow w, task a, attempt 1: workflow: no value: ${{ input[3] }}: there is no input: pass a list with item 3`},
		{"field of a string", `tasks: {a: {cmd: [echo, x]}, b: {cmd: [echo, "${{ tasks.a.output.items }}"]}}`, ``, true,
			`workflow w, task b, attempt 1: workflow: no value: ${{ tasks.a.output.items }}: "items" is asked of a string: the output is text: if it is JSON, read it with fromJSON(tasks.a.output)`},
		{"index beyond a list", `tasks: {a: {cmd: [cat], with: "${{ input[2] }}"}}`, ` [1, 2]`, true,
			`workflow w, task a, attempt 1: workflow: no value: ${{ input[2] }}: item 2 is asked of a list of 2`},
		{"index of an object", `tasks: {a: {cmd: [cat], with: "${{ input[2] }}"}}`, `  {}`, true,
			`workflow w, task a, attempt 1: workflow: no value: ${{ input[2] }}: item 2 is asked of an object`},
		{"null argument", `tasks: {a: {cmd: [echo, "${{ input.x }}"]}}`, `{"x": null}`, true,
			`workflow w, task a, attempt 1: workflow: no value: ${{ input.x }} is null, which cannot be an argument: give a default with ??`},
		{"not UTF-8", `tasks: {a: {cmd: [printf, '\377']}}`, ``, false,
			`workflow w, task a, attempt 1: command printf: its standard output is not valid UTF-8: let it write to a file, or encode the output, for example with base64`},
		{"status", `tasks: {a: {cmd: [sh, -c, "echo no order >&2; exit 3"]}}`, ``, false,
			`workflow w, task a, attempt 1: command sh: exited with status 3: no order`},
		{"missing in output", "tasks: {a: {cmd: [echo]}}\noutput: ${{ input.x }}", `{}`, true,
			`workflow: no value: ${{ input.x }}: there is no "x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			def := mustParse(t, test.text, workflow.File("w.yaml"))
			_, err := interpret(t.Context(), def.Plan(), json.RawMessage(test.input))
			if err == nil || err.Error() != test.want {
				t.Fatalf("got  %v\nwant %s", err, test.want)
			}
			if retry.IsPermanent(err) != test.permanent || errors.Is(err, workflow.ErrNoValue) != test.permanent {
				t.Errorf("permanent: %t, no value: %t", retry.IsPermanent(err), errors.Is(err, workflow.ErrNoValue))
			}
		})
	}
}

// TestPermanentCommands: what cannot be started is not tried again.
func TestPermanentCommands(t *testing.T) {
	input, _ := json.Marshal(map[string]string{"zero": "a\x00b", "long": strings.Repeat("x", 8<<20)})
	for cmd, want := range map[string]bool{
		`[ringmill-does-not-exist]`:   true,
		`[echo, "${{ input.zero }}"]`: true,
		`[echo, "${{ input.long }}"]`: true,
		`[./ringmill-does-not-exist]`: false, // another task may make it
		`[sh, -c, "exit 3"]`:          false,
	} {
		_, err := interpret(t.Context(), mustParse(t, "tasks: {a: {cmd: "+cmd+"}}").Plan(), json.RawMessage(input))
		if err == nil || retry.IsPermanent(err) != want {
			t.Errorf("%s: permanent %t, want %t: %.200v", cmd, retry.IsPermanent(err), want, err)
		}
	}
}

// TestNoBackoff: a wait of zero that is written down is meant.
func TestNoBackoff(t *testing.T) {
	for text, want := range map[string]retry.Policy{
		"{backoff: 0s}":                                    retry.Constant{},
		"{max: 5, max_backoff: 0s}":                        retry.Constant{MaxAttempts: 5},
		"{backoff: 0ms, max_backoff: 2s, max_elapsed: 3s}": retry.Constant{MaxElapsed: 3 * time.Second},
		"{max_backoff: 2s}":                                retry.Exponential{Base: retry.DefaultBase, Max: 2 * time.Second},
		"{}":                                               retry.Exponential{},
	} {
		got := mustParse(t, "tasks: {a: {cmd: [x], retry: "+text+"}}").Plan().Tasks[0].Retry
		if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
			t.Errorf("%s: %#v, want %#v", text, got, want)
		}
	}
}

func TestInputSchema(t *testing.T) {
	def := mustParse(t, `
input:
  type: object
  description: an order
  required: [user, items]
  properties:
    user: {type: string, title: who}
    items: {type: array, items: {type: [integer, "null"]}}
    note: {}
tasks: {a: {cmd: ["true"]}}
`)
	for input, want := range map[string]string{
		`{"user": "a", "items": [1, 2.0, 1e2, null], "more": 1}`: "",
		``:                                 "workflow: bad input: input is null: pass object",
		`{"user": "a"`:                     "workflow: bad input: it is not valid JSON: pass one JSON value",
		`{"user": "a"} {}`:                 "workflow: bad input: it is not valid JSON: pass one JSON value",
		`[]`:                               "workflow: bad input: input is array: pass object",
		`{"user": "a"}`:                    "workflow: bad input: input.items is missing: pass it",
		`{"user": 1, "items": []}`:         "workflow: bad input: input.user is number: pass string",
		`{"user": "", "items": [1, 2.5]}`:  "workflow: bad input: input.items[1] is number: pass null or integer",
		`{"user": "", "items": [1e999]}`:   "",
		`{"user": "", "items": [1e99999]}`: "workflow: bad input: input.items[0] is the number 1e99999, which is out of range: give one with an exponent of -1000 to 1000",
		`{"items": true}`:                  "workflow: bad input: input.user is missing: pass it; input.items is boolean: pass array",
		`{"user": "", "items": true}`:      "workflow: bad input: input.items is boolean: pass array",
	} {
		err := def.Plan().CheckInput(json.RawMessage(input))
		if got := fmt.Sprint(err); err == nil && want != "" || err != nil && (got != want || !errors.Is(err, workflow.ErrBadInput)) {
			t.Errorf("%s: %v; want %s", input, err, want)
		}
	}
	free := mustParse(t, "tasks: {a: {cmd: [x]}}").Plan()
	if err := free.CheckInput(json.RawMessage("{")); !errors.Is(err, workflow.ErrBadInput) {
		t.Errorf("broken input: %v", err)
	}
	if err := free.CheckInput(json.RawMessage(nil)); err != nil {
		t.Errorf("no input: %v", err)
	}
}

// TestCmdCancelled: a cancelled command says why, as the context does.
func TestCmdCancelled(t *testing.T) {
	def := mustParse(t, "tasks: {a: {cmd: [sleep, 60]}}")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := interpret(ctx, def.Plan(), nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if e, ok := errors.AsType[*command.Error](err); !ok || e.Name != "sleep" {
		t.Errorf("got %T", err)
	}
}

// TestCmdSurroundings: a command sees the directory and the environment of the
// process, nothing else.
func TestCmdSurroundings(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("WORKFLOW_TEST", "mill")
	out, err := interpret(t.Context(), mustParse(t, "tasks: {a: {cmd: [pwd]}, e: {cmd: [env]}}\noutput: {a: '${{ tasks.a.output }}', e: '${{ tasks.e.output }}'}").Plan(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ A, E string }
	if err := json.Unmarshal(out.(json.RawMessage), &got); err != nil {
		t.Fatal(err)
	}
	want := os.Environ()
	have := strings.Split(got.E, "\n")
	slices.Sort(want)
	slices.Sort(have)
	if got.A != dir || !slices.Contains(have, "WORKFLOW_TEST=mill") || len(have) != len(strings.Split(strings.Join(want, "\n"), "\n")) {
		t.Errorf("directory %s, environment %q; want %q", got.A, have, want)
	}
}
