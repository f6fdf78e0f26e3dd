package workflow

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// The bounds of workflows within workflows.
const (
	maxNesting = 16   // workflows on the way from the file to the innermost one
	maxFiles   = 1000 // read for one definition, a file named twice counted twice
)

// subWorkflow reads a workflow that is a task: a map is one itself, a string
// names its file.
func (t *taskReader) subWorkflow(n *document.Node) {
	var plan *Plan
	switch {
	case len(t.stack) > maxNesting:
		t.report(n.Position, ErrTooLarge, "flatten them", "workflows are nested more than %d deep", maxNesting)
	case n.Kind == document.Map:
		plan = t.inner(n)
	case t.is(n, document.String, "workflow", "write a file's name, or a workflow: {tasks: {...}}"):
		plan = t.named(n)
	}
	if plan == nil {
		return
	}
	t.Sub = plan
}

// subInput makes the input of a sub-workflow.
func subInput(with *template, s *scope) (any, error) {
	text, err := renderWith(with, s)
	if err != nil {
		return nil, err
	}
	if text == nil {
		text = null
	}
	return text, nil
}

// inner reads a workflow that stands in the file.
func (t *taskReader) inner(n *document.Node) *Plan {
	inner := newFileReader(t.config, t.fileReader.file, t.stack)
	inner.problemList, inner.source = t.problemList, t.source
	inner.unnamed = t.Name
	before := len(t.list) + len(t.nested)
	plan := inner.workflow(n)
	if len(t.list)+len(t.nested) > before {
		return nil
	}
	return plan
}

// named reads a workflow of another file.
func (t *taskReader) named(n *document.Node) *Plan {
	name := n.Text
	if hasExpression(name) {
		t.report(n.Position, ErrSyntax, "write the file's name as it is", "workflow holds an expression")
		return nil
	}
	if t.config.open == nil {
		t.report(n.Position, ErrUnsupported, "write the workflow in place of its name or, in Go, pass workflow.Open", "this program does not read further files")
		return nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(t.fileReader.file), name)
	}
	if slices.Contains(t.stack, name) {
		t.report(n.Position, ErrCycle, "remove one of these tasks", "workflows contain each other: %s", strings.Join(append(slices.Clone(t.stack[slices.Index(t.stack, name):]), name), " -> "))
		return nil
	}
	if t.config.files++; t.config.files > maxFiles {
		t.report(n.Position, ErrTooLarge, "merge some", "the workflow has more than %d files", maxFiles)
		return nil
	}
	data, err := t.config.open(name)
	if err != nil {
		t.report(n.Position, ErrSyntax, "check the path", "the workflow %s cannot be read: %v", name, err)
		return nil
	}
	plan, err := parseFile(t.config, name, data, t.stack)
	if err != nil {
		t.nested = append(t.nested, err)
		return nil
	}
	return plan
}
