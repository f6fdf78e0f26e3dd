package main

import (
	"errors"
	"fmt"
	"io"
)

// The exit codes that `ringmill --help` promises.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// An exitError ends the program with a code. A nil err was told already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exitCode prints err unless that was done, and returns the code it stands for.
// What no command wrapped is wrong input: files, flags, variables.
func exitCode(err error, stderr io.Writer) int {
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		fmt.Fprintln(stderr, err)
		return exitUsage
	case exit.err != nil:
		fmt.Fprintln(stderr, exit.err)
	}
	return exit.code
}

// printed is the end of a command that has written its result: a failure to do so
// is not the user's mistake.
func printed(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitFailed, fmt.Errorf("ringmill: standard output: %w", err)}
}

// usagef is an error about how the program was called.
func usagef(format string, args ...any) error {
	return fmt.Errorf("ringmill: "+format, args...)
}
