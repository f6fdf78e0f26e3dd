package js

import (
	"context"
	"encoding/json"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// Func makes a script of e a task of a workflow that is written in Go: its first
// argument is the task's input and its result the task's, by way of package
// encoding/json. The second argument has the attempt. A result that is no B
// fails the task for good.
//
//	total := workflow.Task(b, "total", js.Func[Order, float64](engine, script), b.Input())
func Func[A, B any](e *Engine, s *Script) func(context.Context, A) (B, error) {
	return func(ctx context.Context, a A) (b B, err error) {
		value, err := runWith(ctx, e, s, a)
		if err != nil {
			return b, err
		}
		if err := json.Unmarshal(value, &b); err != nil {
			var none B
			return none, retry.Permanent(&Error{Class: ClassScript, Script: s.Name(), Message: "its result is not what the task answers: " + err.Error(), Err: err})
		}
		return b, nil
	}
}

// Condition makes a script of e a condition for [workflow.WhenAsk]. Its result is taken for true or false as JavaScript
// does, and it has the limits of conditions, also if it was compiled without [Source].Condition.
func Condition[A any](e *Engine, s *Script) func(context.Context, A) (bool, error) {
	if !s.Condition() {
		condition := *s
		condition.source.Condition = true
		s = &condition
	}
	return func(ctx context.Context, a A) (bool, error) {
		value, err := runWith(ctx, e, s, a)
		return err == nil && string(value) == "true", err
	}
}

func runWith(ctx context.Context, e *Engine, s *Script, a any) (json.RawMessage, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	in := Input{Value: text}
	if attempt := workflow.AttemptOf(ctx); attempt != nil {
		if in.Context, err = json.Marshal(map[string]any{"attempt": attempt.Number()}); err != nil {
			return nil, err
		}
	}
	result, err := e.Run(ctx, s, in)
	return result.Value, err
}
