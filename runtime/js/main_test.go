package js_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/runtime/js"
)

func TestMain(m *testing.M) {
	if os.Getenv(hostileVariable) != "" {
		hostileMain() // does not return
	}
	if len(os.Args) == 2 && os.Args[1] == compilerArgument {
		if err := js.CompileTypeScript(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "ringmill-js")
	if err != nil {
		panic(err)
	}
	cacheDir = dir // the machine code is made once for all tests
	goleak.VerifyTestMain(m,
		goleak.IgnoreCurrent(), // ants starts two goroutines of its own when it is imported
		goleak.Cleanup(func(code int) {
			_ = os.RemoveAll(dir)
			os.Exit(code)
		}))
}

// compilerArgument makes the test's binary a compiler.
const compilerArgument = "compile-typescript"

var cacheDir string

// engine returns an engine that ends with the test. Without the module the test is
// skipped with the text that a user gets.
func engine(t testing.TB, config js.Config) *js.Engine {
	t.Helper()
	if config.CacheDir == "" {
		config.CacheDir = cacheDir
	}
	e, err := js.New(config)
	if errors.Is(err, js.ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func compile(t testing.TB, e *js.Engine, code string) *js.Script {
	t.Helper()
	s, err := e.Compile(t.Context(), js.Source{Name: "task.js", Code: code})
	if err != nil {
		t.Fatalf("compiling %q: %v", code, err)
	}
	return s
}

// run compiles and calls code with input.
func run(t testing.TB, e *js.Engine, code, input string) (js.Result, error) {
	t.Helper()
	return e.Run(t.Context(), compile(t, e, code), js.Input{Value: json.RawMessage(input), Timeout: 20 * time.Second})
}

// want calls code and checks the result's JSON.
func want(t testing.TB, e *js.Engine, code, input, result string) {
	t.Helper()
	got, err := run(t, e, code, input)
	if err != nil {
		t.Errorf("%s: %v", code, err)
	} else if string(got.Value) != result {
		t.Errorf("%s = %s, want %s", code, got.Value, result)
	}
}

// fails calls code and checks the failure's class.
func fails(t testing.TB, e *js.Engine, code string, class js.Class) *js.Error {
	t.Helper()
	got, err := run(t, e, code, "")
	failed, ok := errors.AsType[*js.Error](err)
	if !ok || failed.Class != class {
		t.Errorf("%s = %s, %v; want class %s", code, got.Value, err, class)
		return &js.Error{}
	}
	return failed
}
