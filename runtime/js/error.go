package js

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Class says what kind of failure a call ended with.
type Class string

const (
	// ClassScript: the script threw, does not compile, or answered what is not
	// JSON. It would do so again.
	ClassScript Class = "script"
	// ClassTimeout: the script ran longer than its limit and was stopped.
	ClassTimeout Class = "timeout"
	// ClassOOM: the script wanted more memory than its limit.
	ClassOOM Class = "oom"
	// ClassTrap: the engine itself failed within its sandbox. The guest was thrown
	// away; the host and other calls are not affected.
	ClassTrap Class = "trap"
	// ClassSaturated: the call was not run, because too many others wait or because
	// a breaker is open.
	ClassSaturated Class = "saturated"
	// ClassHost: the host could not run the script, for example because the
	// operating system has no memory for another guest.
	ClassHost Class = "host"
)

var (
	// ErrSaturated reports that as many calls wait as [Config.Queue] allows.
	ErrSaturated = errors.New("js: saturated: too many calls wait for the engine: try again later, or raise Config.Queue")
	// ErrOpen reports that a breaker refused the call: the script, or the engine as
	// a whole, failed too often in a short time.
	ErrOpen = errors.New("js: the breaker is open")
	// ErrClosed reports that the engine was closed.
	ErrClosed = errors.New("js: the engine is closed")
	// ErrNoEngine reports that the engine's WebAssembly module is not there. Its
	// error text says what to do.
	ErrNoEngine = errors.New("js: the JavaScript engine is not part of this program")
)

// An Error is a failed compilation or call. Errors.Is reaches what caused it:
// context.DeadlineExceeded for a timeout, ErrSaturated, ErrOpen.
type Error struct {
	// Class is the kind of failure.
	Class Class
	// Script is the name of the source.
	Script string
	// Name is the thrown error's name, such as TypeError; empty if none was thrown.
	Name string
	// Message says what went wrong. Of thrown errors at most 4 KB.
	Message string
	// Line and Column are where in the author's source, both from 1; 0 if unknown.
	Line, Column int
	// Stack has the author's functions, one a line, at most 16 KB; may be empty.
	Stack string
	// Attempts is how often the call was tried. It is 0 for a compilation.
	Attempts int
	// Err is the cause, or nil.
	Err error
}

// Error is the text "NAME:LINE:COLUMN: TypeError: message".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("js: ")
	if e.Script != "" {
		b.WriteString(e.Script)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
		}
		b.WriteString(": ")
	}
	if e.Name != "" {
		b.WriteString(e.Name)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// ErrorClass is e.Class as text, for reports.
func (e *Error) ErrorClass() string { return string(e.Class) }

// Classes returns all classes.
func Classes() []Class { return slices.Clone(classes[:]) }

// ClassOf returns the class of an error of this package: that of an [Error], and
// [ClassHost] for any other.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ClassHost
}

// A thrown error is what a script threw, as the driver describes it.
type thrown struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Stack   string `json:"stack"`
	Kind    string `json:"kind"` // error, value or null
}

func newThrown(text []byte) error {
	t := new(thrown)
	if err := json.Unmarshal(text, t); err != nil {
		t.Message = "the error cannot be described"
	}
	return t
}

func (t *thrown) Error() string { return t.Name + ": " + t.Message }

// outOfMemory: the engine says so itself, or had no memory to say it.
func (t *thrown) outOfMemory() bool {
	return t.Name == "InternalError" && t.Message == "out of memory" || t.Kind == "null"
}

// A resultSizeError reports a result that is longer than the limit.
type resultSizeError struct{ size, limit int }

func (e *resultSizeError) Error() string {
	return fmt.Sprintf("the result is %d bytes of JSON, limit %d: answer less, or raise Limits.ResultBytes", e.size, e.limit)
}

// errNeverSettles reports a promise that nothing can settle any more.
var errNeverSettles = errors.New("the promise never settles: no timer or request is left that it could wait for")

// failure turns what a guest's call ended with into an Error.
func (c *call) failure(err error) *Error {
	switch {
	case c.stopped == stopDeadline:
		return &Error{Class: ClassTimeout, Message: "stopped: it ran longer than its limit of " + c.limit.String(), Err: context.DeadlineExceeded}
	case c.stopped == stopCancelled && c.ctx.Err() == nil:
		return &Error{Class: ClassHost, Message: "stopped: the engine was closed", Err: ErrClosed}
	case c.stopped == stopCancelled:
		cause := context.Cause(c.ctx)
		if errors.Is(cause, context.DeadlineExceeded) {
			return &Error{Class: ClassTimeout, Message: "stopped: " + cause.Error(), Err: errors.Join(c.ctx.Err(), cause)}
		}
		return &Error{Class: ClassHost, Message: "cancelled", Err: errors.Join(c.ctx.Err(), cause)}
	case errors.Is(err, errNoMemory):
		return &Error{Class: ClassOOM, Message: "out of memory"}
	case errors.Is(err, errTrap):
		message := "the engine trapped"
		if c.trap != nil {
			first, _, _ := strings.Cut(c.trap.Error(), "\n")
			message += ": " + first
		}
		return &Error{Class: ClassTrap, Message: message}
	}
	if t, ok := errors.AsType[*thrown](err); ok {
		e := &Error{Class: ClassScript, Name: t.Name, Message: t.Message, Stack: t.Stack}
		if t.outOfMemory() {
			e.Class, e.Name, e.Message = ClassOOM, "", "out of memory"
		}
		return e
	}
	return &Error{Class: ClassScript, Message: err.Error()}
}
