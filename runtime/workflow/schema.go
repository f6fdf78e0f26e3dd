package workflow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// A schema is the part of JSON Schema that inputs are checked against: type,
// required, properties and items. A nil schema accepts every JSON value.
type schema struct {
	types      []string // empty: any
	required   []string
	properties map[string]*schema
	items      *schema
}

var schemaTypes = []string{"null", "boolean", "integer", "number", "string", "array", "object"}

func (r *fileReader) schema(n *document.Node, what string) *schema {
	s := new(schema)
	ignore := func(*document.Node) {}
	r.fields(n, what, keys{
		"type":        func(v *document.Node) { s.types = r.schemaTypes(v) },
		"required":    func(v *document.Node) { s.required = r.strings(v, "required", "write a list of field names") },
		"properties":  func(v *document.Node) { s.properties = r.properties(v, what) },
		"items":       func(v *document.Node) { s.items = r.schema(v, what+"[]") },
		"title":       ignore, // for readers
		"description": ignore,
	})
	return s
}

func (r *fileReader) schemaTypes(n *document.Node) []string {
	items := []*document.Node{n}
	if n.Kind == document.List {
		items = n.Items
	}
	var types []string
	for _, item := range items {
		name := item.Text
		if item.Kind == document.Null {
			name = "null"
		}
		if !slices.Contains(schemaTypes, name) {
			r.report(item.Position, ErrSyntax, didYouMean(name, slices.Values(schemaTypes), "use "+strings.Join(schemaTypes, ", ")), "unknown type %q", name)
		}
		types = append(types, name)
	}
	return types
}

func (r *fileReader) properties(n *document.Node, what string) map[string]*schema {
	properties := make(map[string]*schema, len(n.Fields))
	known := make(keys, len(n.Fields))
	for _, f := range n.Fields {
		known[f.Name] = func(v *document.Node) { properties[f.Name] = r.schema(v, what+"."+f.Name) }
	}
	r.fields(n, "properties of "+what, known)
	return properties
}

func (r *fileReader) strings(n *document.Node, what, cure string) []string {
	if !r.is(n, document.List, what, cure) {
		return nil
	}
	var texts []string
	for _, item := range n.Items {
		if r.is(item, document.String, "an element of "+what, cure) {
			texts = append(texts, item.Text)
		}
	}
	return texts
}

// checkInput checks a run's input, a json.RawMessage.
func (s *schema) checkInput(input any) error {
	text, _ := input.(json.RawMessage)
	if len(text) == 0 {
		text = json.RawMessage("null")
	}
	if !json.Valid(text) {
		return fmt.Errorf("%w: it is not valid JSON: pass one JSON value", ErrBadInput)
	}
	if s == nil {
		return nil
	}
	var value any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		return fmt.Errorf("%w: %w", ErrBadInput, err)
	}
	if err := s.check(value, "input"); err != nil {
		return fmt.Errorf("%w: %w", ErrBadInput, err)
	}
	return nil
}

// check reports the first mismatch of a value, whose place path names.
func (s *schema) check(value any, path string) error {
	if s == nil {
		return nil
	}
	if len(s.types) > 0 && !slices.ContainsFunc(s.types, func(t string) bool { return isType(value, t) }) {
		return fmt.Errorf("%s is %s: pass %s", path, typeOf(value), strings.Join(s.types, " or "))
	}
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			if err := s.items.check(item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range s.required {
			if _, ok := v[name]; !ok {
				return fmt.Errorf("%s.%s is missing: pass it", path, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.properties)) {
			if field, ok := v[name]; ok {
				if err := s.properties[name].check(field, path+"."+name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// isType reports whether a decoded JSON value is of a type of JSON Schema.
func isType(value any, name string) bool {
	switch v := value.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	case json.Number:
		return name == "number" || name == "integer" && isInteger(v)
	}
	return false
}

// isInteger reports whether a number has no fraction, as 2 and 2.0 have none.
func isInteger(n json.Number) bool {
	if !strings.ContainsAny(n.String(), ".eE") {
		return true
	}
	f, err := n.Float64()
	return err == nil && f == math.Trunc(f)
}

// typeOf names the type of a decoded JSON value.
func typeOf(value any) string {
	for _, name := range schemaTypes {
		if isType(value, name) {
			return name
		}
	}
	return "unknown"
}
