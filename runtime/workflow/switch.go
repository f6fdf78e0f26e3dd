package workflow

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// A caseOf lets a task run only if a switch chooses it.
type caseOf struct {
	task   int
	labels []string // nil: none of the others
	others []string
}

// choice reads a switch, whose value chooses among the cases of n.
func (t *taskReader) choice(v, n *document.Node) body {
	value := t.mixedOrLiteral(v, "switch")
	cases := field(n, "cases")
	if cases == nil {
		t.report(n.Position, ErrSyntax, "add cases: {VALUE: [TASK]}", "the switch %s has no cases", t.Name)
		return nil
	}
	if !t.is(cases, document.Map, "cases", "write cases: {VALUE: [TASK]}") {
		return nil
	}
	var labels []string
	chosen := make(map[int][]string)
	known := make(keys, len(cases.Fields))
	for _, f := range cases.Fields {
		labels = append(labels, f.Name)
		known[f.Name] = func(v *document.Node) {
			t.taskNames(v, "cases."+f.Name, func(task int) { chosen[task] = append(chosen[task], f.Name) })
		}
	}
	t.fields(cases, "cases", known)
	for task, labels := range chosen {
		t.cases[task] = append(t.cases[task], caseOf{task: t.self, labels: labels})
	}
	if otherwise := field(n, "default"); otherwise != nil {
		t.taskNames(otherwise, "default", func(task int) {
			t.cases[task] = append(t.cases[task], caseOf{task: t.self, others: labels})
		})
	}
	t.Inline = true
	return func(_ context.Context, s *scope) (json.RawMessage, error) {
		text, err := value.render(s, "a case")
		return json.RawMessage(jsonString(text)), err
	}
}

// chosen makes a task wait for the switches that choose it, beside its own
// condition.
func (r *fileReader) chosen(i int) {
	t := &r.tasks[i]
	for _, c := range r.cases[i] {
		t.Deps = append(t.Deps, int32(c.task))
		before := t.When
		t.When = func(in Inputs) (bool, error) {
			var label string
			text, _ := in.Results[c.task].(json.RawMessage)
			if err := json.Unmarshal(text, &label); err != nil {
				return false, nil // the switch was skipped
			}
			if c.labels != nil && !slices.Contains(c.labels, label) || c.labels == nil && slices.Contains(c.others, label) {
				return false, nil
			}
			if before == nil {
				return true, nil
			}
			return before(in)
		}
	}
	slices.Sort(t.Deps)
	t.Deps = slices.Compact(t.Deps)
}
