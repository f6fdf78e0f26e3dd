package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// A definition is a workflow read from a file.
type definition = workflow.Definition[json.RawMessage, json.RawMessage]

// maxFileSize bounds what is read into memory of a file that is no definition,
// such as a device.
const maxFileSize = 64 << 20

// standardInput is the name that reads from there instead of a file.
const standardInput = "-"

// load reads and checks the workflow in a file. It returns the text too: what comes through
// a pipe cannot be read again.
func load(s streams, name string, opts ...workflow.ParseOption) (def *definition, text []byte, err error) {
	text, err = read(s, name)
	if err != nil {
		return nil, nil, err
	}
	if name == standardInput {
		name = "<stdin>"
	}
	def, err = workflow.Parse(text, append(slices.Clip(opts), workflow.File(name))...)
	return def, text, err
}

// checkTimeScale refuses a --time-scale that would do nothing: only recorded workflows
// have times to scale. They are those that take no input and so have nothing to check it.
func checkTimeScale(c *cobra.Command, def *definition) error {
	if !c.Flags().Changed("time-scale") || def.Plan().CheckInput == nil {
		return nil
	}
	return usagef("--time-scale: it is for recorded workflows (WfFormat), and %s is none: leave it out", def.Name())
}

// read returns the contents of a file, or of standard input.
func read(s streams, name string) ([]byte, error) {
	file := s.in
	if name != standardInput {
		opened, err := os.Open(name)
		if err != nil {
			return nil, fileError(name, err)
		}
		defer func() { _ = opened.Close() }()
		file = opened
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err != nil {
		return nil, fileError(name, err)
	}
	if len(data) > maxFileSize {
		return nil, fmt.Errorf("%s: it has more than %d MiB: check that it is the right file", name, maxFileSize>>20)
	}
	return data, nil
}

// fileError says what to do about a file that cannot be read.
func fileError(name string, err error) error {
	cure := "check that it is a file and readable"
	if errors.Is(err, fs.ErrNotExist) {
		cure = "check the path"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &fileProblem{name: name, err: err, cure: cure}
}

// A fileProblem is a file that cannot be read, and what to do about it.
type fileProblem struct {
	name string
	err  error
	cure string
}

func (p *fileProblem) Error() string { return fmt.Sprintf("%s: %v: %s", p.name, p.err, p.cure) }

func (p *fileProblem) Unwrap() error { return p.err }

// uncured leaves out what to do, for those who say it themselves.
func uncured(err error) error {
	var p *fileProblem
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.name, p.err)
	}
	return err
}
