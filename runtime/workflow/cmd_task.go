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
	argv []argument
	with *template // what the program reads on standard input; nil is nothing
}

// An argument is a reference or, without one, literal text.
type argument struct {
	ref     *reference
	literal string
}

func (t *cmdTask) run(ctx context.Context, in Inputs) (any, error) {
	c := command.Command{Argv: make([]string, len(t.argv)), Grace: cmdGrace}
	var err error
	for i, arg := range t.argv {
		if c.Argv[i], err = arg.text(in); err != nil {
			return nil, err
		}
	}
	if t.with != nil {
		if c.Stdin, err = t.with.render(in); err != nil {
			return nil, err
		}
	}
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

// text is the argument for one run: a string as it is, anything else as JSON.
func (a argument) text(in Inputs) (string, error) {
	if a.ref == nil {
		return a.literal, nil
	}
	value, err := a.ref.resolve(in)
	if err != nil {
		return "", err
	}
	switch jsonKind(value) {
	case "null":
		return "", retry.Permanent(fmt.Errorf("%w: %s is null, which cannot be an argument", ErrNoValue, a.ref.text))
	case "a string":
		var text string
		err = json.Unmarshal(value, &text)
		return text, err
	}
	var compact bytes.Buffer
	err = json.Compact(&compact, value)
	return compact.String(), err
}
