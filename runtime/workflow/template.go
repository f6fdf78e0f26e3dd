package workflow

import (
	"encoding/json"
	"strings"

	"github.com/ringmill/ringmill/runtime/workflow/internal/expression"
)

// A template is a JSON value with expressions in it: literal text and what makes
// text in turn, so that the pieces in a row are the rendered value.
type template struct{ pieces []piece }

// A piece is a program that makes a whole value, a text with programs in it or,
// without either, literal JSON text.
type piece struct {
	program *program
	mixed   mixedText
	literal []byte
}

func (t *template) text(s string) {
	if n := len(t.pieces); n > 0 && t.pieces[n-1].program == nil && t.pieces[n-1].mixed == nil {
		t.pieces[n-1].literal = append(t.pieces[n-1].literal, s...)
		return
	}
	t.pieces = append(t.pieces, piece{literal: []byte(s)})
}

// add appends a string with expressions in it: one that is nothing but an
// expression is that expression's value.
func (t *template) add(m mixedText) {
	if len(m) == 1 && m[0].program != nil {
		t.pieces = append(t.pieces, piece{program: m[0].program})
		return
	}
	t.pieces = append(t.pieces, piece{mixed: m})
}

// dynamic reports whether the value holds an expression.
func (t *template) dynamic() bool {
	return len(t.pieces) != 1 || t.pieces[0].literal == nil
}

// render returns the value for one execution. It may share memory with the run's
// values; nobody may change it.
func (t *template) render(s *scope) (json.RawMessage, error) {
	if !t.dynamic() {
		return t.pieces[0].literal, nil
	}
	var out []byte
	for _, p := range t.pieces {
		value := json.RawMessage(p.literal)
		var err error
		switch {
		case p.program != nil:
			value, err = p.program.json(s)
		case p.mixed != nil:
			var text string
			text, err = p.mixed.render(s, "part of a text")
			value = json.RawMessage(jsonString(text))
		}
		if err != nil {
			return nil, err
		}
		if len(t.pieces) == 1 {
			return value, nil
		}
		out = append(out, value...)
	}
	return out, nil
}

// A mixedText is a string with expressions in it, in parts.
type mixedText []textPart

// A textPart is a program or, without one, literal text.
type textPart struct {
	program *program
	literal string
}

// render returns the text for one execution; use says what it is for.
func (m mixedText) render(s *scope, use string) (string, error) {
	if len(m) == 1 && m[0].program == nil {
		return m[0].literal, nil
	}
	var b strings.Builder
	for _, part := range m {
		text := part.literal
		if part.program != nil {
			var err error
			if text, err = part.program.text(s, use); err != nil {
				return "", err
			}
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// jsonString encodes s, which must be valid UTF-8, without the escapes that
// only HTML needs.
func jsonString(s string) string {
	// Encoding a string cannot fail.
	text, _ := expression.Encode(s)
	return string(text)
}
