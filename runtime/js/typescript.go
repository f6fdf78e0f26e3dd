package js

import (
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
func transpile(f form, s Source) (text string, lines lineMap, err error) {
	if n := tokens(s.Code); n > maxTokens {
		return "", nil, &Error{Class: ClassScript, Script: s.Name, Message: fmt.Sprintf(
			"the source has %d words and operators, limit %d for TypeScript: split it, or compile it to JavaScript beforehand", n, maxTokens)}
	}
	wrapped := 0
	if f.before != "" {
		wrapped = 1
	}
	options := api.TransformOptions{
		Loader:         api.LoaderTS,
		Target:         api.ES2023,
		Sourcemap:      api.SourceMapExternal,
		SourcesContent: api.SourcesContentExclude,
		Sourcefile:     guestFile,
		LogLevel:       api.LogLevelSilent,
		Charset:        api.CharsetUTF8,
		TsconfigRaw:    `{"compilerOptions":{"verbatimModuleSyntax":false}}`,
	}
	result, ok := transform(f.before+s.Code+f.behind, options)
	if !ok {
		return "", nil, &Error{Class: ClassTimeout, Script: s.Name, Message: "the TypeScript compiler did not end in " + transpileTimeout.String() + ": simplify the source, or compile it to JavaScript beforehand"}
	}
	if len(result.Errors) > 0 {
		m := result.Errors[0]
		e := &Error{Class: ClassScript, Script: s.Name, Name: "SyntaxError", Message: m.Text}
		if m.Location != nil {
			e.Line, e.Column = m.Location.Line-wrapped, m.Location.Column+1
		}
		return "", nil, e
	}
	consumer, err := sourcemap.Parse("", result.Map)
	if err != nil {
		return "", nil, &Error{Class: ClassHost, Script: s.Name, Message: "the source map: " + err.Error(), Err: err}
	}
	text = strings.TrimRight(string(result.Code), "\n")
	return text, func(line, column int) (int, int, bool) {
		_, _, line, column, ok := consumer.Source(line, column-1)
		return line - wrapped, column + 1, ok && line > wrapped
	}, nil
}

// transpileTimeout bounds the wait for esbuild, which takes a millisecond for what
// people write and cannot be stopped: some nested sources make it try every reading.
// transpiling bounds how many go on after that; while both do, TypeScript that is
// not cached is refused and everything else goes on.
const transpileTimeout = 5 * time.Second

var transpiling = make(chan struct{}, 2)

func transform(code string, options api.TransformOptions) (api.TransformResult, bool) {
	clock := time.NewTimer(transpileTimeout)
	defer clock.Stop()
	select {
	case transpiling <- struct{}{}:
	case <-clock.C:
		return api.TransformResult{}, false
	}
	done := make(chan api.TransformResult, 1)
	go func() {
		defer func() { <-transpiling }()
		done <- api.Transform(code, options)
	}()
	select {
	case result := <-done:
		return result, true
	case <-clock.C:
		return api.TransformResult{}, false
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
