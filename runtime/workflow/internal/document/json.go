package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// IsJSON reports whether data is a JSON object.
func IsJSON(data []byte) bool { return IsObject(data) && json.Valid(data) }

func parseJSON(data []byte) (*Node, []Problem) {
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1, column: 1}
	r.dec.UseNumber()
	root, err := r.value(0)
	if err == nil {
		if _, more := r.dec.Token(); more != io.EOF {
			err = Problem{r.position(), "there is more text after the end of the document", "remove it", false}
		}
	}
	if err == nil {
		return root, nil
	}
	if p, ok := errors.AsType[Problem](err); ok {
		return nil, []Problem{p}
	}
	// Unmarshal knows where a syntax error is, Token does not.
	if syntax := json.Unmarshal(data, new(json.RawMessage)); syntax != nil {
		err = syntax
	}
	return nil, []Problem{JSONProblem(data, err)}
}

// JSONProblem explains an error of package encoding/json.
func JSONProblem(data []byte, err error) Problem {
	p := Problem{Position: At(data, len(data)), What: "invalid JSON: " + err.Error(), Cure: "correct the JSON"}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		// Offset counts the offending byte as read.
		p.Position = At(data, max(int(e.Offset)-1, 0))
		if int(e.Offset) >= len(data) && strings.HasPrefix(e.Error(), "unexpected end") {
			p.What = "the JSON ends too early"
		}
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		p.Position = At(data, max(int(e.Offset)-1, 0))
		p.What = e.Field + " is a JSON " + e.Value + ", not of the type that belongs here"
	}
	return p
}

// Error makes a Problem travel as an error inside this package.
func (p Problem) Error() string { return p.What + ": " + p.Cure }

// At returns the position of a byte of data. It reads data up to there.
func At(data []byte, offset int) Position {
	before := data[:min(offset, len(data))]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return Position{1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[lineStart:])}
}

// A jsonReader builds a tree from tokens. The position moves forward only, so
// that finding it costs one pass over the text.
type jsonReader struct {
	data         []byte
	dec          *json.Decoder
	offset       int // of line and column
	line, column int
}

// position moves to the next token and returns where it begins.
func (r *jsonReader) position() Position {
	r.advance(int(r.dec.InputOffset()))
	end := r.offset
	for end < len(r.data) && bytes.IndexByte([]byte(" \t\r\n,:"), r.data[end]) >= 0 {
		end++
	}
	r.advance(end)
	return Position{r.line, r.column}
}

func (r *jsonReader) advance(to int) {
	passed := r.data[r.offset:to]
	r.offset = to
	if lines := bytes.Count(passed, []byte("\n")); lines > 0 {
		r.line += lines
		r.column = 1
		passed = passed[bytes.LastIndexByte(passed, '\n')+1:]
	}
	r.column += utf8.RuneCount(passed)
}

func (r *jsonReader) value(depth int) (*Node, error) {
	n := &Node{Position: r.position()}
	if depth > maxDepth {
		return nil, tooDeep(n.Position)
	}
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case bool:
		n.Kind, n.JSON = Bool, strconv.FormatBool(t)
	case json.Number:
		n.Kind, n.JSON = Number, t.String()
	case string:
		n.Kind, n.Text = String, t
	case json.Delim:
		if err := r.children(n, t, depth); err != nil {
			return nil, err
		}
	}
	if n.JSON != "" {
		n.Text = n.JSON
	}
	if p, bad := n.measure(); bad {
		return nil, p
	}
	return n, nil
}

// children reads what is between an opening delimiter and its closing one.
func (r *jsonReader) children(n *Node, open json.Delim, depth int) error {
	n.Kind = List
	if open == '{' {
		n.Kind = Map
	}
	for r.dec.More() {
		if n.Kind == List {
			item, err := r.value(depth + 1)
			if err != nil {
				return err
			}
			n.Items = append(n.Items, item)
			continue
		}
		field := Field{Position: r.position()}
		key, err := r.dec.Token()
		if err != nil {
			return err
		}
		field.Name = key.(string) // the decoder takes nothing else there
		if field.Value, err = r.value(depth + 1); err != nil {
			return err
		}
		n.Fields = append(n.Fields, field)
	}
	_, err := r.dec.Token()
	return err
}
