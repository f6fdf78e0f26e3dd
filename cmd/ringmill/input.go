package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

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
