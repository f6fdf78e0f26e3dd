package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/runtime/workflow"
)

func newValidate(s streams) *cobra.Command {
	var asJSON bool
	var kinds formatFlags
	c := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check workflow definitions",
		Long: `Validate checks that each file holds a workflow that can run: syntax, keys,
names, needs, cycles, expressions, options. It prints every problem as
file:line:column: what is wrong: what to do. The file - is standard input. Names
of Go functions are not checked.

With --json standard output gets one object a file instead, with its problems,
and standard error nothing. The exit code is 2 if one file is wrong.`,
		Example: `  ringmill validate order.yaml
  ringmill validate *.yaml instances/*.json
  ringmill validate order.yaml --json | jq '.problems[]'`,
		Args:              someFiles,
		ValidArgsFunction: completeDefinitions,
		RunE: func(_ *cobra.Command, files []string) error {
			opts := append(kinds.options(s), workflow.AnyFunc())
			if asJSON {
				return validateJSON(s, files, opts)
			}
			return validate(s, files, opts)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a file, one a line")
	kinds.register(c)
	return c
}

// validate prints a line for each file that is right, and returns what is wrong
// with the others.
func validate(s streams, files []string, opts []workflow.ParseOption) error {
	var problems []error
	for _, file := range files {
		def, err := check(s, file, opts)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if _, err := fmt.Fprintf(s.out, "%s: ok: workflow %s: %s\n", file, def.Name(), describe(def.Plan())); err != nil {
			return printed(err)
		}
	}
	return errors.Join(problems...)
}

// check reads a file with everything that it may use.
func check(s streams, file string, opts []workflow.ParseOption) (*definition, error) {
	scripts := newScripts(file, nil)
	defer scripts.stop()
	return load(s, file, append(slices.Clip(opts), scripts.option())...)
}

// validateJSON prints an object for each file.
func validateJSON(s streams, files []string, opts []workflow.ParseOption) error {
	var verdict error
	for _, file := range files {
		_, err := check(s, file, opts)
		if err != nil {
			verdict = &exitError{code: exitUsage} // the objects tell why
		}
		if err := writeJSON(s.out, report.NewValidation(file, err)); err != nil {
			return printed(err)
		}
	}
	return verdict
}

// describe tells the size and shape of a plan.
func describe(p *workflow.Plan) string {
	edges := 0
	for i := range p.Tasks {
		edges += len(p.Tasks[i].Deps)
	}
	depth, _ := p.CriticalPath(func(int) time.Duration { return 1 })
	return fmt.Sprintf("%s, %s, %d deep", report.Plural(len(p.Tasks), "task"), report.Plural(edges, "edge"), depth)
}
