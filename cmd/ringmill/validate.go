package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/runtime/js"
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
of Go functions are not checked, and scripts are not by a program that was built
without JavaScript, which says so.

With --json standard output gets one object a file instead, with its problems and
how many unchecked_scripts it has, and standard error nothing. The exit code is 2
if one file is wrong.`,
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
	var unchecked int64
	for _, file := range files {
		def, scripts, err := check(s, file, opts)
		unchecked += scripts
		if err != nil {
			problems = append(problems, err)
			continue
		}
		about := describe(def.Plan())
		if scripts > 0 {
			about += ", " + report.Plural(scripts, "script") + " not checked"
		}
		if _, err := fmt.Fprintf(s.out, "%s: ok: workflow %s: %s\n", file, def.Name(), about); err != nil {
			return printed(err)
		}
	}
	if unchecked > 0 {
		fmt.Fprintf(s.err, "ringmill: %s not checked: this program was built without JavaScript: run 'make build' in a clone of its repository (needs npm), "+
			"or set RINGMILL_JS_ENGINE to quickjs.wasm of the npm package quickjs-wasi %s\n", report.Plural(unchecked, "script"), js.EngineVersion)
	}
	return errors.Join(problems...)
}

// check reads a file with everything that it may use, and returns how many of its scripts
// were not checked.
func check(s streams, file string, opts []workflow.ParseOption) (def *definition, unchecked int64, err error) {
	scripts := newScripts(file, nil)
	defer scripts.stop()
	def, _, err = load(s, file, append(slices.Clip(opts), scripts.option())...)
	return def, scripts.unchecked(), err
}

// validateJSON prints an object for each file.
func validateJSON(s streams, files []string, opts []workflow.ParseOption) error {
	var verdict error
	for _, file := range files {
		_, unchecked, err := check(s, file, opts)
		if err != nil {
			verdict = &exitError{code: exitUsage} // the objects tell why
		}
		if err := writeJSON(s.out, report.NewValidation(file, unchecked, err)); err != nil {
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
