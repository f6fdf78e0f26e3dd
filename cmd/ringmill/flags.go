package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// A checked flag is set by a function that says what is allowed.
type checked struct {
	text, kind string
	set        func(string) error
}

var _ pflag.Value = (*checked)(nil)

func (f *checked) String() string { return f.text }
func (f *checked) Type() string   { return f.kind }
func (f *checked) Set(s string) error {
	if err := f.set(s); err != nil {
		return err
	}
	f.text = s
	return nil
}

// number is a flag for a whole number from low to high. *to is not changed
// unless the flag is given; text is shown as its default.
func number(to *int, low, high int, text string) *checked {
	return &checked{text: text, kind: "N", set: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q is not a whole number; want %d to %d", s, low, high)
		}
		if n < low || n > high {
			return fmt.Errorf("%d is out of range; want %d to %d", n, low, high)
		}
		*to = n
		return nil
	}}
}

// factor is a flag for a number that is not negative.
func factor(to *float64) *checked {
	return &checked{text: strconv.FormatFloat(*to, 'g', -1, 64), kind: "F", set: func(s string) error {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(f) {
			return fmt.Errorf("%q is not a number; want 0 or more, such as 0.01", s)
		}
		if f < 0 || math.IsInf(f, 0) {
			return fmt.Errorf("%s is out of range; want 0 or more, such as 0.01", s)
		}
		*to = f
		return nil
	}}
}

// choice is a flag for one of several words, whose parsed form goes to *to.
func choice[T any](to *T, kind, text string, parse func(string) (T, error)) *checked {
	return &checked{text: text, kind: kind, set: func(s string) error {
		v, err := parse(s)
		if err == nil {
			*to = v
		}
		return err
	}}
}

// oneOf is a parse function for words that stand for themselves.
func oneOf(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("%q is unknown; want %s", s, strings.Join(words, ", "))
		}
		return s, nil
	}
}

// fromEnvironment sets the flags that were not given from RINGMILL_ variables:
// --log-level from RINGMILL_LOG_LEVEL. The variables of the others are checked.
func fromEnvironment(flags *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		value := os.Getenv(variable(name))
		if value == "" {
			continue
		}
		flag := flags.Lookup(name)
		given := flag.Value.String()
		if err := flag.Value.Set(value); err != nil {
			return fmt.Errorf("%s: %w", variable(name), err)
		}
		if flag.Changed {
			_ = flag.Value.Set(given) // it was accepted once
		}
	}
	return nil
}

// source names what set a flag that fromEnvironment may set.
func source(flags *pflag.FlagSet, name string) string {
	if flags.Changed(name) {
		return "--" + name
	}
	return variable(name)
}

// variable is the name of a flag in the environment.
func variable(name string) string {
	return "RINGMILL_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}
