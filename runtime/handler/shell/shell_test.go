package shell_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/runtime/handler/command"
	"github.com/ringmill/ringmill/runtime/handler/shell"
	"github.com/ringmill/ringmill/runtime/workflow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(ctx context.Context, t *testing.T, task, input string) (string, error) {
	t.Helper()
	def, err := workflow.ParseYAML([]byte("tasks: {a: {"+task+"}}"), workflow.Kinds(shell.Kind), workflow.File("d.yaml"))
	if err != nil {
		return "", err
	}
	out, err := def.Plan().Tasks[0].Run(ctx, workflow.Inputs{Input: json.RawMessage(input)})
	text, _ := out.(json.RawMessage)
	return string(text), err
}

func TestShell(t *testing.T) {
	for _, test := range []struct{ task, want string }{
		{`shell: "echo a | tr a b"`, `"b"`},
		{`shell: {run: 'echo "$2-$1"', args: ["${{ input.x }}", 1.50]}`, `"1.50-$(id)"`},
		{`shell: cat, with: {n: "${{ input.x }}"}`, `"{\"n\":\"$(id)\"}"`},
	} {
		out, err := run(t.Context(), t, test.task, `{"x": "$(id)"}`)
		if err != nil || out != test.want {
			t.Errorf("%s: %s, %v; want %s", test.task, out, err, test.want)
		}
	}
}

func TestShellErrors(t *testing.T) {
	for task, want := range map[string]string{
		`shell: "echo ${{ input.x }}"`:        "d.yaml:1:20: shell holds an expression, whose value could be taken for code: pass the value as an argument, or through with",
		`shell: {run: "echo ${{ input.x }}"}`: "shell.run holds an expression",
		`shell: 3`:                            "shell fits none of the accepted forms",
		`shell: {run: x, arg: []}`:            "shell fits none of the accepted forms",
		`shell: "exit 3"`:                     "command sh: exited with status 3",
		`shell: "echo x", cmd: [y]`:           "more than one kind",
	} {
		if _, err := run(t.Context(), t, task, "{}"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", task, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := run(ctx, t, `shell: "sleep 60"`, "{}")
	if _, ok := errors.AsType[*command.Error](err); !ok || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
