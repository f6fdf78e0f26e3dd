package workflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow/internal/expression"
)

// A scope is what the expressions of one execution can refer to.
type scope struct {
	Inputs
	item   json.RawMessage // of a foreach
	index  int
	output json.RawMessage // the task's own, in until and compensate
}

// The names that expressions begin with, by where they stand.
var (
	rootsOfOutput = []string{"input", "tasks", "env"}
	rootsOfTask   = []string{"input", "tasks", "run", "env"}
	rootsOfItem   = []string{"item", "index"}
	rootsOfRepeat = []string{"previous", "iteration"}
	rootsOfResult = []string{"output"}
)

// A program is an expression with what its references mean here.
type program struct {
	*expression.Program
	workflow string
	tasks    map[*expression.Ref]int
}

// json evaluates to JSON. What is one reference keeps every digit. The value may
// share memory with the run's.
func (p *program) json(s *scope) (json.RawMessage, error) {
	if ref := p.Pure(); ref != nil {
		return p.resolve(ref, s)
	}
	v, err := p.value(s)
	if err != nil {
		return nil, err
	}
	text, err := expression.Encode(v)
	if err != nil {
		return nil, p.wrap(err)
	}
	return text, nil
}

// value evaluates to a value as [expression.Decode] makes them.
func (p *program) value(s *scope) (any, error) {
	v, err := p.Eval(func(r *expression.Ref) (any, error) {
		text, err := p.resolve(r, s)
		if err != nil {
			return nil, err
		}
		return expression.Decode(text)
	})
	if err != nil {
		return nil, p.wrap(err)
	}
	return v, nil
}

// wrap names the expression. The error is permanent: another attempt would read
// the same values.
func (p *program) wrap(err error) error {
	if errors.Is(err, ErrNoValue) {
		return err
	}
	return retry.Permanent(fmt.Errorf("%w: %s: %w", ErrExpression, p, err))
}

// truth evaluates a condition.
func (p *program) truth(s *scope) (bool, error) {
	v, err := p.value(s)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, p.wrap(fmt.Errorf("it is %s, not true or false: compare it with something", expression.KindOf(v)))
	}
	return b, nil
}

// text evaluates to text: a string as it is, anything else as JSON; use says what
// the text is for.
func (p *program) text(s *scope, use string) (string, error) {
	value, err := p.json(s)
	if err != nil {
		return "", err
	}
	switch jsonKind(value) {
	case "null":
		return "", retry.Permanent(fmt.Errorf("%w: %s is null, which cannot be %s: give a default with ??", ErrNoValue, p, use))
	case "a string":
		var text string
		err = json.Unmarshal(value, &text)
		return text, err
	}
	var compact bytes.Buffer
	err = json.Compact(&compact, value)
	return compact.String(), err
}

var null = json.RawMessage("null")

// resolve returns the JSON value that a reference stands for.
func (p *program) resolve(r *expression.Ref, s *scope) (json.RawMessage, error) {
	value := null
	switch r.Root {
	case "input":
		value, _ = s.Input.(json.RawMessage)
	case "item":
		value = s.item
	case "index":
		value = json.RawMessage(strconv.Itoa(s.index))
	case "iteration":
		value = json.RawMessage(strconv.Itoa(s.Iteration))
	case "previous":
		value, _ = s.Previous.(json.RawMessage)
	case "output":
		value = s.output
	case "tasks":
		value = p.ofTask(r, s)
	case "run":
		return p.ofRun(r, s), nil
	case "env":
		return environment(r)
	}
	if len(value) == 0 {
		value = null // a run without input, a task that was skipped
	}
	whole := value
	for i, step := range r.Path {
		found, why := follow(step, value)
		if why == "" {
			value = found
			continue
		}
		if r.Optional {
			return null, nil
		}
		if i == 0 {
			why = p.ofWhole(r, step, whole, why)
		}
		return nil, noValue(r, why)
	}
	return value, nil
}

func noValue(r *expression.Ref, why string) error {
	return retry.Permanent(fmt.Errorf("%w: ${{ %s }}: %s", ErrNoValue, r.Text, why))
}

func (p *program) ofTask(r *expression.Ref, s *scope) json.RawMessage {
	task := p.tasks[r]
	if r.Field == "output" {
		value, _ := s.Results[task].(json.RawMessage)
		return value
	}
	status, err := StatusSucceeded, error(nil)
	if s.Run != nil {
		status, err = s.Run.Outcome(task)
	}
	switch {
	case r.Field == "status":
		return json.RawMessage(jsonString(status.String()))
	case err == nil:
		return null
	}
	return json.RawMessage(jsonString(strings.ToValidUTF8(err.Error(), "\uFFFD")))
}

func (p *program) ofRun(r *expression.Ref, s *scope) json.RawMessage {
	if r.Path[0].Key == "workflow" {
		return json.RawMessage(jsonString(p.workflow))
	}
	id := ""
	if s.Run != nil {
		id = s.Run.RunID()
	}
	return json.RawMessage(jsonString(id))
}

func environment(r *expression.Ref) (json.RawMessage, error) {
	value, ok := os.LookupEnv(r.Path[0].Key)
	switch {
	case ok:
		return json.RawMessage(jsonString(strings.ToValidUTF8(value, "\uFFFD"))), nil
	case r.Optional:
		return null, nil
	}
	return nil, noValue(r, "the variable is not set: set it, or give a default with ??")
}

// ofWhole explains why the first step of a path leads nowhere where more is known
// than the kinds of values.
func (p *program) ofWhole(r *expression.Ref, step expression.Step, value json.RawMessage, why string) string {
	kind := jsonKind(value)
	switch {
	case r.Root == "tasks" && kind == "a string":
		return fmt.Sprintf("%s: the output is text: if it is JSON, read it with fromJSON(%s)", why, wholeOf(r))
	case r.Root != "input" || kind != "null":
		return why
	case step.Index < 0:
		return "there is no input: pass an object with " + step.String()
	}
	return "there is no input: pass a list with " + step.String()
}

// wholeOf is the output that a reference goes into.
func wholeOf(r *expression.Ref) string {
	whole, _, _ := strings.Cut(r.Text, "output")
	return whole + "output"
}

// follow goes one step into a value, or says why that is not possible.
func follow(s expression.Step, value json.RawMessage) (found json.RawMessage, why string) {
	if s.Index >= 0 {
		var list []json.RawMessage
		if err := json.Unmarshal(value, &list); err != nil || list == nil {
			return nil, fmt.Sprintf("%s is asked of %s", s, jsonKind(value))
		}
		if s.Index >= len(list) {
			return nil, fmt.Sprintf("%s is asked of a list of %d", s, len(list))
		}
		return list[s.Index], ""
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(value, &object); err != nil || object == nil {
		return nil, fmt.Sprintf("%s is asked of %s", s, jsonKind(value))
	}
	found, ok := object[s.Key]
	if !ok {
		return nil, fmt.Sprintf("there is no %s", s)
	}
	return found, ""
}

// jsonKind names what a valid JSON value is.
func jsonKind(value json.RawMessage) string {
	switch bytes.TrimLeft(value, " \t\r\n")[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// A condition is a program that is true or false, or one of these words.
type condition struct {
	program *program
	always  bool
}

func (c condition) holds(s *scope) (bool, error) {
	if c.program == nil {
		return c.always, nil
	}
	return c.program.truth(s)
}

// roots joins lists of names.
func roots(lists ...[]string) []string { return slices.Concat(lists...) }
