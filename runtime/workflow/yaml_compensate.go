package workflow

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// A foreachItem is what an item of a foreach is undone with.
type foreachItem struct {
	item   json.RawMessage
	index  int
	output json.RawMessage
}

// compensate reads what undoes the task; of a foreach, each item.
func (t *taskReader) compensate(n *document.Node, foreach bool) {
	undo := *t
	undo.roots = roots(rootsOfTask, rootsOfResult)
	if foreach {
		undo.roots = roots(undo.roots, rootsOfItem)
	}
	undo.programs = nil
	before := len(t.Deps)
	var p parts
	if v := field(n, "with"); v != nil {
		p.with = undo.value(v, "with")
	}
	known := keys{
		"with":        func(*document.Node) {}, // read already
		"description": t.description,
		"retry":       func(v *document.Node) { t.CompensateRetry = t.retry(v) },
		"timeout":     func(v *document.Node) { t.CompensateTimeout = t.duration(v, "timeout") },
	}
	undo.kinds(known, n, &p, false)
	t.fields(n, "compensate", known)
	if n.Kind == document.Map && len(p.kinds) != 1 {
		t.report(n.Position, ErrSyntax, "write compensate: {cmd: [program, argument, ...]}", "compensate must have one kind of task")
	}
	if self := int32(t.self); slices.Contains(t.Deps[before:], self) {
		t.report(n.Position, ErrCycle, "write ${{ output }}", "compensate reads tasks.%s.output, of the task that it undoes", t.Name)
		t.Deps = append(t.Deps[:before], slices.DeleteFunc(t.Deps[before:], func(d int32) bool { return d == self })...)
	}
	run := p.run
	switch {
	case run == nil: // reported
	case foreach:
		t.CompensateItem = func(ctx context.Context, in Inputs, value any) error {
			v, _ := value.(foreachItem)
			_, err := run(ctx, &scope{Inputs: in, item: v.item, index: v.index, output: v.output})
			return err
		}
	default:
		t.Compensate = func(ctx context.Context, in Inputs, result any) error {
			output, _ := result.(json.RawMessage)
			_, err := run(ctx, &scope{Inputs: in, output: output})
			return err
		}
	}
}
