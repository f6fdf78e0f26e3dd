// Package shell is the kind of task that runs a text with sh:
//
//	count: {shell: "ls | wc -l"}
//	greet: {shell: {run: 'echo "hello $1"', args: ["${{ input.name }}"]}}
//
// Definitions read with workflow.Kinds([Kind]) have it; it is not for definitions
// that come from others. The text itself holds no expressions, whose values could be
// taken for commands: args, which the text sees as $1, $2, ..., and with, as
// JSON on standard input, are the way in. The result is standard output without one
// trailing newline, as a JSON string. What the text starts is killed with it, as
// with the kind cmd.
package shell

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/ringmill/ringmill/runtime/handler/command"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// grace is what a cancelled text has to clean up before it is killed, as with the
// kind cmd.
const grace = 200 * time.Millisecond

// Kind is the kind of task.
var Kind = workflow.Kind{
	Name: "shell",
	Schema: `{
  "anyOf": [
    {"type": "string", "minLength": 1},
    {"type": "object", "required": ["run"], "additionalProperties": false, "properties": {
      "run": {"type": "string", "minLength": 1, "description": "What sh runs; $1, $2, ... are args."},
      "args": {"type": "array", "items": {"type": ["string", "number", "boolean"]}}
    }}
  ]
}`,
	PlainFields: []string{"", "run"},
	Check: func(text json.RawMessage) error {
		_, err := parse(text)
		return err
	},
	Run: run,
}

type config struct {
	Run  string            `json:"run"`
	Args []json.RawMessage `json:"args"`
}

func parse(text json.RawMessage) (c config, err error) {
	if json.Unmarshal(text, &c.Run) != nil {
		err = json.Unmarshal(text, &c)
	}
	if err == nil && strings.IndexByte(c.Run, 0) >= 0 {
		err = errors.New("shell: the text holds a zero byte: leave it out")
	}
	return c, err
}

func run(ctx context.Context, call workflow.Call) (any, error) {
	c, err := parse(call.Config)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	argv := []string{"sh", "-c", c.Run, "sh"}
	for _, arg := range c.Args {
		var s string
		if json.Unmarshal(arg, &s) != nil {
			s = string(arg)
		}
		argv = append(argv, s)
	}
	return workflow.CommandOutput(ctx, command.Command{Argv: argv, Stdin: call.With, Grace: grace})
}
