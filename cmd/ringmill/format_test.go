package main_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestKinds: shell runs when it is allowed, http reaches this machine when it may,
// and a workflow may be another file.
func TestKinds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"n": 3}`)
	}))
	defer server.Close()
	file := `
tasks:
  get: {http: {url: "` + server.URL + `"}}
  count: {shell: {run: 'echo "$1" | wc -c', args: ["${{ repeat('x', tasks.get.output.n) }}"]}}
output: ${{ int(trim(tasks.count.output)) + tasks.get.output.n }}
`
	r := ringmill(t, file, "run", "wf.yaml", "--json", "--allow-shell", "--allow-private")
	if list := objects(t, r.stdout); r.code != 0 || len(list) != 1 || string(list[0].Output) != "7" {
		t.Errorf("%+v", r)
	}
	if r := ringmill(t, file, "run", "wf.yaml", "--allow-shell"); r.code != 1 || !strings.Contains(r.stderr, "is not public: allow such addresses (--allow-private") {
		t.Errorf("%+v", r)
	}
}

// TestFeatures: what tasks can say is carried out, and shown.
func TestFeatures(t *testing.T) {
	const file = `
name: shown
tasks:
  flaky: {cmd: ["false"], retry: {max: 3, backoff: 1ms}, may_fail: true}
  no: {cmd: ["true"], when: false}
  kept: {cmd: [echo, x], cache: {}}
  last: {cmd: [echo, "${{ tasks.flaky.status }} ${{ tasks.no.status }}"], trigger: all_done, needs: [kept]}
output: ${{ tasks.last.output }}
`
	r := ringmill(t, file, "run", "wf.yaml")
	for _, want := range []string{"flaky  failed            3 ", "no     skipped           0 ", "failed skipped", "1 failed, 1 skipped; 2 retries\n"} {
		if r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in %+v", want, r)
		}
	}
	r = ringmill(t, file, "run", "wf.yaml", "--json", "--count", "2")
	hits := strings.Count(r.stdout, `"cached":true`)
	if r.code != 0 || hits != 1 {
		t.Errorf("%d cache hits in %+v", hits, r)
	}
}

func TestGraphSVG(t *testing.T) {
	r := ringmill(t, "tasks:\n  \"<a> & b\": {cmd: [x], when: true}\n  c: {cmd: [y], needs: [\"<a> & b\"], foreach: [1]}\n", "graph", "wf.yaml", "--format", "svg")
	if r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, "&lt;a&gt; &amp; b</text>") || strings.Count(r.stdout, `class="edge"`) != 1 || !strings.Contains(r.stdout, "task maybe") {
		t.Errorf("%+v", r)
	}
	dec := xml.NewDecoder(strings.NewReader(r.stdout))
	for {
		if _, err := dec.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestPublishedSchema: the file in the repository is what the program prints, and the
// examples fit it.
func TestPublishedSchema(t *testing.T) {
	published, err := os.ReadFile("ringmill.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	r := ringmill(t, ok, "schema")
	if r.code != 0 || r.stdout != string(published) {
		t.Fatal("ringmill.schema.json is not what `ringmill schema` prints: write it anew")
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(r.stdout))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("ringmill:///format", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("ringmill:///format")
	if err != nil {
		t.Fatal(err)
	}
	fits := func(text string) error {
		data, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	files, _ := filepath.Glob("examples/*.yaml")
	if len(files) == 0 {
		t.Error("no examples")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := fits(string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	// What the one refuses the other must refuse as well, in these ways.
	for _, wrong := range []string{
		"tasks: {}", "tasks: {a: {}}", "tasks: {a: {cmd: x}}", "tasks: {a: {cmd: [x], timeout: 2}}", "tasks: {a: {cmd: [x], colour: red}}",
		"tasks: {a: {cmd: [x], retry: {max: 0}}}", "tasks: {a: {cmd: [x], trigger: any}}", "tasks: {a: {cmd: [x], go: F}}",
		"tasks: {a: {switch: x}}", "tasks: {a: {http: {}}}", "tasks: {a: {cmd: [x], repeat: {max: 3}}}", "output: 1",
		"rate_limits: {x: {burst: 2}}\ntasks: {a: {cmd: [x]}}", "tasks: {a: {workflow: {}}}",
		"tasks: {a: {cmd: [x], compensate: {}}}", "tasks: {a: {cmd: [x], timeout: soon}}",
	} {
		if fits(wrong) == nil {
			t.Errorf("the schema accepts %s", wrong)
		}
		if _, err := workflow.ParseYAML([]byte(wrong), workflow.AnyFunc()); err == nil {
			t.Errorf("the parser accepts %s", wrong)
		}
	}
}

// TestSchemaOfKinds: an expression may stand for any value of a kind, and nothing
// else may that does not fit.
func TestSchemaOfKinds(t *testing.T) {
	var doc struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	r := ringmill(t, ok, "schema")
	if err := json.Unmarshal([]byte(r.stdout), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc.Defs["kind_http"]), "#/$defs/expression") || doc.Defs["kind_shell"] == nil {
		t.Errorf("kinds: %s", doc.Defs["kind_http"])
	}
}
