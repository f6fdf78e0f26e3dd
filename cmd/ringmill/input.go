package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// inputOf returns what --input gives, if the workflow takes it, which was read from source.
// Where the flag is missing the error has an example.
func inputOf(s streams, text string, def *definition, source []byte) (json.RawMessage, error) {
	input, err := readInput(s, text)
	if err != nil {
		return nil, err
	}
	check := def.Plan().CheckInput
	switch {
	case check == nil && text != "":
		return nil, usagef("--input: %s is a recorded workflow (WfFormat), which takes none: leave it out", def.Name())
	case check == nil:
		return input, nil
	}
	switch err := check(input); {
	case err == nil:
		return input, nil
	case text != "":
		return nil, fmt.Errorf("--input: %w", err)
	default:
		return nil, fmt.Errorf("--input: none was given: %w: want one of the form %s, or --input @FILE", err, exampleOf(source, check))
	}
}

// lacksInput reports whether a run failed because it refers to the input and has none.
func lacksInput(err error) bool {
	return errors.Is(err, workflow.ErrNoValue) && strings.Contains(err.Error(), "there is no input")
}

// exampleInput is what stands for the input of a workflow that says nothing about it.
const exampleInput = `--input '{"user": "ada"}'`

// exampleOf makes an --input of the schema in a definition. Of what a schema may ask for it
// knows the common part; where that is nothing, any example does.
func exampleOf(source []byte, check func(any) error) string {
	var definition struct{ Input inputSchema }
	if yaml.Unmarshal(source, &definition) != nil {
		return exampleInput
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // it is for a shell
	err := encoder.Encode(definition.Input.example())
	value := strings.TrimSpace(out.String())
	if err != nil || value == "{}" && check(json.RawMessage(value)) != nil {
		return exampleInput
	}
	return "--input '" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// An inputSchema is the part of a JSON Schema that an example is made of.
type inputSchema struct {
	Type       any
	Required   []string
	Properties map[string]inputSchema
	Enum       []any
	Const      any
}

func (s inputSchema) example() any {
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Const != nil:
		return s.Const
	}
	kind := s.Type
	if several, ok := kind.([]any); ok {
		several = slices.DeleteFunc(several, func(kind any) bool { return kind == "null" })
		if len(several) > 0 {
			kind = several[0]
		}
	}
	switch kind {
	case "null":
		return nil
	case "string":
		return "text"
	case "integer", "number":
		return 1
	case "boolean":
		return true
	case "array":
		return []any{}
	}
	fields := make(map[string]any)
	for _, name := range s.Required {
		fields[name] = s.Properties[name].example()
	}
	return fields
}

// readInput returns the JSON that --input gives, as text or as @file. None is
// the JSON null.
func readInput(s streams, text string) (json.RawMessage, error) {
	if text == "" {
		return json.RawMessage("null"), nil
	}
	place, data := "--input", []byte(text)
	if name, isFile := strings.CutPrefix(text, "@"); isFile {
		if name == "" {
			return nil, errors.New("--input: @ names no file: want @FILE, or @- for standard input")
		}
		var err error
		if data, err = read(s, name); err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
		place = name
	}
	var value json.RawMessage
	if err := json.Unmarshal(data, &value); err != nil {
		line, column := position(data, err)
		return nil, fmt.Errorf(`%s:%d:%d: not JSON: %w: want a value such as {"user": "ada"}, or @file with one`, place, line, column, err)
	}
	return value, nil
}

// position finds the line and column, from 1, that a JSON error is about.
func position(data []byte, err error) (line, column int) {
	at := len(data)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset > 0 {
		at = min(at, int(syntax.Offset)-1)
	}
	before := data[:at]
	return bytes.Count(before, []byte("\n")) + 1, at - bytes.LastIndexByte(before, '\n')
}
