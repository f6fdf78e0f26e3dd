package expression_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/workflow/internal/expression"
)

var roots = []string{"input", "tasks", "run", "env", "item"}

// eval evaluates over JSON texts of the roots, paths included.
func eval(t testing.TB, text string, values map[string]string) (any, error) {
	p, problems := expression.Compile(text, roots)
	if problems != nil {
		return nil, fmt.Errorf("%v", problems)
	}
	return p.Eval(func(r *expression.Ref) (any, error) {
		v, ok := values[r.Text]
		if !ok {
			if r.Optional {
				return nil, nil
			}
			return nil, errors.New("no " + r.Text)
		}
		return expression.Decode(json.RawMessage(v))
	})
}

func TestEval(t *testing.T) {
	values := map[string]string{
		"input.n": "3", "input.f": "1.5", "input.s": `"ab"`, "input.list": "[3, 1, 2]", "input.o": `{"k": {"x": [1]}}`,
		`tasks["a-b"].output.x[0]`: "7", "tasks.a.status": `"failed"`, "item": `{"id": 4}`, "item.id": "4", "env.HOME": `"/root"`,
		"input.big": "12345678901234567890", "input.items": `[{"p": 2}, {"p": 5}]`,
	}
	for text, want := range map[string]string{
		"input.n":                          "3",
		" input.n + 1 ":                    "4",
		"input.f * 2":                      "3",
		"input.s + 'c'":                    `"abc"`,
		"input.n > 2 and input.s == 'ab'":  "true",
		`tasks["a-b"].output.x[0] + 1`:     "8",
		"tasks.a.status == 'failed'":       "true",
		"input.none ?? 'd'":                `"d"`,
		"input?.none":                      "null",
		"map(input.list, # * 2)":           "[6,2,4]",
		"sum(map(input.items, .p))":        "7",
		"filter(input.list, # > 1)":        "[3,2]",
		"sort(input.list)":                 "[1,2,3]",
		"1..3":                             "[1,2,3]",
		"{a: input.n, 'b c': [input.s]}":   `{"a":3,"b c":["ab"]}`,
		"item.id":                          "4",
		"env.HOME + '/x'":                  `"/root/x"`,
		"input.n > 5 ? input.none : 'ok'":  `"ok"`,
		"let x = input.n; x * x":           "9",
		"join(['a', 'b'], '-')":            `"a-b"`,
		"string(input.o)":                  `"{\"k\":{\"x\":[1]}}"`,
		"toJSON([1, nil])":                 `"[1,null]"`,
		"repeat('ab', 2)":                  `"abab"`,
		"replace('aXa', 'X', '--')":        `"a--a"`,
		"groupBy(input.list, # > 1)":       `{"false":[1],"true":[3,2]}`,
		"reduce(input.list, #acc + #, 0)":  "6",
		"duration('90s')":                  `"1m30s"`,
		"split('a,b', ',')":                `["a","b"]`,
		"upper(input.s) matches '^A'":      "true",
		"input.list[input.n - 1]":          "2",
		"'${{' + \"}}\"":                   `"${{}}"`,
		"input.s in ['ab']":                "true",
		"len(input.list) == 3 ? {} : [{}]": "{}",
	} {
		v, err := eval(t, text, values)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := expression.Encode(v)
		if err != nil || string(got) != want {
			t.Errorf("%s = %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestCompileProblems(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "the expression is empty",
		"inputs.x":                 `"inputs" is unknown here`,
		"input.x >":                "unexpected token EOF",
		"tasks.a":                  "tasks.a does not say which task's output it means",
		"tasks[input.x].output":    "tasks does not say which task's output it means",
		"tasks.a.result":           `tasks.a.result asks for "result" of a task`,
		"tasks.my-task.output":     `tasks["my-task"].output`,
		"run.x":                    "run.x is no property of a run",
		"env":                      "env does not say which variable",
		"$env":                     `"$env" is unknown here`,
		"__ref(0)":                 `"__ref" is unknown here`,
		"let input = 1; input":     `the variable "input" has a name that is taken`,
		"exit(1)":                  `"exit" is unknown here`,
		"1 + 'a'":                  "",
		"b'abc'":                   "bytes are no JSON",
		strings.Repeat("x", 9000):  "limit 8192",
		"input.x()":                "a value is called as a function",
		strings.Repeat("[", 8000):  "",
		strings.Repeat("1+", 4000): "",
	} {
		p, problems := expression.Compile(text, roots)
		if p != nil && want != "" || p == nil && problems == nil {
			t.Errorf("%.40s: %v", text, p)
			continue
		}
		if got := fmt.Sprint(problems); !strings.Contains(got, want) {
			t.Errorf("%.40s: %s; want %s", text, got, want)
		}
	}
}

// TestBounds: what would take memory or time without end is an error soon.
func TestBounds(t *testing.T) {
	values := map[string]string{"input.big": `"` + strings.Repeat("x", 1<<20) + `"`}
	for _, text := range []string{
		"all(1..1000, all(1..1000, all(1..1000, true)))",
		"reduce(1..60, #acc + #acc, 'x')",
		"reduce(1..60, [#acc, #acc], 1)",
		"reduce(1..60, {a: #acc, b: #acc}, 1)",
		"reduce(1..60, replace(#acc, 'x', 'xx'), 'x')",
		"reduce(1..60, join([#acc, #acc]), 'x')",
		"reduce(1..60, toJSON(#acc), '\\\"')",
		"reduce(1..60, string([#acc, #acc]), '\\\"')",
		"reduce(1..60, toBase64(#acc), 'xxxxxxxxxxxxx') + repeat(input.big, 9)",
		"map(1..1000, map(1..1000, map(1..1000, #)))",
		"replace(input.big, 'x', input.big)",
		"repeat(input.big, 1000000)",
		"join(map(1..1000, input.big))",
		"1..100000000",
		"reduce(1..60, concat(#acc, #acc), [1])",
		"count(1..100000, input.big matches '(x+x+)+y')",
		"count(1..1000000, input.big[:60000] matches '(x+x+)+y')",
		"flatten(map(1..2000, 1..2000))",
		"map(1..50, map([input.big], [#, #, #, #]))",
		strings.Repeat("map(", 100) + "[1]" + strings.Repeat(", [#, #])", 100),
	} {
		start := time.Now()
		v, err := eval(t, text, values)
		if err == nil {
			t.Errorf("%.60s: no error, %T", text, v)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%.60s took %s", text, took)
		}
	}
}

// TestPath: a path that is read without the library is what the library reads.
func TestPath(t *testing.T) {
	for _, text := range []string{
		"input", "input.a", "input.a.b_2", `input["a b"]`, "input['x'][0].y[12]", `tasks["a-b"].output.z`, "tasks.a.output", "env.HOME",
		"input.in", "input.nil", "item[0]", "input[007]", `input["a\"]`, `input["a'b"]`, `input[""]`,
	} {
		quick, problems := expression.Compile(text, roots)
		slow, problems2 := expression.Compile("("+text+")", roots)
		if (quick == nil) != (slow == nil) {
			t.Errorf("%s: %v, %v", text, problems, problems2)
			continue
		}
		if quick != nil && (fmt.Sprintf("%+v", quick.Pure().Path) != fmt.Sprintf("%+v", slow.Pure().Path) || quick.Pure().Text != slow.Pure().Text) {
			t.Errorf("%s: %+v, %+v", text, quick.Pure(), slow.Pure())
		}
	}
}

func TestSplit(t *testing.T) {
	for text, want := range map[string]string{
		"plain":               `[{plain 0 false}]`,
		"${{ a }}":            `[{ a  3 true}]`,
		"x ${{a}}-${{ b }} y": `[{x  0 false} {a 5 true} {- 8 false} { b  12 true} { y 17 false}]`,
		"${{ {a: {b: 1}} }}":  `[{ {a: {b: 1}}  3 true}]`,
		`${{ "}}" + '}}' }}`:  `[{ "}}" + '}}'  3 true}]`,
		`${{ "a\"}}" }}z`:     `[{ "a\"}}"  3 true} {z 14 false}]`,
		"${{ a":               `"${{ a" opens an expression that it does not close`,
		"$${{ a }}":           `[{$ 0 false} { a  4 true}]`,
	} {
		pieces, what := expression.Split(text)
		got := fmt.Sprint(pieces)
		if what != "" {
			got = what
		}
		if got != want {
			t.Errorf("%s: %s; want %s", text, got, want)
		}
	}
}

// FuzzExpression: whatever the text, compiling and evaluating end, without a
// panic, in an error or in a value that JSON can hold.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		"input.a[0].b + 1", "map(input.list, {x: #, y: tasks.a.output})", "let x = 1; x ?? input?.a?.b", "reduce(1..9, #acc + #, 0)",
		"filter(input.list, .a > 1)[0]", "groupBy(1..4, # % 2)", "now() - duration('1h')", "sortBy(input.list, -#)", "input.s matches 'a+'",
		"fromJSON(toJSON(input.list))", "input.list | map(# + 1) | sum()", "if input.n > 1 { 1 } else { 2 }", "1; 2", "date('2020-01-01').Year()",
	} {
		f.Add(seed)
	}
	values := map[string]string{"input.list": "[1, 2, 3]", "input.s": `"aab"`, "input": `{"list": [1], "s": "x"}`, "input.n": "2"}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := eval(t, text, values)
		if err != nil {
			return
		}
		if _, err := expression.Encode(v); err != nil {
			t.Fatalf("%q = %v: %v", text, v, err)
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for name, text := range map[string]string{"path": "tasks.load.output.items[0]", "compare": "input.n > 2"} {
		b.Run("expr="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, problems := expression.Compile(text, roots); problems != nil {
					b.Fatal(problems)
				}
			}
		})
	}
}

func BenchmarkEval(b *testing.B) {
	for name, text := range map[string]string{"path": "input.n", "compare": "input.n > 2", "map": "map(input.list, # * 2)"} {
		b.Run("expr="+name, func(b *testing.B) {
			p, problems := expression.Compile(text, roots)
			if problems != nil {
				b.Fatal(problems)
			}
			values := map[string]any{"input.n": 3, "input.list": []any{1, 2, 3}}
			lookup := func(r *expression.Ref) (any, error) { return values[r.Text], nil }
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(lookup); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
