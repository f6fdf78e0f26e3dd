package workflow_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestYAMLErrors: every wrong file is refused with place, problem and cure, all
// problems at once and in the order of the file.
func TestYAMLErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		text string
		is   error
		want string
	}{
		{"empty file", "", workflow.ErrSyntax,
			"f.yaml:1:1: the file is empty: write a definition into it"},
		{"syntax", "tasks:\n  a: {cmd: [echo, hi}\n", workflow.ErrSyntax,
			"f.yaml:2:21: invalid YAML: ',' or ']' must be specified: correct the YAML"},
		{"not a map", "- a\n", workflow.ErrSyntax,
			"f.yaml:1:1: the workflow must be a map, not a list: write it as key: value pairs"},
		{"unknown key", "name: x\ntask:\n  a: {cmd: [x]}\ntasks:\n  a: {cmd: [x], tiemout: 2s, colour: red}\n", workflow.ErrSyntax,
			"f.yaml:2:1: unknown key \"task\" in the workflow: did you mean \"tasks\"?\n" +
				"f.yaml:5:17: unknown key \"tiemout\" in task a: did you mean \"timeout\"?\n" +
				"f.yaml:5:30: unknown key \"colour\" in task a: use breaker, cache, cases, cmd, compensate, concurrency, default, description, foreach, go, heartbeat, http, inline, js, keep_errors, limit, may_fail, needs, priority, rate_limit, repeat, retry, shell, switch, task_timeout, timeout, trigger, ts, when, with, workflow"},
		{"no tasks", "name: x\n", workflow.ErrNoTasks,
			"f.yaml:1:1: the workflow has no tasks: add tasks: with at least one task"},
		{"empty tasks", "tasks: {}\n", workflow.ErrNoTasks,
			"f.yaml:1:8: the workflow has no tasks: add at least one task"},
		{"tasks is null", "tasks:\n", workflow.ErrSyntax,
			"f.yaml:1:8: tasks must be a map, not null: write one key a task: tasks: {NAME: {cmd: [...]}}"},
		{"task is null", "tasks:\n  a:\n", workflow.ErrSyntax,
			"f.yaml:2:6: task a must be a map, not null: write it as key: value pairs"},
		{"nothing to run", "tasks:\n  a: {timeout: 2s}\n", workflow.ErrSyntax,
			"f.yaml:2:3: the task a has nothing to run: add cmd: [program, argument, ...]"},
		{"duplicate task", "tasks:\n  a: {cmd: [x]}\n  b: {cmd: [x]}\n  a: {cmd: [y]}\n", workflow.ErrDuplicateTask,
			"f.yaml:4:3: the task a was declared already in line 2: give each task its own name"},
		{"duplicate key", "tasks:\n  a:\n    cmd: [x]\n    cmd: [y]\n", workflow.ErrSyntax,
			"f.yaml:4:5: the key \"cmd\" was given already in line 3: remove one of them"},
		{"bad names", "name: \"a\\tb\"\ntasks:\n  \"\": {cmd: [x]}\n  \" a\": {cmd: [x]}\n", workflow.ErrBadName,
			"f.yaml:1:7: the name \"a\\tb\" holds a character that cannot be printed: give it a printable name of 1 to 256 bytes without surrounding spaces\n" +
				"f.yaml:3:3: the task name is empty: give it a printable name of 1 to 256 bytes without surrounding spaces\n" +
				"f.yaml:4:3: the task name \" a\" begins or ends with a space: give it a printable name of 1 to 256 bytes without surrounding spaces"},
		{"name is a number", "name: 7\ntasks: {a: {cmd: [x]}}\n", workflow.ErrSyntax,
			"f.yaml:1:7: name must be a string, not a number: write text, in quotes if need be"},
		{"unknown needs", "tasks:\n  load: {cmd: [x]}\n  mail: {cmd: [x], needs: [laod, zzz]}\n", workflow.ErrUnknownTask,
			"f.yaml:3:28: needs names the task \"laod\", which does not exist: did you mean \"load\"?\n" +
				"f.yaml:3:34: needs names the task \"zzz\", which does not exist: declare it under tasks"},
		{"needs as a string", "tasks:\n  a: {cmd: [x]}\n  b: {cmd: [x], needs: a}\n", workflow.ErrSyntax,
			"f.yaml:3:24: needs must be a list, not a string: write a list of task names: needs: [NAME]"},
		{"needs of lists", "tasks:\n  a: {cmd: [x], needs: [[a]]}\n", workflow.ErrSyntax,
			"f.yaml:2:25: an element of needs must be a string, not a list: write a task's name"},
		{"cycle", "tasks:\n  a: {cmd: [x], needs: [c]}\n  b: {cmd: [x], needs: [a]}\n  c: {cmd: [x], needs: [b]}\n", workflow.ErrCycle,
			"f.yaml:2:3: tasks wait for each other: a -> b -> c -> a: remove one of these dependencies"},
		{"compensate reads its own task", "tasks:\n  a: {cmd: [x], compensate: {cmd: [y, \"${{ tasks.a.output }}\"]}}\n", workflow.ErrCycle,
			"f.yaml:2:29: compensate reads tasks.a.output, of the task that it undoes: write ${{ output }}"},
		{"two cycles, one through references", "tasks:\n  a: {cmd: [x, \"${{ tasks.b.output }}\"]}\n  b: {cmd: [x], with: \"${{ tasks.a.output }}\"}\n  c: {cmd: [x], needs: [c]}\n", workflow.ErrCycle,
			"f.yaml:2:3: tasks wait for each other: a -> b -> a: remove one of these dependencies\n" +
				"f.yaml:4:3: tasks wait for each other: c -> c: remove one of these dependencies"},
		{"cmd as a string", "tasks:\n  a: {cmd: wc -l file}\n", workflow.ErrSyntax,
			"f.yaml:2:12: cmd must be a list, not a string: write a list: cmd: [program, argument, ...]"},
		{"empty cmd", "tasks:\n  a: {cmd: []}\n  b: {cmd: [\"\"]}\n", workflow.ErrSyntax,
			"f.yaml:2:12: cmd names no program: write a list: cmd: [program, argument, ...]\n" +
				"f.yaml:3:12: cmd names no program: write a list: cmd: [program, argument, ...]"},
		{"cmd elements", "tasks:\n  a: {cmd: [x, ~, [y], {z: 1}, \"a\\0b\"]}\n", workflow.ErrSyntax,
			"f.yaml:2:16: an element of cmd must be a string, not null: write text or a number, or pass the value through with\n" +
				"f.yaml:2:19: an element of cmd must be a string, not a list: write text or a number, or pass the value through with\n" +
				"f.yaml:2:24: an element of cmd must be a string, not a map: write text or a number, or pass the value through with\n" +
				"f.yaml:2:32: an element of cmd holds a zero byte: pass such data through with"},
		{"durations", "tasks:\n  a:\n    cmd: [x]\n    timeout: -2s\n    task_timeout: 2\n  b: {cmd: [x], timeout: soon, task_timeout: [1s]}\n", workflow.ErrBadOption,
			"f.yaml:4:14: timeout: -2s is negative: give a duration of 0 or more\n" +
				"f.yaml:5:19: task_timeout: 2 has no unit: write a number with its unit: task_timeout: 2s\n" +
				"f.yaml:6:26: timeout: \"soon\" is not a duration: write a number with its unit: timeout: 2s\n" +
				"f.yaml:6:46: task_timeout must be a string, not a list: write a number with its unit: task_timeout: 2s"},
		{"retry", "tasks:\n  a:\n    cmd: [x]\n    retry: {max: 0, backoff: -1s, max_backoff: 1, jitter: 2, max_elapsed: x, limit: 3}\n", workflow.ErrBadOption,
			"f.yaml:4:18: max: 0 is not a number of attempts: give a whole number of attempts of 1 or more\n" +
				"f.yaml:4:30: backoff: -1s is negative: give a duration of 0 or more\n" +
				"f.yaml:4:48: max_backoff: 1 has no unit: write a number with its unit: max_backoff: 2s\n" +
				"f.yaml:4:59: jitter: 2 is out of range: give a share of the wait, 0 to 1\n" +
				"f.yaml:4:75: max_elapsed: \"x\" is not a duration: write a number with its unit: max_elapsed: 2s\n" +
				"f.yaml:4:78: unknown key \"limit\" in retry: use backoff, jitter, max, max_backoff, max_elapsed"},
		{"retry as a number", "tasks:\n  a: {cmd: [x], retry: 3}\n", workflow.ErrSyntax,
			"f.yaml:2:24: retry must be a map, not a number: write it as key: value pairs"},
		{"retry that contradicts itself", "tasks:\n  a: {cmd: [x], retry: {max: 1.5}}\n  b: {cmd: [x], retry: {backoff: 3s, max_backoff: 2s}}\n  c: {cmd: [x], retry: {backoff: 3s, max_backoff: 0s}}\n", workflow.ErrBadOption,
			"f.yaml:2:30: max: 1.5 is not a number of attempts: give a whole number of attempts of 1 or more\n" +
				"f.yaml:3:24: retry: backoff 3s is longer than max_backoff 2s: give a longer max_backoff\n" +
				"f.yaml:4:24: retry: backoff 3s is longer than max_backoff 0s: give a longer max_backoff"},
		{"a timeout beyond what can be counted", "tasks:\n  a: {cmd: [x], timeout: 9999999999h}\n", workflow.ErrBadOption,
			"f.yaml:2:26: timeout: 9999999999h is longer than 292 years: give a shorter duration, or leave it out"},
		{"references", `tasks:
  a:
    cmd:
    - echo
    - "score ${{ input.x }}"
    - ${{ input.x
    - ${{ input.x > 2 }}
    - ${{ inputs.x }}
    - ${{ tasks.a }}
    - ${{ tasks.a.result }}
    - ${{ tasks.my-task.output }}
    - ${{ tasks.b.output }}
    - ${{ }}
    - ${{ input.x }}${{ input.y }}
    - ${{ input[-1] }}
    - ${{ tasks.2nd.output }}
    - ${{ tasks.my task.output }}
    - ${{ tasks.straße.output }}
`, workflow.ErrSyntax,
			`f.yaml:6:7: "${{ input.x" opens an expression that it does not close: end it with }}
f.yaml:8:11: ${{ inputs.x }}: "inputs" is unknown here: use input, tasks, run, env
f.yaml:9:11: ${{ tasks.a }}: tasks.a does not say which task's output it means: write tasks.NAME.output, a name with a dash as tasks["my-task"].output
f.yaml:10:11: ${{ tasks.a.result }}: tasks.a.result asks for "result" of a task: ask for output, status, error
f.yaml:11:11: ${{ tasks.my-task.output }}: tasks.my does not say which task's output it means: write tasks.NAME.output, a name with a dash as tasks["my-task"].output
f.yaml:11:20: ${{ tasks.my-task.output }}: "task" is unknown here: write a name with a dash in brackets, such as tasks["my-task"].output
f.yaml:12:10: the reference tasks.b.output names the task "b", which does not exist: declare it under tasks
f.yaml:13:10: ${{  }}: the expression is empty: write a path such as ${{ input.user }} or ${{ tasks.NAME.output.items[0] }}
f.yaml:16:18: ${{ tasks.2nd.output }}: bad number syntax: ".2n": correct the expression; a name that is not made of letters, digits and _ stands in brackets: tasks["my task"].output
f.yaml:17:20: ${{ tasks.my task.output }}: unexpected token Identifier("task"): correct the expression; a name that is not made of letters, digits and _ stands in brackets: tasks["my task"].output
f.yaml:18:10: the reference tasks["straße"].output names the task "straße", which does not exist: declare it under tasks`},
		{"with and output", "output: [\"${{ tasks.b.output }}\"]\ntasks:\n  a: {cmd: [x], with: {\"${{ input }}\": 1, b: 1, b: 2}}\n", workflow.ErrUnknownTask,
			"f.yaml:1:14: the reference tasks.b.output names the task \"b\", which does not exist: declare it under tasks\n" +
				"f.yaml:3:24: the key \"${{ input }}\" in with holds an expression: write the key as plain text\n" +
				"f.yaml:3:49: the key \"b\" was given already in line 3: remove one of them"},
		{"input", "input: {type: objekt, required: user, properties: {a: {type: [string, x]}, b: 3}, minLenght: 3}\ntasks: {a: {cmd: [x]}}\n", workflow.ErrSyntax,
			"f.yaml:1:15: unknown type \"objekt\": did you mean \"object\"?\n" +
				"f.yaml:1:33: input.required is string: pass array\n" +
				"f.yaml:1:71: unknown type \"x\": use null, boolean, integer, number, string, array, object\n" +
				"f.yaml:1:79: input.properties.b is number: pass boolean or object\n" +
				"f.yaml:1:83: unknown keyword \"minLenght\" in a schema: did you mean \"minLength\"?"},
		{"schema", "input: {properties: {a: {pattern: \"(\"}, b: {$ref: \"#/nowhere\"}}, minimum: x}\ntasks: {a: {cmd: [x]}}\n", workflow.ErrSyntax,
			"f.yaml:1:35: input.properties.a.pattern does not fit: '(' is not valid regex: error parsing regexp: missing closing ): `(`: correct the schema\n" +
				"f.yaml:1:75: input.minimum is string: pass number"},
		{"schema that refers elsewhere", "input: {$ref: \"https://example.com/x.json\"}\ntasks: {a: {cmd: [x]}}\n", workflow.ErrSyntax,
			"f.yaml:1:8: input: a $ref leads out of the file: https://example.com/x.json is not part of the schema: correct the schema"},
		{"schema that refers to nothing", "input: {$ref: \"#/$defs/a\"}\ntasks: {a: {cmd: [x]}}\n", workflow.ErrSyntax,
			"f.yaml:1:8: input: a $ref leads nowhere: #/$defs/a: correct the schema"},
		{"JSON", "{\"tasks\": {\"a\": {\"cmd\": [\"x\"],\n  \"needs\": [\"b\"]}}}", workflow.ErrUnknownTask,
			"f.yaml:2:13: needs names the task \"b\", which does not exist: declare it under tasks"},
		{"alias", "x: &t {cmd: [x], timeout: -1s}\ntasks: {a: *t, b: *t}\n", workflow.ErrBadOption,
			"f.yaml:1:1: unknown key \"x\" in the workflow: use breakers, compensate_timeout, concurrency_limits, description, input, name, on_failure, output, rate_limits, tasks, timeout\n" +
				"f.yaml:1:27: timeout: -1s is negative: give a duration of 0 or more"},
	} {
		t.Run(test.name, func(t *testing.T) {
			def, err := workflow.Parse([]byte(test.text), workflow.File("f.yaml"))
			if def != nil || err == nil || err.Error() != test.want {
				t.Fatalf("got\n%v\nwant\n%s", err, test.want)
			}
			if _, ok := errors.AsType[*workflow.SyntaxError](err); !ok || !errors.Is(err, test.is) {
				t.Errorf("%T: Is(%v) = %t", err, test.is, errors.Is(err, test.is))
			}
		})
	}
}

// TestManyProblems: a file full of mistakes is answered briefly and soon.
func TestManyProblems(t *testing.T) {
	var b strings.Builder
	b.WriteString("tasks:\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "  t%d: {cmd: [x], needs: [u%d]}\n", i, i)
	}
	_, err := workflow.Parse([]byte(b.String()), workflow.File("f.yaml"))
	lines := strings.Split(err.Error(), "\n")
	if want := "f.yaml: 1900 more problems: correct those above first"; len(lines) != 101 || lines[100] != want {
		t.Errorf("%d lines, last %s; want %s", len(lines), lines[len(lines)-1], want)
	}
}

// TestLongCycle: the middle of a long cycle is left out.
func TestLongCycle(t *testing.T) {
	var b strings.Builder
	b.WriteString("tasks:\n")
	for i := range 100 {
		fmt.Fprintf(&b, "  t%d: {cmd: [x], needs: [t%d]}\n", i, (i+99)%100)
	}
	_, err := workflow.Parse([]byte(b.String()), workflow.File("f.yaml"))
	want := "f.yaml:2:3: tasks wait for each other: t0 -> t1 -> t2 -> t3 -> t4 -> t5 -> t6 -> t7 -> t8 -> t9 -> (80 more) -> " +
		"t90 -> t91 -> t92 -> t93 -> t94 -> t95 -> t96 -> t97 -> t98 -> t99 -> t0: remove one of these dependencies"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestParseOptionErrors(t *testing.T) {
	good := []byte("tasks: {a: {cmd: [x]}}")
	for _, test := range []struct {
		opt  workflow.ParseOption
		want string
	}{
		{nil, "a ParseOption is nil: leave it out: workflow: bad option"},
		{workflow.TimeScale(-1), "TimeScale(-1): give a finite factor of 0 or more: workflow: bad option"},
	} {
		if _, err := workflow.Parse(good, test.opt); !errors.Is(err, workflow.ErrBadOption) || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}
