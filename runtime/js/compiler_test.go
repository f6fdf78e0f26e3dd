package js_test

import (
	"encoding/json"
	"errors"
	"os"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/js"
)

// TestTypeScriptProcess: TypeScript that is compiled in a process of its own works as
// within this one, and a source that keeps the compiler busy for ever costs a few seconds of one caller:
// the process is killed, nothing is left of it, and other scripts do not notice.
func TestTypeScriptProcess(t *testing.T) {
	config := js.Config{TypeScriptCommand: []string{os.Args[0], compilerArgument}}
	e := engine(t, config)
	compile := func(code string) (*js.Script, error) {
		return e.Compile(t.Context(), js.Source{Name: "task.ts", Code: code, Language: js.TypeScript})
	}
	s, err := compile("type T = { a: number }\nexport default (x: T): number => x.a * 2")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.Run(t.Context(), s, js.Input{Value: json.RawMessage(`{"a":4}`)}); err != nil || string(got.Value) != "8" {
		t.Errorf("%s, %v; want 8", got.Value, err)
	}
	if _, err := compile("let x: = 5\nreturn x"); js.ClassOf(err) != js.ClassScript || !strings.Contains(err.Error(), "task.ts:1:8: SyntaxError") {
		t.Errorf("a mistake: %v", err)
	}
	for _, argv := range [][]string{{"/nowhere/compiler"}, {"true"}, {"false"}} {
		config.TypeScriptCommand = argv
		other := engine(t, config)
		if _, err := other.Compile(t.Context(), js.Source{Code: "return 1 as number", Language: js.TypeScript}); js.ClassOf(err) != js.ClassHost || !strings.Contains(err.Error(), argv[0]) {
			t.Errorf("%v: %v", argv, err)
		}
	}
	if testing.Short() {
		return // what follows takes the compiler's whole time
	}
	before := goruntime.NumGoroutine()
	done := make(chan error, 1)
	begun := time.Now()
	go func() {
		_, err := compile("const x: any = " + strings.Repeat("a ? (b) : c => ", 60) + "d" + strings.Repeat(" : e", 60) + "\nreturn x")
		done <- err
	}()
	for n := 0; ; n++ {
		select {
		case err := <-done:
			var failed *js.Error
			if !errors.As(err, &failed) || failed.Class != js.ClassTimeout || !strings.Contains(err.Error(), "TypeScript compiler did not end") {
				t.Errorf("a source without end: %v", err)
			}
			t.Logf("refused after %v; %d calls went on meanwhile", time.Since(begun), n)
			if n == 0 {
				t.Error("no other call went on")
			}
			for goruntime.NumGoroutine() > before {
				goruntime.Gosched()
			}
			return
		default:
		}
		want(t, e, "return 1", "", "1")
	}
}
