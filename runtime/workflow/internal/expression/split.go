package expression

import (
	"fmt"
	"strings"
)

// A Piece is a part of a text: literal or, if Expr, the inside of ${{ }}.
type Piece struct {
	Text   string
	Offset int // in the text, in bytes
	Expr   bool
}

// Found reports whether a text holds the mark of an expression.
func Found(text string) bool { return strings.Contains(text, "${{") }

// Split divides a text into literal pieces and expressions. What says what is
// wrong if an expression has no end.
func Split(text string) (pieces []Piece, what string) {
	for at := 0; at < len(text); {
		open := strings.Index(text[at:], "${{")
		if open < 0 {
			return append(pieces, Piece{Text: text[at:], Offset: at}), ""
		}
		if open > 0 {
			pieces = append(pieces, Piece{Text: text[at : at+open], Offset: at})
		}
		start := at + open + len("${{")
		end := closing(text[start:])
		if end < 0 {
			return nil, fmt.Sprintf("%q opens an expression that it does not close", text)
		}
		pieces = append(pieces, Piece{Text: text[start : start+end], Offset: start, Expr: true})
		at = start + end + len("}}")
	}
	return pieces, ""
}

// closing returns the offset of the }} that ends an expression, or -1. Those in
// strings and those that close braces of the expression do not count.
func closing(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'', '`':
			i++
			for i < len(text) && text[i] != c {
				if text[i] == '\\' && c != '`' {
					i++
				}
				i++
			}
		case '{':
			depth++
		case '}':
			if depth > 0 {
				depth--
			} else if strings.HasPrefix(text[i:], "}}") {
				return i
			}
		}
	}
	return -1
}
