package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

func parseYAML(data []byte) (root *Node, problems []Problem) {
	tokens, problems := tokenize(string(data))
	if problems != nil {
		return nil, problems
	}
	file, problems := parseTokens(tokens)
	if problems != nil {
		return nil, problems
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if _, directive := d.Body.(*ast.DirectiveNode); !directive && d.Body != nil {
			docs = append(docs, d.Body)
		}
	}
	switch {
	case len(docs) == 0:
		return nil, []Problem{{Position{1, 1}, "the file is empty", "write a definition into it", false}}
	case len(docs) > 1:
		return nil, []Problem{secondDocument(start(docs[1]))}
	}
	r := yamlReader{anchors: make(map[string]*Node)}
	root = r.value(docs[0])
	if r.problems != nil {
		return nil, r.problems
	}
	return root, nil
}

const jsonCure = "write the document as JSON, or split it"

// tokenize splits the text and refuses what the parser could not bear: its
// recursion has no bound of its own, and a goroutine's stack overflow is fatal.
func tokenize(text string) (tokens token.Tokens, problems []Problem) {
	defer recoverParser(&problems)
	tokens = lexer.Tokenize(text)
	if len(tokens) > maxTokens {
		p := tooLarge(fmt.Sprintf("the document has %d words and marks, limit %d for YAML", len(tokens), maxTokens))
		p.Cure = jsonCure
		return nil, []Problem{p}
	}
	var g guard
	for _, t := range tokens {
		if p, bad := g.check(t); bad {
			return nil, []Problem{p}
		}
	}
	return tokens, nil
}

func parseTokens(tokens token.Tokens) (file *ast.File, problems []Problem) {
	defer recoverParser(&problems)
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err == nil {
		return file, nil
	}
	p := Problem{Position: Position{1, 1}, What: "invalid YAML: " + err.Error(), Cure: "correct the YAML"}
	var syntax interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &syntax) {
		p.Position, p.What = position(syntax.GetToken()), "invalid YAML: "+syntax.GetMessage()
		if strings.Contains(p.What, "specified") && opensReference(syntax.GetToken()) {
			p.Cure = `put quotes around a reference: "${{ ... }}"`
		}
	}
	return nil, []Problem{p}
}

// recoverParser turns a panic of the YAML library, which has met input that its
// authors did not think of, into a problem of that input.
func recoverParser(problems *[]Problem) {
	if v := recover(); v != nil {
		*problems = []Problem{{Position{1, 1}, fmt.Sprintf("the YAML cannot be read (%v)", v), "write it in a simpler form, or as JSON", false}}
	}
}

// opensReference reports whether a token is part of an unquoted "${{": inside
// brackets its braces end the text before them.
func opensReference(t *token.Token) bool {
	for back := 0; t != nil && back < 4; back++ {
		if strings.HasSuffix(t.Value, "$") {
			return true
		}
		t = t.Prev
	}
	return false
}

func position(t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{1, 1}
	}
	return Position{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// start is where a value begins. The library takes a map in block style to be
// where its first colon is.
func start(y ast.Node) Position {
	switch y := y.(type) {
	case *ast.MappingNode:
		if !y.IsFlowStyle && len(y.Values) > 0 {
			return start(y.Values[0])
		}
	case *ast.MappingValueNode:
		return position(y.Key.GetToken())
	}
	return position(y.GetToken())
}

// A yamlReader converts the library's syntax tree into nodes.
type yamlReader struct {
	anchors  map[string]*Node
	problems []Problem
}

func (r *yamlReader) report(at Position, cure, format string, args ...any) {
	r.problems = append(r.problems, Problem{at, fmt.Sprintf(format, args...), cure, false})
}

func (r *yamlReader) value(y ast.Node) *Node {
	n := &Node{Position: start(y)}
	switch y := y.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		n.Kind, n.Text, n.JSON = Bool, y.Token.Value, strconv.FormatBool(y.Value)
	case *ast.IntegerNode:
		n.Kind, n.Text, n.JSON = Number, y.Token.Value, fmt.Sprint(y.Value)
	case *ast.FloatNode:
		n.Kind, n.Text, n.JSON = Number, y.Token.Value, strconv.FormatFloat(y.Value, 'g', -1, 64)
	case *ast.StringNode:
		n.Kind, n.Text = String, y.Value
		if y.Token.Type == token.StringType && isNumber(y.Value) { // an integer beyond 64 bits
			n.Kind = Number
		}
	case *ast.LiteralNode:
		n.Kind, n.Text = String, y.Value.Value
	case *ast.SequenceNode:
		n.Kind = List
		for _, item := range y.Values {
			n.Items = append(n.Items, r.value(item))
		}
	case *ast.MappingNode:
		n.Kind = Map
		r.fields(n, y.Values...)
	case *ast.MappingValueNode:
		n.Kind = Map
		r.fields(n, y)
	case *ast.AnchorNode:
		anchored := r.value(y.Value)
		r.anchors[y.Name.GetToken().Value] = anchored
		return anchored
	case *ast.AliasNode:
		if anchored, ok := r.anchors[y.Value.GetToken().Value]; ok {
			return anchored
		}
		r.report(n.Position, "put the anchor &"+y.Value.GetToken().Value+" before it, outside of it",
			"the alias *%s has no anchor", y.Value.GetToken().Value)
	case *ast.TagNode:
		r.report(n.Position, "remove it; quote the value if it is meant as a string", "the tag %s is not understood", y.Start.Value)
	case *ast.InfinityNode, *ast.NanNode:
		r.report(n.Position, "write a finite number, or quote it", "%s is not a number that JSON knows", y.GetToken().Value)
	default:
		r.report(n.Position, "write it in a simpler form", "YAML's %s is not understood", y.Type())
	}
	if n.Kind == Number && isNumber(n.Text) { // keeps digits that a float64 would lose
		n.JSON = n.Text
	}
	if p, bad := n.measure(); bad {
		r.problems = append(r.problems, p)
		return &Node{Position: n.Position} // so that the bound is reported once
	}
	return n
}

func (r *yamlReader) fields(n *Node, values ...*ast.MappingValueNode) {
	for _, v := range values {
		var key ast.Node = v.Key
		if explicit, ok := key.(*ast.MappingKeyNode); ok { // "? key"
			key = explicit.Value
		}
		at := position(key.GetToken())
		name := ""
		switch k := key.(type) {
		case *ast.StringNode:
			name = k.Value
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			name = k.GetToken().Value
		case *ast.MergeKeyNode:
			r.report(at, "repeat the keys, or use an alias for a whole value", "the merge key << is not understood")
			continue
		default:
			r.report(at, "write a string as key", "a key cannot be %s", key.Type())
			continue
		}
		n.Fields = append(n.Fields, Field{at, name, r.value(v.Value)})
	}
}

// isNumber reports whether text is a number as JSON writes it.
func isNumber(text string) bool {
	return text != "" && strings.IndexByte("-0123456789", text[0]) >= 0 && json.Valid([]byte(text))
}
