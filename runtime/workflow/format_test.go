package workflow_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestSchemaKeys: the published schema knows the keys that the parser knows.
func TestSchemaKeys(t *testing.T) {
	text, err := workflow.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Defs map[string]struct{ Properties map[string]json.RawMessage } `json:"$defs"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(doc.Defs["task"].Properties)), workflow.TaskKeys(); !slices.Equal(got, want) {
		t.Errorf("keys of tasks:\n%v in the schema\n%v in the parser", got, want)
	}
	for what, keys := range map[string][]string{
		"workflow":   workflow.WorkflowKeys(),
		"retry":      {"backoff", "jitter", "max", "max_backoff", "max_elapsed"},
		"repeat":     {"max", "until", "wait"},
		"cache":      {"key", "ttl"},
		"breaker":    {"failure_rate", "failures", "open_for", "trials", "window"},
		"rate_limit": {"burst", "max_wait", "per_second"},
		"compensate": {"cmd", "description", "go", "retry", "timeout", "with"},
	} {
		if got := slices.Sorted(maps.Keys(doc.Defs[what].Properties)); !slices.Equal(got, keys) {
			t.Errorf("keys of %s: %v in the schema, %v in the parser", what, got, keys)
		}
	}
}
