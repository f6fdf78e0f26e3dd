package workflow

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// ParseYAML reads a definition in Ringmill's own format, YAML or JSON. The error
// joins a [*SyntaxError] for every problem of the file, in the file's order. What
// the format can say is told by the JSON Schema that [Schema] returns, and in the
// package's documentation.
//
// A run's input and result are JSON; an empty input counts as null.
func ParseYAML(data []byte, opts ...ParseOption) (*Definition[json.RawMessage, json.RawMessage], error) {
	config, err := newParseConfig(opts)
	if err != nil {
		return nil, err
	}
	plan, err := parseFile(&config, config.file, data, nil)
	if err != nil {
		return nil, err
	}
	return &Definition[json.RawMessage, json.RawMessage]{plan}, nil
}

// parseFile reads a file; stack names the files that led to it.
func parseFile(config *parseConfig, name string, data []byte, stack []string) (*Plan, error) {
	r := newFileReader(config, name, stack)
	r.source = data
	root, problems := document.Parse(data)
	if problems != nil {
		r.add(problems)
		return nil, r.err()
	}
	plan := r.workflow(root)
	if err := r.err(); err != nil {
		return nil, err
	}
	return plan, nil
}

// A fileReader turns a document into a plan and collects what is wrong with it.
type fileReader struct {
	*problemList
	config *parseConfig
	stack  []string // the files that led to this one, and workflows within
	source []byte

	name    string // of the workflow, and what it is without one
	unnamed string
	tasks   []TaskPlan
	names   []document.Field // of tasks
	index   map[string]int   // of tasks, by name
	policy  policies
	cases   [][]caseOf // of tasks: the switches that choose them
}

func newFileReader(config *parseConfig, name string, stack []string) *fileReader {
	return &fileReader{
		problemList: &problemList{file: name}, config: config, stack: append(slices.Clone(stack), name),
		index: make(map[string]int), policy: newPolicies(config),
	}
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

// field returns the value of a key of a map; nil if there is none.
func field(n *document.Node, name string) *document.Node {
	for _, f := range n.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

func mapKeys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

// is reports whether n has the kind that what must have, and complains if not.
func (r *fileReader) is(n *document.Node, kind document.Kind, what, cure string) bool {
	if n.Kind != kind {
		r.report(n.Position, ErrSyntax, cure, "%s must be %s, not %s", what, kind, n.Kind)
	}
	return n.Kind == kind
}

// A topLevel is what a workflow says beside its tasks.
type topLevel struct {
	name, tasks, output   *document.Node
	check                 *schema
	failure               FailurePolicy
	timeout, compensation time.Duration
}

func (r *fileReader) topLevelKeys(p *topLevel) keys {
	keep := func(into **document.Node) func(*document.Node) {
		return func(v *document.Node) { *into = v }
	}
	return keys{
		"name":               keep(&p.name),
		"description":        r.description,
		"input":              func(v *document.Node) { p.check = r.inputSchema(v) },
		"tasks":              keep(&p.tasks),
		"output":             keep(&p.output),
		"on_failure":         func(v *document.Node) { p.failure = word(r, v, "on_failure", failurePolicyNames[:], FailurePolicy(0)) },
		"timeout":            func(v *document.Node) { p.timeout = r.duration(v, "timeout") },
		"compensate_timeout": func(v *document.Node) { p.compensation = r.duration(v, "compensate_timeout") },
		"breakers":           r.breakers,
		"rate_limits":        r.rateLimits,
		"concurrency_limits": r.concurrencyLimits,
	}
}

func (r *fileReader) workflow(root *document.Node) *Plan {
	var p topLevel
	r.fields(root, "the workflow", r.topLevelKeys(&p))
	if root.Kind != document.Map {
		return nil
	}
	r.name = r.defaultName()
	if p.name != nil {
		r.name = r.workflowName(p.name)
	}
	if p.tasks == nil {
		r.report(root.Position, ErrNoTasks, "add tasks: with at least one task", "the workflow has no tasks")
		return nil
	}
	r.readTasks(p.tasks)
	var result *template
	if p.output != nil {
		result = r.template(p.output, "output", rootsOfOutput, nil)
	}
	if r.failed() {
		return nil
	}
	compiled := newPlan(r.name, r.tasks)
	compiled.OnFailure, compiled.Timeout = p.failure, p.timeout
	compiled.setCompensateTimeout(p.compensation)
	compiled.classify() // again: OnFailure counts
	compiled.CheckInput = p.check.checkInput
	compiled.Output = func(input any, results []any) (any, error) {
		return result.render(&scope{Inputs: Inputs{Input: input, Results: results}})
	}
	if result == nil {
		compiled.Output = leafOutput(compiled)
	}
	return compiled
}

// description accepts a text for readers.
func (r *fileReader) description(n *document.Node) {
	r.is(n, document.String, "description", "write text, in quotes if need be")
}

// defaultName is the name of the task that the workflow is, or the file's base
// name without its extension.
func (r *fileReader) defaultName() string {
	if r.unnamed != "" {
		return r.unnamed
	}
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
	r.cases = make([][]caseOf, len(r.names))
	for i, f := range r.names {
		r.readTask(i, f)
	}
	for i := range r.tasks {
		r.chosen(i)
	}
	for _, cycle := range findCycles(r.tasks) {
		r.report(r.names[cycle[0]].Position, ErrCycle, "remove one of these dependencies",
			"tasks wait for each other: %s", cycleText(cycle, func(i int) string { return r.names[i].Name }))
	}
}

// taskNames reads a list of tasks and calls f with each that exists.
func (r *fileReader) taskNames(n *document.Node, what string, f func(task int)) {
	if !r.is(n, document.List, what, fmt.Sprintf("write a list of task names: %s: [NAME]", what)) {
		return
	}
	for _, item := range n.Items {
		if item.Kind != document.String && item.Kind != document.Number {
			r.is(item, document.String, "an element of "+what, "write a task's name")
			continue
		}
		if task, ok := r.task(item.Text, item.Position, what); ok {
			f(task)
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

// leafOutput makes the result of a run without output: an object of the
// results of those tasks that no other task waits for. The result of one that did not
// succeed is null.
func leafOutput(p *Plan) func(any, []any) (any, error) {
	type leaf struct {
		task int
		key  string
	}
	var leafs []leaf
	for i := range p.Tasks {
		if len(p.Tasks[i].Succs) == 0 {
			leafs = append(leafs, leaf{i, jsonString(p.Tasks[i].Name) + ":"})
		}
	}
	return func(_ any, results []any) (any, error) {
		out := []byte("{")
		for n, l := range leafs {
			if n > 0 {
				out = append(out, ',')
			}
			value, _ := results[l.task].(json.RawMessage)
			if len(value) == 0 {
				value = null
			}
			out = append(append(out, l.key...), value...)
		}
		return json.RawMessage(append(out, '}')), nil
	}
}
