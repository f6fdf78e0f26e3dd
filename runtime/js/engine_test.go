package js_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/js"
	"github.com/ringmill/ringmill/runtime/js/internal/fuel"
)

func TestForms(t *testing.T) {
	e := engine(t, js.Config{})
	for _, c := range []struct{ code, input, result string }{
		{"return 1 + 1", "", "2"},
		{"return input", `{"a":[1,"x",null]}`, `{"a":[1,"x",null]}`},
		{"return input", "", "null"},
		{"return undefined", "", "null"},
		{"return [NaN, -0, 1e21, 5e-324, 0.1]", "", "[null,0,1e+21,5e-324,0.1]"},
		{"return NaN", "", "null"},
		{"return -Infinity", "", "null"},
		{"return -0", "", "0"},
		{"return 1e21", "", "1e+21"},
		{"return 5e-324", "", "5e-324"},
		{"return !input", "", "true"},
		{"return () => 1", "", "null"},
		{"", "", ""},
		{"export default (input, ctx) => input.a * 2", `{"a":21}`, "42"},
		{"const k = 3\nexport default function (x) { return x.a * k }", `{"a":2}`, "6"},
		{"export default async ({a}) => { await null; return a }", `{"a":7}`, "7"},
		{"export default async () => { throw 1 }\nexport const unused = 1", "", "!"},
		{"const two = await Promise.resolve(2); export default () => two", "", "2"},
		{"await null; return await input", "5", "5"},
		{"// await\nreturn 1 // end", "", "1"},
		{"return 'export default'", "", `"export default"`},
		{"return Promise.resolve({a: 1})", "", `{"a":1}`},
		{"return {then(f) { f(8) }}", "", "8"},
		{"return 'é\\ud83d\\ude00\\u0000\\ud800'", "", `"é😀\u0000\ud800"`},
	} {
		switch {
		case c.code == "":
			if _, err := e.Compile(t.Context(), js.Source{Code: " \n"}); js.ClassOf(err) != js.ClassScript {
				t.Errorf("an empty source: %v", err)
			}
		case c.result == "!":
			fails(t, e, c.code, js.ClassScript)
		default:
			want(t, e, c.code, c.input, c.result)
		}
	}
}

func TestConditions(t *testing.T) {
	e := engine(t, js.Config{})
	for code, result := range map[string]string{
		"input.n > 3":                        "true",
		"return input.n > 5":                 "false",
		"export default ({n}) => n === 4":    "true",
		"await Promise.resolve(1); return 2": "true",
	} {
		s, err := e.Compile(t.Context(), js.Source{Code: code, Condition: true})
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Run(t.Context(), s, js.Input{Value: json.RawMessage(`{"n":4}`)})
		if err != nil || string(got.Value) != result {
			t.Errorf("%s = %s, %v; want %s", code, got.Value, err, result)
		}
	}
}

// TestConditionWithoutAnswer: statements that return nothing would be false whatever the input is.
func TestConditionWithoutAnswer(t *testing.T) {
	e := engine(t, js.Config{})
	for _, code := range []string{"input.n > 3;", "let x = 5; x > 3", "await 0; input.n > 3"} {
		if _, err := e.Compile(t.Context(), js.Source{Code: code, Condition: true}); js.ClassOf(err) != js.ClassScript || !strings.Contains(err.Error(), "without a semicolon") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// TestPristine: no call sees what another one did.
func TestPristine(t *testing.T) {
	e := engine(t, js.Config{Instances: 1})
	soil := compile(t, e, `
		const seen = [typeof globalThis.leaked, typeof [].leaked, Array.prototype.map.name, JSON.stringify([1]), Math.max(1, 2), typeof console.log];
		globalThis.leaked = 'secret'; Object.prototype.leaked = 1; Array.prototype.map = 1;
		JSON.stringify = () => 'x'; JSON.parse = null; Math.max = () => 9; Promise.prototype.then = null; globalThis.console = 0;
		return seen`)
	for i := range 50 {
		got, err := e.Run(t.Context(), soil, js.Input{})
		if err != nil || string(got.Value) != `["undefined","undefined","map","[1]",2,"function"]` {
			t.Fatalf("call %d saw %s, %v", i, got.Value, err)
		}
	}
	want(t, e, "return input", "[1]", "[1]")
}

// TestPristineMemory: neither the stack nor freed or grown memory of a call is
// left for the next one, whatever that one reads.
func TestPristineMemory(t *testing.T) {
	e := engine(t, js.Config{Instances: 1})
	spill := compile(t, e, `
		const f = n => n ? f(n - 1) + 'TOPSECRET' : ''; f(200);
		const big = []; for (let i = 0; i < 100; i++) big.push('TOPSECRET'.repeat(10000) + i);
		return big.length`)
	plain := compile(t, e, "return 1")
	if _, err := e.Run(t.Context(), plain, js.Input{}); err != nil {
		t.Fatal(err)
	}
	before := js.GuestMemory(e, plain)
	if _, err := e.Run(t.Context(), spill, js.Input{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(js.RawGuestMemory(e)), "TOPSECRET") {
		t.Fatal("the script did not spill: the test proves nothing")
	}
	after := js.GuestMemory(e, plain)
	if strings.Contains(string(after), "TOPSECRET") {
		t.Error("a restored guest holds another call's data")
	}
	if string(before) != string(after[:len(before)]) || strings.Trim(string(after[len(before):]), "\x00") != "" {
		at := 0
		for at < len(before) && before[at] == after[at] {
			at++
		}
		t.Errorf("a restored guest differs from one that ran nothing else, first at %#x of %#x", at, len(before))
	}
}

// TestScribble: whatever a guest with a memory error writes, in its data, its heap or what no
// call ever writes, is gone before the next call.
func TestScribble(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	e := engine(t, js.Config{Instances: 1})
	scripts := []*js.Script{compile(t, e, "return 1"), compile(t, e, "return input.map(x => x + 1)")}
	for round := range 200 {
		wrong, mapped := js.Scribble(e, scripts[round%2], func(memory []byte) {
			for range random.IntN(40) { // often nothing at all, so that the short way is taken
				at := random.IntN(len(memory))
				if random.IntN(2) == 0 { // near what was written before
					at = at % (len(memory) / 16)
				}
				memory[at] ^= byte(1 + random.IntN(255))
			}
		})
		if wrong != 0 {
			t.Fatalf("round %d: %d bytes are left of an earlier call", round, wrong)
		}
		if goruntime.GOOS == "linux" && !mapped {
			t.Log("the kernel does not tell which pages were written: guests are copied whole")
		}
		if round%10 == 0 {
			want(t, e, "return 1", "", "1")
		}
	}
}

func TestRandomDiffers(t *testing.T) {
	e := engine(t, js.Config{})
	s := compile(t, e, "return [Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(16)).join()]")
	seen := map[string]bool{}
	for range 100 {
		got, err := e.Run(t.Context(), s, js.Input{})
		if err != nil {
			t.Fatal(err)
		}
		var values []any
		if err := json.Unmarshal(got.Value, &values); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			text, _ := json.Marshal(v)
			if seen[string(text)] {
				t.Fatalf("%s came twice", text)
			}
			seen[string(text)] = true
		}
	}
}

func TestErrors(t *testing.T) {
	e := engine(t, js.Config{})
	for _, c := range []struct {
		code, text string
	}{
		{"const a = 1\n  a.b.c()", "js: task.js:2:3: TypeError: cannot read property 'c' of undefined"},
		{"throw new RangeError('no')", "js: task.js:1:11: RangeError: no"},
		{"throw 'text'", "js: task.js: text"},
		{"throw {code: 5}", "js: task.js: [object Object]"},
		{"throw undefined", "js: task.js: undefined"},
		{"\nexport default () => {\n  nope() }", "js: task.js:3:3: ReferenceError: nope is not defined"},
		{"export const a = 1", "the script must export a function: export default (input, ctx) => result"},
		{"return new Promise(() => {})", "js: task.js: the promise never settles: no timer or request is left that it could wait for"},
		{"const o = {}; o.o = o; return o", "TypeError: circular reference"},
		{"return 1n", "TypeError: "},
		{"setTimeout(() => { throw new Error('late') }, 1); return new Promise(() => {})", "Error: late"},
	} {
		if got := fails(t, e, c.code, js.ClassScript).Error(); !strings.Contains(got, c.text) {
			t.Errorf("%s: %s, want %s", c.code, got, c.text)
		}
	}
	for code, text := range map[string]string{
		"return 1 +":                           "js: task.js:",
		"const x = 1\n\nconst = 2":             "js: task.js:3:7: SyntaxError: ",
		"import x from 'fs'; export default x": "could not load module 'fs'",
		"return 1\x00":                         "zero byte",
		"return '\xff'":                        "not valid UTF-8",
		strings.Repeat(" ", 1<<20):             "limit 262144",
	} {
		if _, err := e.Compile(t.Context(), js.Source{Name: "task.js", Code: code}); js.ClassOf(err) != js.ClassScript || !strings.Contains(err.Error(), text) {
			t.Errorf("compiling %.40q: %v, want %s", code, err, text)
		}
	}
}

func TestTypeScript(t *testing.T) {
	e := engine(t, js.Config{})
	ts := func(code string) (*js.Script, error) {
		return e.Compile(t.Context(), js.Source{Name: "task.ts", Code: code, Language: js.TypeScript})
	}
	s, err := ts(`
interface Item { price: number; n?: number }
enum Mode { Sum, Max = 5 }
export default (input: { items: Item[] }, ctx: unknown): number =>
  input.items.reduce((sum: number, i: Item): number => sum + i.price * (i.n ?? 1), Mode.Max)`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Run(t.Context(), s, js.Input{Value: json.RawMessage(`{"items":[{"price":2,"n":3},{"price":1}]}`)})
	if err != nil || string(got.Value) != "12" {
		t.Fatalf("%s, %v; want 12", got.Value, err)
	}
	for code, where := range map[string]string{
		"interface A {\n  a: number\n}\n\nexport default (x: A) => {\n  const y: any = x\n\n      y.b.c.d()\n}": "task.ts:8:",
		"type T = {\n a: string }\nconst v: T | null = null\nreturn v!.a":                                       "task.ts:4:",
		"type T = {\n a: string }\nawait null\nconst v: any = null\nreturn v!.a":                                "task.ts:5:",
	} {
		s, err := ts(code)
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Run(t.Context(), s, js.Input{Value: json.RawMessage(`{}`)})
		if err == nil || !strings.Contains(err.Error(), where) {
			t.Errorf("%q: %v, want %s", code, err, where)
		}
	}
	for code, where := range map[string]string{
		"let x: = 5\nreturn x":                  "task.ts:1:8: SyntaxError",
		"export default (x: number) => {\n  y(": "task.ts:2:",
		strings.Repeat("(", 100_000):            "words and operators",
	} {
		if _, err := ts(code); js.ClassOf(err) != js.ClassScript || !strings.Contains(err.Error(), where) {
			t.Errorf("%.40q: %v, want %s", code, err, where)
		}
	}
}

func TestLimits(t *testing.T) {
	limits := js.Limits{Timeout: 200 * time.Millisecond, ResultBytes: 1000, InputBytes: 1000, ConsoleBytes: 100, Timers: 3, SourceBytes: 10_000}
	e := engine(t, js.Config{Limits: limits, BreakerFailures: 1000})
	fails(t, e, "for (;;);", js.ClassTimeout)
	fails(t, e, "for (;;) try { for (;;); } catch {}", js.ClassTimeout)
	fails(t, e, "return {toJSON() { for (;;); }}", js.ClassTimeout)
	fails(t, e, "throw {get message() { for (;;); }}", js.ClassTimeout)
	fails(t, e, "const f = () => Promise.resolve().then(f); await f()", js.ClassTimeout)
	fails(t, e, "await new Promise(r => setTimeout(r, 10000))", js.ClassTimeout)
	fails(t, e, "setInterval(() => {}, 1); await new Promise(() => {})", js.ClassTimeout)
	fails(t, e, "return 'x'.repeat(2000)", js.ClassScript)
	fails(t, e, "for (;;) setTimeout(() => {}, 1)", js.ClassScript)
	if _, err := run(t, e, "return 1", `"`+strings.Repeat("x", 2000)+`"`); js.ClassOf(err) != js.ClassScript {
		t.Errorf("a long input: %v", err)
	}
	got, err := run(t, e, "for (let i = 0; i < 1000; i++) console.warn('line é', i); return 1", "")
	if err != nil || !got.ConsoleTruncated || len(got.Console) > 110 || !strings.HasPrefix(got.Console, "warn: line é 0\nwarn: line é 1\n") {
		t.Errorf("console = %q, truncated %t, %v", got.Console, got.ConsoleTruncated, err)
	}
	want(t, e, "return 'still here'", "", `"still here"`)

	e = engine(t, js.Config{Limits: js.Limits{MemoryBytes: 8 << 20}})
	fails(t, e, "const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)", js.ClassOOM)
	want(t, e, "try { const a = []; for (;;) a.push(new Uint8Array(1e6)) } catch (e) { return e.message }", "", `"out of memory"`)
	want(t, e, "return 'still here'", "", `"still here"`)
}

func TestHostFunctions(t *testing.T) {
	e := engine(t, js.Config{})
	for code, result := range map[string]string{
		"const order = []; setTimeout(() => order.push('b'), 20); setTimeout((x) => order.push(x), 1, 'a'); queueMicrotask(() => order.push('m')); await new Promise(r => setTimeout(r, 40)); return order": `["m","a","b"]`,
		"let n = 0; await new Promise(r => { const id = setInterval(() => { if (++n === 3) { clearInterval(id); r() } }, 1) }); return n":                                                                   "3",
		"const id = setTimeout(() => { throw 1 }, 1); clearTimeout(id); await new Promise(r => setTimeout(r, 10)); return 1":                                                                                "1",
		"return [...new TextEncoder().encode('aé😀\\ud800')]":                                                        "[97,195,169,240,159,152,128,239,191,189]",
		"return new TextDecoder().decode(new Uint8Array([239,187,191,97,195,169,240,159,152,128,255,226,130]))":     `"aé😀` + "\ufffd\ufffd" + `"`,
		"try { new TextDecoder('utf-8', {fatal: true}).decode(new Uint8Array([255])) } catch (e) { return e.name }": `"TypeError"`,
		"return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())":  "true",
		"return [typeof fetch, typeof require, typeof process, typeof structuredClone]":                             `["undefined","undefined","undefined","undefined"]`,
		"return Math.abs(Date.now() - input) < 60000":                                                               "true",
		"return new Date(0).getTimezoneOffset()":                                                                    "0",
		"try { await import('fs') } catch (e) { return e.name }":                                                    `"ReferenceError"`,
		"console = 5; return console":                                                                               "5",
	} {
		now, _ := json.Marshal(time.Now().UnixMilli())
		want(t, e, code, string(now), result)
	}
	got, err := run(t, e, "console.log('a', 1, {x: [1, 'y', {z: {w: {v: 1}}}], f() {}}, null, undefined, 5n, Symbol('s'), new Map()); console.error(new TypeError('t').message)", "")
	if err != nil || got.Console != "a 1 {x: [1, \"y\", {z: {w: [object]}}], f: [function]} null undefined 5n Symbol(s) {}\nerror: t\n" {
		t.Errorf("console = %q, %v", got.Console, err)
	}
	s := compile(t, e, "return ctx")
	got, err = e.Run(t.Context(), s, js.Input{Context: json.RawMessage(`{"task":"t","attempt":2}`)})
	if err != nil || string(got.Value) != `{"task":"t","attempt":2}` {
		t.Errorf("ctx = %s, %v", got.Value, err)
	}
}

// TestCancel: a cancelled call ends at once and names the cause.
func TestCancel(t *testing.T) {
	e := engine(t, js.Config{})
	for _, code := range []string{"for (;;);", "await new Promise(r => setTimeout(r, 100000))"} {
		s := compile(t, e, code)
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("no longer wanted")
		time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
		_, err := e.Run(ctx, s, js.Input{})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || js.ClassOf(err) != js.ClassHost {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestCloseStopsScripts(t *testing.T) {
	e, err := js.New(js.Config{})
	if errors.Is(err, js.ErrNoEngine) {
		t.Skip(err)
	}
	s := compile(t, e, "for (;;);")
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, err := e.Run(context.Background(), s, js.Input{}); !errors.Is(err, js.ErrClosed) {
				t.Errorf("a script that Close stopped: %v", err)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := e.Run(t.Context(), s, js.Input{}); !errors.Is(err, js.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestSaturated(t *testing.T) {
	e := engine(t, js.Config{Instances: 1, Queue: 1})
	s := compile(t, e, "for (;;);")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range 2 {
		wg.Go(func() { _, _ = e.Run(ctx, s, js.Input{}) })
	}
	for e.Stats().Waiting == 0 {
		goruntime.Gosched()
	}
	got, err := e.Run(t.Context(), s, js.Input{})
	if !errors.Is(err, js.ErrSaturated) || js.ClassOf(err) != js.ClassSaturated || got.Attempts != 3 {
		t.Errorf("beyond the queue: %v after %d attempts, want ErrSaturated after 3", err, got.Attempts)
	}
}

func TestBreaker(t *testing.T) {
	e := engine(t, js.Config{BreakerWindow: time.Hour, Limits: js.Limits{Timeout: 20 * time.Millisecond}})
	for range 5 {
		fails(t, e, "for (;;);", js.ClassTimeout)
	}
	if err := fails(t, e, "for (;;);", js.ClassSaturated); !errors.Is(err, js.ErrOpen) {
		t.Errorf("the sixth call: %v", err)
	}
	want(t, e, "return 1", "", "1")
	for range 8 {
		fails(t, e, "throw 1", js.ClassScript)
	}
	if s := e.Stats(); s.OpenBreakers != 1 || s.Open || s.Failures[js.ClassTimeout] != 5 || s.Replaced != 5 {
		t.Errorf("%+v", s)
	}
}

func TestNoEngine(t *testing.T) {
	if e, err := js.New(js.Config{}); err == nil {
		_ = e.Close(t.Context())
		t.Skip("the engine is built in")
	}
	t.Setenv("RINGMILL_JS_ENGINE", "")
	_, err := js.New(js.Config{})
	for _, text := range []string{"RINGMILL_JS_ENGINE", "js.Config.Module", "make build"} {
		if !errors.Is(err, js.ErrNoEngine) || !strings.Contains(err.Error(), text) {
			t.Errorf("%v does not name %s", err, text)
		}
	}
}

// TestModuleGiven: the module of npm works as bytes and as a file; another one is
// refused.
func TestModuleGiven(t *testing.T) {
	const asset = "node_modules/quickjs-wasi/quickjs.wasm"
	module, err := os.ReadFile(asset)
	if err != nil {
		t.Skip(err)
	}
	rewritten, err := fuel.Rewrite(module)
	if got := fmt.Sprintf("%x of %x", sha256.Sum256(rewritten), sha256.Sum256(module)); err != nil || got != js.RewrittenSum+" of "+js.ModuleSum {
		t.Errorf("the rewriter makes %s (%v), want %s of %s", got, err, js.RewrittenSum, js.ModuleSum)
	}
	if built, err := os.ReadFile("engine.wasm"); err == nil && fmt.Sprintf("%x", sha256.Sum256(built)) != js.RewrittenSum {
		t.Error("engine.wasm is not what the sources pin: run make js-engine")
	}
	want(t, engine(t, js.Config{Module: module}), "return 1", "", "1")
	t.Setenv("RINGMILL_JS_ENGINE", asset)
	want(t, engine(t, js.Config{CacheDir: t.TempDir()}), "return 1", "", "1")
	module[len(module)-1] ^= 1
	if _, err := js.New(js.Config{Module: module}); err == nil || !strings.Contains(err.Error(), "sha256") {
		t.Errorf("a changed module: %v", err)
	}
	t.Setenv("RINGMILL_JS_ENGINE", "nowhere.wasm")
	if _, err := js.New(js.Config{}); err == nil || !strings.Contains(err.Error(), "RINGMILL_JS_ENGINE") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestConfig(t *testing.T) {
	for name, c := range map[string]js.Config{
		"Instances":          {Instances: -1},
		"Parallel":           {Instances: 1, Parallel: 2},
		"Limits.MemoryBytes": {Limits: js.Limits{MemoryBytes: 1000}},
		"Limits.Timeout":     {Limits: js.Limits{Timeout: -1}},
		"Fetch.Hosts":        {Fetch: js.Fetch{Hosts: []string{"http://x"}}},
	} {
		if _, err := js.New(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInterpreter(t *testing.T) {
	e := engine(t, js.Config{Interpreter: true, Limits: js.Limits{Timeout: 500 * time.Millisecond}})
	want(t, e, "return input.map(x => x * 2)", "[1,2]", "[2,4]")
	fails(t, e, "for (;;);", js.ClassTimeout)
}

func TestPlatforms(t *testing.T) {
	for platform, ok := range map[[2]string]bool{
		{"linux", "amd64"}: true, {"darwin", "arm64"}: true, {"windows", "amd64"}: true,
		{"linux", "riscv64"}: false, {"plan9", "amd64"}: false,
	} {
		if err := js.Supported(platform[0], platform[1], false); (err == nil) != ok {
			t.Errorf("%v: %v", platform, err)
		}
		if err := js.Supported(platform[0], platform[1], true); err != nil {
			t.Errorf("%v with the interpreter: %v", platform, err)
		}
	}
}
