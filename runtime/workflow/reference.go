package workflow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringmill/ringmill/runtime/retry"
)

// A reference is a path into the run's input or a task's result, written
// "${{ input.user }}" or "${{ tasks.load.output.items[0] }}".
type reference struct {
	text string // as written
	name string // of the task; empty for the input
	task int    // index, or inputStep
	path []pathStep
}

// A pathStep goes to the field key of an object or, where there is none, to
// item index of a list.
type pathStep struct {
	key   string
	index int // -1 for a key
}

func (s pathStep) String() string {
	if s.index < 0 {
		return strconv.Quote(s.key)
	}
	return fmt.Sprintf("item %d", s.index)
}

// isReference reports whether a string holds the mark of a reference.
func isReference(text string) bool { return strings.Contains(text, "${{") }

const pathCure = "write a path such as ${{ input.user }} or ${{ tasks.NAME.output.items[0] }}"

// parseReference reads a string that isReference. It leaves the task's index to
// its caller, and says what is wrong and what to do where it cannot.
func parseReference(text string) (r reference, problem, cure string) {
	inner, whole := strings.CutPrefix(text, "${{")
	inner, closed := strings.CutSuffix(inner, "}}")
	switch {
	case strings.Count(text, "${{") > strings.Count(text, "}}"):
		return r, fmt.Sprintf("%q opens a reference that it does not close", text), "end it with }}"
	case !whole || !closed || isReference(inner) || strings.Contains(inner, "}}"):
		return r, fmt.Sprintf("%q mixes a reference with other text", text),
			"make the reference a value of its own, such as a separate element of cmd"
	}
	p := pathScanner{rest: strings.TrimSpace(inner)}
	r = reference{text: text, task: inputStep}
	root := p.identifier()
	steps, ok := p.steps()
	switch {
	case root == "":
		return r, fmt.Sprintf("%q holds more than a path", text), pathCure
	case !ok:
		return r, fmt.Sprintf("%q holds more than a path", text), p.cure()
	case root == "input":
		r.path = steps
	case root != "tasks":
		return r, fmt.Sprintf("%q begins with %q", text, root), "begin with input or tasks; " + pathCure
	case len(steps) < 2 || steps[0].index >= 0 || steps[1].key != "output":
		return r, fmt.Sprintf("%q does not say which task's output it means", text), "write ${{ tasks.NAME.output }}"
	default:
		r.name, r.path = steps[0].key, steps[2:]
	}
	return r, "", ""
}

// A pathScanner reads identifiers and steps off the front of a text.
type pathScanner struct{ rest string }

func (p *pathScanner) identifier() string {
	end := 0
	for end < len(p.rest) {
		c := p.rest[end]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9' || end == 0) {
			break
		}
		end++
	}
	id := p.rest[:end]
	p.rest = p.rest[end:]
	return id
}

// steps reads .key, ["key"] and [index] up to the end.
func (p *pathScanner) steps() (steps []pathStep, ok bool) {
	for p.rest != "" {
		step := pathStep{index: -1}
		switch {
		case p.rest[0] == '.':
			p.rest = p.rest[1:]
			if step.key = p.identifier(); step.key == "" {
				return nil, false
			}
		case p.rest[0] == '[':
			if step, ok = p.bracket(); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		steps = append(steps, step)
	}
	return steps, true
}

// bracket reads [index], ["key"] or ['key'].
func (p *pathScanner) bracket() (step pathStep, ok bool) {
	step.index = -1
	text := p.rest[1:]
	switch {
	case strings.HasPrefix(text, `"`):
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return step, false
		}
		step.key, _ = strconv.Unquote(quoted) // a prefix that is quoted can be unquoted
		text = text[len(quoted):]
	case strings.HasPrefix(text, "'"):
		step.key, text, ok = strings.Cut(text[1:], "'")
		if !ok {
			return step, false
		}
	default:
		digits, _, _ := strings.Cut(text, "]")
		index, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			return step, false
		}
		step.index = int(index)
		text = text[len(digits):]
	}
	p.rest, ok = strings.CutPrefix(text, "]")
	return step, ok
}

// cure knows the mistakes that look most like a path: names of tasks that may be
// given, and cannot stand behind a dot.
func (p *pathScanner) cure() string {
	const brackets = "write a name with %s in brackets: ${{ tasks[%q].output }}"
	first, size := utf8.DecodeRuneInString(p.rest)
	next, _ := utf8.DecodeRuneInString(p.rest[size:])
	switch {
	case first == '-':
		return fmt.Sprintf(brackets, "a dash", "my-task")
	case unicode.IsDigit(first):
		return fmt.Sprintf(brackets, "a leading digit", "2nd")
	case first == ' ' && unicode.IsLetter(next):
		return fmt.Sprintf(brackets, "a space", "my task")
	case unicode.IsLetter(first):
		return fmt.Sprintf(brackets, "letters other than a to z", "größe")
	}
	return pathCure
}

// resolve returns the JSON value that the reference stands for. It shares
// memory with the input or result that it is part of. An error is permanent:
// another attempt would read the same values.
func (r *reference) resolve(in Inputs) (json.RawMessage, error) {
	value, _ := in.value(r.task).(json.RawMessage)
	if len(value) == 0 {
		value = json.RawMessage("null") // a run without input
	}
	for i, step := range r.path {
		found, why := step.of(value)
		if why != "" {
			if i == 0 {
				why = r.ofWhole(step, value, why)
			}
			return nil, retry.Permanent(fmt.Errorf("%w: %s: %s", ErrNoValue, r.text, why))
		}
		value = found
	}
	return value, nil
}

// ofWhole explains why the first step of a path leads nowhere where more is known
// than the kinds of values.
func (r *reference) ofWhole(step pathStep, value json.RawMessage, why string) string {
	switch {
	case r.task != inputStep: // every task of a file is a cmd
		return why + ": a cmd's output is text, not JSON: refer to all of it"
	case jsonKind(value) == "null" && step.index < 0:
		return "there is no input: pass an object with " + step.String()
	case jsonKind(value) == "null":
		return "there is no input: pass a list with " + step.String()
	}
	return why
}

// of goes one step into a value, or says why that is not possible.
func (s pathStep) of(value json.RawMessage) (found json.RawMessage, why string) {
	if s.index >= 0 {
		var list []json.RawMessage
		if err := json.Unmarshal(value, &list); err != nil || list == nil {
			return nil, fmt.Sprintf("%s is asked of %s", s, jsonKind(value))
		}
		if s.index >= len(list) {
			return nil, fmt.Sprintf("%s is asked of a list of %d", s, len(list))
		}
		return list[s.index], ""
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(value, &object); err != nil || object == nil {
		return nil, fmt.Sprintf("%s is asked of %s", s, jsonKind(value))
	}
	found, ok := object[s.key]
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
