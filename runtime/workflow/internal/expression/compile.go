package expression

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
)

const pathCure = "write a path such as ${{ input.user }} or ${{ tasks.NAME.output.items[0] }}"

// A Ref is a constant path from a root. Of a root tasks Task and Field are set:
// tasks.NAME.FIELD.
type Ref struct {
	Root  string
	Task  string
	Field string
	Path  []Step
	// Optional says that a path which leads nowhere is null, not an error.
	Optional bool
	// Text is the path as an expression.
	Text string

	offset int
}

// A Step goes to the field Key of an object or, if Index is not negative, to an
// item of a list.
type Step struct {
	Key   string
	Index int
}

// String names what a step leads to.
func (s Step) String() string {
	if s.Index < 0 {
		return strconv.Quote(s.Key)
	}
	return fmt.Sprintf("item %d", s.Index)
}

// TaskFields are what can be asked of a task.
var TaskFields = []string{"output", "status", "error"}

// A compiler turns paths into calls that look references up, and everything that
// loops or makes values into what is bounded. It visits a tree from the leaves
// to the root.
type compiler struct {
	text     string
	roots    []string
	lets     map[string]bool
	calls    map[ast.Node]*Ref // the nodes that stand for references
	order    []*Ref            // by number
	dropped  map[*Ref]bool
	pure     bool
	problems []Problem
}

// letVisitor learns the names of variables before anything else is looked at.
type letVisitor compiler

func (v *letVisitor) Visit(node *ast.Node) {
	if n, ok := (*node).(*ast.VariableDeclaratorNode); ok {
		if v.lets == nil {
			v.lets = make(map[string]bool)
		}
		v.lets[n.Name] = true
		if slices.Contains(v.roots, n.Name) || strings.HasPrefix(n.Name, "_") || strings.HasPrefix(n.Name, "$") {
			(*compiler)(v).report(n, "give the variable another name", "the variable %q has a name that is taken", n.Name)
		}
	}
}

// rootVisitor, the last one, remembers whether all is one reference.
type rootVisitor compiler

func (v *rootVisitor) Visit(node *ast.Node) {
	_, v.pure = v.calls[*node] // the root comes last
}

func (c *compiler) report(n ast.Node, cure, format string, args ...any) {
	c.problems = append(c.problems, Problem{c.offset(n), fmt.Sprintf(format, args...), cure})
}

func (c *compiler) offset(n ast.Node) int {
	count := n.Location().From
	for i := range c.text {
		if count == 0 {
			return i
		}
		count--
	}
	return 0
}

// Visit implements [ast.Visitor].
func (c *compiler) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		c.identifier(node, n)
	case *ast.MemberNode:
		c.member(node, n)
	case *ast.ChainNode:
		if _, ok := c.calls[n.Node]; ok {
			*node = n.Node
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "??":
			ast.Walk(&n.Left, optional{c})
		case "+":
			c.replace(node, "__add", n.Left, n.Right)
		case "matches":
			c.replace(node, "__matches", n.Left, n.Right)
		}
	case *ast.PredicateNode:
		n.Node = c.call(n.Node, "__step", n.Node)
	case *ast.BuiltinNode:
		if !slices.Contains(smallBuiltins, n.Name) {
			c.replace(node, "__bound", n)
		}
	case *ast.ArrayNode, *ast.MapNode:
		c.replace(node, "__bound", n)
	case *ast.CallNode:
		callee, ok := n.Callee.(*ast.IdentifierNode)
		if !ok || !slices.Contains(functionNames, callee.Value) {
			if ok || n.Callee == nil {
				return // reported as an unknown name
			}
			c.report(n, "call one of the functions by its name", "a value is called as a function")
			return
		}
		n.Arguments = append([]ast.Node{&ast.IdentifierNode{Value: "$env"}}, n.Arguments...)
	case *ast.BytesNode:
		c.report(n, "write a string", "bytes are no JSON")
	}
}

func (c *compiler) replace(node *ast.Node, name string, args ...ast.Node) {
	*node = c.call(*node, name, args...)
}

// call makes the call of a function of this package, at the place of a node.
func (c *compiler) call(at ast.Node, name string, args ...ast.Node) ast.Node {
	call := &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: name},
		Arguments: append([]ast.Node{&ast.IdentifierNode{Value: "$env"}}, args...),
	}
	call.SetLocation(at.Location())
	call.Callee.SetLocation(at.Location())
	return call
}

func (c *compiler) identifier(node *ast.Node, n *ast.IdentifierNode) {
	switch {
	case c.lets[n.Value] || slices.Contains(functionNames, n.Value):
	case slices.Contains(c.roots, n.Value):
		c.refer(node, &Ref{Root: n.Value, Text: n.Value, offset: c.offset(n)})
	default:
		c.report(n, c.cure(n), "%q is unknown here", n.Value)
	}
}

// cure knows the mistake that looks most like a path: a name with a dash behind a
// dot, which is a subtraction.
func (c *compiler) cure(n *ast.IdentifierNode) string {
	before := strings.TrimRight(c.text[:c.offset(n)], " ")
	if strings.HasSuffix(before, "-") && strings.Contains(before, ".") {
		return "write a name with a dash in brackets, such as tasks[\"my-task\"].output"
	}
	return "use " + strings.Join(c.roots, ", ")
}

// path reads an expression that is nothing but a path, as most are, without the
// library: files may have a hundred thousand of them.
func (c *compiler) path() bool {
	text := strings.TrimSpace(c.text)
	r := &Ref{offset: strings.Index(c.text, text)}
	end := 0
	for end < len(text) && isIdentifier(text[:end+1]) {
		end++
	}
	r.Root, text = text[:end], text[end:]
	if !slices.Contains(c.roots, r.Root) {
		return false
	}
	for text != "" {
		step, rest, ok := pathStep(text)
		if !ok {
			return false
		}
		r.Path, text = append(r.Path, step), rest
	}
	r.Text = r.Root
	for _, s := range r.Path {
		r.Text += stepText(s)
	}
	c.order, c.pure = []*Ref{r}, true
	return true
}

// pathStep reads .key, ["key"] without escapes, or [index] off the front of a text.
func pathStep(text string) (step Step, rest string, ok bool) {
	step.Index = -1
	if key, found := strings.CutPrefix(text, "."); found {
		end := 0
		for end < len(key) && isIdentifier(key[:end+1]) {
			end++
		}
		step.Key, rest = key[:end], key[end:]
		return step, rest, end > 0 && !slices.Contains(keywords, step.Key)
	}
	inner, rest, found := strings.Cut(text, "]")
	inner, open := strings.CutPrefix(inner, "[")
	if !found || !open || inner == "" {
		return step, rest, false
	}
	if q := inner[0]; q == '"' || q == '\'' {
		step.Key = strings.Trim(inner, string(q))
		return step, rest, len(inner) >= 3 && len(step.Key) == len(inner)-2 && !strings.ContainsAny(step.Key, "\\\n\"'")
	}
	n, err := strconv.ParseUint(inner, 10, 31)
	step.Index = int(n)
	return step, rest, err == nil && isDigits(inner)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// keywords are left to the library to judge.
var keywords = []string{"in", "not", "and", "or", "matches", "contains", "startsWith", "endsWith", "let", "if", "else", "nil", "true", "false"}

// refer lets a node stand for a reference.
func (c *compiler) refer(node *ast.Node, r *Ref) {
	if c.calls == nil {
		c.calls, c.dropped = make(map[ast.Node]*Ref), make(map[*Ref]bool)
	}
	c.replace(node, "__ref", &ast.IntegerNode{Value: len(c.order)})
	c.calls[*node] = r
	c.order = append(c.order, r)
}

// member makes a reference one step longer.
func (c *compiler) member(node *ast.Node, n *ast.MemberNode) {
	r, ok := c.calls[n.Node]
	if !ok {
		return
	}
	step := Step{Index: -1}
	switch p := n.Property.(type) {
	case *ast.StringNode:
		step.Key = p.Value
	case *ast.IntegerNode:
		if p.Value < 0 {
			return
		}
		step.Index = p.Value
	default:
		return
	}
	longer := *r
	longer.Path = append(slices.Clone(r.Path), step)
	longer.Optional = r.Optional || n.Optional
	longer.Text += stepText(step)
	c.dropped[r] = true
	c.refer(node, &longer)
}

func stepText(s Step) string {
	switch {
	case s.Index >= 0:
		return fmt.Sprintf("[%d]", s.Index)
	case isIdentifier(s.Key):
		return "." + s.Key
	}
	return fmt.Sprintf("[%q]", s.Key)
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && (r|0x20 < 'a' || r|0x20 > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// optional marks the references of a subtree.
type optional struct{ c *compiler }

func (o optional) Visit(node *ast.Node) {
	if r, ok := o.c.calls[*node]; ok {
		r.Optional = true
	}
}

// live checks the references that are left and returns all, in the order of
// their numbers.
func (c *compiler) live() []*Ref {
	if c.pure { // the last one is the whole expression
		return c.order[len(c.order)-1:]
	}
	return c.order
}

// check reports what no reference may be.
func (c *compiler) check() {
	for _, r := range c.order {
		if c.dropped[r] {
			continue
		}
		report := func(cure, format string, args ...any) {
			c.problems = append(c.problems, Problem{r.offset, fmt.Sprintf(format, args...), cure})
		}
		switch r.Root {
		case "tasks":
			if len(r.Path) < 2 || r.Path[0].Index >= 0 {
				report("write tasks.NAME.output, a name with a dash as tasks[\"my-task\"].output", "%s does not say which task's output it means", r.Text)
				continue
			}
			if !slices.Contains(TaskFields, r.Path[1].Key) {
				report("ask for "+strings.Join(TaskFields, ", "), "%s asks for %s of a task", r.Text, r.Path[1])
				continue
			}
			r.Task, r.Field, r.Path = r.Path[0].Key, r.Path[1].Key, r.Path[2:]
		case "run":
			if len(r.Path) != 1 || !slices.Contains(RunFields, r.Path[0].Key) {
				report("ask for run."+strings.Join(RunFields, ", run."), "%s is no property of a run", r.Text)
			}
		case "env":
			if len(r.Path) != 1 || r.Path[0].Index >= 0 {
				report("write env.NAME", "%s does not say which variable it means", r.Text)
			}
		}
	}
}

// RunFields are what can be asked of a run.
var RunFields = []string{"id", "workflow"}

// functionNames are the functions that this package defines in place of the
// library's, or that the library knows.
var functionNames = slices.Sorted(maps.Keys(functions))

// BuiltinNames are the functions of the library that expressions can use.
func BuiltinNames() []string {
	var names []string
	for _, b := range builtin.Builtins {
		if _, replaced := functions[b.Name]; !replaced && !slices.Contains(disabled, b.Name) {
			names = append(names, b.Name)
		}
	}
	return names
}
