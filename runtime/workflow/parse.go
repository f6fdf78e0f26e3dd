package workflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// A ParseOption changes how a definition is read.
type ParseOption func(*parseConfig)

type parseConfig struct {
	file      string
	timeScale float64
	open      func(name string) ([]byte, error)
	funcs     map[string]Func
	anyFunc   bool
	kinds     map[string]*kind
	shared    policies
	now       func() time.Time // of breakers and rate limits; nil is the real time
	files     int              // read so far
	// expressions counts the bytes of all expressions so far; refused says that
	// they were too many.
	expressions int
	refused     bool
	problems    []error
}

// reject notes an option that makes no sense.
func (c *parseConfig) reject(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrBadOption))
}

// File sets the file name that errors begin with. Defaults to "definition".
func File(name string) ParseOption {
	return func(c *parseConfig) { c.file = name }
}

// Open lets tasks of the kind workflow name other files, which open reads: name is
// the path as it is written, joined to the folder of the file it is written in.
// Without it such tasks hold their workflow themselves.
func Open(open func(name string) ([]byte, error)) ParseOption {
	return func(c *parseConfig) { c.open = open }
}

// Now sets the time that the breakers and rate limits of files go by: that of a clock which a test lets pass. Defaults to time.Now.
func Now(now func() time.Time) ParseOption {
	return func(c *parseConfig) { c.now = now }
}

// TimeScale stretches or shrinks the tasks of a WfFormat file: one that took s
// seconds sleeps s*factor seconds. 0 lets it return at once. Defaults to 1. It
// must be finite and not negative, and has no effect on other formats.
func TimeScale(factor float64) ParseOption {
	return func(c *parseConfig) { c.timeScale = factor }
}

func newParseConfig(opts []ParseOption) (parseConfig, error) {
	c := parseConfig{file: "definition", timeScale: 1}
	for _, opt := range opts {
		if opt == nil {
			return c, fmt.Errorf("a ParseOption is nil: leave it out: %w", ErrBadOption)
		}
		opt(&c)
	}
	if c.problems != nil {
		return c, errors.Join(c.problems...)
	}
	if !(c.timeScale >= 0 && c.timeScale <= math.MaxFloat64) {
		return c, fmt.Errorf("TimeScale(%v): give a finite factor of 0 or more: %w", c.timeScale, ErrBadOption)
	}
	return c, nil
}

// Parse reads a definition in any format that this package knows, told apart by
// its content: a JSON object with workflow.specification, or with schemaVersion and
// workflow, is read by [ParseWfFormat], everything else by [ParseYAML].
func Parse(data []byte, opts ...ParseOption) (*Definition[json.RawMessage, json.RawMessage], error) {
	if data = document.WithoutMark(data); isWfFormat(data) {
		return ParseWfFormat(data, opts...)
	}
	return ParseYAML(data, opts...)
}

// isWfFormat looks for workflow.specification, or for what older versions of the
// format have; it reads no further than that, and no further than the first
// syntax error.
func isWfFormat(data []byte) bool {
	return document.IsObject(data) &&
		(document.Has(data, "workflow", "specification") || document.Has(data, "schemaVersion") && document.Has(data, "workflow"))
}
