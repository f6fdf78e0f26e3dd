package js_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringmill/ringmill/runtime/js"
)

// FuzzSource: whatever the source, a call ends in time with a result that is JSON or
// with an Error of an expected class, and the next call is not affected.
func FuzzSource(f *testing.F) {
	for _, pattern := range []string{"testdata/hostile/*.js", "testdata/own/*.js"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			code, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(code), false)
		}
	}
	f.Add("interface A { a: number }\nexport default (x: A) => x.a", true)
	f.Add("enum E { A = 1 }\nreturn E.A as number", true)
	e := engine(f, js.Config{BreakerFailures: 1000, Limits: js.Limits{Timeout: 50 * time.Millisecond, MemoryBytes: 8 << 20}})
	probe := compile(f, e, "return [typeof globalThis.leaked, JSON.stringify([1]), input]")
	f.Fuzz(func(t *testing.T, code string, typescript bool) {
		source := js.Source{Code: code}
		if typescript {
			source.Language = js.TypeScript
		}
		s, err := e.Compile(t.Context(), source)
		if err == nil {
			var got js.Result
			if got, err = e.Run(t.Context(), s, js.Input{Value: json.RawMessage(`{"a":1}`)}); err == nil && !json.Valid(got.Value) {
				t.Errorf("the result %q is no JSON", got.Value)
			}
		}
		if failed, ok := errors.AsType[*js.Error](err); err != nil && (!ok || failed.Class == js.ClassHost || failed.Class == js.ClassTrap) {
			t.Errorf("%v", err)
		}
		got, err := e.Run(t.Context(), probe, js.Input{Value: json.RawMessage("7")})
		if err != nil || string(got.Value) != `["undefined","[1]",7]` {
			t.Errorf("the next call: %s, %v", got.Value, err)
		}
	})
}

// FuzzInput: every JSON value comes back as the same value, and what is no JSON is
// an error of the script. It is what JSON.parse makes of it.
func FuzzInput(f *testing.F) {
	for _, seed := range []string{"null", `{"a":[1,2.5,-0,1e300,"\u0000\ud800x"]}`, `[[[[]]]]`, `"é😀"`, "{", "1 2", "\xff", `{"__proto__":1}`} {
		f.Add([]byte(seed))
	}
	e := engine(f, js.Config{})
	echo := compile(f, e, "return input")
	both := compile(f, e, describeValue+"return [d(input.value), d(JSON.parse(input.text))]")
	f.Fuzz(func(t *testing.T, input []byte) {
		got, err := e.Run(t.Context(), echo, js.Input{Value: input, Timeout: 5 * time.Second})
		if len(input) == 0 {
			return
		}
		if !json.Valid(input) {
			if err == nil && !json.Valid(got.Value) {
				t.Errorf("%q became %q", input, got.Value)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", input, err)
		}
		quoted, _ := json.Marshal(string(input))
		pair := fmt.Appendf(nil, `{"value":%s,"text":%s}`, input, quoted)
		two, err := e.Run(t.Context(), both, js.Input{Value: pair, Timeout: 5 * time.Second})
		var described [2]string
		if json.Unmarshal(two.Value, &described) != nil || err != nil || described[0] != described[1] && utf8.Valid(input) {
			t.Errorf("%q is %q, %v; for JSON.parse %q", input, described[0], err, described[1])
		}
		again, err := e.Run(t.Context(), echo, js.Input{Value: got.Value, Timeout: 5 * time.Second})
		if err != nil || string(again.Value) != string(got.Value) {
			t.Errorf("%q became %q, then %q, %v", input, got.Value, again.Value, err)
		}
	})
}
