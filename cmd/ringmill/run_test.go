package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sum is a fan-out and fan-in whose result shows that values got through.
const sum = `
name: sum
input: {type: object, required: [words]}
tasks:
  count: {cmd: [wc, -w], with: "${{ input.words }}"}
  shout: {cmd: [tr, a-z, A-Z], with: "${{ input.words }}"}
  both: {cmd: [printf, "%s words: %s", "${{ tasks.count.output }}", "${{ tasks.shout.output }}"]}
output: ${{ tasks.both.output }}
`

func TestJSON(t *testing.T) {
	r := ringmill(t, sum, "run", "wf.yaml", "--json", "--input", `{"words": "to be or not"}`)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("exit code %d, standard error %q", r.code, r.stderr)
	}
	list := objects(t, r.stdout)
	if len(list) != 1 {
		t.Fatalf("%d objects, want 1", len(list))
	}
	o := list[0]
	var output string
	if err := json.Unmarshal(o.Output, &output); err != nil || strings.Join(strings.Fields(output), " ") != `4 words: "TO BE OR NOT"` {
		t.Errorf("output %s", o.Output)
	}
	if o.Workflow != "sum" || o.RunID == "" || o.Status != "succeeded" || o.Error != nil || o.MakespanSeconds <= 0 || o.CriticalPathSeconds <= 0 {
		t.Errorf("%+v", o)
	}
	if len(o.Tasks) != 3 {
		t.Fatalf("%d tasks, want 3", len(o.Tasks))
	}
	for _, task := range o.Tasks {
		if task.Status != "succeeded" || task.Attempts != 1 || task.RunSeconds <= 0 || task.StartedAt == nil || task.FinishedAt.Before(*task.StartedAt) || task.Actor == nil {
			t.Errorf("%+v", task)
		}
	}
	if both := o.Tasks[2]; both.Name != "both" || both.StartedAt.Before(*o.Tasks[0].FinishedAt) || both.StartedAt.Before(*o.Tasks[1].FinishedAt) {
		t.Error("both began before what it waits for ended")
	}
}

// TestPlain: on a pipe there are plain lines, without control sequences.
func TestPlain(t *testing.T) {
	r := ringmill(t, sum, "run", "wf.yaml", "--input", `{"words": "to be"}`, "--task-actors", "3")
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("exit code %d, standard error %q", r.code, r.stderr)
	}
	for _, want := range []string{"sum: 3 tasks, 3 task actors, 10 workflow actors\n", "\nRUN r-", "\nTASK ", "\nTIMELINE ", "\nOUTPUT\n", ": succeeded in ",
		"makespan ", "critical path ", "work ", "bound ", "ratio "} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in\n%s", want, r.stdout)
		}
	}
	if strings.Contains(r.stdout, "\x1b") {
		t.Errorf("control sequences in %q", r.stdout)
	}
}

func TestInputFile(t *testing.T) {
	cmd := command(t, "run", "wf.yaml", "--json", "--input", "@in.json")
	write(t, cmd, "wf.yaml", sum)
	write(t, cmd, "in.json", `{"words": "hi"}`)
	if r := finish(t, cmd); r.code != 0 || !strings.Contains(r.stdout, `\"HI\"`) {
		t.Errorf("%+v", r)
	}
}

func TestStandardInput(t *testing.T) {
	cmd := command(t, "run", "-", "--json")
	cmd.Stdin = strings.NewReader("name: piped\n" + ok)
	if r := finish(t, cmd); r.code != 0 || objects(t, r.stdout)[0].Workflow != "piped" {
		t.Errorf("%+v", r)
	}
	cmd = command(t, "run", "-", "--json")
	cmd.Stdin = strings.NewReader(ok)
	if r := finish(t, cmd); r.code != 0 || !strings.Contains(r.stdout, `"workflow":"<stdin>"`) {
		t.Errorf("%+v", r)
	}
	cmd = command(t, "validate", "-")
	cmd.Stdin = strings.NewReader("tasks: 1")
	if r := finish(t, cmd); r.code != 2 || !strings.HasPrefix(r.stderr, "<stdin>:1:8: ") {
		t.Errorf("%+v", r)
	}
}

func TestFlagsBeforeEnvironmentBeforeDefaults(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "7 task actors, 10 workflow actors"},
		{[]string{"--task-actors", "8", "--workflow-actors", "2"}, "8 task actors, 2 workflow actors"},
	} {
		cmd := command(t, append([]string{"run", "wf.yaml"}, test.args...)...)
		cmd.Env = append(cmd.Env, "TASK_ACTOR_POOL_SIZE=7")
		write(t, cmd, "wf.yaml", ok)
		if r := finish(t, cmd); !strings.Contains(r.stdout, test.want) {
			t.Errorf("no %q in %q", test.want, r.stdout)
		}
	}
}

// TestFailures: exit code 1, and the error says which task failed, at which
// attempt, how and why.
func TestFailures(t *testing.T) {
	const head = "name: etl\ntasks:\n  fine: {cmd: [\"true\"]}\n"
	for _, test := range []struct {
		name, file, class, message string
		attempt                    int
	}{
		{"exit code", head + `  load: {cmd: [sh, -c, "echo no such table >&2; exit 3"]}`, "task_error", "no such table", 1},
		{"retries", head + `  load: {cmd: ["false"], retry: {max: 3, backoff: 1ms}}`, "task_error", "exited with status 1", 3},
		{"no such program", head + `  load: {cmd: [ringmill-does-not-exist]}`, "task_error", "ringmill-does-not-exist", 1},
		{"timeout", head + `  load: {cmd: [sleep, "60"], timeout: 50ms}`, "timeout", "timed out after 50ms", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := ringmill(t, test.file, "run", "wf.yaml", "--json")
			if r.code != 1 {
				t.Errorf("exit code %d, want 1", r.code)
			}
			o := objects(t, r.stdout)[0]
			if o.Status != "failed" || o.Error == nil || string(o.Output) != "null" {
				t.Fatalf("%+v", o)
			}
			if e := o.Error; e.Task != "load" || e.Attempt != test.attempt || e.Class != test.class || !strings.Contains(e.Message, test.message) {
				t.Errorf("%+v", *e)
			}
			if !strings.Contains(r.stderr, "ringmill: workflow etl, run r-") || !strings.Contains(r.stderr, test.message) {
				t.Errorf("standard error %q", r.stderr)
			}
			plain := ringmill(t, test.file, "run", "wf.yaml")
			if plain.code != 1 || !strings.Contains(plain.stdout, test.message) {
				t.Errorf("plain: exit code %d, standard output\n%s", plain.code, plain.stdout)
			}
		})
	}
}

// instance is a WfFormat fork and join whose tasks took a thousand seconds.
const instance = `{"name": "fork", "schemaVersion": "1.5", "workflow": {
  "specification": {"tasks": [
    {"id": "split_1", "name": "split", "parents": [], "children": ["work_1", "work_2"]},
    {"id": "work_1", "name": "work", "parents": ["split_1"], "children": ["join_1"]},
    {"id": "work_2", "name": "work", "parents": ["split_1"], "children": ["join_1"]},
    {"id": "join_1", "name": "join", "parents": ["work_1", "work_2"], "children": []}]},
  "execution": {"makespanInSeconds": 3000, "tasks": [
    {"id": "split_1", "runtimeInSeconds": 1000}, {"id": "work_1", "runtimeInSeconds": 1000},
    {"id": "work_2", "runtimeInSeconds": 1000}, {"id": "join_1", "runtimeInSeconds": 1000}]}}}`

func TestWfFormat(t *testing.T) {
	for _, schedule := range []string{"fifo", "critical-path"} {
		r := ringmill(t, instance, "run", "wf.yaml", "--json", "--time-scale", "1e-5", "--schedule", schedule)
		if r.code != 0 {
			t.Fatalf("%+v", r)
		}
		o := objects(t, r.stdout)[0]
		var names []string
		for _, task := range o.Tasks {
			names = append(names, task.Name)
		}
		if strings.Join(names, " ") != "split_1 work_1 work_2 join_1" {
			t.Errorf("tasks %v, want the ids", names)
		}
		if o.CriticalPathSeconds < 0.03 || o.MakespanSeconds < o.CriticalPathSeconds {
			t.Errorf("makespan %g s, critical path %g s; want 0.03 s or more", o.MakespanSeconds, o.CriticalPathSeconds)
		}
	}
}

func TestCountJSON(t *testing.T) {
	const runs = 50
	r := ringmill(t, instance, "run", "wf.yaml", "--json", "--time-scale", "0", "--count", fmt.Sprint(runs))
	ids := make(map[string]bool)
	for _, o := range objects(t, r.stdout) {
		if o.Status != "succeeded" || len(o.Tasks) != 4 {
			t.Errorf("%+v", o)
		}
		ids[o.RunID] = true
	}
	if r.code != 0 || len(ids) != runs {
		t.Errorf("exit code %d, %d different runs; want 0, %d", r.code, len(ids), runs)
	}
}

func TestCountPlain(t *testing.T) {
	r := ringmill(t, instance, "run", "wf.yaml", "--time-scale", "0", "--count", "5000")
	if r.code != 0 || !strings.Contains(r.stdout, "5,000 runs of fork: 5,000 succeeded, 0 failed, 0 cancelled\n") ||
		!strings.Contains(r.stdout, "runs/s") || !strings.Contains(r.stdout, "p99.9") {
		t.Errorf("%+v", r)
	}
}

// TestNoRatioOfNothing: tasks that take no time have no bound worth a ratio.
func TestNoRatioOfNothing(t *testing.T) {
	r := ringmill(t, instance, "run", "wf.yaml", "--time-scale", "0")
	if r.code != 0 || strings.Contains(r.stdout, "ratio ") || !strings.Contains(r.stdout, "makespan ") {
		t.Errorf("%+v", r)
	}
}

func TestCountOfFailingRuns(t *testing.T) {
	r := ringmill(t, "tasks:\n  a: {cmd: [\"false\"]}\n", "run", "wf.yaml", "--count", "5")
	if r.code != 1 || !strings.Contains(r.stdout, "5 runs of wf: 0 succeeded, 5 failed, 0 cancelled\n") || !strings.Contains(r.stdout, "first to fail: ") {
		t.Errorf("%+v", r)
	}
}

// TestCountWaitsForRoom: where the runtime has room for less than what --count
// keeps in flight, runs wait; where it shall refuse them, each refusal is told
// and counts as a failure. Whether one occurs is a matter of luck.
func TestCountWaitsForRoom(t *testing.T) {
	for _, overflow := range []string{"", "fail"} {
		cmd := command(t, "run", "wf.yaml", "--json", "--count", "200", "--time-scale", "1e-6", "--workflow-actors", "1")
		cmd.Env = append(cmd.Env, "RINGMILL_MAX_RUNS=64", "RINGMILL_MAILBOX_CAPACITY=1", "RINGMILL_OVERFLOW="+overflow)
		write(t, cmd, "wf.yaml", instance)
		r := finish(t, cmd)
		list := objects(t, r.stdout)
		want := 0
		for _, o := range list {
			switch {
			case o.Error == nil:
			case overflow == "fail" && o.Error.Class == "overloaded" && o.Status == "failed":
				want = 1
			default:
				t.Errorf("overflow %q: %+v", overflow, *o.Error)
			}
		}
		if len(list) != 200 || r.code != want {
			t.Errorf("overflow %q: %d objects, exit code %d; want 200, %d", overflow, len(list), r.code, want)
		}
	}
}

func TestGraph(t *testing.T) {
	for format, want := range map[string]string{"dot": "digraph", "mermaid": "flowchart"} {
		r := ringmill(t, sum, "graph", "wf.yaml", "--format", format)
		if r.code != 0 || !strings.HasPrefix(r.stdout, want) || !strings.Contains(r.stdout, "shout") {
			t.Errorf("%s: %+v", format, r)
		}
	}
}

func TestVersion(t *testing.T) {
	if r := ringmill(t, ok, "version"); r.code != 0 || !strings.HasPrefix(r.stdout, "ringmill ") || !strings.Contains(r.stdout, ", go1.") {
		t.Errorf("%+v", r)
	}
}

func TestVersionJSON(t *testing.T) {
	r := ringmill(t, ok, "version", "--json")
	var v struct{ Version, Revision, Go, OS, Arch string }
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil || v.Version == "" || !strings.HasPrefix(v.Go, "go1.") || v.OS == "" || v.Arch == "" {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, args := range []string{"--help", "run --help", "validate --help", "graph --help", "version --help", "help run", ""} {
		r := ringmill(t, ok, strings.Fields(args)...)
		if r.code != 0 || !strings.Contains(r.stdout, "Examples:\n  ringmill ") {
			t.Errorf("ringmill %s: %+v", args, r)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := ringmill(t, ok, "completion", shell); r.code != 0 || !strings.Contains(r.stdout, "ringmill") {
			t.Errorf("%s: exit code %d", shell, r.code)
		}
	}
	for flag, want := range map[string]string{"--schedule": "critical-path", "--log-level": "debug"} {
		if r := ringmill(t, ok, "__complete", "run", "wf.yaml", flag, ""); !strings.Contains(r.stdout, want+"\n") {
			t.Errorf("%s: %q", flag, r.stdout)
		}
	}
}

// TestFullDisk: a result that cannot be written is a failure, and told.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer func() { _ = full.Close() }()
	for _, args := range []string{"run wf.yaml", "run wf.yaml --json", "validate wf.yaml", "graph wf.yaml", "version",
		"validate wf.yaml --json", "version --json", "--help", "help run", "completion bash"} {
		cmd := command(t, strings.Fields(args)...)
		cmd.Stdout = full
		write(t, cmd, "wf.yaml", ok)
		if r := finish(t, cmd); r.code != 1 || !strings.HasPrefix(r.stderr, "ringmill: standard output: ") {
			t.Errorf("ringmill %s: %+v", args, r)
		}
	}
}

// TestExamples: what the repository ships runs from its root.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "run", filepath.Join("cmd", "ringmill", file), "--json")
			cmd.Dir = root
			r := finish(t, cmd)
			if r.code == 1 && strings.Contains(r.stderr, "js: the JavaScript engine is not part of this program") {
				t.Skip(r.stderr) // it says what to do
			}
			if r.code != 0 || len(objects(t, r.stdout)[0].Output) < 20 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestReadmeWorkflow: the workflow that the README shows counts the words of the licence, as
// many as the README says.
func TestReadmeWorkflow(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	licence, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```yaml\nname: wordcount\n")
	workflow, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("there is no workflow named wordcount in the README")
	}
	cmd := command(t, "run", "wordcount.yaml", "--input", `{"file": "LICENSE"}`, "--json")
	write(t, cmd, "wordcount.yaml", workflow)
	write(t, cmd, "LICENSE", string(licence))
	r := finish(t, cmd)
	words := fmt.Sprintf("LICENSE has %d words", len(strings.Fields(string(licence))))
	if list := objects(t, r.stdout); len(list) != 1 || string(list[0].Output) != `"`+words+`"` {
		t.Errorf("exit code %d, standard error %q, standard output %s; want %s", r.code, r.stderr, r.stdout, words)
	}
	if !strings.Contains(workflow, "# "+words+"\n") {
		t.Errorf("the README does not say that %s", words)
	}
}
