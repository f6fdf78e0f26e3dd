package js

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/go-sourcemap/sourcemap"
)

// maxTokens bounds how deep esbuild can recurse: nothing nests deeper than
// its source has operators, brackets and words. A Go stack cannot be held to a
// limit other than by dying, and one level takes up to some kilobytes.
const maxTokens = 24_000

// transpile turns TypeScript in a form into JavaScript, with a map back.
func (e *Engine) transpile(f form, s Source) (text string, lines lineMap, err error) {
	if n := tokens(s.Code); n > maxTokens {
		return "", nil, &Error{Class: ClassScript, Script: s.Name, Message: fmt.Sprintf(
			"the source has %d words and operators, limit %d for TypeScript: split it, or compile it to JavaScript beforehand", n, maxTokens)}
	}
	wrapped := 0
	if f.before != "" {
		wrapped = 1
	}
	t, err := e.transform(f.before + s.Code + f.behind)
	switch {
	case errors.Is(err, errTranspileTime):
		return "", nil, &Error{Class: ClassTimeout, Script: s.Name, Message: err.Error(), Err: err}
	case err != nil:
		return "", nil, &Error{Class: ClassHost, Script: s.Name, Message: "the TypeScript compiler: " + err.Error(), Err: err}
	case t.Problem != "":
		e := &Error{Class: ClassScript, Script: s.Name, Name: "SyntaxError", Message: t.Problem}
		if t.Line > 0 {
			e.Line, e.Column = t.Line-wrapped, t.Column
		}
		return "", nil, e
	}
	consumer, err := sourcemap.Parse("", t.Map)
	if err != nil {
		return "", nil, &Error{Class: ClassHost, Script: s.Name, Message: "the source map: " + err.Error(), Err: err}
	}
	return strings.TrimRight(t.Code, "\n"), func(line, column int) (int, int, bool) {
		_, _, line, column, ok := consumer.Source(line, column-1)
		return line - wrapped, column + 1, ok && line > wrapped
	}, nil
}

// A transpiled source is what the compiler made of it, or its first problem.
type transpiled struct {
	Code         string
	Map          []byte
	Problem      string
	Line, Column int // of Problem, from 1; 0 if unknown
}

// esbuild compiles. It may take for ever.
func esbuild(code string) transpiled {
	result := api.Transform(code, api.TransformOptions{
		Loader:         api.LoaderTS,
		Target:         api.ES2023,
		Sourcemap:      api.SourceMapExternal,
		SourcesContent: api.SourcesContentExclude,
		Sourcefile:     guestFile,
		LogLevel:       api.LogLevelSilent,
		Charset:        api.CharsetUTF8,
		TsconfigRaw:    `{"compilerOptions":{"verbatimModuleSyntax":false}}`,
	})
	if len(result.Errors) == 0 {
		return transpiled{Code: string(result.Code), Map: result.Map}
	}
	m := result.Errors[0]
	t := transpiled{Problem: m.Text}
	if m.Location != nil {
		t.Line, t.Column = m.Location.Line, m.Location.Column+1
	}
	return t
}

// transpileTimeout bounds the wait for esbuild, which takes a millisecond for what
// people write: some nested sources make it try every reading. Within this process it
// cannot be stopped; transpiling bounds how many go on after that. While both do,
// TypeScript that is not cached is refused and everything else goes on.
const transpileTimeout = 5 * time.Second

var transpiling = make(chan struct{}, 2)

var errTranspileTime = errors.New("the TypeScript compiler did not end in " + transpileTimeout.String() + ": simplify the source, or compile it to JavaScript beforehand")

func (e *Engine) transform(code string) (transpiled, error) {
	ctx, cancel := context.WithTimeout(context.Background(), transpileTimeout)
	defer cancel()
	select {
	case transpiling <- struct{}{}:
	case <-ctx.Done():
		return transpiled{}, errTranspileTime
	}
	if argv := e.config.TypeScriptCommand; len(argv) > 0 {
		defer func() { <-transpiling }()
		return transformBy(ctx, argv, code)
	}
	done := make(chan transpiled, 1)
	go func() {
		defer func() { <-transpiling }()
		done <- esbuild(code)
	}()
	select {
	case t := <-done:
		return t, nil
	case <-ctx.Done():
		return transpiled{}, errTranspileTime
	}
}

// tokens is at least the number of tokens in code: each character that is no part
// of a word counts, and each word.
func tokens(code string) int {
	n, word := 0, false
	for i := range len(code) {
		c := code[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			word = false
		case c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80:
			if !word {
				n++
			}
			word = true
		default:
			n++
			word = false
		}
	}
	return n
}
