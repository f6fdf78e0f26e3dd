package js

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// Tasks lets workflow files have tasks of the kinds js and ts:
//
//	total:
//	  ts: |
//	    export default (order: { items: { price: number }[] }) =>
//	      order.items.reduce((sum, i) => sum + i.price, 0)
//	  with: ${{ input.order }}
//	mail:
//	  js: {file: mail.js}
//
// The script's first argument is the task's with, its result the task's; the second
// has what ringmill.d.ts calls Context: workflow, runId, task, attempt, item. A when may have a
// script too, whose limits are those of conditions and whose result is taken for true or false as
// JavaScript does:
//
//	alert:
//	  when: {js: "input.total > 100", with: "${{ tasks.total.output }}"}
//
// Without with a condition is given the run's input. The engine
// starts with the first such task that is read; a program whose files have none
// starts nothing. Tasks is safe for concurrent use.
type Tasks struct {
	config Config
	open   func(name string) ([]byte, error)
	// Console, if set before the first run, is given what a call wrote with console,
	// also one that failed. It must be safe for concurrent use.
	Console func(ConsoleOutput)

	mu     sync.Mutex
	engine *Engine
	err    error
	closed bool
	files  sync.Map // name -> source text, read once: a definition does not change while it runs
}

// A ConsoleOutput is what one call of a task, or of its condition, wrote with
// console.
type ConsoleOutput struct {
	// Workflow, RunID, Task, Attempt and Item are those of the [workflow.Call].
	Workflow, RunID, Task string
	Attempt, Item         int
	// Condition says that it was the task's when.
	Condition bool
	// Source is the script's name, Text one message a line, at most
	// [Limits].ConsoleBytes; Truncated says that there was more.
	Source, Text string
	Truncated    bool
}

// NewTasks returns the kinds' common part. open reads the files that tasks name,
// relative to the workflow's; nil allows none. Errors of config come with the first
// task.
func NewTasks(config Config, open func(name string) ([]byte, error)) *Tasks {
	return &Tasks{config: config, open: open}
}

// schema is that of a task's value.
const schema = `{"anyOf": [
	{"type": "string", "minLength": 1},
	{"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "minLength": 1}}, "additionalProperties": false}
]}`

// Kinds are the kinds js and ts, for [workflow.Kinds].
func (t *Tasks) Kinds() []workflow.Kind {
	kind := func(name string, language Language) workflow.Kind {
		return workflow.Kind{
			Name:        name,
			Schema:      schema,
			PlainFields: []string{"", "file"}, // data must not become code
			Check:       func(value json.RawMessage) error { return t.check(value, language, false) },
			Run: func(ctx context.Context, c workflow.Call) (any, error) {
				value, err := t.run(ctx, c, language, false)
				if err != nil {
					return nil, err
				}
				return value, nil
			},
			CheckHolds: func(value json.RawMessage) error { return t.check(value, language, true) },
			Holds: func(ctx context.Context, c workflow.Call) (bool, error) {
				value, err := t.run(ctx, c, language, true)
				return err == nil && string(value) == "true", err
			},
		}
	}
	return []workflow.Kind{kind("js", JavaScript), kind("ts", TypeScript)}
}

// Engine returns the engine, which it starts if need be.
func (t *Tasks) Engine() (*Engine, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	if t.engine == nil && t.err == nil {
		t.engine, t.err = New(t.config)
	}
	return t.engine, t.err
}

// Started returns the engine if it was started, else nil.
func (t *Tasks) Started() *Engine {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.engine
}

// Close ends the engine as [Engine.Close] does, if it was started.
func (t *Tasks) Close(ctx context.Context) error {
	t.mu.Lock()
	t.closed = true
	e := t.engine
	t.mu.Unlock()
	if e == nil {
		return nil
	}
	return e.Close(ctx)
}

// check compiles a task's source when its file is read. Without an engine that
// waits until the task runs: files can be checked and drawn all the same.
func (t *Tasks) check(value json.RawMessage, language Language, condition bool) error {
	source, err := t.source(value, language, condition)
	if err != nil {
		return err
	}
	e, err := t.Engine()
	if errors.Is(err, ErrNoEngine) {
		return nil
	} else if err != nil {
		return err
	}
	_, err = e.Compile(context.Background(), source)
	if ClassOf(err) == ClassScript {
		return err
	}
	return nil // what the machine cannot do now it may do later
}

func (t *Tasks) run(ctx context.Context, c workflow.Call, language Language, condition bool) (json.RawMessage, error) {
	source, err := t.source(c.Config, language, condition)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	e, err := t.Engine()
	if err != nil {
		return nil, retry.Permanent(&Error{Class: ClassHost, Message: strings.TrimPrefix(err.Error(), "js: "), Err: err})
	}
	script, err := e.Compile(ctx, source)
	if err != nil {
		if ClassOf(err) == ClassScript {
			err = retry.Permanent(err)
		}
		return nil, err
	}
	about, err := contextOf(c)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	result, err := e.Run(ctx, script, Input{Value: c.With, Context: about})
	if t.Console != nil && result.Console != "" {
		t.Console(ConsoleOutput{
			Workflow: c.Workflow, RunID: c.RunID, Task: c.Task, Attempt: c.Attempt, Item: c.Item, Condition: condition,
			Source: script.Name(), Text: result.Console, Truncated: result.ConsoleTruncated,
		})
	}
	if err != nil {
		return nil, err
	}
	return result.Value, nil
}

// contextOf is a script's second argument.
func contextOf(c workflow.Call) (json.RawMessage, error) {
	about := struct {
		Workflow string `json:"workflow"`
		RunID    string `json:"runId"`
		Task     string `json:"task"`
		Attempt  int    `json:"attempt"`
		Item     *int   `json:"item,omitempty"`
	}{Workflow: c.Workflow, RunID: c.RunID, Task: c.Task, Attempt: c.Attempt}
	if c.Item >= 0 {
		about.Item = &c.Item
	}
	return json.Marshal(about)
}

// source reads a task's value: the source itself, or the name of its file.
func (t *Tasks) source(value json.RawMessage, language Language, condition bool) (Source, error) {
	s := Source{Language: language, Condition: condition}
	if bytes.HasPrefix(bytes.TrimSpace(value), []byte(`"`)) {
		return s, json.Unmarshal(value, &s.Code)
	}
	var named struct{ File string }
	if err := json.Unmarshal(value, &named); err != nil {
		return s, err
	}
	s.Name = named.File
	if known, ok := t.files.Load(named.File); ok {
		s.Code = known.(string)
		return s, nil
	}
	if t.open == nil {
		return s, fmt.Errorf("js: the file %s cannot be read: files are not allowed here: write the source itself", named.File)
	}
	text, err := t.open(named.File)
	if err != nil {
		return s, fmt.Errorf("js: %w", err)
	}
	s.Code = string(text)
	t.files.Store(named.File, s.Code)
	return s, nil
}
