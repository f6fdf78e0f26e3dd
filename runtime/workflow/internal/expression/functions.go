package expression

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm/runtime"
)

// smallBuiltins make no value that can be large.
var smallBuiltins = []string{
	"all", "none", "any", "one", "count", "sum", "len", "type", "abs", "ceil", "floor", "round", "int", "float",
	"indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "max", "min", "mean", "median", "findIndex", "findLastIndex",
}

// disabled are functions of the library that are of no use here.
var disabled = []string{"timezone", "bitand", "bitor", "bitxor", "bitnand", "bitnot", "bitshl", "bitshr", "bitushr"}

// functions stand in for functions of the library that could make a value of any
// size in one step.
var functions = map[string]func(args []any) (any, error){
	"replace": replace,
	"repeat":  repeat,
	"join":    join,
	"string":  text,
	"toJSON":  toJSON,
}

// options are those of every expression.
func options() []expr.Option {
	opts := []expr.Option{
		expr.MaxNodes(maxNodes),
		expr.Optimize(false),
		expr.Function("__ref", func(args ...any) (any, error) { return args[0].(*frame).ref(args[1].(int)) }),
		expr.Function("__step", func(args ...any) (any, error) { return args[1], args[0].(*frame).step() }),
		expr.Function("__bound", func(args ...any) (any, error) { return args[1], args[0].(*frame).bound(args[1]) }),
		expr.Function("__matches", func(args ...any) (any, error) { return matches(args[1], args[2]) }),
		expr.Function("__add", func(args ...any) (any, error) {
			l, lok := args[1].(string)
			r, rok := args[2].(string)
			if lok && rok {
				if len(l)+len(r) > maxText {
					return nil, &evalError{errTooMuch}
				}
				return l + r, nil
			}
			return runtime.Add(args[1], args[2]), nil
		}),
	}
	for name, f := range functions {
		opts = append(opts, expr.DisableBuiltin(name), expr.Function(name, func(args ...any) (any, error) {
			result, err := f(args[1:])
			if err != nil {
				err = &evalError{fmt.Errorf("%s: %w", name, err)}
			}
			return result, err
		}))
	}
	for _, name := range disabled {
		opts = append(opts, expr.DisableBuiltin(name))
	}
	return opts
}

// matches is linear in the text, but with a factor that a short pattern can make
// large, and it cannot be stopped: both are bounded.
func matches(text, pattern any) (any, error) {
	s, ok1 := text.(string)
	p, ok2 := pattern.(string)
	switch {
	case !ok1 || !ok2:
		return nil, &evalError{fmt.Errorf("matches is asked of %s and %s: give two strings", kindOf(text), kindOf(pattern))}
	case len(s) > maxMatched || len(p) > maxPattern:
		return nil, &evalError{fmt.Errorf("matches: the text or pattern has more than %d or %d bytes: %w", maxMatched, maxPattern, errTooMuch)}
	}
	r, err := regexp.Compile(p)
	if err != nil {
		return nil, &evalError{err}
	}
	return r.MatchString(s), nil
}

const (
	maxMatched = 64 << 10
	maxPattern = 1 << 10
)

var errArguments = errors.New("wrong number or kind of arguments")

func replace(args []any) (any, error) {
	if len(args) != 3 {
		return nil, errArguments
	}
	s, ok1 := args[0].(string)
	from, ok2 := args[1].(string)
	to, ok3 := args[2].(string)
	if !ok1 || !ok2 || !ok3 {
		return nil, errArguments
	}
	if len(s)+strings.Count(s, from)*max(len(to)-len(from), 0) > maxText {
		return nil, errTooMuch
	}
	return strings.ReplaceAll(s, from, to), nil
}

func repeat(args []any) (any, error) {
	if len(args) != 2 {
		return nil, errArguments
	}
	s, ok1 := args[0].(string)
	n, ok2 := args[1].(int)
	switch {
	case !ok1 || !ok2 || n < 0:
		return nil, errArguments
	case len(s) > 0 && n > maxText/len(s):
		return nil, errTooMuch
	}
	return strings.Repeat(s, n), nil
}

func join(args []any) (any, error) {
	if len(args) < 1 || len(args) > 2 {
		return nil, errArguments
	}
	glue, ok := "", true
	if len(args) == 2 {
		if glue, ok = args[1].(string); !ok {
			return nil, errArguments
		}
	}
	var parts []string
	switch list := args[0].(type) {
	case []string:
		parts = list
	case []any:
		for _, item := range list {
			s, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("%w: an item is %s, not a string", errArguments, kindOf(item))
			}
			parts = append(parts, s)
		}
	default:
		return nil, errArguments
	}
	size := 0
	for _, s := range parts {
		if size += len(s) + len(glue); size > maxText {
			return nil, errTooMuch
		}
	}
	return strings.Join(parts, glue), nil
}

// text is a string as it is, and anything else as JSON.
func text(args []any) (any, error) {
	if len(args) == 1 {
		if s, ok := args[0].(string); ok {
			return s, nil
		}
	}
	return toJSON(args)
}

func toJSON(args []any) (any, error) {
	if len(args) != 1 {
		return nil, errArguments
	}
	v, err := plain(args[0], new(budget))
	if err != nil {
		return nil, err
	}
	out, err := Encode(v)
	if len(out) > maxText {
		return nil, errTooMuch
	}
	return string(out), err
}

// Encode writes a value as JSON, without the escapes that only HTML needs.
func Encode(v any) (json.RawMessage, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n")), nil
}
