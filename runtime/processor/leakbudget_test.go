package processor_test

import (
	"testing"

	"github.com/ringmill/ringmill/runtime/processor"
)

// TestLeakBudget: what is opened is closed, also when the budget changes together with the bodies, or a body returns before it is counted.
func TestLeakBudget(t *testing.T) {
	type step struct {
		task                 string
		delta, budget        int
		open, opened, closed int
	}
	for name, steps := range map[string][]step{
		"spent and given back":                   {{"a", 1, 2, 0, 0, 0}, {"b", 1, 2, 2, 2, 0}, {"b", -1, 2, 0, 0, 2}, {"a", -1, 2, 0, 0, 0}},
		"a late kind":                            {{"a", 1, 1, 1, 1, 0}, {"b", 1, 1, 2, 1, 0}, {"a", -1, 1, 1, 0, 1}, {"b", -1, 1, 0, 0, 1}},
		"it grows":                               {{"a", 1, 1, 1, 1, 0}, {"", 0, 2, 0, 0, 1}, {"", 0, 1, 1, 1, 0}},
		"it has grown when the next body leaks":  {{"a", 1, 1, 1, 1, 0}, {"b", 1, 5, 0, 0, 1}},
		"it has grown when the same kind leaks":  {{"a", 1, 1, 1, 1, 0}, {"a", 1, 5, 0, 0, 1}},
		"it has shrunk when a body returns":      {{"a", 1, 5, 0, 0, 0}, {"b", 1, 5, 0, 0, 0}, {"a", -1, 1, 1, 1, 0}},
		"a body returns before it is counted in": {{"a", 1, 1, 1, 1, 0}, {"b", -1, 1, 0, 0, 1}, {"b", 1, 1, 1, 1, 0}},
	} {
		var b processor.LeakBudget
		for i, s := range steps {
			if open, opened, closed := b.Add(s.task, s.delta, s.budget); open != s.open || opened != s.opened || closed != s.closed {
				t.Errorf("%s: step %d: %d open, %d opened, %d closed; want %d, %d, %d", name, i, open, opened, closed, s.open, s.opened, s.closed)
			}
		}
	}
}
