package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// inputOf returns what --input gives, if the workflow in the file takes it. Where the flag
// is missing the error has an example.
func inputOf(s streams, text, file string, def *definition) (json.RawMessage, error) {
	input, err := readInput(s, text)
	if err != nil {
		return nil, err
	}
	check := def.Plan().CheckInput
	if check == nil {
		return input, nil
	}
	switch err := check(input); {
	case err == nil:
		return input, nil
	case text != "":
		return nil, fmt.Errorf("--input: %w", err)
	default:
		return nil, fmt.Errorf("--input: none was given: %w: want one of the form %s, or --input @FILE", err, exampleOf(s, file, check))
	}
}

// lacksInput reports whether a run failed because it refers to the input and has none.
func lacksInput(err error) bool {
	return errors.Is(err, workflow.ErrNoValue) && strings.Contains(err.Error(), "there is no input")
}

// exampleInput is what stands for the input of a workflow that says nothing about it.
const exampleInput = `--input '{"user": "ada"}'`

// exampleOf makes an --input of the schema in a file. Of what a schema may ask for it knows
// the common part; where that is nothing, or the file cannot be read again, any example does.
func exampleOf(s streams, file string, check func(any) error) string {
	var definition struct{ Input inputSchema }
	data, err := read(s, file)
	if err != nil || yaml.Unmarshal(data, &definition) != nil {
		return exampleInput
	}
	value, err := json.Marshal(definition.Input.example())
	if err != nil || string(value) == "{}" && check(json.RawMessage(value)) != nil {
		return exampleInput
	}
	return "--input '" + strings.ReplaceAll(string(value), "'", `'\''`) + "'"
}

// An inputSchema is the part of a JSON Schema that an example is made of.
type inputSchema struct {
	Type       any
	Required   []string
	Properties map[string]inputSchema
	Enum       []any
}

func (s inputSchema) example() any {
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	kind := s.Type
	if several, ok := kind.([]any); ok && len(several) > 0 {
		kind = several[0]
	}
	switch kind {
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
