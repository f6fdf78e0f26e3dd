package main

import (
	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/runtime/handler/http"
	"github.com/ringmill/ringmill/runtime/handler/shell"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// formatFlags say what the tasks of a file may do.
type formatFlags struct {
	allowShell, allowPrivate bool
}

func (f *formatFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.allowShell, "allow-shell", false, "accept tasks of the kind shell")
	c.Flags().BoolVar(&f.allowPrivate, "allow-private", false, "let tasks of the kind http reach addresses that are not public")
}

// options are how files are read.
func (f *formatFlags) options(s streams) []workflow.ParseOption {
	kinds := []workflow.Kind{http.NewClient(http.Config{AllowPrivate: f.allowPrivate}).Kind()}
	if f.allowShell {
		kinds = append(kinds, shell.Kind)
	}
	return []workflow.ParseOption{
		workflow.Kinds(kinds...),
		workflow.Open(func(name string) ([]byte, error) {
			data, err := read(s, name)
			return data, uncured(err)
		}),
	}
}
