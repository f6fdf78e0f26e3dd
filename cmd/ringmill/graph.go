package main

import (
	"bufio"
	"io"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// graphFormats are what `ringmill graph --format` takes.
var graphFormats = map[string]func(io.Writer, *workflow.Plan) error{
	"dot":     workflow.WriteDOT,
	"mermaid": workflow.WriteMermaid,
	"svg":     workflow.WriteSVG,
}

func newGraph(s streams) *cobra.Command {
	format := "dot"
	var kinds formatFlags
	c := &cobra.Command{
		Use:   "graph FILE",
		Short: "Draw a workflow",
		Long: `Graph prints the tasks of a workflow and what each of them waits for, as a
Graphviz or Mermaid text, or as an SVG picture. The file - is standard input.`,
		Example: `  ringmill graph order.yaml --format svg > order.svg
  ringmill graph order.yaml --format mermaid`,
		Args:              oneFile,
		ValidArgsFunction: completeDefinitions,
		RunE: func(_ *cobra.Command, files []string) error {
			scripts := newScripts(files[0], nil)
			defer scripts.stop()
			def, _, err := load(s, files[0], append(kinds.options(s), scripts.option(), workflow.AnyFunc())...)
			if err != nil {
				return err
			}
			out := bufio.NewWriter(s.out)
			if err := graphFormats[format](out, def.Plan()); err != nil {
				return printed(err)
			}
			return printed(out.Flush())
		},
	}
	c.Flags().Var(choice(&format, "FORMAT", format, oneOf("dot", "mermaid", "svg")), "format", "dot, mermaid or svg")
	complete(c, "format", "dot", "mermaid", "svg")
	kinds.register(c)
	return c
}

// complete offers words as the values of a flag.
func complete(c *cobra.Command, flag string, words ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag does not exist
	}
}
