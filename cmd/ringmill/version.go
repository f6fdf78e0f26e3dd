package main

import (
	"fmt"
	goruntime "runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// A versionObject is what `ringmill version --json` prints.
type versionObject struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // empty if unknown
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func newVersion(s streams) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "Version prints the version of Ringmill, the revision it was built from if known, and that of Go.",
		Example: `  ringmill version
  ringmill version --json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			version, revision := buildVersion()
			if asJSON {
				return printed(writeJSON(s.out, versionObject{version, revision, goruntime.Version(), goruntime.GOOS, goruntime.GOARCH}))
			}
			if revision != "" {
				version += " (" + revision + ")"
			}
			_, err := fmt.Fprintf(s.out, "ringmill %s, %s %s/%s\n", version, goruntime.Version(), goruntime.GOOS, goruntime.GOARCH)
			return printed(err)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q: want '%s'", args[0], c.UseLine())
	}
	return nil
}

// buildVersion returns the module's version and the revision it was built from;
// what is unknown is "(devel)" and "".
func buildVersion() (version, revision string) {
	version = "(devel)"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, ""
	}
	if info.Main.Version != "" {
		version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))] + revision
		case s.Key == "vcs.modified" && s.Value == "true":
			revision += ", modified"
		}
	}
	return version, revision
}
