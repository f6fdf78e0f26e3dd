package workflow

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
	"github.com/ringmill/ringmill/runtime/workflow/internal/expression"
)

// hasExpression reports whether a string holds the mark of an expression.
func hasExpression(text string) bool { return expression.Found(text) }

// template compiles a value with expressions, which may begin with the given
// names; without names it must not hold any. Each of them is passed to use, unless
// that is nil. what names the value.
func (r *fileReader) template(n *document.Node, what string, names []string, use func(*program)) *template {
	t := new(template)
	r.compile(t, n, what, names, use)
	return t
}

func (r *fileReader) compile(t *template, n *document.Node, what string, names []string, use func(*program)) {
	switch n.Kind {
	case document.Null:
		t.text("null")
	case document.Bool, document.Number:
		t.text(n.JSON)
	case document.String:
		if names == nil || !hasExpression(n.Text) {
			t.text(jsonString(n.Text))
		} else if m := r.mixed(n, names, use); m != nil {
			t.add(m)
		}
	case document.List:
		t.text("[")
		for i, item := range n.Items {
			if i > 0 {
				t.text(",")
			}
			r.compile(t, item, what, names, use)
		}
		t.text("]")
	case document.Map:
		t.text("{")
		r.compileFields(t, n, what, names, use)
		t.text("}")
	}
}

func (r *fileReader) compileFields(t *template, n *document.Node, what string, names []string, use func(*program)) {
	seen := make(map[string]int, len(n.Fields))
	for i, f := range n.Fields {
		if line, ok := seen[f.Name]; ok {
			r.report(f.Position, ErrSyntax, "remove one of them", "the key %q was given already in line %d", f.Name, line)
		}
		if names != nil && hasExpression(f.Name) {
			r.report(f.Position, ErrSyntax, "write the key as plain text", "the key %q in %s holds an expression", f.Name, what)
		}
		seen[f.Name] = f.Line
		if i > 0 {
			t.text(",")
		}
		t.text(jsonString(f.Name))
		t.text(":")
		r.compile(t, f.Value, what, names, use)
	}
}

// mixed reads a text with expressions; nil if one of them is wrong.
func (r *fileReader) mixed(n *document.Node, names []string, use func(*program)) mixedText {
	pieces, what := expression.Split(n.Text)
	if what != "" {
		r.report(n.Position, ErrSyntax, "end it with }}", "%s", what)
		return nil
	}
	m := make(mixedText, len(pieces))
	ok := true
	for i, piece := range pieces {
		if !piece.Expr {
			m[i].literal = piece.Text
			continue
		}
		m[i].program = r.program(n, piece, names)
		if m[i].program == nil {
			ok = false
		} else if use != nil {
			use(m[i].program)
		}
	}
	if !ok {
		return nil
	}
	if len(m) == 0 {
		m = mixedText{{}}
	}
	return m
}

// mixedOrLiteral reads a text with expressions, a number or a boolean.
func (t *taskReader) mixedOrLiteral(n *document.Node, what string) mixedText {
	switch n.Kind {
	case document.String:
		return t.mixed(n, t.wholeRoots, t.use)
	case document.Number, document.Bool:
		return mixedText{{literal: n.Text}}
	}
	t.is(n, document.String, what, fmt.Sprintf("write an expression: %s: ${{ input.kind }}", what))
	return nil
}

// wholeExpression reads a value that must be nothing but an expression.
func (r *fileReader) wholeExpression(n *document.Node, what string, names []string) *program {
	cure := fmt.Sprintf("write an expression: %s: ${{ input.count > 0 }}", what)
	if !r.is(n, document.String, what, cure) {
		return nil
	}
	pieces, problem := expression.Split(n.Text)
	switch {
	case problem != "":
		r.report(n.Position, ErrSyntax, "end it with }}", "%s", problem)
		return nil
	case len(pieces) != 1 || !pieces[0].Expr:
		r.report(n.Position, ErrSyntax, "put all of it between ${{ and }}", "%s: %q is not one expression", what, n.Text)
		return nil
	}
	return r.program(n, pieces[0], names)
}

// program compiles the expression that is a piece of a string; nil if it is wrong.
func (r *fileReader) program(n *document.Node, piece expression.Piece, names []string) *program {
	if r.config.expressions > maxExpressions {
		if !r.config.refused {
			r.report(n.Position, ErrTooLarge, "split the workflow, or move work into tasks", "the expressions have more than %d bytes in all", maxExpressions)
		}
		r.config.refused = true
		return nil
	}
	compiled, problems := expression.Compile(piece.Text, names)
	if compiled == nil || compiled.Pure() == nil {
		r.config.expressions += len(piece.Text)
	}
	for _, p := range problems {
		r.report(r.within(n, piece.Offset+p.Offset), ErrSyntax, p.Cure, "${{ %s }}: %s", shortened(piece.Text), p.What)
	}
	if compiled == nil {
		return nil
	}
	p := &program{Program: compiled, workflow: r.name, tasks: make(map[*expression.Ref]int)}
	for _, ref := range compiled.Refs() {
		if ref.Task == "" {
			continue
		}
		task, ok := r.index[ref.Task]
		if !ok { // only then the place is looked up, which reads the file
			r.task(ref.Task, r.within(n, piece.Offset), "the reference "+ref.Text)
			return nil
		}
		p.tasks[ref] = task
	}
	return p
}

// maxExpressions bounds the expressions of a definition that are more than a path, in
// bytes, those of all its files together. They take some microseconds a byte to
// compile.
const maxExpressions = 1 << 20

// shortened keeps a message readable.
func shortened(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	const most = 60
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// within is the position of a byte of a string, where the string stands in one
// line of the file as it is, or else of the string.
func (r *fileReader) within(n *document.Node, offset int) document.Position {
	if len(r.list) >= maxProblems { // the text is searched from its beginning
		return n.Position
	}
	line := lineOf(r.source, n.Line)
	start := 0
	for range n.Column - 1 {
		if start >= len(line) {
			return n.Position
		}
		_, size := utf8.DecodeRune(line[start:])
		start += size
	}
	rest := line[start:]
	quote := 0
	if len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		quote = 1
	}
	if !bytes.HasPrefix(rest[quote:], []byte(n.Text)) {
		return n.Position
	}
	return document.Position{Line: n.Line, Column: n.Column + quote + utf8.RuneCountInString(n.Text[:min(offset, len(n.Text))])}
}

// lineOf returns a line of a text, from 1, without its end.
func lineOf(text []byte, number int) []byte {
	for range number - 1 {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return nil
		}
		text = text[end+1:]
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return line
}

// cmd reads an argument list; nil if it is wrong.
func (t *taskReader) cmd(n *document.Node) *cmdTask {
	const cure = "write a list: cmd: [program, argument, ...]"
	if !t.is(n, document.List, "cmd", cure) {
		return nil
	}
	if len(n.Items) == 0 || n.Items[0].Kind == document.String && n.Items[0].Text == "" {
		t.report(n.Position, ErrSyntax, cure, "cmd names no program")
		return nil
	}
	task := &cmdTask{argv: make([]mixedText, len(n.Items))}
	for i, item := range n.Items {
		switch {
		case item.Kind == document.String && hasExpression(item.Text):
			task.argv[i] = t.mixed(item, t.roots, t.use)
		case item.Kind == document.String || item.Kind == document.Number || item.Kind == document.Bool:
			task.argv[i] = mixedText{{literal: item.Text}} // as it is written: 1.10 stays 1.10
		default:
			t.is(item, document.String, "an element of cmd", "write text or a number, or pass the value through with")
		}
		if strings.IndexByte(item.Text, 0) >= 0 {
			t.report(item.Position, ErrSyntax, "pass such data through with", "an element of cmd holds a zero byte")
		}
	}
	return task
}

// duration reads "2s" and the like.
func (r *fileReader) duration(n *document.Node, what string) time.Duration {
	cure := fmt.Sprintf("write a number with its unit: %s: 2s", what)
	if n.Kind == document.Number || !r.is(n, document.String, what, cure) {
		if n.Kind == document.Number {
			r.report(n.Position, ErrBadOption, cure, "%s: %s has no unit", what, n.Text)
		}
		return 0
	}
	d, err := time.ParseDuration(n.Text)
	switch {
	case err != nil && isTooLong(n.Text):
		r.report(n.Position, ErrBadOption, "give a shorter duration, or leave it out", "%s: %s is longer than 292 years", what, n.Text)
	case err != nil:
		r.report(n.Position, ErrBadOption, cure, "%s: %q is not a duration", what, n.Text)
	case d < 0:
		r.report(n.Position, ErrBadOption, "give a duration of 0 or more", "%s: %s is negative", what, n.Text)
	}
	return d
}

var digits = regexp.MustCompile("[0-9]+")

// isTooLong reports whether a text that is no valid duration would be one if its
// numbers were small.
func isTooLong(text string) bool {
	_, err := time.ParseDuration(digits.ReplaceAllString(text, "1"))
	return err == nil
}

// retry reads a policy. A backoff or max_backoff of 0s is no wait at all, not
// the default, which a zero field of the policy would mean.
func (r *fileReader) retry(n *document.Node) retry.Policy {
	var p retry.Exponential
	noWait := false
	wait := func(v *document.Node, what string) time.Duration {
		before := len(r.list)
		d := r.duration(v, what)
		noWait = noWait || d == 0 && len(r.list) == before
		return d
	}
	before := len(r.list)
	r.fields(n, "retry", keys{
		"max":         func(v *document.Node) { p.MaxAttempts = r.attempts(v) },
		"backoff":     func(v *document.Node) { p.Base = wait(v, "backoff") },
		"max_backoff": func(v *document.Node) { p.Max = wait(v, "max_backoff") },
		"jitter":      func(v *document.Node) { p.Jitter = r.jitter(v) },
		"max_elapsed": func(v *document.Node) { p.MaxElapsed = r.duration(v, "max_elapsed") },
	})
	switch {
	case len(r.list) > before:
	case p.Base > p.Max && (p.Max > 0 || noWait):
		r.report(n.Position, ErrBadOption, "give a longer max_backoff", "retry: backoff %s is longer than max_backoff %s", p.Base, p.Max)
	case noWait:
		return retry.Constant{MaxAttempts: p.MaxAttempts, MaxElapsed: p.MaxElapsed}
	case p.Max > 0 && p.Base == 0:
		p.Base = min(retry.DefaultBase, p.Max)
	}
	return p
}

func (r *fileReader) attempts(n *document.Node) int {
	const cure = "give a whole number of attempts of 1 or more"
	if !r.is(n, document.Number, "max", cure) {
		return 0
	}
	count, err := strconv.ParseInt(n.JSON, 10, 32)
	if err != nil || count < 1 {
		r.report(n.Position, ErrBadOption, cure, "max: %s is not a number of attempts", n.Text)
	}
	return int(count)
}

func (r *fileReader) jitter(n *document.Node) float64 {
	const cure = "give a share of the wait, 0 to 1"
	if !r.is(n, document.Number, "jitter", cure) {
		return 0
	}
	share, err := strconv.ParseFloat(n.JSON, 64)
	if err != nil || !(share >= 0 && share <= 1) {
		r.report(n.Position, ErrBadOption, cure, "jitter: %s is out of range", n.Text)
	}
	return share
}
