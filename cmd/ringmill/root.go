package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
)

// streams is where a command reads and writes.
type streams struct {
	in       *os.File
	out, err *os.File
}

// execute runs the command line and returns the exit code.
func execute(args []string, in, out, err *os.File) int {
	help := &helpOutput{to: out}
	root := newRoot(streams{in: in, out: out, err: err}, help)
	root.SetArgs(args)
	failure := root.Execute()
	if failure == nil {
		failure = printed(help.err)
	}
	return exitCode(failure, err)
}

// newRoot returns the command line. cobra's own texts go to help.
func newRoot(s streams, help io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "ringmill",
		Short: "Execute workflows on actors",
		Long: `Ringmill executes workflows, directed acyclic graphs of tasks, on actors with
lock-free mailboxes. A workflow is a Ringmill YAML or JSON file, or a recorded
WfFormat 1.5 instance.

Exit codes: 0 succeeded; 1 the run failed; 2 wrong usage, an unreadable file, a
bad environment variable or an invalid definition; 130 interrupted. 'loadgen' has
more: see its help.`,
		Example: `  ringmill run cmd/ringmill/examples/textstats.yaml
  ringmill validate *.yaml
  ringmill graph order.yaml --format svg > order.svg
  ringmill loadgen run --rate 20k --workflow chain:5`,
		Args:              noCommand,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors:     true, // exitCode prints them
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	root.SetIn(s.in)
	root.SetOut(help)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newRun(s), newValidate(s), newGraph(s), newSchema(s), newCompiler(s), newLoadgen(s), newVersion(s))
	strictHelp(root)
	return root
}

// oneFile takes exactly one argument.
func oneFile(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usagef("no file given: want '%s'", c.UseLine())
	case len(args) > 1:
		return usagef("%s given: want one, '%s'", report.Plural(len(args), "file"), c.UseLine())
	}
	return nil
}

// someFiles takes one argument or more.
func someFiles(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("no file given: want '%s'", c.UseLine())
	}
	return nil
}

// completeDefinitions offers the files that may hold a workflow.
func completeDefinitions(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt
}
