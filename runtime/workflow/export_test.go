package workflow

import (
	"maps"
	"slices"
)

// StableHash is what the keys of Cache are made with.
var StableHash = stableHash

// TaskKeys are the keys that tasks of files may have.
var TaskKeys = taskKeys

// WorkflowKeys are the keys that files may have.
func WorkflowKeys() []string {
	r := newFileReader(&parseConfig{}, "", nil)
	return slices.Sorted(maps.Keys(r.topLevelKeys(new(topLevel))))
}
