package main

import (
	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/runtime/handler/http"
	"github.com/ringmill/ringmill/runtime/handler/shell"
	"github.com/ringmill/ringmill/runtime/workflow"
)

func newSchema(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the workflow format",
		Long: `Schema prints the JSON Schema of Ringmill's YAML and JSON format, with which an
editor completes and checks definitions while they are written. The line

  # yaml-language-server: $schema=ringmill.schema.json

at the top of a file names it to many editors.`,
		Example: `  ringmill schema > ringmill.schema.json`,
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			scripts := newScripts(standardInput, nil)
			defer scripts.stop()
			text, err := workflow.Schema(append([]workflow.Kind{http.Kind, shell.Kind}, scripts.Kinds()...)...)
			if err != nil {
				return err
			}
			_, err = s.out.Write(text)
			return printed(err)
		},
	}
}
