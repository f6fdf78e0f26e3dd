package report

import "github.com/ringmill/ringmill/runtime/workflow"

// A Validation is a checked file as `ringmill validate --json` prints it.
type Validation struct {
	File     string    `json:"file"`
	OK       bool      `json:"ok"`
	Problems []Problem `json:"problems"` // empty if OK
	// UncheckedScripts is how many scripts nothing is said about: there was no engine for them.
	UncheckedScripts int64 `json:"unchecked_scripts,omitempty"`
}

// A Problem is one thing that is wrong with a file. Line and Column are 0 where it
// is no place in its text, such as a file that cannot be read.
type Problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Problem string `json:"problem"`
	Cure    string `json:"cure"`
}

// NewValidation describes a file that was read with err, and of which so many scripts were
// not checked.
func NewValidation(file string, uncheckedScripts int64, err error) Validation {
	return Validation{File: file, OK: err == nil, Problems: problems([]Problem{}, err), UncheckedScripts: uncheckedScripts}
}

// problems appends those that err joins.
func problems(list []Problem, err error) []Problem {
	switch err := err.(type) {
	case nil:
		return list
	case *workflow.SyntaxError:
		return append(list, Problem{err.Line, err.Column, err.Problem, err.Cure})
	case interface{ Unwrap() []error }:
		for _, e := range err.Unwrap() {
			list = problems(list, e)
		}
		return list
	}
	return append(list, Problem{Problem: err.Error()})
}
