package listsched_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/bench/listsched"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// plan makes a plan from lines such as "c 3 a b": task c takes 3 s and waits for
// a and b.
func plan(t *testing.T, lines ...string) *workflow.Plan {
	t.Helper()
	var specs, times []string
	children := map[string][]string{}
	for _, line := range lines {
		f := strings.Fields(line)
		for _, parent := range f[2:] {
			children[parent] = append(children[parent], f[0])
		}
	}
	for _, line := range lines {
		f := strings.Fields(line)
		specs = append(specs, fmt.Sprintf(`{"id": %q, "name": %q, "parents": %s, "children": %s}`, f[0], f[0], list(f[2:]), list(children[f[0]])))
		times = append(times, fmt.Sprintf(`{"id": %q, "runtimeInSeconds": %s}`, f[0], f[1]))
	}
	doc := fmt.Sprintf(`{"name": "t", "schemaVersion": "1.5", "workflow": {"specification": {"tasks": [%s]}, "execution": {"tasks": [%s]}}}`,
		strings.Join(specs, ","), strings.Join(times, ","))
	def, err := workflow.ParseWfFormat([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return def.Plan()
}

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// TestMakespan checks schedules that can be drawn by hand.
func TestMakespan(t *testing.T) {
	for _, c := range []struct {
		name           string
		lines          []string
		workers        int
		fifo, critical time.Duration
	}{
		{"chain", []string{"a 1", "b 2 a", "c 3 b"}, 4, 6, 6},
		{"two workers, three tasks", []string{"a 2", "b 2", "c 2"}, 2, 4, 4},
		{"a late start of the long one", []string{"a 1", "b 1", "c 4"}, 2, 5, 4},
		{"fan", []string{"r 1", "a 1 r", "b 2 r", "c 3 r", "z 1 a b c"}, 3, 5, 5},
		{"one worker does all the work", []string{"a 1", "b 2 a", "c 3 a", "d 4 b c"}, 1, 10, 10},
	} {
		p := plan(t, c.lines...)
		if got := listsched.Makespan(p, c.workers, listsched.FIFO); got != c.fifo*time.Second {
			t.Errorf("%s: fifo %v, want %v s", c.name, got, int(c.fifo))
		}
		if got := listsched.Makespan(p, c.workers, listsched.CriticalPath); got != c.critical*time.Second {
			t.Errorf("%s: critical path %v, want %v s", c.name, got, int(c.critical))
		}
		if bound := listsched.Bound(p, c.workers); bound > c.critical*time.Second {
			t.Errorf("%s: bound %v is above the makespan", c.name, bound)
		}
	}
}
