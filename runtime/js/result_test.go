package js_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/js"
)

// TestReadable: results and inputs that are plain data take the short way, with the
// pinned engine.
func TestReadable(t *testing.T) {
	e := engine(t, js.Config{})
	want(t, e, "return 1", "", "1")
	if !js.Readable(e) {
		t.Error("the engine's memory is not laid out as result.go has it")
	}
}

// results are expressions whose values the host reads itself, and more that it must
// leave to the engine.
var results = []string{
	"0", "-0", "1", "-1", "2147483647", "-2147483648", "2147483648", "0.1", "1.5e300", "5e-324", "1e21", "123456789012345680000", "1e-6", "1e-7", "1.5e-9", "-1e-10", "1.25e-100",
	"NaN", "Infinity", "-Infinity", "true", "false", "null", "undefined", "10n", "2n ** 70n", "Symbol('x')", "() => 1", "class A {}",
	"''", "'abc'", `'"\\\b\f\n\r\t\u0001\u001f\u007f\u0080\u00ff'`, `'\u0100\u2028\ud83d\ude00'`, `'\ud800'`, `'\udc00\ud800'`, `'\ud800x'`, `'\u1234"\n'`,
	"'x'.repeat(3000) + 'y'", "'ab'.repeat(1000).slice(3, 1900)", "'\u1234'.repeat(2000) + 'z'",
	"[]", "[1,2,3]", "[1,,3]", "new Array(5)", "[undefined, () => 1, Symbol()]", "[[[]],[{}]]", "Object.assign([1], { x: 2 })", "(() => { const a = [1, 2]; a.length = 5; return a })()",
	"(() => { const a = [1, 2, 3]; a.length = 1; return a })()", "(() => { const a = [1, 2, 3]; a.pop(); a.push(7, 8); a.shift(); return a })()", "Object.freeze([1, 2])",
	"(() => { class B extends Array {} return B.from([1, 2]) })()", "new Uint8Array(3)", "(() => { const a = [1]; Object.defineProperty(a, 0, { get() { return 5 } }); return a })()",
	"({})", "({ a: 1, b: undefined, c: () => 1, d: 's' })", "({ b: 1, a: 2, 3: 4, 1: 5 })", "({ '4294967294': 1, '4294967296': 2, '01': 3, a: 4 })", "({ '': 1, ' ': 2, '\\n\"': 3, '\u1234': 4 })",
	"({ get a() { return 1 } })", "({ toJSON() { return 7 } })", "({ toJSON: 7 })", "({ a: { toJSON: () => 1 } })", "({ [Symbol('x')]: 1, y: 2 })", "({ __proto__: { x: 1 }, y: 2 })", "({ ['__proto__']: 1 })",
	"Object.create(null)", "Object.create({ x: 1 }, { y: { value: 1, enumerable: true }, z: { value: 2 } })", "Object.assign(Object.create(null), { then: 1 })",
	"(() => { const o = { a: 1, b: 2, c: 3 }; delete o.b; o.d = 4; return o })()", "(() => { const o = {}; for (let i = 0; i < 100; i++) o['k' + i] = i; for (let i = 0; i < 90; i++) delete o['k' + i]; return o })()",
	"Object.freeze({ a: { b: [] } })", "new Date(0)", "new Map([[1, 2]])", "new Set([1])", "/x/g", "new Error('x')", "new Proxy({ a: 1 }, {})", "new Proxy([1], {})", "Object(1)", "Object('s')", "Object(true)", "Object(Symbol())",
	"(function () { return arguments })(1, 2)", "new (class A { constructor() { this.x = 1 } #y = 2 })", "new (class { toJSON() { return 'J' } })", "globalThis.JSON", "Math",
	"(() => { Object.prototype.toJSON = () => 'P'; return { a: 1 } })()", "(() => { Array.prototype.toJSON = () => 'P'; return [{ a: 1 }] })()", "(() => { String.prototype.toJSON = () => 'P'; return ['x', 1] })()",
	"(() => { Object.setPrototypeOf(Array.prototype, { toJSON: () => 'Q' }); return [1] })()", "(() => { Object.prototype.x = 1; return { a: 1 } })()", "(() => { Array.prototype.x = 1; return [1] })()",
	"(() => { for (let i = 0; i < 400; i++) Object.prototype['p' + i] = i; return { a: 1 } })()",
	"(() => { const o = {}; o.o = o; return o })()", "(() => { let a = []; for (let i = 0; i < 100; i++) a = [a]; return a })()", "(() => { let a = { l: 1 }; for (let i = 0; i < 12; i++) a = { l: a, r: a }; return a })()",
	"(() => { const s = { k: 'v' }; return [s, s, { s }] })()", "Array.from({ length: 3000 }, (_, i) => ({ i, f: i / 7, s: 's' + i }))", "Array(70000).fill(0)", "Array(300).fill('x'.repeat(5000))",
}

// TestResults: whatever a script answers becomes what JSON.stringify makes of it.
func TestResults(t *testing.T) {
	e := engine(t, js.Config{BreakerFailures: 1000})
	forms := []string{"return %s", "export default async () => %s", "export default () => %s", "await 0; return %s"}
	if testing.Short() || raceEnabled {
		forms = forms[:2]
	}
	for _, form := range forms {
		for _, expression := range results {
			value := "(" + expression + ")"
			if strings.HasPrefix(expression, "Object.assign(Object.create(null), { then") && strings.Contains(form, "async") {
				continue
			}
			got, err := run(t, e, fmt.Sprintf(form, value), "")
			text, problem := run(t, e, fmt.Sprintf(form, "JSON.stringify("+value+")"), "")
			var wanted string
			if problem == nil && string(text.Value) == "null" {
				wanted = "null"
			} else if problem == nil {
				if err := json.Unmarshal(text.Value, &wanted); err != nil {
					t.Fatal(err)
				}
			}
			if problem != nil {
				if js.ClassOf(err) != js.ClassOf(problem) {
					t.Errorf("%s: %.100s, %v; want %v", expression, got.Value, err, problem)
				}
			} else if err != nil || string(got.Value) != wanted {
				t.Errorf(form+" = %.100s, %v; want %.100s", expression, got.Value, err, wanted)
			}
		}
	}
}

// TestResultSteps: a result that is small and takes for ever to write is stopped.
func TestResultSteps(t *testing.T) {
	e := engine(t, js.Config{Limits: js.Limits{Timeout: 100 * time.Millisecond}})
	for _, code := range []string{
		"let a = {}; for (let i = 0; i < 60; i++) a = { l: a, r: a }; return a",
		"const o = {}; for (let i = 0; i < 1e4; i++) o['k' + i] = undefined; return Array(1e5).fill(o)",
	} {
		begun := time.Now()
		_, err := e.Run(t.Context(), compile(t, e, code), js.Input{})
		if class := js.ClassOf(err); class != js.ClassTimeout && class != js.ClassOOM && class != js.ClassScript || time.Since(begun) > 5*time.Second {
			t.Errorf("%s: %v after %v", code, err, time.Since(begun))
		}
	}
}

// describeValue tells apart what JSON.stringify does not.
const describeValue = `const d = v => typeof v === 'object' && v !== null ?
	Array.isArray(v) ? '[' + v.map(d) + ']' : '{' + Reflect.ownKeys(v).map(k => String(k) + ':' + d(v[k])) + '}' + (Object.getPrototypeOf(v) === Object.prototype) + JSON.stringify(Object.getOwnPropertyDescriptors(v)) :
	Object.is(v, -0) ? '-0' : typeof v + String(v);`

var inputs = []string{
	"null", "true", "false", " 1 ", "-1", "0", "-0", "0.0", "-0.0", "1.0", "1e3", "1E+2", "1e-7", "2147483647", "2147483648", "-2147483648", "999999999", "9999999999", "123456789012345678901234567890",
	"1e400", "-1e400", "5e-324", "1e-400", "0.1", "1.7976931348623157e308", "01", "1.", ".5", "+1", "-", "1e", "0x1", "NaN", "nul", "truex", "true false",
	`""`, `"abc"`, `"\"\\\/\b\f\n\r\t"`, `"\u0041\u00e9\u4e00"`, `"\ud83d\ude00"`, `"\ud800"`, `"\udc00x"`, `"é😀"`, `"\x"`, `"\u12"`, `"\u+123"`, "\"a\nb\"", "\"\x00\"", `"open`, `'x'`,
	"[]", "[1]", "[1,2.5,\"x\",null,true]", "[ 1 , 2 ]", "[1,]", "[,1]", "[", "[1", "[[[[[[]]]]]]", "[1 2]", strings.Repeat("[", 40) + strings.Repeat("]", 40), "[" + strings.Repeat("1,", 2000) + "1]",
	"{}", `{"a":1}`, `{ "a" : 1 , "b" : { "a" : 2 } }`, `{"a":1,"a":2}`, `{"1":1,"0":2,"b":3}`, `{"":1}`, `{"__proto__":1}`, `{"__proto__":{"x":1}}`, `{"constructor":1,"toString":2,"length":3}`, `{"a":1,}`, `{a:1}`, `{"a"}`, `{"a":}`, `{"a" 1}`, `{,}`,
	`[{"id":1,"n":"x"},{"id":2,"n":"y"},{"n":"z","id":3}]`, `{"k\u0041":1,"kA":2}`, `{"é":1,"一":2}`, `{"then":1,"toJSON":2}`,
	`{"a":"` + strings.Repeat("long", 3000) + `"}`,
}

// TestInputs: a script is given exactly what JSON.parse makes of its input.
func TestInputs(t *testing.T) {
	e := engine(t, js.Config{})
	many := map[string]int{}
	for i := range 100 {
		many[fmt.Sprint("key", i)] = i
	}
	text, _ := json.Marshal(many)
	direct, parsed := compile(t, e, describeValue+"return d(input)"), compile(t, e, describeValue+"return d(JSON.parse(input))")
	for _, input := range append(inputs, string(text)) {
		quoted, _ := json.Marshal(input)
		got, err := e.Run(t.Context(), direct, js.Input{Value: json.RawMessage(input)})
		wanted, problem := e.Run(t.Context(), parsed, js.Input{Value: quoted})
		if (err == nil) != (problem == nil) || string(got.Value) != string(wanted.Value) {
			t.Errorf("%.100s: %.300s, %v; want %.300s, %v", input, got.Value, err, wanted.Value, problem)
		}
	}
}

// TestInputObjects: objects of the input can be changed as any others.
func TestInputObjects(t *testing.T) {
	e := engine(t, js.Config{})
	want(t, e, `
		const [a, b, c] = input;
		delete a.x; a.z = 1; for (let i = 0; i < 100; i++) b['k' + i] = i; for (let i = 0; i < 99; i++) delete b['k' + i];
		c.x = 'new'; Object.defineProperty(c, 'y', { enumerable: false }); input.push({ x: 1, y: 2, ...a }); Object.freeze(a);
		let thrown = false; try { 'use strict'; (function () { 'use strict'; a.q = 1 })() } catch { thrown = true }
		for (let i = 0; i < 50; i++) ({ x: i, y: i }).w = i;
		return [input, thrown, Object.keys(c), a.hasOwnProperty('x'), 'y' in c]`,
		`[{"x":1,"y":2},{"x":3,"y":4},{"x":5,"y":6}]`,
		`[[{"y":2,"z":1},{"x":3,"y":4,"k99":99},{"x":"new"},{"x":1,"y":2,"z":1}],true,["x"],false,true]`)
}

// TestReadScribbled: the host survives whatever a guest's memory holds when it reads
// a result, within a bounded time.
func TestReadScribbled(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	e := engine(t, js.Config{})
	s := compile(t, e, "return [{ a: 1.5, b: ['x', 'é一', null], c: { d: true } }, { a: 1 }, [[]]]")
	rounds := 3000
	if testing.Short() || raceEnabled {
		rounds = 300
	}
	for range rounds {
		begun := time.Now()
		js.ReadScribbled(e, s, random)
		if took := time.Since(begun); took > 10*time.Second {
			t.Fatalf("it took %v", took)
		}
	}
}

// TestFunctionAsCondition: a condition that is a function and not its answer would hold always.
func TestFunctionAsCondition(t *testing.T) {
	e := engine(t, js.Config{})
	for _, source := range []string{"x => x > 3", "return x => x > 3", "export default () => x => x > 3", "async x => x > 3"} {
		s, err := e.Compile(t.Context(), js.Source{Code: source, Condition: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Run(t.Context(), s, js.Input{}); js.ClassOf(err) != js.ClassScript || !strings.Contains(err.Error(), "the condition is a function") {
			t.Errorf("%s = %s, %v", source, got.Value, err)
		}
	}
}

// TestTruth: conditions are true or false by JavaScript's rules.
func TestTruth(t *testing.T) {
	e := engine(t, js.Config{})
	for code, truth := range map[string]string{
		"0": "false", "-0": "false", "NaN": "false", "0n": "false", "''": "false", "null": "false", "undefined": "false", "false": "false",
		"1": "true", "0.5": "true", "-1": "true", "1/0": "true", "-1/0": "true", "1n": "true", "2n ** 80n": "true", "' '": "true", "'0'": "true", "'x'.repeat(600) + 'y'": "true",
		"Symbol()": "true", "[]": "true", "({})": "true", "new Date(NaN)": "true", "({ toJSON() { return 0 } })": "true", "Object(false)": "true", "new Proxy({}, {})": "true",
		"Promise.resolve(0)": "false", "Promise.resolve(Symbol())": "true", "({ then(f) { f(0n) } })": "false",
	} {
		for _, form := range []string{"%s", "return %s", "export default () => (%s)", "export default async () => (%s)", "await 0; return %s"} {
			source := fmt.Sprintf(form, "("+code+")")
			s, err := e.Compile(t.Context(), js.Source{Code: source, Condition: true})
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Run(t.Context(), s, js.Input{})
			if err != nil || string(got.Value) != truth {
				t.Errorf("%s = %s, %v; want %s", source, got.Value, err, truth)
			}
		}
	}
}
