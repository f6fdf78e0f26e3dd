package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
)

// An Error says which command failed, how, and what it said about it.
type Error struct {
	Name      string // the program, Argv[0]
	Problem   string // such as "exited with status 3"
	Cure      string // what to do, where Run knows it
	Permanent bool   // the same call would fail again: nothing can be started with it
	Code      int    // the exit status; 0 if it did not exit by itself
	Signal    string // the signal that ended it, such as "killed"; Unix only
	Stderr    string // the end of its standard error, at most 2 KiB and 10 lines
	Err       error  // the cause: the context's error, or that of package os/exec
}

// Error prints the fields that are set:
// "command git: exited with status 128: fatal: not a git repository".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("command")
	for _, part := range []struct{ before, text string }{{" ", e.Name}, {": ", e.Problem}, {": ", e.Cure}, {": ", e.cause()}, {": ", e.Stderr}} {
		if part.text != "" {
			b.WriteString(part.before)
			b.WriteString(part.text)
		}
	}
	return b.String()
}

// cause is the text of Err where Problem does not already say the same.
func (e *Error) cause() string {
	if _, ok := errors.AsType[*exec.ExitError](e.Err); ok || e.Err == nil || e.Cure != "" {
		return ""
	}
	return strings.ReplaceAll(e.Err.Error(), "\n", ": ")
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// startError explains why a command did not start.
func startError(err error) *Error {
	e := &Error{Err: err}
	e.Permanent = errors.Is(err, exec.ErrNotFound) || errors.Is(err, exec.ErrDot) || isTooLong(err)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		e.Problem, e.Cure = "was not found in PATH", "install it, or write the path of the program"
	case errors.Is(err, exec.ErrDot):
		e.Problem, e.Cure = "is in the current directory, not in PATH", "write ./ before its name"
	case errors.Is(err, fs.ErrNotExist):
		e.Problem, e.Cure = "does not exist, or the working directory does not", "correct the path"
	case errors.Is(err, fs.ErrPermission):
		e.Problem, e.Cure = "may not be executed", "make the file executable (chmod +x)"
	case isTooLong(err):
		e.Problem, e.Cure = "has longer arguments than the system allows", "pass the data on standard input"
	default:
		e.Problem = "did not start"
	}
	return e
}

// exitError explains how a command that started failed.
func exitError(err error) *Error {
	e := &Error{Err: err}
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case ok && exit.Exited():
		e.Code = exit.ExitCode()
		e.Problem = fmt.Sprintf("exited with status %d", e.Code)
	case ok:
		e.Signal = signalName(exit.ProcessState)
		e.Problem = "was ended by a signal: " + e.Signal
	case errors.Is(err, exec.ErrWaitDelay):
		e.Problem = "left a process behind that holds its output open"
		e.Cure = "let it wait for that process, or redirect that process's output"
	default:
		e.Problem = "failed"
	}
	return e
}

func overflowError(limit int) *Error {
	return &Error{
		Problem: fmt.Sprintf("wrote more than %d bytes to standard output", limit),
		Cure:    "let it write to a file and print the file's name",
		Err:     errFull,
	}
}
