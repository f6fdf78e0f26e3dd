// Package document reads YAML and JSON into a tree whose nodes know where they
// stand in the text, so that whoever interprets it can point at mistakes.
//
// It accepts the part of YAML that has a JSON equivalent, plus anchors and
// aliases, which share nodes instead of copying them. It keeps repeated keys,
// for its caller to report, and bounds size and depth, so that walking the tree
// is always cheap.
package document

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// The bounds of a document.
const (
	// MaxJSON is the largest JSON document in bytes.
	MaxJSON = 16 << 20
	// MaxYAML is the largest YAML document in bytes, maxTokens the number of
	// words and marks in it, and maxEntries the largest map or list in block
	// style. The time of the YAML library grows with the square of some of them.
	// Within these bounds 10,000 tasks take about a second, and the worst text
	// that is known a few; without them 1 MiB can take two minutes.
	MaxYAML    = 1 << 20
	maxTokens  = 200_000
	maxEntries = 10_000
	// maxDepth bounds the nesting, for those who walk a tree by recursion.
	maxDepth = 100
	// maxParts bounds a tree: its values, plus one for every 16 bytes of text,
	// each alias counted with all it stands for. It keeps the memory that a tree
	// or a text made of it needs to some hundred MB.
	maxParts = 4 << 20
)

// A Kind says what a node holds.
type Kind uint8

// The kinds of JSON's data model.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Map
)

// String names k with its article, for messages: "a list".
func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "a map"}[k]
}

// A Position is a place in the text; both count from 1, columns in characters.
type Position struct{ Line, Column int }

// A Node is one value. Nodes are immutable, and shared by aliases: a tree may
// hold one node in several places.
type Node struct {
	Position
	Kind   Kind
	Text   string  // of a String its value; of a Bool or Number how it was written
	JSON   string  // of a Bool or Number its JSON form
	Items  []*Node // of a List
	Fields []Field // of a Map, in order, repeated keys included

	size, depth int // of the tree below, aliases included
}

// A Field is one key of a Map with its value.
type Field struct {
	Position // of the key
	Name     string
	Value    *Node
}

// A Problem says what is wrong at a place, and what to do.
type Problem struct {
	Position
	What, Cure string
	TooLarge   bool // the document exceeds a bound
}

// Parse reads one document. It tells JSON from YAML by its content. The node is
// nil if and only if there are problems.
func Parse(data []byte) (*Node, []Problem) {
	if len(data) > MaxJSON {
		return nil, []Problem{tooLarge(fmt.Sprintf("the file has %d bytes, limit %d", len(data), MaxJSON))}
	}
	data = WithoutMark(data)
	if bad := invalidUTF8(data); bad >= 0 {
		return nil, []Problem{{At(data, bad), "the text is not valid UTF-8", "save the file as UTF-8", false}}
	}
	if IsJSON(data) {
		return parseJSON(data)
	}
	if len(data) > MaxYAML {
		if IsObject(data) { // meant as JSON, but broken
			return parseJSON(data)
		}
		p := tooLarge(fmt.Sprintf("the file has %d bytes, limit %d for YAML", len(data), MaxYAML))
		p.Cure = fmt.Sprintf("write it as JSON, which may have %d bytes, or split it", MaxJSON)
		return nil, []Problem{p}
	}
	return parseYAML(data)
}

// WithoutMark returns data without a byte order mark at its beginning.
func WithoutMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }

// IsObject reports whether the text begins as a JSON object does.
func IsObject(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

func tooLarge(what string) Problem {
	return Problem{Position: Position{1, 1}, What: what, Cure: "make it smaller, or split it", TooLarge: true}
}

// measure computes size and depth of a finished node, and reports whether it
// exceeds a bound.
func (n *Node) measure() (Problem, bool) {
	n.size = 1 + len(n.Text)/16
	add := func(child *Node) {
		n.size = min(n.size+child.size, maxParts+1) // saturates: aliases grow it exponentially
		n.depth = max(n.depth, child.depth+1)
	}
	for _, item := range n.Items {
		add(item)
	}
	for _, f := range n.Fields {
		add(f.Value)
	}
	switch {
	case n.depth > maxDepth:
		return tooDeep(n.Position), true
	case n.size > maxParts:
		p := tooLarge(fmt.Sprintf("this value has more than %d parts, counting what its aliases stand for", maxParts))
		p.Position = n.Position
		return p, true
	}
	return Problem{}, false
}

func tooDeep(at Position) Problem {
	return Problem{at, fmt.Sprintf("values are nested more than %d deep here", maxDepth), "flatten them", true}
}
