package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// A helpOutput is where cobra prints help and completions. It remembers the first
// failure instead of returning it: cobra would tell it in words of its own.
type helpOutput struct {
	to  io.Writer
	err error
}

func (h *helpOutput) Write(p []byte) (int, error) {
	if h.err == nil {
		_, h.err = h.to.Write(p)
	}
	return len(p), nil
}

// strictHelp makes cobra's own commands refuse what they do not know, for which
// they would print some help and succeed.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.RunE = printHelp
		case "completion":
			c.Args = cobra.ArbitraryArgs
			c.RunE = noShell
		}
	}
}

// printHelp prints the help of the command that args name.
func printHelp(c *cobra.Command, args []string) error {
	about, unknown, err := c.Root().Find(args)
	if err != nil {
		return usagef("%w", err)
	}
	if len(unknown) > 0 {
		return noCommand(about, unknown)
	}
	about.InitDefaultHelpFlag()
	return about.Help()
}

// noShell answers a call of completion that names no shell that it knows.
func noShell(c *cobra.Command, args []string) error {
	var shells []string
	for _, s := range c.Commands() {
		shells = append(shells, s.Name())
	}
	want := "want '" + c.CommandPath() + " SHELL' with " + strings.Join(shells, ", ")
	if len(args) == 0 {
		return usagef("no shell given: %s", want)
	}
	return usagef("unknown shell %q: %s", args[0], want)
}
