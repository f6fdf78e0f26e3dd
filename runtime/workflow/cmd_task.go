package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/ringmill/ringmill/runtime/handler/command"
	"github.com/ringmill/ringmill/runtime/retry"
)

// cmdGrace is what a cancelled command has to clean up before it is killed:
// enough to remove a file, and well below the time that an interrupted program
// is waited for.
const cmdGrace = 200 * time.Millisecond

// A cmdTask runs a program. It adds nothing to the working directory and the
// environment of the process.
type cmdTask struct {
	argv []mixedText
	with *template // what the program reads on standard input; nil is nothing
}

func (t *cmdTask) run(ctx context.Context, s *scope) (json.RawMessage, error) {
	c := command.Command{Argv: make([]string, len(t.argv)), Grace: cmdGrace}
	var err error
	for i, arg := range t.argv {
		if c.Argv[i], err = arg.render(s, "an argument"); err != nil {
			return nil, err
		}
	}
	if t.with != nil {
		if c.Stdin, err = t.with.render(s); err != nil {
			return nil, err
		}
	}
	return CommandOutput(ctx, c)
}

// CommandOutput runs a command and returns what a task of the kind cmd returns: its
// standard output without one trailing newline, as a JSON string. An error that
// another attempt cannot mend is permanent.
func CommandOutput(ctx context.Context, c command.Command) (json.RawMessage, error) {
	out, err := command.Run(ctx, c)
	if failed, ok := errors.AsType[*command.Error](err); ok && failed.Permanent {
		return nil, retry.Permanent(err)
	} else if err != nil {
		return nil, err
	}
	out = bytes.TrimSuffix(out, []byte("\n"))
	if !utf8.Valid(out) {
		return nil, fmt.Errorf("command %s: its standard output is not valid UTF-8: let it write to a file, or encode the output, for example with base64", c.Argv[0])
	}
	return json.RawMessage(jsonString(string(out))), nil
}
