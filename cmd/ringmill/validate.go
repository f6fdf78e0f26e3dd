package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/runtime/workflow"
)

func newValidate(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check workflow definitions",
		Long: `Validate checks that each file holds a workflow that can run: syntax, keys,
names, needs, cycles, options. It prints every problem as
file:line:column: what is wrong: what to do. The file - is standard input.`,
		Example: `  ringmill validate order.yaml
  ringmill validate *.yaml instances/*.json`,
		Args:              someFiles,
		ValidArgsFunction: completeDefinitions,
		RunE: func(_ *cobra.Command, files []string) error {
			var problems []error
			for _, file := range files {
				def, err := load(s, file)
				if err != nil {
					problems = append(problems, err)
					continue
				}
				if _, err := fmt.Fprintf(s.out, "%s: ok: workflow %s: %s\n", file, def.Name(), describe(def.Plan())); err != nil {
					return printed(err)
				}
			}
			return errors.Join(problems...)
		},
	}
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
