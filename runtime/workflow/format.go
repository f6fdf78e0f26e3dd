package workflow

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed ringmill.schema.json
var formatSchema []byte

// Schema returns the JSON Schema, draft 2020-12, of Ringmill's own format with the
// given kinds of tasks, for editors and other tools. What it accepts can still be wrong
// in ways that a schema cannot tell; ParseYAML tells all of them.
func Schema(kinds ...Kind) (json.RawMessage, error) {
	var doc map[string]any
	if err := json.Unmarshal(formatSchema, &doc); err != nil {
		return nil, fmt.Errorf("workflow: the schema of the format: %w", err)
	}
	defs := doc["$defs"].(map[string]any)
	for _, k := range kinds {
		if _, err := k.compile(); err != nil {
			return nil, fmt.Errorf("kind %q: %w: %w", k.Name, err, ErrBadOption)
		}
		value := any(true)
		if k.Schema != "" {
			if err := json.Unmarshal([]byte(k.Schema), &value); err != nil {
				return nil, err
			}
		}
		defs["kind_"+k.Name] = orExpression(value)
		for _, owner := range []string{"task", "compensate"} {
			def := defs[owner].(map[string]any)
			def["properties"].(map[string]any)[k.Name] = map[string]any{"$ref": "#/$defs/kind_" + k.Name}
			def["oneOf"] = append(def["oneOf"].([]any), map[string]any{"required": []string{k.Name}})
		}
		if k.Holds != nil {
			when := defs["when"].(map[string]any)
			when["anyOf"] = append(when["anyOf"].([]any), map[string]any{
				"type": "object", "required": []string{k.Name}, "additionalProperties": false,
				"properties": map[string]any{
					k.Name: map[string]any{"$ref": "#/$defs/kind_" + k.Name},
					"with": map[string]any{"description": "What the condition is given. Defaults to the run's input."},
				},
			})
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// orExpression lets an expression stand for every value that a schema describes.
func orExpression(schema any) any {
	s, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	for key, below := range s {
		switch schemaKeywords[key] {
		case 's':
			s[key] = orExpression(below)
		case 'l':
			list, _ := below.([]any)
			for i := range list {
				list[i] = orExpression(list[i])
			}
		case 'm':
			named, _ := below.(map[string]any)
			for name := range named {
				named[name] = orExpression(named[name])
			}
		}
	}
	return map[string]any{"anyOf": []any{map[string]any{"$ref": "#/$defs/expression"}, s}}
}
