package main_test

import (
	"net"
	"strings"
	"testing"
)

// ok is a workflow that would succeed.
const ok = "tasks:\n  a: {cmd: [\"true\"]}\n"

// TestWrongInput: whatever the user got wrong ends with exit code 2 before
// anything runs, says where, what and what to do, and leaves standard output
// alone.
func TestWrongInput(t *testing.T) {
	run := []string{"run", "wf.yaml"}
	with := func(args ...string) []string { return append(run, args...) }
	tests := []struct {
		name, file string
		args       []string
		env        string
		want       string // is part of standard error
	}{
		{"missing file", ok, []string{"run", "gone.yaml"}, "", "gone.yaml: no such file or directory: check the path"},
		{"endless file", ok, []string{"run", "/dev/zero"}, "", "/dev/zero: it has more than 64 MiB: check that it is the right file"},
		{"folder", ok, []string{"run", "."}, "", ".: is a directory: check that it is a file"},
		{"syntax", "tasks:\n  a: {cmd: [\"true\"\n", run, "", "wf.yaml:2:"},
		{"unknown key", "tasks:\n  a: {cmd: [\"true\"], colour: red}\n", run, "", `wf.yaml:2:22: unknown key "colour"`},
		{"unknown needs", "tasks:\n  a: {cmd: [\"true\"], needs: [b]}\n", run, "", "wf.yaml:2:30: "},
		{"duplicate name", ok + "  a: {cmd: [\"true\"]}\n", run, "", "wf.yaml:3:3: "},
		{"cycle", "tasks:\n  a: {cmd: [x], needs: [b]}\n  b: {cmd: [x], needs: [a]}\n", run, "", "a -> b -> a"},
		{"negative timeout", "tasks:\n  a: {cmd: [x], timeout: -2s}\n", run, "", "wf.yaml:2:26: "},
		{"disagreeing WfFormat", lyingInstance, run, "", "wf.yaml:4:"},
		{"several problems", "tasks:\n  a: {cmd: [x], needs: [b]}\n  c: {cmd: [x], timeout: -2s}\n", run, "", "wf.yaml:3:26: "},

		{"word in the environment", ok, run, "TASK_ACTOR_POOL_SIZE=ten", `TASK_ACTOR_POOL_SIZE: "ten" is not a number; want 1 to 65536`},
		{"zero in the environment", ok, run, "TASK_ACTOR_POOL_SIZE=0", "TASK_ACTOR_POOL_SIZE: 0 is out of range; want 1 to 65536"},
		{"negative in the environment", ok, run, "TASK_ACTOR_POOL_SIZE=-1", "TASK_ACTOR_POOL_SIZE: -1 is out of range; want 1 to 65536"},
		{"log level in the environment", ok, run, "RINGMILL_LOG_LEVEL=loud", `RINGMILL_LOG_LEVEL: "loud" is unknown; want debug, info`},
		{"log level behind a flag", ok, with("--log-level", "off"), "RINGMILL_LOG_LEVEL=loud", `RINGMILL_LOG_LEVEL: "loud" is unknown; want debug, info`},
		{"actors behind a flag", ok, with("--task-actors", "5"), "TASK_ACTOR_POOL_SIZE=ten", `TASK_ACTOR_POOL_SIZE: "ten" is not a number; want 1 to 65536`},
		{"metrics in the environment", ok, run, "RINGMILL_METRICS=foo", "RINGMILL_METRICS: address foo: missing port in address: want a free address"},
		{"metrics of another machine in the environment", ok, run, "RINGMILL_METRICS=192.0.2.1:9464", "RINGMILL_METRICS: listen tcp 192.0.2.1:9464: "},
		{"otlp in the environment", ok, run, "RINGMILL_OTLP=si", `RINGMILL_OTLP: "si" is unknown; want true or false`},
		{"otlp sampler", ok, with("--otlp"), "OTEL_TRACES_SAMPLER=foo", `OTEL_TRACES_SAMPLER: "foo" is not supported; want always_on`},
		{"otlp protocol", ok, with("--otlp"), "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", `OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not supported; want http/protobuf`},

		{"shell that is not allowed", "tasks:\n  a: {shell: ls}\n", run, "", "wf.yaml:2:14: tasks of the kind shell are not enabled: pass --allow-shell"},
		{"shell that is not allowed to be checked", "tasks:\n  a: {shell: ls}\n", []string{"validate", "wf.yaml"}, "", "pass --allow-shell"},
		{"Go function", "tasks:\n  a: {go: F}\n", run, "", "wf.yaml:2:11: the function \"F\" is unknown: run the workflow with the Go program that has the function"},
		{"expression", "tasks:\n  a: {cmd: [echo, \"${{ input.x + }}\"]}\n", run, "", "wf.yaml:2:"},
		{"file that is not there", "tasks:\n  a: {workflow: sub.yaml}\n", run, "", "wf.yaml:2:17: the workflow sub.yaml cannot be read: sub.yaml: no such file or directory: check the path\n"},
		{"argument of schema", ok, []string{"schema", "wf.yaml"}, "", `unexpected argument "wf.yaml": want 'ringmill schema [flags]'`},

		{"unknown command", ok, []string{"frob"}, "", `unknown command "frob": want one of completion, graph, loadgen, run, schema, validate, version: see 'ringmill --help'`},
		{"empty command", ok, []string{""}, "", `unknown command "": want one of completion, `},
		{"mistyped command", ok, []string{"vali", "wf.yaml"}, "", `unknown command "vali": did you mean validate?`},
		{"swapped letters", ok, []string{"rnu", "wf.yaml"}, "", `unknown command "rnu": did you mean run?`},
		{"missing letter", ok, []string{"vrsion"}, "", `unknown command "vrsion": did you mean version?`},
		{"help about what is below a command without any", ok, []string{"help", "run", "frob"}, "", `unknown command "frob": see 'ringmill run --help'`},
		{"unknown flag", ok, with("--colour"), "", "unknown flag: --colour: see 'ringmill run --help'"},
		{"mistyped flag", ok, with("--taskactors", "5"), "", "unknown flag: --taskactors: did you mean --task-actors? see 'ringmill run --help'"},
		{"nearest flag", ok, []string{"loadgen", "run", "--rte", "5"}, "", "unknown flag: --rte: did you mean --rate? "},
		{"flag of subcommands", ok, []string{"loadgen", "--rate", "5"}, "", "unknown flag: --rate: it is for 'ringmill loadgen grid', 'ringmill loadgen run': see"},
		{"flag of a subcommand, near to another", ok, []string{"--otlp"}, "", "unknown flag: --otlp: it is for 'ringmill run': see"},
		{"flag that is true or false", ok, with("--json=maybe"), "", `--json: "maybe" is unknown; want true or false`},
		{"flag without value", ok, with("--count"), "", "flag needs an argument: --count: see 'ringmill run --help'"},
		{"no file", ok, []string{"run"}, "", "no file given: want 'ringmill run FILE [flags]'"},
		{"two files", ok, with("wf.yaml"), "", "2 files given: want one, 'ringmill run FILE [flags]'"},
		{"no file to validate", ok, []string{"validate"}, "", "no file given: want 'ringmill validate FILE... [flags]'"},
		{"argument of version", ok, []string{"version", "wf.yaml"}, "", `unexpected argument "wf.yaml": want 'ringmill version [flags]'`},
		{"input", ok, with("--input", "{\n\"a\": ]"), "", "--input:2:6: not JSON: "},
		{"input file", ok, with("--input", "@wf.yaml"), "", "wf.yaml:1:"},
		{"missing input file", ok, with("--input", "@gone.json"), "", "--input: gone.json: no such file or directory: check the path"},
		{"input against the schema", "input: {type: object, required: [user]}\n" + ok, with("--input", "{}"), "", "user"},
		{"no input", "input: {type: object, required: [user, n], properties: {user: {type: string}, n: {type: [integer, 'null']}, more: {}}}\n" + ok, run, "",
			`--input: none was given: workflow: bad input: input is null: pass object: want one of the form --input '{"n":1,"user":"text"}', or --input @FILE`},
		{"no input, of which the schema says little", "input: {anyOf: [{type: string}, {type: integer}]}\n" + ok, run, "", `want one of the form --input '{"user": "ada"}', or --input @FILE`},
		{"no input, with a quote", `input: {enum: ["it's"]}` + "\n" + ok, run, "", `of the form --input '"it'\''s"', or`},
		{"no input, with a constant, null and what HTML would escape", "input: {type: object, required: [<, c], properties: {<: {type: ['null', integer]}, c: {const: a&b}}}\n" + ok, run, "",
			`of the form --input '{"<":1,"c":"a&b"}', or`},
		{"input of a recorded workflow", instance, with("--input", "{}", "--time-scale", "0"), "", "--input: fork is a recorded workflow (WfFormat), which takes none: leave it out"},
		{"input file without a name", ok, with("--input", "@"), "", "--input: @ names no file: want @FILE, or @- for standard input"},
		{"unknown shell", ok, []string{"completion", "foo"}, "", `unknown shell "foo": want 'ringmill completion SHELL' with bash, fish, powershell, zsh`},
		{"no shell", ok, []string{"completion"}, "", "no shell given: want 'ringmill completion SHELL' with bash"},
		{"help about an unknown command", ok, []string{"help", "run2"}, "", `unknown command "run2": did you mean run?`},
		{"negative time scale", ok, with("--time-scale", "-1"), "", "--time-scale: -1 is out of range; want 0 or more"},
		{"no time scale", ok, with("--time-scale", "slow"), "", `--time-scale: "slow" is not a number; want 0 or more`},
		{"time scale of a workflow without times", ok, with("--time-scale", "0.1"), "", "--time-scale: it is for recorded workflows (WfFormat), and wf is none: leave it out"},
		{"no runs", ok, with("--count", "0"), "", "--count: 0 is out of range; want 1 to "},
		{"no task actors", ok, with("--task-actors", "0"), "", "--task-actors: 0 is out of range; want 1 to 65536"},
		{"workflow actors", ok, with("--workflow-actors", "many"), "", `--workflow-actors: "many" is not a whole number; want 1 to 65536`},
		{"schedule", ok, with("--schedule", "lifo"), "", `--schedule: "lifo" is unknown; want fifo, critical-path, measured-path`},
		{"log level", ok, with("--log-level", "loud"), "", `--log-level: "loud" is unknown; want debug, info, warn, error, off`},
		{"metrics without port", ok, with("--metrics", "localhost"), "", "missing port in address: want a free address of this machine such as 127.0.0.1:9464"},
		{"graph format", ok, []string{"graph", "wf.yaml", "--format", "png"}, "", `--format: "png" is unknown; want dot, mermaid`},
		{"graph of nothing", "tasks: {}\n", []string{"graph", "wf.yaml"}, "", "wf.yaml:1:8: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, test.args...)
			cmd.Env = append(cmd.Env, test.env)
			write(t, cmd, "wf.yaml", test.file)
			r := finish(t, cmd)
			if r.code != 2 || !strings.Contains(r.stderr, test.want) || r.stdout != "" {
				t.Errorf("exit code %d, standard error %q, standard output %q; want 2, %q and nothing", r.code, r.stderr, r.stdout, test.want)
			}
		})
	}
}

// lyingInstance is a WfFormat file in which b does not name a as its parent.
const lyingInstance = `{"name": "lie", "schemaVersion": "1.5", "workflow": {
  "specification": {
    "tasks": [
      {"id": "a", "name": "a", "parents": [], "children": ["b"]},
      {"id": "b", "name": "b", "parents": [], "children": []}]},
  "execution": {"makespanInSeconds": 1,
    "tasks": [{"id": "a", "runtimeInSeconds": 1}, {"id": "b", "runtimeInSeconds": 1}]}}}
`

// TestNoInput: a run that fails because it has no input says how to give one.
func TestNoInput(t *testing.T) {
	const file = "tasks: {a: {cmd: [echo, \"${{ input.user }}\"]}}\n"
	const hint = "no input was given: give one such as --input '{\"user\": \"ada\"}', or --input @FILE\n"
	if r := ringmill(t, file, "run", "wf.yaml"); r.code != 1 || !strings.Contains(r.stderr, hint) {
		t.Errorf("exit code %d, standard error %q, want %q", r.code, r.stderr, hint)
	}
	if r := ringmill(t, file, "run", "wf.yaml", "--input", "{}"); r.code != 1 || strings.Contains(r.stderr, "no input was given") {
		t.Errorf("exit code %d, standard error %q", r.code, r.stderr)
	}
}

// TestNoInputPipe: the example is made of a schema that can be read only once.
func TestNoInputPipe(t *testing.T) {
	cmd := command(t, "run", "-")
	cmd.Stdin = strings.NewReader("input: {type: string}\n" + ok)
	if r := finish(t, cmd); r.code != 2 || !strings.Contains(r.stderr, `of the form --input '"text"', or`) {
		t.Errorf("exit code %d, standard error %q", r.code, r.stderr)
	}
}

func TestMetricsAddressTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	r := ringmill(t, ok, "run", "wf.yaml", "--metrics", listener.Addr().String())
	if r.code != 2 || !strings.Contains(r.stderr, "address already in use: want a free address of this machine") {
		t.Errorf("exit code %d, standard error %q", r.code, r.stderr)
	}
}

// TestValidateReportsEveryFile: one that is wrong does not hide the others.
func TestValidateReportsEveryFile(t *testing.T) {
	cmd := command(t, "validate", "good.yaml", "bad.yaml", "gone.yaml")
	write(t, cmd, "good.yaml", ok)
	write(t, cmd, "bad.yaml", "tasks: 1\n")
	r := finish(t, cmd)
	if r.code != 2 || r.stdout != "good.yaml: ok: workflow good: 1 task, 0 edges, 1 deep\n" {
		t.Errorf("exit code %d, standard output %q", r.code, r.stdout)
	}
	if !strings.HasPrefix(r.stderr, "bad.yaml:1:8: ") || !strings.Contains(r.stderr, "\ngone.yaml: ") {
		t.Errorf("standard error %q", r.stderr)
	}
}

// TestValidateJSON: an object for each file on standard output, and nothing on
// standard error.
func TestValidateJSON(t *testing.T) {
	cmd := command(t, "validate", "good.yaml", "bad.yaml", "gone.yaml", "--json")
	write(t, cmd, "good.yaml", ok)
	write(t, cmd, "bad.yaml", "tasks:\n  a: {cmd: [x], timeout: -2s, needs: [<b>]}\n")
	r := finish(t, cmd)
	want := `{"file":"good.yaml","ok":true,"problems":[]}
{"file":"bad.yaml","ok":false,"problems":[` +
		`{"line":2,"column":26,"problem":"timeout: -2s is negative","cure":"give a duration of 0 or more"},` +
		`{"line":2,"column":39,"problem":"needs names the task \"<b>\", which does not exist","cure":"declare it under tasks"}]}
{"file":"gone.yaml","ok":false,"problems":[{"line":0,"column":0,"problem":"gone.yaml: no such file or directory: check the path","cure":""}]}
`
	if r.code != 2 || r.stdout != want || r.stderr != "" {
		t.Errorf("exit code %d, standard error %q, standard output\n%swant\n%s", r.code, r.stderr, r.stdout, want)
	}
}
