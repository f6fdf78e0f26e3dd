package workflow

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteDOT writes the plan as a directed graph in Graphviz's DOT language, tasks
// and edges in the order of declaration. The error is w's.
func WriteDOT(w io.Writer, p *Plan) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "digraph %s {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n", dotString(p.Name))
	for i := range p.Tasks {
		fmt.Fprintf(out, "\tt%d [label=%s];\n", i, dotString(p.Tasks[i].Name))
	}
	for i := range p.Tasks {
		for _, s := range p.Tasks[i].Succs {
			fmt.Fprintf(out, "\tt%d -> t%d;\n", i, s)
		}
	}
	fmt.Fprintln(out, "}")
	return out.Flush()
}

// dotString quotes a name. A label gives backslashes (\n, \N) and entities
// (&amp;) a meaning, so both are escaped.
func dotString(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`).Replace(name) + `"`
}

// WriteMermaid writes the plan as a Mermaid flowchart, tasks and edges in the
// order of declaration. The error is w's.
func WriteMermaid(w io.Writer, p *Plan) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "flowchart LR")
	for i := range p.Tasks {
		fmt.Fprintf(out, "    t%d[\"%s\"]\n", i, mermaidText(p.Tasks[i].Name))
	}
	for i := range p.Tasks {
		for _, s := range p.Tasks[i].Succs {
			fmt.Fprintf(out, "    t%d --> t%d\n", i, s)
		}
	}
	return out.Flush()
}

// mermaidText writes all characters that Mermaid or HTML could take for markup
// as entities.
func mermaidText(name string) string {
	var b strings.Builder
	for _, r := range name {
		if strings.ContainsRune("\"#&<>;`\\*", r) {
			fmt.Fprintf(&b, "#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
