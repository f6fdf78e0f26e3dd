package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// A body executes one attempt of a file's task, or one of an item of it.
type body func(ctx context.Context, s *scope) (json.RawMessage, error)

// A taskReader reads one task.
type taskReader struct {
	*fileReader
	*TaskPlan
	self     int
	at       document.Position
	programs []*program // all that its bodies evaluate, for the cache's key

	// The roots of expressions: of what runs per attempt, and of what is asked
	// about the task as a whole.
	roots, wholeRoots []string
}

// taskKeys returns the keys that every task may have, and the built-in kinds.
func taskKeys() []string {
	t := taskReader{fileReader: newFileReader(&parseConfig{}, "", nil), TaskPlan: new(TaskPlan)}
	known := t.keys(nil, new(parts))
	for _, optional := range optionalKinds {
		delete(known, optional.name)
	}
	return slices.Sorted(maps.Keys(known))
}

// parts are those of a task that are put together when all are read.
type parts struct {
	with    *template
	foreach *template
	limit   *document.Node
	keep    bool
	kinds   []string // given
	run     body
	cache   *document.Node
}

func (r *fileReader) readTask(i int, f document.Field) {
	t := taskReader{fileReader: r, TaskPlan: &r.tasks[i], self: i, at: f.Position, wholeRoots: rootsOfTask, roots: rootsOfTask}
	t.Name = f.Name
	if field(f.Value, "foreach") != nil {
		t.roots = roots(t.roots, rootsOfItem)
	}
	if field(f.Value, "repeat") != nil {
		t.roots = roots(t.roots, rootsOfRepeat)
	}
	p := new(parts)
	if n := field(f.Value, "with"); n != nil { // kinds need it
		p.with = t.value(n, "with")
	}
	r.fields(f.Value, "task "+f.Name, t.keys(f.Value, p))
	t.assemble(f, p)
	slices.Sort(t.Deps)
	t.Deps = slices.Compact(t.Deps)
}

// keys are those of a task.
func (t *taskReader) keys(n *document.Node, p *parts) keys {
	known := keys{
		"description":  t.description,
		"needs":        func(v *document.Node) { t.taskNames(v, "needs", t.depend) },
		"with":         func(*document.Node) {}, // read already
		"timeout":      func(v *document.Node) { t.Timeout = t.duration(v, "timeout") },
		"task_timeout": func(v *document.Node) { t.TaskTimeout = t.duration(v, "task_timeout") },
		"heartbeat":    func(v *document.Node) { t.Heartbeat = t.duration(v, "heartbeat") },
		"retry":        func(v *document.Node) { t.Retry = t.retry(v) },
		"foreach":      func(v *document.Node) { p.foreach = t.foreach(v) },
		"limit":        func(v *document.Node) { p.limit = v; t.Limit = t.count(v, "limit", "items", 1<<30) },
		"keep_errors":  func(v *document.Node) { p.keep = t.boolean(v, "keep_errors"); t.KeepErrors = p.keep },
		"when":         func(v *document.Node) { t.when(v) },
		"trigger":      func(v *document.Node) { t.Trigger = word(t.fileReader, v, "trigger", triggerNames[:], Trigger(0)) },
		"may_fail":     func(v *document.Node) { t.MayFail = t.boolean(v, "may_fail") },
		"priority":     func(v *document.Node) { t.Level = word(t.fileReader, v, "priority", levelNames[:], Level(0)) },
		"inline":       func(v *document.Node) { t.Inline = t.boolean(v, "inline") },
		"repeat":       func(v *document.Node) { t.Repeat = t.repeat(v) },
		"cache":        func(v *document.Node) { p.cache = v },
		"compensate":   func(v *document.Node) { t.compensate(v, field(n, "foreach") != nil) },
		"breaker": func(v *document.Node) {
			t.Breaker, _ = named(t.fileReader, v, "breaker", "breakers", t.policy.breakers)
		},
		"rate_limit": func(v *document.Node) {
			t.RateLimit, _ = named(t.fileReader, v, "rate_limit", "rate_limits", t.policy.rates)
		},
		"concurrency": func(v *document.Node) { t.Concurrency = t.concurrency(v) },
		"cases":       func(*document.Node) {}, // read with switch
		"default":     func(*document.Node) {},
	}
	t.kinds(known, n, p, true)
	return known
}

// kinds adds the keys of all kinds of tasks; those that a compensation cannot be
// only if full.
func (t *taskReader) kinds(known keys, n *document.Node, p *parts, full bool) {
	add := func(name string, read func(v *document.Node) body) {
		known[name] = func(v *document.Node) {
			p.kinds = append(p.kinds, name)
			if run := read(v); run != nil {
				p.run = run
			}
		}
	}
	add("cmd", func(v *document.Node) body {
		if cmd := t.cmd(v); cmd != nil {
			cmd.with = p.with
			return cmd.run
		}
		return nil
	})
	add("go", func(v *document.Node) body { return t.goFunc(v, p) })
	for name, k := range t.config.kinds {
		add(name, func(v *document.Node) body { return t.ofKind(k, v, p) })
	}
	if full {
		add("workflow", func(v *document.Node) body { t.subWorkflow(v); return nil })
		add("switch", func(v *document.Node) body { return t.choice(v, n) })
	}
	for _, name := range optionalKinds {
		if _, ok := known[name.name]; !ok {
			known[name.name] = func(v *document.Node) {
				p.kinds = append(p.kinds, name.name)
				t.report(v.Position, ErrUnsupported, name.cure, "tasks of the kind %s are not enabled", name.name)
			}
		}
	}
}

// optionalKinds are kinds that are known to the project and not built in, with
// what to do where they are missing.
var optionalKinds = []struct{ name, cure string }{
	{"shell", "pass --allow-shell or, in Go, shell.Kind to workflow.Kinds; or write an argument list: cmd: [program, argument, ...]"},
	{"http", "pass http.Kind to workflow.Kinds"},
	{"js", "pass the Kinds of a js.Tasks to workflow.Kinds"},
	{"ts", "pass the Kinds of a js.Tasks to workflow.Kinds"},
}

func (t *taskReader) depend(task int) { t.Deps = append(t.Deps, int32(task)) }

// use notes an expression of the task.
func (t *taskReader) use(p *program) {
	for _, task := range p.tasks {
		t.depend(task)
	}
	t.programs = append(t.programs, p)
}

// value compiles a value that each attempt renders.
func (t *taskReader) value(n *document.Node, what string) *template {
	return t.template(n, what, t.roots, t.use)
}

// assemble makes the task of its parts.
func (t *taskReader) assemble(f document.Field, p *parts) {
	if f.Value.Kind != document.Map {
		return
	}
	switch {
	case len(p.kinds) == 0:
		t.report(f.Position, ErrSyntax, "add cmd: [program, argument, ...]", "the task %s has nothing to run", f.Name)
	case len(p.kinds) > 1:
		t.report(f.Position, ErrSyntax, "leave one, and make tasks of the others", "the task %s has more than one kind: %s", f.Name, strings.Join(p.kinds, ", "))
	}
	kind := ""
	if len(p.kinds) > 0 {
		kind = p.kinds[0]
	}
	t.placed(f.Value, p, kind)
	switch {
	case p.foreach != nil:
		t.Expand = t.expand(p)
	case t.Sub != nil:
		with := p.with
		t.SubInput = func(in Inputs) (any, error) { return subInput(with, &scope{Inputs: in}) }
	case p.run != nil:
		run := p.run
		t.Run = func(ctx context.Context, in Inputs) (any, error) {
			s := scopes.Get().(*scope) // a body reads it while it is called only
			s.Inputs = in
			v, err := run(ctx, s)
			*s = scope{}
			scopes.Put(s)
			return jsonResult(v, err)
		}
	}
	if p.cache != nil {
		t.Cache = t.cache(p.cache, f.Value, p.foreach)
	}
}

// jsonResult boxes a result, but none beside an error.
func jsonResult(v json.RawMessage, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if string(v) == "null" {
		return nullResult, nil // most tasks that have nothing to say
	}
	return v, nil
}

// nullResult is the result null, boxed once for all; nobody changes a result.
var nullResult any = json.RawMessage("null")

// scopes are used again, as every attempt needs one.
var scopes = sync.Pool{New: func() any { return new(scope) }}

// placed reports keys that make no sense together.
func (t *taskReader) placed(n *document.Node, p *parts, kind string) {
	misplaced := func(key, cure, why string) {
		for _, f := range n.Fields {
			if f.Name == key {
				t.report(f.Position, ErrBadOption, cure, "%s %s", key, why)
			}
		}
	}
	if p.foreach == nil {
		misplaced("limit", "leave it out, or add foreach", "bounds the items of a foreach, which the task does not have")
		misplaced("keep_errors", "leave it out, or add foreach", "is about the items of a foreach, which the task does not have")
	} else {
		misplaced("repeat", "put the items into a workflow, and repeat there", "and foreach are both given")
	}
	if kind != "switch" {
		misplaced("cases", "leave it out, or add switch", "belongs to a switch, which the task is not")
		misplaced("default", "leave it out, or add switch", "belongs to a switch, which the task is not")
	}
	switch kind {
	case "cmd", "shell", "http", "workflow":
		misplaced("inline", "leave it out", "is for quick Go functions, and "+kind+" waits for something else")
	case "switch":
		for _, key := range []string{"foreach", "repeat", "cache", "compensate", "with", "retry"} {
			misplaced(key, "leave it out, or give it to the tasks of the cases", "has no meaning for a switch")
		}
	}
}

// foreach reads the list that a task is executed for.
func (t *taskReader) foreach(n *document.Node) *template {
	if n.Kind != document.List && (n.Kind != document.String || !hasExpression(n.Text)) {
		t.report(n.Position, ErrSyntax, "write foreach: ${{ tasks.NAME.output }}", "foreach must be a list or an expression, not %s", n.Kind)
		return nil
	}
	return t.template(n, "foreach", t.wholeRoots, t.use)
}

// expand makes the items of a foreach.
func (t *taskReader) expand(p *parts) func(Inputs) (Items, error) {
	name, list, run, with := t.Name, p.foreach, p.run, p.with
	keep, sub := t.KeepErrors, t.Sub != nil
	return func(in Inputs) (Items, error) {
		s := scope{Inputs: in}
		text, err := list.render(&s)
		if err != nil {
			return Items{}, err
		}
		var items []json.RawMessage
		if err := json.Unmarshal(text, &items); err != nil || items == nil {
			return Items{}, retry.Permanent(fmt.Errorf("%w: foreach of task %s is %s: give a list", ErrBadInput, name, jsonKind(text)))
		}
		m := newItemResults[json.RawMessage](len(items))
		made := Items{Len: len(items), Result: func() any { return m.json(keep) }}
		made.Value = func(i int) any { return foreachItem{items[i], i, m.value(i)} }
		if keep {
			made.Fail = m.fail
		}
		if sub {
			made.Input = func(i int) (any, error) {
				return subInput(with, &scope{Inputs: in, item: items[i], index: i})
			}
			made.Keep = func(i int, output any) {
				text, _ := output.(json.RawMessage)
				m.keep(i, text)
			}
			return made, nil
		}
		made.Run = func(ctx context.Context, i int) error {
			result, err := run(ctx, &scope{Inputs: in, item: items[i], index: i})
			if err == nil {
				m.keep(i, result)
			}
			return err
		}
		return made, nil
	}
}

// when reads a condition.
func (t *taskReader) when(n *document.Node) {
	if n.Kind == document.Map {
		t.whenKind(n)
		return
	}
	c, ok := t.condition(n, "when", t.wholeRoots)
	if !ok {
		return
	}
	t.When = func(in Inputs) (bool, error) { return c.holds(&scope{Inputs: in}) }
}

// condition reads true, false or an expression.
func (t *taskReader) condition(n *document.Node, what string, names []string) (condition, bool) {
	if n.Kind == document.Bool {
		return condition{always: n.JSON == "true"}, true
	}
	p := t.wholeExpression(n, what, names)
	if p == nil {
		return condition{}, false
	}
	t.use(p)
	return condition{program: p}, true
}

// repeat reads a bounded loop.
func (t *taskReader) repeat(n *document.Node) *RepeatPolicy {
	policy := new(RepeatPolicy)
	before := len(t.list)
	t.fields(n, "repeat", keys{
		"until": func(v *document.Node) {
			if c, ok := t.condition(v, "until", roots(t.wholeRoots, rootsOfResult, []string{"iteration"})); ok {
				policy.Until = func(in Inputs) (bool, error) {
					output, _ := in.Previous.(json.RawMessage)
					return c.holds(&scope{Inputs: in, output: output})
				}
			}
		},
		"max":  func(v *document.Node) { policy.Max = t.count(v, "max", "iterations", MaxIterations) },
		"wait": func(v *document.Node) { policy.Wait = t.duration(v, "wait") },
	})
	if len(t.list) == before && (policy.Until == nil || policy.Max == 0) {
		t.report(n.Position, ErrBadOption, "write repeat: {until: ${{ ... }}, max: N}", "repeat needs until and max")
	}
	return policy
}

// goFunc reads the name of a function.
func (t *taskReader) goFunc(n *document.Node, p *parts) body {
	if !t.is(n, document.String, "go", "write the name of a function: go: NAME") {
		return nil
	}
	f, ok := t.config.funcs[n.Text]
	if !ok && !t.config.anyFunc {
		cure := "pass it to workflow.Funcs"
		if len(t.config.funcs) == 0 {
			cure = "run the workflow with the Go program that has the function, which passes it to workflow.Funcs"
		}
		t.report(n.Position, ErrUnknownFunc, didYouMean(n.Text, maps.Keys(t.config.funcs), cure), "the function %q is unknown", n.Text)
		return nil
	}
	return (&goTask{n.Text, f, p.with}).run
}

// ofKind reads the value of a kind that was added.
func (t *taskReader) ofKind(k *kind, n *document.Node, p *parts) body {
	config := t.kindValue(k, n, t.roots, k.Check)
	if config == nil {
		return nil
	}
	return (&kindTask{k, t.fileReader.name, t.Name, slices.Contains(t.roots, "item"), config, p.with}).run
}

// kindValue reads the value behind a kind's key; nil if it is wrong.
func (t *taskReader) kindValue(k *kind, n *document.Node, names []string, further func(json.RawMessage) error) *template {
	before := len(t.list)
	config := t.template(n, k.Name, names, t.use)
	if len(t.list) > before {
		return nil
	}
	for _, name := range k.PlainFields {
		at := n
		if name != "" {
			at = field(n, name)
		}
		if at != nil && at.Kind == document.String && hasExpression(at.Text) {
			t.report(at.Position, ErrSyntax, "pass the value as an argument, or through with",
				"%s holds an expression, whose value could be taken for code", strings.TrimSuffix(k.Name+"."+name, "."))
			return nil
		}
	}
	text, err := sketch(n)
	if err == nil {
		err = k.schema.check(text, k.Name, func(path []string) bool { return standsFor(n, path) })
	}
	if err == nil && !config.dynamic() && further != nil {
		err = further(text)
	}
	if err != nil {
		t.report(n.Position, ErrSyntax, "correct the value of "+k.Name, "%v", err)
		return nil
	}
	return config
}

// whenKind reads a condition of a kind: {NAME: value, with: ...}.
func (t *taskReader) whenKind(n *document.Node) {
	var given []string
	var value *document.Node
	var with *template
	var k *kind
	known := keys{"with": func(v *document.Node) { with = t.template(v, "with", t.wholeRoots, t.use) }}
	for name, one := range t.config.kinds {
		if one.Holds != nil {
			known[name] = func(v *document.Node) { given, value, k = append(given, name), v, one }
		}
	}
	if len(known) == 1 {
		t.report(n.Position, ErrSyntax, "write an expression: when: ${{ input.count > 0 }}; or pass a kind with conditions, such as those of a js.Tasks, to workflow.Kinds",
			"when holds a map, and no kind of conditions is enabled")
		return
	}
	before := len(t.list)
	t.fields(n, "when", known)
	switch {
	case len(t.list) > before:
		return
	case len(given) != 1:
		delete(known, "with")
		names := slices.Sorted(maps.Keys(known))
		t.report(n.Position, ErrSyntax, "write one of "+strings.Join(names, ", ")+": when: {"+names[0]+": ...}", "when has %d conditions", len(given))
		return
	}
	config := t.kindValue(k, value, t.wholeRoots, k.CheckHolds)
	if config == nil {
		return
	}
	c := &kindTask{k, t.fileReader.name, t.Name, false, config, with}
	t.Ask = func(ctx context.Context, in Inputs) (bool, error) { return c.holds(ctx, &scope{Inputs: in}) }
}

// standsFor reports whether an expression stands for the value at a path.
func standsFor(n *document.Node, path []string) bool {
	at := nodeAt(n, path)
	return at.Kind == document.String && hasExpression(at.Text)
}
