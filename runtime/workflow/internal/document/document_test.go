package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringmill/ringmill/runtime/workflow/internal/document"
)

// render writes a tree with its positions on one line.
func render(n *document.Node) string {
	at := fmt.Sprintf("@%d:%d", n.Line, n.Column)
	switch n.Kind {
	case document.List:
		var items []string
		for _, item := range n.Items {
			items = append(items, render(item))
		}
		return "[" + strings.Join(items, " ") + "]" + at
	case document.Map:
		var fields []string
		for _, f := range n.Fields {
			fields = append(fields, fmt.Sprintf("%s@%d:%d=%s", f.Name, f.Line, f.Column, render(f.Value)))
		}
		return "{" + strings.Join(fields, " ") + "}" + at
	case document.String:
		return fmt.Sprintf("%q%s", n.Text, at)
	case document.Null:
		return "null" + at
	default:
		return n.JSON + at
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a: 1\na: x\n", `{a@1:1=1@1:4 a@2:1="x"@2:4}@1:1`},
		{"é: 'it''s'\nb: \"\\u0041\"\n", `{é@1:1="it's"@1:4 b@2:1="A"@2:4}@1:1`},
		{"a: [0x10, 1_000, 1.10, 123456789012345678901234567890, 1e3, ~, yes, true, 2020-01-01, '7']",
			`{a@1:1=[16@1:5 1000@1:11 1.10@1:18 123456789012345678901234567890@1:24 1e3@1:56 null@1:61 "yes"@1:64 true@1:69 "2020-01-01"@1:75 "7"@1:87]@1:4}@1:1`},
		{"a: &x [1]\nb: *x\n", `{a@1:1=[1@1:8]@1:7 b@2:1=[1@1:8]@1:7}@1:1`},
		{"a: |\n  line\n  two\n", `{a@1:1="line\ntwo\n"@1:4}@1:1`},
		{"a:\n", `{a@1:1=null@1:4}@1:1`},
		{"- a\n- b: 1\n", `["a"@1:3 {b@2:3=1@2:6}@2:3]@1:1`},
		{"%YAML 1.2\n---\na: b\n", `{a@3:1="b"@3:4}@3:1`},
		{"1: x\ntrue: y\n", `{1@1:1="x"@1:4 true@2:1="y"@2:7}@1:1`},
		{"{a: {}, b: []}", `{a@1:2={}@1:5 b@1:9=[]@1:12}@1:1`},
		// JSON: the same tree, read by another parser.
		{"{\"a\": {\"é\": [1,\n 2.50, {\"c\": null}]}, \"a\": true}",
			`{a@1:2={é@1:8=[1@1:14 2.50@2:2 {c@2:9=null@2:14}@2:8]@1:13}@1:7 a@2:23=true@2:28}@1:1`},
		{"\n {}", `{}@2:2`},
	} {
		n, problems := document.Parse([]byte(test.text))
		if problems != nil {
			t.Errorf("%q: %v", test.text, problems)
		} else if got := render(n); got != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.text, got, test.want)
		}
	}
}

func TestParseProblems(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "1:1: the file is empty: write a definition into it"},
		{"comment only", "# nothing\n", "1:1: the file is empty: write a definition into it"},
		{"unclosed list", "a: [1, 2\nb: 3\n", "2:1: invalid YAML: ',' or ']' must be specified: correct the YAML"},
		{"tab", "a:\n\tb: 1\n", "2:1: invalid YAML: found character '\t' that cannot start any token: correct the YAML"},
		{"bare reference in a list", "cmd: [a, ${{ tasks.b.output }}]", `1:11: invalid YAML: ',' or ']' must be specified: put quotes around a reference: "${{ ... }}"`},
		{"many documents", strings.Repeat("--- a\n", 100_000), "2:1: a second document begins here: keep one document a file"},
		{"many tokens", "[" + strings.Repeat(",", 500_000) + "]", "1:1: the document has 500002 words and marks, limit 200000 for YAML: write the document as JSON, or split it"},
		{"long block map", strings.Repeat("k:\n", 20_000), "10001:2: a map or list in block style has more than 10000 entries: write the document as JSON, or split it"},
		{"long block list", "a:\n" + strings.Repeat(" -\n", 20_000), "10002:2: a map or list in block style has more than 10000 entries: write the document as JSON, or split it"},
		{"two documents", "a: 1\n---\nb: 2\n", "3:1: a second document begins here: keep one document a file"},
		{"unknown alias", "a: *x\n", "1:4: the alias *x has no anchor: put the anchor &x before it, outside of it"},
		{"alias inside its anchor", "a: &x [*x]\n", "1:8: the alias *x has no anchor: put the anchor &x before it, outside of it"},
		{"tag", "a: !!str 5\n", "1:4: the tag !!str is not understood: remove it; quote the value if it is meant as a string"},
		{"not a number", "a: [.inf, .nan]\n", "1:5: .inf is not a number that JSON knows: write a finite number, or quote it\n" +
			"1:11: .nan is not a number that JSON knows: write a finite number, or quote it"},
		{"merge key", "a: &x {b: 1}\nc:\n  <<: *x\n", "3:3: the merge key << is not understood: repeat the keys, or use an alias for a whole value"},
		{"null key", "~: 1\n", "1:1: a key cannot be Null: write a string as key"},
		{"not UTF-8", "a: x\nb: é\xff\n", "2:5: the text is not valid UTF-8: save the file as UTF-8"},
		{"deep flow", "a: " + strings.Repeat("[", 300), "1:104: values are nested more than 100 deep here: flatten them"},
		{"deep on a line", strings.Repeat("- ", 100_000) + "x", "1:201: values are nested more than 100 deep here: flatten them"},
		{"deep JSON", `{"a":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "}", "1:106: values are nested more than 100 deep here: flatten them"},
		{"large", strings.Repeat("#", document.MaxJSON+1), "1:1: the file has 16777217 bytes, limit 16777216: make it smaller, or split it"},
		{"large YAML", strings.Repeat("#", document.MaxYAML+1), "1:1: the file has 1048577 bytes, limit 1048576 for YAML: write it as JSON, which may have 16777216 bytes, or split it"},
		{"large broken JSON", `{"a": "` + strings.Repeat("x", document.MaxYAML) + "\",\n}", "2:1: invalid JSON: invalid character '}' looking for beginning of object key string: correct the JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, problems := document.Parse([]byte(test.text))
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%d:%d: %s: %s", p.Line, p.Column, p.What, p.Cure))
			}
			if strings.Join(got, "\n") != test.want || n != nil {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), test.want)
			}
		})
	}
}

// TestManySmallBlocks: the bound on entries counts each map and list by itself.
func TestManySmallBlocks(t *testing.T) {
	var b strings.Builder
	for i := range 4000 { // 12,000 entries with the same indentation
		fmt.Fprintf(&b, "k%d:\n- u\n- v\n- w\nm%d:\n  a: 1\n  b: {x: y}\n  c: 3\n", i, i)
	}
	n, problems := document.Parse([]byte(b.String()))
	if problems != nil || len(n.Fields) != 8000 {
		t.Errorf("problems: %v", problems)
	}
}

// TestAliasBomb: aliases of aliases are counted, not expanded.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	_, problems := document.Parse([]byte(b.String()))
	if len(problems) == 0 || !problems[0].TooLarge || problems[0].Line != 7 {
		t.Errorf("problems: %v", problems)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a: 1\n", "a: &x [1]\nb: *x\n", `{"a": [1, {"b": null}]}`, "- - ? a\n", "a: |\n  b\n", "{a: [", "a: !t &x b\n? c\n: d\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, problems := document.Parse(data)
		if (n == nil) != (len(problems) > 0) {
			t.Fatalf("node %v, problems %v", n, problems)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.What == "" || p.Cure == "" {
				t.Errorf("problem %+v", p)
			}
		}
	})
}
