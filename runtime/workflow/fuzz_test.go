package workflow_test

import (
	"errors"
	"testing"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// checkParsed: a definition is consistent, or every problem has all its parts.
func checkParsed(t *testing.T, def *dynamic, err error) {
	if (def == nil) != (err != nil) {
		t.Fatalf("definition %v, error %v", def, err)
	}
	if err == nil {
		checkPlan(t, def.Plan())
		return
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	for _, err := range joined.Unwrap() {
		if e, ok := errors.AsType[*workflow.SyntaxError](err); ok && (e.File == "" || e.Line < 1 || e.Column < 1 || e.Problem == "" || e.Cure == "" || e.Err == nil) {
			t.Errorf("incomplete: %+v", e)
		}
	}
}

func FuzzParseYAML(f *testing.F) {
	for _, seed := range []string{
		"name: x\ntasks:\n  a: {cmd: [echo, \"${{ input.x[0] }}\"], timeout: 2s, retry: {max: 2}}\n  b: {cmd: [x], needs: [a], with: {k: [1, ~, \"${{ tasks.a.output }}\"]}}\noutput: ${{ tasks.b.output }}\n",
		"input: {type: object, required: [a], properties: {a: {type: [string, 'null']}}, items: {}}\ntasks: {a: &t {cmd: [x]}, b: *t}\n",
		`{"tasks": {"a": {"cmd": ["x"], "needs": ["b"]}, "b": {"cmd": ["x"], "needs": ["a"]}}}`,
		"tasks:\n  a:\n    cmd: [x, '${{ tasks[\"a-b\"].output[''k''] }}']\n",
		"input: {$defs: {a: {type: [object]}}, properties: {b: {$ref: '#/$defs/a', pattern: x}}}\ntasks:\n  a: {go: F, foreach: \"${{ input.b ?? [] }}\", with: \"${{ item }}-${{ index }}\", limit: 2, keep_errors: true, when: \"${{ len(input) > 0 }}\", cache: {ttl: 1m}}\n  b: {workflow: {tasks: {c: {cmd: [x]}}}, with: 1, repeat: {until: \"${{ output }}\", max: 3}, trigger: any_succeeded, needs: [a]}\n",
		"breakers: {a: {failures: 2}}\nrate_limits: {a: {per_second: 1}}\nconcurrency_limits: {a: 2}\non_failure: continue\ntasks:\n  s: {switch: \"${{ input }}\", cases: {x: [t]}, default: [t]}\n  t: {cmd: [x, \"a ${{ tasks.s.output }} b\"], breaker: a, rate_limit: a, concurrency: {limit: a, key: k}, compensate: {cmd: [y, \"${{ output }}\"]}, priority: low, may_fail: true}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		def, err := workflow.ParseYAML(data, workflow.AnyFunc())
		checkParsed(t, def, err)
	})
}

func FuzzParseWfFormat(f *testing.F) {
	for _, seed := range []string{
		wf(diamond, diamondTimes),
		wf(`{"id": "a", "parents": ["a"], "children": ["a"]}`, `{"id": "a", "runtimeInSeconds": 1e300}`),
		wf(`{"id": "a"}, {"id": "a"}, {}`, `{}`),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		def, err := workflow.ParseWfFormat(data)
		checkParsed(t, def, err)
	})
}
