package document

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

// A guard looks at a document's tokens one after the other and refuses what is
// nested too deep or too long for the YAML library.
type guard struct {
	flow      int // brackets and braces that are open
	line, run int // marks that nest without brackets, on this line: "- - x"
	documents int
	blocks    []block
}

// A block is a map or list in block style, inside of the ones before it.
type block struct{ indent, entries int }

func (g *guard) check(t *token.Token) (Problem, bool) {
	if t.Position.Line != g.line {
		g.line, g.run = t.Position.Line, 0
	}
	switch t.Type {
	case token.MappingStartType, token.SequenceStartType:
		g.flow++
	case token.MappingEndType, token.SequenceEndType:
		g.flow--
	case token.SequenceEntryType, token.MappingKeyType:
		g.run++
		// A list may stand in the column of the key that it is the value of, and
		// is further in all the same.
		return g.entry(t, 2*t.Position.Column+1)
	case token.TagType, token.AnchorType:
		g.run++
	case token.MappingValueType:
		column := t.Position.Column
		if t.Prev != nil && t.Prev.Position.Line == t.Position.Line {
			column = t.Prev.Position.Column // of the key
		}
		return g.entry(t, 2*column)
	case token.DocumentHeaderType:
		if g.documents++; g.documents > 1 {
			return secondDocument(position(t)), true
		}
	}
	if g.flow+g.run > maxDepth {
		return tooDeep(position(t)), true
	}
	return Problem{}, false
}

// entry counts one entry of the block with this indentation, and ends the
// blocks further in.
func (g *guard) entry(t *token.Token, indent int) (Problem, bool) {
	if g.flow+g.run > maxDepth {
		return tooDeep(position(t)), true
	}
	if g.flow > 0 {
		return Problem{}, false
	}
	for len(g.blocks) > 0 && g.blocks[len(g.blocks)-1].indent > indent {
		g.blocks = g.blocks[:len(g.blocks)-1]
	}
	if len(g.blocks) == 0 || g.blocks[len(g.blocks)-1].indent < indent {
		g.blocks = append(g.blocks, block{indent: indent})
	}
	b := &g.blocks[len(g.blocks)-1]
	if b.entries++; b.entries <= maxEntries {
		return Problem{}, false
	}
	p := tooLarge(fmt.Sprintf("a map or list in block style has more than %d entries", maxEntries))
	p.Position, p.Cure = position(t), jsonCure
	return p, true
}

func secondDocument(at Position) Problem {
	return Problem{at, "a second document begins here", "keep one document a file", false}
}
