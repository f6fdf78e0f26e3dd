package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/ringmill/ringmill/runtime/retry"
)

// A Kind is a kind of task that files can use beside the built-in ones, cmd,
// workflow and switch: the key Name in a task, with a value that says what to do.
//
//	var Greet = workflow.Kind{
//		Name:   "greet",
//		Schema: `{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}, "additionalProperties": false}`,
//		Run: func(ctx context.Context, c workflow.Call) (any, error) {
//			var config struct{ Name string }
//			if err := json.Unmarshal(c.Config, &config); err != nil {
//				return nil, err
//			}
//			return "hello " + config.Name, nil
//		},
//	}
type Kind struct {
	// Name is the key in files: lower-case letters, digits and _.
	Name string
	// Schema is the JSON Schema, draft 2020-12, of the value behind the key. Empty
	// accepts every value. It is held against the value as it is written, where an
	// expression may stand for anything, and against the value of each attempt.
	Schema string
	// Check, if set, is asked for what a schema cannot say, about a value
	// without expressions when the file is read, and otherwise about the value of each
	// attempt. It must be safe for concurrent use.
	Check func(config json.RawMessage) error
	// PlainFields are the fields of the value, and "" the value itself, that hold no
	// expressions, because what they come to would be taken for code.
	PlainFields []string
	// Run executes one attempt. Its result is made JSON unless it is a
	// json.RawMessage. It must be safe for concurrent use, and follow ctx.
	Run func(ctx context.Context, c Call) (any, error)
	// Holds, if set, makes the kind one that conditions may have too: when: {NAME: value},
	// with a value that fits Schema. It runs as a task does and must be safe for concurrent
	// use. CheckHolds is Check for such a value.
	Holds      func(ctx context.Context, c Call) (bool, error)
	CheckHolds func(config json.RawMessage) error
}

// A Call is what one attempt of a task of a [Kind] is given.
type Call struct {
	// Config is the value behind the kind's key, expressions replaced.
	Config json.RawMessage
	// With is the task's with or, without one, the item of a foreach. Nil if there is
	// neither.
	With json.RawMessage
	// Workflow, RunID and Task name what the call belongs to, Attempt counts from 1, Item
	// is the index in a foreach, else -1. A condition is asked before the first attempt, and
	// has an Attempt of 1.
	Workflow, RunID, Task string
	Attempt, Item         int
}

// A Func is a function that tasks of the kind go name. It is given the task's
// with or, without one, the item of a foreach; null if there is neither. Its result is
// made JSON unless it is a json.RawMessage. See [FuncOf].
type Func func(ctx context.Context, input json.RawMessage) (any, error)

// FuncOf makes a Func of a plain function, by way of package encoding/json. Input
// that is no A fails the task for good.
func FuncOf[A, B any](f func(context.Context, A) (B, error)) Func {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, input json.RawMessage) (any, error) {
		var a A
		if err := json.Unmarshal(input, &a); err != nil {
			return nil, retry.Permanent(fmt.Errorf("%w: the task's input: %w", ErrBadInput, err))
		}
		return boxed(f(ctx, a))
	}
}

// Funcs lets files name these functions in tasks of the kind go. Given more than
// once it adds up.
func Funcs(funcs map[string]Func) ParseOption {
	return func(c *parseConfig) {
		for name, f := range funcs {
			if f == nil {
				c.reject("Funcs: %q is nil: pass a function, or leave it out", name)
			}
			if c.funcs == nil {
				c.funcs = make(map[string]Func)
			}
			c.funcs[name] = f
		}
	}
}

// AnyFunc accepts every name in tasks of the kind go: for checking and drawing
// definitions of programs whose functions are elsewhere. A task whose function is
// not among [Funcs] fails when it runs.
func AnyFunc() ParseOption { return func(c *parseConfig) { c.anyFunc = true } }

// Kinds lets files use more kinds of tasks. Given more than once it adds up.
func Kinds(kinds ...Kind) ParseOption {
	return func(c *parseConfig) {
		for _, k := range kinds {
			compiled, err := k.compile()
			switch {
			case err != nil:
				c.reject("Kinds: %s: %v", k.Name, err)
			case c.kinds[k.Name] != nil:
				c.reject("Kinds: two kinds have the name %q: leave one out", k.Name)
			default:
				if c.kinds == nil {
					c.kinds = make(map[string]*kind)
				}
				c.kinds[k.Name] = compiled
			}
		}
	}
}

// A kind is a Kind that was checked.
type kind struct {
	Kind
	schema *schema
}

func (k Kind) compile() (*kind, error) {
	switch {
	case !isKindName(k.Name):
		return nil, errors.New("its name is not made of lower-case letters, digits and _: give it another")
	case slices.Contains(taskKeys(), k.Name):
		return nil, errors.New("tasks have a key of this name already: give it another")
	case k.Run == nil:
		return nil, errors.New("it has no Run: set it")
	}
	compiled := &kind{Kind: k}
	if k.Schema != "" {
		s, err := compileSchema(json.RawMessage(k.Schema))
		if err != nil {
			return nil, fmt.Errorf("its schema: %w", err)
		}
		compiled.schema = s
	}
	return compiled, nil
}

func isKindName(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 64
}

// check holds the value of an attempt, which expressions went into, against what
// the kind accepts.
func (k *kind) check(config json.RawMessage, further func(json.RawMessage) error) error {
	err := k.schema.check(config, k.Name, nil)
	if err == nil && further != nil {
		err = further(config)
	}
	if err != nil {
		return retry.Permanent(fmt.Errorf("%w: %w", ErrBadInput, err))
	}
	return nil
}

// A kindTask is a task of a Kind.
type kindTask struct {
	*kind
	workflow, task string
	foreach        bool
	config         *template
	with           *template // nil for none
}

// call is what an execution is given.
func (t *kindTask) call(ctx context.Context, s *scope, config, with json.RawMessage) Call {
	c := Call{Config: config, With: with, Workflow: t.workflow, Task: t.task, Attempt: 1, Item: -1}
	if s.Run != nil {
		c.RunID = s.Run.RunID()
	}
	if a := AttemptOf(ctx); a != nil {
		c.Attempt = a.Number()
	}
	if t.foreach {
		c.Item = s.index
	}
	return c
}

// holds executes a condition of the kind. Without with it is given the run's input.
func (t *kindTask) holds(ctx context.Context, s *scope) (bool, error) {
	config, err := t.config.render(s)
	if err != nil {
		return false, err
	}
	if t.config.dynamic() {
		if err := t.check(config, t.CheckHolds); err != nil {
			return false, err
		}
	}
	with, _ := s.Input.(json.RawMessage)
	if t.with != nil {
		if with, err = t.with.render(s); err != nil {
			return false, err
		}
	}
	return t.Holds(ctx, t.call(ctx, s, config, with))
}

func (t *kindTask) run(ctx context.Context, s *scope) (json.RawMessage, error) {
	config, err := t.config.render(s)
	if err != nil {
		return nil, err
	}
	if t.config.dynamic() {
		if err := t.check(config, t.Check); err != nil {
			return nil, err
		}
	}
	with, err := renderWith(t.with, s)
	if err != nil {
		return nil, err
	}
	return toJSON(t.Run(ctx, t.call(ctx, s, config, with)))
}

// A goTask calls a registered function.
type goTask struct {
	name string
	f    Func // nil if none has the name
	with *template
}

func (t *goTask) run(ctx context.Context, s *scope) (json.RawMessage, error) {
	if t.f == nil {
		return nil, retry.Permanent(fmt.Errorf("the function %s is not part of this program: run the workflow with the program that has it", t.name))
	}
	with, err := renderWith(t.with, s)
	if err != nil {
		return nil, err
	}
	if with == nil {
		with = null
	}
	return toJSON(t.f(ctx, with))
}

// renderWith returns what a task is given: with or, without one, the item.
func renderWith(with *template, s *scope) (json.RawMessage, error) {
	if with == nil {
		return s.item, nil
	}
	return with.render(s)
}

// toJSON makes a function's result a result of a file's task.
func toJSON(v any, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	text, raw := v.(json.RawMessage)
	switch {
	case !raw:
		if text, err = json.Marshal(v); err != nil {
			return nil, retry.Permanent(fmt.Errorf("the task's result is no JSON: %w", err))
		}
	case len(text) == 0:
		return null, nil
	case !json.Valid(text) || !utf8.Valid(text):
		return nil, retry.Permanent(errors.New("the task's result is no valid JSON: return one JSON value"))
	}
	return text, nil
}
