package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// noCommand refuses what is no command's name.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	cure := fmt.Sprintf("see '%s --help'", c.CommandPath())
	if len(names) > 0 { // else it is 'help run frob'
		cure = fmt.Sprintf("want one of %s: %s", strings.Join(names, ", "), cure)
	}
	if near := nearest(c, args[0]); near != "" {
		cure = fmt.Sprintf("did you mean %s? %s", near, cure)
	}
	return usagef("unknown command %q: %s", args[0], cure)
}

// flagError rewords what the flag parser says, so that it names the flag first
// and ends with what to do.
func flagError(c *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	switch {
	case !errors.As(err, &bad):
	case bad.GetFlag().Value.Type() == "bool":
		return usagef("--%s: %q is unknown; want true or false", bad.GetFlag().Name, bad.GetValue())
	default:
		return usagef("--%s: %w", bad.GetFlag().Name, bad.Unwrap())
	}
	var unknown *pflag.NotExistError
	cure := ""
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		cure = meantFlag(c, unknown.GetSpecifiedName())
	}
	return usagef("%w: %ssee '%s --help'", err, cure, c.CommandPath())
}

// meantFlag says which subcommands of c have the flag that was given, or which other one of c
// may be meant.
func meantFlag(c *cobra.Command, name string) string {
	var have []string
	for _, sub := range c.Commands() {
		if sub.Flags().Lookup(name) != nil {
			have = append(have, "'"+sub.CommandPath()+"'")
		}
	}
	if len(have) > 0 {
		return "it is for " + strings.Join(have, ", ") + ": "
	}
	flags := new(cobra.Command) // cobra finds near names of commands only
	c.Flags().VisitAll(func(f *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: f.Name, Hidden: f.Hidden, Run: func(*cobra.Command, []string) {}})
	})
	if near := nearest(flags, name); near != "" {
		return "did you mean --" + near + "? "
	}
	return ""
}

// nearest returns the subcommand of c whose name begins with name or is at most two edits
// away from it; empty if there is none. Of several it is one with the fewest edits.
func nearest(c *cobra.Command, name string) string {
	for c.SuggestionsMinimumDistance = 1; name != "" && c.SuggestionsMinimumDistance <= 2; c.SuggestionsMinimumDistance++ {
		if near := c.SuggestionsFor(name); len(near) > 0 {
			return near[0]
		}
	}
	return ""
}
