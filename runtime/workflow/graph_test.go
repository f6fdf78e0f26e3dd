package workflow_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/ringmill/ringmill/runtime/workflow"
)

func ExampleWriteDOT() {
	def, err := checkout()
	if err != nil {
		panic(err)
	}
	_ = workflow.WriteDOT(os.Stdout, def.Plan())
	// Output:
	// digraph "checkout" {
	// 	rankdir=LR;
	// 	node [shape=box, style=rounded];
	// 	t0 [label="user"];
	// 	t1 [label="items"];
	// 	t2 [label="price"];
	// 	t3 [label="charge"];
	// 	t4 [label="mail"];
	// 	t0 -> t3;
	// 	t1 -> t2;
	// 	t1 -> t4;
	// 	t2 -> t3;
	// 	t3 -> t4;
	// }
}

func ExampleWriteMermaid() {
	def, err := checkout()
	if err != nil {
		panic(err)
	}
	_ = workflow.WriteMermaid(os.Stdout, def.Plan())
	// Output:
	// flowchart LR
	//     t0["user"]
	//     t1["items"]
	//     t2["price"]
	//     t3["charge"]
	//     t4["mail"]
	//     t0 --> t3
	//     t1 --> t2
	//     t1 --> t4
	//     t2 --> t3
	//     t3 --> t4
}

// TestGraphNames: no name can end its quotes or become markup.
func TestGraphNames(t *testing.T) {
	p := mustParse(t, `tasks: {'a "b" \n <i> #35; &amp; *x* [end] é': {cmd: [x]}}`).Plan()
	var dot, mermaid strings.Builder
	if err := errors.Join(workflow.WriteDOT(&dot, p), workflow.WriteMermaid(&mermaid, p)); err != nil {
		t.Fatal(err)
	}
	if want := `t0 [label="a \"b\" \\n <i> #35; &amp;amp; *x* [end] é"];`; !strings.Contains(dot.String(), want) {
		t.Errorf("%s lacks %s", dot.String(), want)
	}
	if want := `t0["a #34;b#34; #92;n #60;i#62; #35;35#59; #38;amp#59; #42;x#42; [end] é"]`; !strings.Contains(mermaid.String(), want) {
		t.Errorf("%s lacks %s", mermaid.String(), want)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestGraphErrors(t *testing.T) {
	p := mustParse(t, "tasks: {a: {cmd: [x]}}").Plan()
	if workflow.WriteDOT(fullDisk{}, p) == nil || workflow.WriteMermaid(fullDisk{}, p) == nil {
		t.Error("the writer's error is lost")
	}
}
