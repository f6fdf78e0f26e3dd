package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// ParseYAML reads a definition in Ringmill's own format, YAML or JSON. The error
// joins a [*SyntaxError] for every problem of the file, in the file's order.
//
// A run's input and result are JSON; an empty input counts as null. The format:
//
//	name: report                # optional, defaults to the file's base name
//	input:                      # optional, checked before a run starts
//	  {type: object, required: [file], properties: {file: {type: string}}}
//	tasks:
//	  count:
//	    cmd: [wc, -l, "${{ input.file }}"]      # argument list, no shell
//	    timeout: 2s                             # of one attempt
//	    task_timeout: 10s                       # of all attempts and waits
//	    retry: {max: 5, backoff: 50ms, max_backoff: 2s, jitter: 0.2, max_elapsed: 8s}
//	  mail:
//	    cmd: [sendmail, root]
//	    with: {lines: "${{ tasks.count.output }}"}   # JSON on standard input
//	    needs: [count]                          # order without data
//	output: "${{ tasks.count.output }}"   # optional, defaults to an object of the leaf tasks' results
//
// A reference "${{ path }}" stands for a whole value and keeps its type; a path
// begins with input or tasks.NAME.output. A task waits for the tasks that it
// refers to. As an argument a string is passed as it is and any other value as
// JSON text; null is an error. A command's result is its standard output
// without one trailing newline, as a JSON string; it must be UTF-8.
//
// Without retry a task has one attempt. The keys of retry default to max: 3 (no
// bound where max_elapsed is given), backoff: 100ms, which doubles after each
// attempt, max_backoff: 30s, jitter: 0, and no max_elapsed. A backoff or
// max_backoff of 0s is no wait. A command that cannot be found is not tried again.
func ParseYAML(data []byte, opts ...ParseOption) (*Definition[json.RawMessage, json.RawMessage], error) {
	config, err := newParseConfig(opts)
	if err != nil {
		return nil, err
	}
	r := fileReader{problemList: problemList{file: config.file}, index: make(map[string]int)}
	root, problems := document.Parse(data)
	if problems != nil {
		r.add(problems)
		return nil, r.err()
	}
	plan := r.workflow(root)
	if err := r.err(); err != nil {
		return nil, err
	}
	return &Definition[json.RawMessage, json.RawMessage]{plan}, nil
}

// A fileReader turns a document into a plan and collects what is wrong with it.
type fileReader struct {
	problemList
	tasks []TaskPlan
	names []document.Field // of tasks
	index map[string]int   // of tasks, by name
}

// keys maps the keys that a map may have to what reads their values.
type keys map[string]func(v *document.Node)

// fields reads a map's values in the order of the file; what names the map.
func (r *fileReader) fields(n *document.Node, what string, known keys) {
	if !r.is(n, document.Map, what, "write it as key: value pairs") {
		return
	}
	seen := make(map[string]document.Position, len(n.Fields))
	for _, f := range n.Fields {
		first, repeated := seen[f.Name]
		read, ok := known[f.Name]
		switch {
		case repeated:
			r.report(f.Position, ErrSyntax, "remove one of them",
				"the key %q was given already in line %d", f.Name, first.Line)
		case ok:
			read(f.Value)
		default:
			names := slices.Sorted(maps.Keys(known))
			r.report(f.Position, ErrSyntax,
				didYouMean(f.Name, slices.Values(names), "use "+strings.Join(names, ", ")),
				"unknown key %q in %s", f.Name, what)
		}
		seen[f.Name] = f.Position
	}
}

// is reports whether n has the kind that what must have, and complains if not.
func (r *fileReader) is(n *document.Node, kind document.Kind, what, cure string) bool {
	if n.Kind != kind {
		r.report(n.Position, ErrSyntax, cure, "%s must be %s, not %s", what, kind, n.Kind)
	}
	return n.Kind == kind
}

func (r *fileReader) workflow(root *document.Node) *Plan {
	var name, input, tasks, output *document.Node
	keep := func(into **document.Node) func(*document.Node) {
		return func(v *document.Node) { *into = v }
	}
	r.fields(root, "the workflow", keys{"name": keep(&name), "input": keep(&input), "tasks": keep(&tasks), "output": keep(&output)})
	if root.Kind != document.Map {
		return nil
	}

	planName := r.defaultName()
	if name != nil {
		planName = r.workflowName(name)
	}
	var check *schema
	if input != nil {
		check = r.schema(input, "input")
	}
	if tasks == nil {
		r.report(root.Position, ErrNoTasks, "add tasks: with at least one task", "the workflow has no tasks")
		return nil
	}
	r.readTasks(tasks)
	var result *template
	if output != nil {
		result = r.template(output, "output", nil)
	}
	if len(r.list) > 0 {
		return nil
	}
	compiled := newPlan(planName, r.tasks)
	compiled.pending(func(task int, what string) {
		at := root.Position
		if task != noTask {
			at = r.names[task].Position
		}
		r.report(at, ErrUnsupported, pendingCure, "%s is not supported yet", what)
	})
	compiled.CheckInput = check.checkInput
	compiled.Output = func(input any, results []any) (any, error) {
		return result.render(Inputs{Input: input, Results: results})
	}
	if result == nil {
		compiled.Output = leafOutput(compiled)
	}
	return compiled
}

// defaultName is the file's base name without its extension.
func (r *fileReader) defaultName() string {
	base := filepath.Base(r.file)
	if name := strings.TrimSuffix(base, filepath.Ext(base)); badName(name) == "" {
		return name
	}
	return "workflow"
}

func (r *fileReader) workflowName(n *document.Node) string {
	if r.is(n, document.String, "name", "write text, in quotes if need be") {
		if what := badName(n.Text); what != "" {
			r.report(n.Position, ErrBadName, nameCure, "the name %s", what)
		}
	}
	return n.Text
}

// readTasks reads all tasks. Names come first, so that a task may refer to a
// later one.
func (r *fileReader) readTasks(n *document.Node) {
	if !r.is(n, document.Map, "tasks", "write one key a task: tasks: {NAME: {cmd: [...]}}") {
		return
	}
	if len(n.Fields) == 0 {
		r.report(n.Position, ErrNoTasks, "add at least one task", "the workflow has no tasks")
	}
	if len(n.Fields) > MaxTasks {
		r.report(n.Position, ErrTooLarge, "split the workflow", "the workflow has %d tasks, limit %d", len(n.Fields), MaxTasks)
		return
	}
	for _, f := range n.Fields {
		if what := badName(f.Name); what != "" {
			r.report(f.Position, ErrBadName, nameCure, "the task name %s", what)
		}
		if first, ok := r.index[f.Name]; ok {
			r.report(f.Position, ErrDuplicateTask, "give each task its own name",
				"the task %s was declared already in line %d", f.Name, r.names[first].Line)
			continue
		}
		r.index[f.Name] = len(r.names)
		r.names = append(r.names, f)
	}
	r.tasks = make([]TaskPlan, len(r.names))
	for i, f := range r.names {
		r.readTask(&r.tasks[i], f)
	}
	for _, cycle := range findCycles(r.tasks) {
		r.report(r.names[cycle[0]].Position, ErrCycle, "remove one of these dependencies",
			"tasks wait for each other: %s", cycleText(cycle, func(i int) string { return r.names[i].Name }))
	}
}

func (r *fileReader) readTask(t *TaskPlan, f document.Field) {
	t.Name = f.Name
	depend := func(task int) {
		t.Deps = append(t.Deps, int32(task))
	}
	var run *cmdTask
	with := (*template)(nil)
	r.fields(f.Value, "task "+f.Name, keys{
		"needs":        func(v *document.Node) { r.needs(v, depend) },
		"cmd":          func(v *document.Node) { run = r.cmd(v, depend) },
		"with":         func(v *document.Node) { with = r.template(v, "with", depend) },
		"timeout":      func(v *document.Node) { t.Timeout = r.duration(v, "timeout") },
		"task_timeout": func(v *document.Node) { t.TaskTimeout = r.duration(v, "task_timeout") },
		"retry":        func(v *document.Node) { t.Retry = r.retry(v) },
	})
	slices.Sort(t.Deps)
	t.Deps = slices.Compact(t.Deps)
	if run == nil {
		if f.Value.Kind == document.Map && !slices.ContainsFunc(f.Value.Fields, func(f document.Field) bool { return f.Name == "cmd" }) {
			r.report(f.Position, ErrSyntax, "add cmd: [program, argument, ...]", "the task %s has nothing to run", f.Name)
		}
		return
	}
	run.with = with
	t.Run = run.run
}

func (r *fileReader) needs(n *document.Node, depend func(int)) {
	if !r.is(n, document.List, "needs", "write a list of task names: needs: [NAME]") {
		return
	}
	for _, item := range n.Items {
		if item.Kind != document.String && item.Kind != document.Number {
			r.is(item, document.String, "an element of needs", "write a task's name")
			continue
		}
		if task, ok := r.task(item.Text, item.Position, "needs"); ok {
			depend(task)
		}
	}
}

// task finds a task by its name.
func (r *fileReader) task(name string, at document.Position, role string) (int, bool) {
	task, ok := r.index[name]
	if !ok && !r.full() { // a suggestion looks at all tasks
		r.report(at, ErrUnknownTask, didYouMean(name, maps.Keys(r.index), "declare it under tasks"),
			"%s names the task %q, which does not exist", role, name)
	}
	return task, ok
}

// duration reads "2s" and the like.
func (r *fileReader) duration(n *document.Node, what string) time.Duration {
	cure := fmt.Sprintf("write a number with its unit: %s: 2s", what)
	if n.Kind == document.Number || !r.is(n, document.String, what, cure) {
		if n.Kind == document.Number {
			r.report(n.Position, ErrBadOption, cure, "%s: %s has no unit", what, n.Text)
		}
		return 0
	}
	d, err := time.ParseDuration(n.Text)
	switch {
	case err != nil && isTooLong(n.Text):
		r.report(n.Position, ErrBadOption, "give a shorter duration, or leave it out", "%s: %s is longer than 292 years", what, n.Text)
	case err != nil:
		r.report(n.Position, ErrBadOption, cure, "%s: %q is not a duration", what, n.Text)
	case d < 0:
		r.report(n.Position, ErrBadOption, "give a duration of 0 or more", "%s: %s is negative", what, n.Text)
	}
	return d
}

var digits = regexp.MustCompile("[0-9]+")

// isTooLong reports whether a text that is no valid duration would be one if its
// numbers were small.
func isTooLong(text string) bool {
	_, err := time.ParseDuration(digits.ReplaceAllString(text, "1"))
	return err == nil
}

// leafOutput makes the result of a run without output: an object of the
// results of those tasks that no other task waits for.
func leafOutput(p *Plan) func(any, []any) (any, error) {
	var t template
	t.text("{")
	for i := range p.Tasks {
		if len(p.Tasks[i].Succs) > 0 {
			continue
		}
		if len(t.pieces) > 1 {
			t.text(",")
		}
		t.text(jsonString(p.Tasks[i].Name))
		t.text(":")
		t.reference(&reference{task: i})
	}
	t.text("}")
	return func(input any, results []any) (any, error) {
		return t.render(Inputs{Input: input, Results: results})
	}
}
