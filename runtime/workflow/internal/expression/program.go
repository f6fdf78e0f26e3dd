package expression

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// The bounds of an expression and of its evaluation.
const (
	// MaxSource is the longest expression in bytes, maxNodes the largest in
	// parts. The parser recurses, a few frames a byte at most.
	MaxSource = 8 << 10
	maxNodes  = 1000
	// maxMemory bounds the elements of the lists and maps that one evaluation
	// makes, by the count of the virtual machine.
	maxMemory = 1 << 20
	// maxValues bounds the parts of one value, those of shared ones counted each
	// time, and maxText the length of a string in bytes.
	maxValues = 1 << 20
	maxText   = 4 << 20
	// maxSteps bounds the iterations of all loops of an evaluation, maxTime how
	// long they may take.
	maxSteps = 1 << 20
	maxTime  = time.Second
)

// A Problem says what is wrong with an expression, where in it (in bytes), and
// what to do.
type Problem struct {
	Offset     int
	What, Cure string
}

// A Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	text    string
	refs    []*Ref
	program *vm.Program // nil if the expression is one reference
}

// Compile compiles an expression that may use the given roots. The first of the
// results is nil if and only if there are problems.
func Compile(text string, roots []string) (*Program, []Problem) {
	if len(text) > MaxSource {
		return nil, []Problem{{0, fmt.Sprintf("the expression has %d bytes, limit %d", len(text), MaxSource), "move the work into a task"}}
	}
	if strings.TrimSpace(text) == "" {
		return nil, []Problem{{0, "the expression is empty", pathCure}}
	}
	c := compiler{roots: roots, text: text}
	var program *vm.Program
	var err error
	if !c.path() {
		program, err = c.compile()
	}
	if c.check(); c.problems != nil {
		return nil, c.problems
	}
	if err != nil {
		return nil, []Problem{problemOf(text, err)}
	}
	p := &Program{text: strings.TrimSpace(text), refs: c.live()}
	if len(p.refs) == 1 && c.pure {
		return p, nil
	}
	p.program = program
	return p, nil
}

// compile shields the caller from panics of the library.
func (c *compiler) compile() (program *vm.Program, err error) {
	defer func() {
		if v := recover(); v != nil {
			program, err = nil, fmt.Errorf("it cannot be compiled (%v)", v)
		}
	}()
	return expr.Compile(c.text, append(options(), expr.Patch((*letVisitor)(c)), expr.Patch(c), expr.Patch((*rootVisitor)(c)))...)
}

// problemOf explains an error of the library, whose text spans lines.
func problemOf(text string, err error) Problem {
	var located *file.Error
	if !errors.As(err, &located) {
		return Problem{0, err.Error(), "write it in a simpler form"}
	}
	offset := 0
	for i := range text { // the library counts characters
		if located.From == 0 {
			break
		}
		located.From--
		_, size := utf8.DecodeRuneInString(text[i:])
		offset = i + size
	}
	cure := "correct the expression"
	if strings.Contains(text, "tasks.") {
		cure += "; a name that is not made of letters, digits and _ stands in brackets: tasks[\"my task\"].output"
	}
	return Problem{offset, located.Message, cure}
}

// Refs returns the references, in the order of their numbers.
func (p *Program) Refs() []*Ref { return p.refs }

// Pure returns the reference that is the whole expression, or nil.
func (p *Program) Pure() *Ref {
	if p.program == nil {
		return p.refs[0]
	}
	return nil
}

// String returns the expression with its marks.
func (p *Program) String() string { return "${{ " + p.text + " }}" }

// Eval evaluates the expression. lookup is asked for the value of a reference,
// at most once for each; values are those that [Decode] makes. The result is
// made of such values too. Eval does not block; it ends, at the latest, a little after
// a second.
func (p *Program) Eval(lookup func(*Ref) (any, error)) (any, error) {
	if p.program == nil {
		return lookup(p.refs[0])
	}
	f := frame{lookup: lookup, refs: p.refs, values: make([]any, len(p.refs)), known: make([]bool, len(p.refs))}
	machine := vm.VM{MemoryBudget: maxMemory}
	result, err := f.run(&machine, p.program)
	if err == nil {
		result, err = f.result(result)
	}
	if err != nil {
		return nil, explain(err)
	}
	return result, nil
}

func (f *frame) run(machine *vm.VM, program *vm.Program) (result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			result, err = nil, fmt.Errorf("%v", v)
		}
	}()
	return machine.Run(program, f)
}

// explain takes the library's drawing of the place away: what is left fits a
// line.
func explain(err error) error {
	var own *evalError
	if errors.As(err, &own) {
		return own.err
	}
	var located *file.Error
	if errors.As(err, &located) {
		return errors.New(located.Message)
	}
	return err
}

// An evalError marks an error that is not the library's.
type evalError struct{ err error }

func (e *evalError) Error() string { return e.err.Error() }
func (e *evalError) Unwrap() error { return e.err }

// errTooMuch reports an evaluation beyond a bound.
var errTooMuch = errors.New("the expression does too much: move the work into a task")

// ErrTooMuch matches errors of evaluations beyond a bound.
func ErrTooMuch() error { return errTooMuch }

// A frame is one evaluation.
type frame struct {
	lookup   func(*Ref) (any, error)
	refs     []*Ref
	values   []any
	known    []bool
	steps    int
	deadline time.Time
}

func (f *frame) ref(i int) (any, error) {
	if f.known[i] {
		return f.values[i], nil
	}
	v, err := f.lookup(f.refs[i])
	if err != nil {
		return nil, &evalError{err}
	}
	f.values[i], f.known[i] = v, true
	return v, nil
}

// step counts an iteration of a loop.
func (f *frame) step() error {
	f.steps++
	if f.steps > maxSteps {
		return &evalError{errTooMuch}
	}
	return f.onTime()
}

// onTime reads the clock now and then: a step can be as cheap as a comparison
// and as dear as a search in a long text.
func (f *frame) onTime() error {
	now := time.Now()
	if f.deadline.IsZero() {
		f.deadline = now.Add(maxTime)
	}
	if now.After(f.deadline) {
		return &evalError{errors.Join(errTooMuch, context.DeadlineExceeded)}
	}
	return nil
}

// Names lists the functions that expressions can call.
func Names() []string {
	names := slices.Clone(functionNames)
	slices.Sort(names)
	return names
}
