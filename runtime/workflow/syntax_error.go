package workflow

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// A SyntaxError is one problem of a definition in a file: where it is, what is
// wrong, and what to do. Line and column count from 1, the column in characters.
type SyntaxError struct {
	File         string
	Line, Column int
	Problem      string
	Cure         string
	Err          error // the sentinel; ErrSyntax if there is no closer one
}

// Error prints all fields: "order.yaml:3:5: problem: cure".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", e.File, e.Line, e.Column, e.Problem, e.Cure)
}

// Unwrap returns Err.
func (e *SyntaxError) Unwrap() error { return e.Err }

// maxProblems bounds how many problems of a file are kept: more are no help,
// and a hostile file could have a million.
const maxProblems = 100

// problemList collects the problems of one file.
type problemList struct {
	file    string
	list    []*SyntaxError
	skipped int
	nested  []error // of files that this one refers to
}

// failed reports whether there are problems, in this file or one below.
func (p *problemList) failed() bool { return len(p.list) > 0 || len(p.nested) > 0 }

// full reports whether one more problem would only be counted, and counts it.
// It is asked before work that grows with the file, such as a suggestion.
func (p *problemList) full() bool {
	if len(p.list) < maxProblems {
		return false
	}
	p.skipped++
	return true
}

func (p *problemList) report(at document.Position, err error, cure, format string, args ...any) {
	if p.full() {
		return
	}
	p.list = append(p.list, &SyntaxError{p.file, at.Line, at.Column, fmt.Sprintf(format, args...), cure, err})
}

// add takes over the problems that the reader of the text found.
func (p *problemList) add(problems []document.Problem) {
	for _, d := range problems {
		err := ErrSyntax
		if d.TooLarge {
			err = ErrTooLarge
		}
		p.report(d.Position, err, d.Cure, "%s", d.What)
	}
}

// err joins the problems in the order of the file; nil if there are none.
func (p *problemList) err() error {
	slices.SortStableFunc(p.list, func(a, b *SyntaxError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	var joined []error
	for i, e := range p.list {
		// An alias shows the problems of its anchor once more.
		if i == 0 || *e != *p.list[i-1] {
			joined = append(joined, e)
		}
	}
	if p.skipped > 0 {
		joined = append(joined, fmt.Errorf("%s: %d more problems: correct those above first", p.file, p.skipped))
	}
	return errors.Join(append(joined, p.nested...)...)
}
