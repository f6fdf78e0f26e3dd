package workflow

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	mismatches "github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// A schema is a compiled JSON Schema. A nil one accepts every JSON value.
type schema struct{ compiled *jsonschema.Schema }

// schemaURL is what a schema is called while it is compiled. Without a scheme it
// would be taken for a file of the working directory.
const schemaURL = "ringmill:///schema"

// compileSchema compiles a schema of draft 2020-12, or of the one that it names.
// Formats count. What it refers to must be in it: nothing is loaded.
func compileSchema(text json.RawMessage) (*schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(noLoader{})
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		return nil, err
	}
	return &schema{compiled}, nil
}

// noLoader refuses to load schemas from files and from the network.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is not part of the schema", url)
}

// schemaKeywords are the keywords of draft 2020-12, and what stands behind them:
// a schema, a list or map of schemas, or something else.
var schemaKeywords = map[string]byte{
	"$schema": 0, "$id": 0, "$ref": 0, "$anchor": 0, "$defs": 'm', "$comment": 0, "$dynamicRef": 0, "$dynamicAnchor": 0, "$vocabulary": 0,
	"allOf": 'l', "anyOf": 'l', "oneOf": 'l', "not": 's', "if": 's', "then": 's', "else": 's',
	"dependentSchemas": 'm', "prefixItems": 'l', "items": 's', "contains": 's', "properties": 'm', "patternProperties": 'm',
	"additionalProperties": 's', "propertyNames": 's', "unevaluatedItems": 's', "unevaluatedProperties": 's',
	"type": 0, "enum": 0, "const": 0, "multipleOf": 0, "maximum": 0, "exclusiveMaximum": 0, "minimum": 0, "exclusiveMinimum": 0,
	"maxLength": 0, "minLength": 0, "pattern": 0, "maxItems": 0, "minItems": 0, "uniqueItems": 0, "maxContains": 0, "minContains": 0,
	"maxProperties": 0, "minProperties": 0, "required": 0, "dependentRequired": 0,
	"title": 0, "description": 0, "default": 0, "deprecated": 0, "readOnly": 0, "writeOnly": 0, "examples": 0, "format": 0,
	"contentEncoding": 0, "contentMediaType": 0, "contentSchema": 's', "definitions": 'm',
}

// inputSchema reads the schema of the workflow's input; nil if it is wrong.
func (r *fileReader) inputSchema(n *document.Node) *schema {
	before := len(r.list)
	if n.Kind != document.Bool && !r.is(n, document.Map, "input", "write a JSON Schema, such as input: {type: object}") {
		return nil
	}
	r.keywords(n)
	unclear := len(r.list)
	if len(r.list) >= maxProblems {
		return nil
	}
	var text bytes.Buffer
	r.literal(&text, n, "input")
	if len(r.list) > unclear {
		return nil // keys that repeat: which one counts?
	}
	s, err := compileSchema(text.Bytes())
	if err != nil {
		r.schemaProblem(n, err)
	}
	if len(r.list) > before {
		return nil
	}
	return s
}

// keywords reports what is no keyword: the standard would ignore it, and with it
// what its author meant.
func (r *fileReader) keywords(n *document.Node) {
	if n.Kind != document.Map {
		return
	}
	for _, f := range n.Fields {
		below, ok := schemaKeywords[f.Name]
		if f.Name == "type" {
			r.schemaTypes(f.Value)
		}
		switch {
		case !ok && !strings.HasPrefix(f.Name, "x-"):
			r.report(f.Position, ErrSyntax, didYouMean(f.Name, mapKeys(schemaKeywords), "use the keywords of JSON Schema, or begin the name with x-"),
				"unknown keyword %q in a schema", f.Name)
		case below == 's':
			r.keywords(f.Value)
		case below == 'l':
			for _, item := range f.Value.Items {
				r.keywords(item)
			}
		case below == 'm':
			for _, item := range f.Value.Fields {
				r.keywords(item.Value)
			}
		}
	}
}

var schemaTypes = []string{"null", "boolean", "integer", "number", "string", "array", "object"}

// schemaTypes checks the names of types, of which mistakes are common.
func (r *fileReader) schemaTypes(n *document.Node) {
	items := []*document.Node{n}
	if n.Kind == document.List {
		items = n.Items
	}
	for _, item := range items {
		if !slices.Contains(schemaTypes, item.Text) {
			cure := "use " + strings.Join(schemaTypes, ", ")
			if item.Kind == document.Null {
				cure = "put it in quotes"
			}
			r.report(item.Position, ErrSyntax, didYouMean(item.Text, slices.Values(schemaTypes), cure), "unknown type %q", item.Text)
		}
	}
}

// schemaProblem reports why a schema cannot be compiled, where the mistake is.
func (r *fileReader) schemaProblem(n *document.Node, err error) {
	const cure = "correct the schema"
	var invalid *jsonschema.ValidationError
	var schemaError *jsonschema.SchemaValidationError
	if errors.As(err, &schemaError) {
		err = schemaError.Err
	}
	if !errors.As(err, &invalid) {
		what := err.Error()
		at := n.Position
		var wrong *jsonschema.InvalidRegexError
		var absent *jsonschema.JSONPointerNotFoundError
		var load *jsonschema.LoadURLError
		switch {
		case errors.As(err, &wrong):
			what = fmt.Sprintf("the pattern %q is no regular expression: %v", wrong.Regex, wrong.Err)
		case errors.As(err, &absent):
			what = "a $ref leads nowhere: " + strings.TrimPrefix(absent.URL, schemaURL)
		case errors.As(err, &load):
			what = fmt.Sprintf("a $ref leads out of the file: %v", load.Err)
		}
		r.report(at, ErrSyntax, cure, "input: %s", what)
		return
	}
	for _, leaf := range leaves(invalid) {
		at := nodeAt(n, leaf.InstanceLocation).Position
		if slices.ContainsFunc(r.list, func(e *SyntaxError) bool { return e.Line == at.Line && e.Column == at.Column }) {
			continue
		}
		if path := leaf.InstanceLocation; len(r.list) > 0 && len(path) > 0 && path[len(path)-1] == "type" {
			continue // said in better words
		}
		what, better := mismatch("input", leaf)
		r.report(at, ErrSyntax, cmp.Or(better, cure), "%s", what)
	}
}

// nodeAt follows a path of keys and indexes as far as it goes.
func nodeAt(n *document.Node, path []string) *document.Node {
	for _, step := range path {
		next := (*document.Node)(nil)
		for _, f := range n.Fields {
			if f.Name == step {
				next = f.Value
			}
		}
		if i, err := strconv.Atoi(step); err == nil && n.Kind == document.List && i >= 0 && i < len(n.Items) {
			next = n.Items[i]
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// checkInput checks a run's input, a json.RawMessage.
func (s *schema) checkInput(input any) error {
	text, _ := input.(json.RawMessage)
	if len(text) == 0 {
		text = null
	}
	if !json.Valid(text) {
		return fmt.Errorf("%w: it is not valid JSON: pass one JSON value", ErrBadInput)
	}
	if err := s.check(text, "input", nil); err != nil {
		return fmt.Errorf("%w: %w", ErrBadInput, err)
	}
	return nil
}

// maxMismatches bounds how many mismatches of a value are told.
const maxMismatches = 10

// check holds a valid JSON value against the schema; name is what it is called. The
// error joins all mismatches but those at places that excused names.
func (s *schema) check(text json.RawMessage, name string, excused func(path []string) bool) error {
	if s == nil {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	if err := countable(value, name); err != nil {
		return err
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(s.compiled.Validate(value), &invalid) {
		return nil
	}
	var problems []error
	for _, leaf := range leaves(invalid) {
		if excused != nil && excused(leaf.InstanceLocation) {
			continue
		}
		if len(problems) == maxMismatches {
			problems = append(problems, errors.New("and more"))
			break
		}
		problems = append(problems, errors.New(sentence(name, leaf)))
	}
	return joinLine(problems)
}

// joinLine joins errors on one line.
func joinLine(problems []error) error {
	if len(problems) < 2 {
		return errors.Join(problems...)
	}
	var b strings.Builder
	for i, err := range problems {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	return errors.New(b.String())
}

// countable refuses numbers whose exact value, which the library would compute,
// takes a lot of memory.
func countable(value any, path string) error {
	switch v := value.(type) {
	case json.Number:
		at := strings.LastIndexAny(string(v), "eE")
		if at < 0 {
			return nil
		}
		if e, err := strconv.Atoi(string(v[at+1:])); err != nil || math.Abs(float64(e)) > 1000 {
			return fmt.Errorf("%s is the number %.40s, which is out of range: give one with an exponent of -1000 to 1000", path, v)
		}
	case []any:
		for i, item := range v {
			if err := countable(item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		for k, item := range v {
			if err := countable(item, path+"."+k); err != nil {
				return err
			}
		}
	}
	return nil
}

// leaves returns the errors that have no further cause, in the order of their
// places; of alternatives none of which fits only the fact.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	var list []*jsonschema.ValidationError
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		switch e.ErrorKind.(type) {
		case *mismatches.AnyOf, *mismatches.OneOf, *mismatches.Not, *mismatches.Contains:
			list = append(list, e)
			return
		}
		if len(e.Causes) == 0 {
			list = append(list, e)
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(e)
	slices.SortStableFunc(list, func(a, b *jsonschema.ValidationError) int {
		return cmp.Or(slices.Compare(a.InstanceLocation, b.InstanceLocation), cmp.Compare(sentence("", a), sentence("", b)))
	})
	return slices.CompactFunc(list, func(a, b *jsonschema.ValidationError) bool {
		return slices.Equal(a.InstanceLocation, b.InstanceLocation) && sentence("", a) == sentence("", b)
	})
}

// sentence says what is wrong with a value, and what to do.
func sentence(name string, e *jsonschema.ValidationError) string {
	what, cure := mismatch(name, e)
	if cure == "" {
		return what
	}
	return what + ": " + cure
}

// mismatch says what is wrong with a value and, where that is known, what to do.
func mismatch(name string, e *jsonschema.ValidationError) (what, cure string) {
	place := placeOf(name, e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *mismatches.Type:
		return fmt.Sprintf("%s is %s", place, k.Got), "pass " + strings.Join(k.Want, " or ")
	case *mismatches.Required:
		return fmt.Sprintf("%s.%s is missing", place, strings.Join(k.Missing, ", .")), "pass it"
	case *mismatches.AdditionalProperties:
		return fmt.Sprintf("%s has the unknown field %s", place, strings.Join(k.Properties, ", ")), "leave it out"
	case *mismatches.Enum:
		var words []string
		for _, w := range k.Want {
			text, _ := json.Marshal(w)
			words = append(words, string(text))
		}
		return place + " is none of the accepted values", "pass " + strings.Join(words, ", ")
	}
	if len(e.Causes) == 0 {
		return fmt.Sprintf("%s does not fit: %s", place, e.ErrorKind.LocalizedString(english)), ""
	}
	var ways []string
	for _, cause := range e.Causes {
		for _, leaf := range leaves(cause) {
			if way := sentence(name, leaf); !slices.Contains(ways, way) && len(ways) < 3 {
				ways = append(ways, way)
			}
		}
	}
	return fmt.Sprintf("%s fits none of the accepted forms: %s", place, strings.Join(ways, ", or ")), ""
}

var english = message.NewPrinter(language.English)

// placeOf writes a path as input.items[0].
func placeOf(name string, path []string) string {
	for _, step := range path {
		if _, err := strconv.Atoi(step); err == nil {
			name += "[" + step + "]"
		} else {
			name += "." + step
		}
	}
	return name
}
