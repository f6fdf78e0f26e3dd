package workflow_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestCompensateItemOption: it takes what an item's call returns, on a Map only, and not beside Compensate.
func TestCompensateItemOption(t *testing.T) {
	b := workflow.New[[]int]("w")
	undoInt := workflow.CompensateItem(func(context.Context, int) error { return nil })
	workflow.Map(b, "fine", double, b.Input(), undoInt, workflow.CompensateRetry(retry.Constant{MaxAttempts: 2}))
	workflow.MapResults(b, "kept", double, b.Input(), undoInt)
	if _, err := workflow.Build(b, b.Input()); err != nil {
		t.Error(err)
	}
	one := workflow.Task(b, "one", func(context.Context, []int) (int, error) { return 1, nil }, b.Input(), undoInt)
	workflow.Map(b, "type", double, b.Input(), workflow.CompensateItem(func(context.Context, string) error { return nil }))
	workflow.Map(b, "both", double, b.Input(), undoInt, workflow.Compensate(func(context.Context, []int) error { return nil }))
	workflow.Map(b, "nil", double, b.Input(), workflow.CompensateItem[int](nil))
	workflow.Task(b, "retry", double, one, workflow.CompensateRetry(retry.Constant{}))
	workflow.Task(b, "no policy", double, one, workflow.CompensateRetry(nil))
	workflow.Task(b, "timeout", double, one, workflow.CompensateWithin(time.Second))
	workflow.Task(b, "negative", double, one, workflow.CompensateWithin(-1))
	_, err := workflow.Build(b, one)
	for _, want := range []string{
		"task one: CompensateItem is set on a task that is not a Map: use Compensate, or declare the task with workflow.Map",
		"task type: CompensateItem takes string, and an item's result is int: pass a function that takes int",
		"task both: Compensate and CompensateItem are both given, and would undo the items twice: leave one out",
		"task nil: the function of CompensateItem is nil",
		"task retry: CompensateRetry is set on a task without a compensation: leave it out, or add Compensate",
		"task no policy: CompensateRetry(nil) has no policy",
		"task timeout: CompensateWithin is set on a task without a compensation: leave it out, or add Compensate",
		"task negative: CompensateWithin(-1ns) is negative",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// TestYAMLCompensateItem: of a foreach, compensate is each item's, with item, index and the item's output.
func TestYAMLCompensateItem(t *testing.T) {
	var got []string
	def := mustParse(t, `
tasks:
  a:
    foreach: [3, 4]
    go: Double
    compensate: {go: Note, with: {i: "${{ index }}", item: "${{ item }}", output: "${{ output }}"}, retry: {max: 2, backoff: 1s}, timeout: 3s}
`, funcs, workflow.Funcs(map[string]workflow.Func{"Note": func(_ context.Context, in json.RawMessage) (any, error) {
		got = append(got, string(in))
		return nil, nil
	}}))
	task := def.Plan().Tasks[0]
	if task.Compensate != nil || task.CompensateItem == nil || task.CompensateTimeout != 3*time.Second || def.Plan().CompensateTimeout != 30*time.Second {
		t.Fatalf("%+v", task)
	}
	if wait, again := task.CompensateRetry.Next(1, 0, context.Canceled); wait != time.Second || !again {
		t.Errorf("retry in %v, %v", wait, again)
	}
	items, err := task.Expand(workflow.Inputs{Results: make([]any, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range items.Len {
		if err := items.Run(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		if err := task.CompensateItem(t.Context(), workflow.Inputs{Results: make([]any, 1)}, items.Value(i)); err != nil {
			t.Error(err)
		}
	}
	if want := `{"i":0,"item":3,"output":6} {"i":1,"item":4,"output":8}`; strings.Join(got, " ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, " "), want)
	}
}
