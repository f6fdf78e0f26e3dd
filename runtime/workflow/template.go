package workflow

import (
	"encoding/json"
	"strings"
)

// A template is a JSON value with references in it: literal text and references
// in turn. References stand for whole values, so that the pieces in a row are
// the rendered value.
type template struct{ pieces []piece }

// A piece is a reference or, without one, literal JSON text.
type piece struct {
	ref     *reference
	literal []byte
}

func (t *template) text(s string) {
	if n := len(t.pieces); n > 0 && t.pieces[n-1].ref == nil {
		t.pieces[n-1].literal = append(t.pieces[n-1].literal, s...)
		return
	}
	t.pieces = append(t.pieces, piece{literal: []byte(s)})
}

func (t *template) reference(r *reference) { t.pieces = append(t.pieces, piece{ref: r}) }

// render returns the value for one run. It may share memory with the run's
// values; nobody may change it.
func (t *template) render(in Inputs) (json.RawMessage, error) {
	if len(t.pieces) == 1 && t.pieces[0].ref == nil {
		return t.pieces[0].literal, nil
	}
	var out []byte
	for _, p := range t.pieces {
		if p.ref == nil {
			out = append(out, p.literal...)
			continue
		}
		value, err := p.ref.resolve(in)
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

// jsonString encodes s, which must be valid UTF-8, without the escapes that
// only HTML needs.
func jsonString(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	// Encoding a string into memory cannot fail.
	_ = enc.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}
