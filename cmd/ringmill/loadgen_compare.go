package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/loadgen"
)

func newLoadCompare(s streams) *cobra.Command {
	format, failOn, tolerance := "text", "never", loadgen.DefaultTolerance
	c := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Say whether a result is worse than another",
		Long: `Compare tests p50, p99, mean, throughput, errors, CPU/op and allocs/op of two results of
the same load for a difference that is neither noise (Mann-Whitney U test over the
repetitions) nor too small to matter (--tolerance; p99 needs 2.5 times as much,
throughput a third). Measure both with --repeat 5 or more: of single runs only
coarse changes are found. OLD and NEW are files result.json of 'ringmill loadgen run',
or the folders of its -o that have one; - is standard input.

Exit codes: 0 compared; 2 wrong usage, or results of different loads; 4 a regression,
with --fail-on regression; 6 the accounting of a result is broken.`,
		Example: `  ringmill loadgen run --rate 20k --repeat 7 -o before    # then change something
  ringmill loadgen run --rate 20k --repeat 7 -o after
  ringmill loadgen compare before after --fail-on regression`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("%s given: want two, '%s'", report.Plural(len(args), "file"), c.UseLine())
			}
			return nil
		},
		ValidArgsFunction: completeResults,
		RunE: func(_ *cobra.Command, files []string) error {
			var results [2]*loadgen.Result
			for i, name := range files {
				name, data, err := readOutcome(s, name)
				if err != nil {
					return err
				}
				if results[i], err = loadgen.ReadResult(data); err != nil {
					return fmt.Errorf("%s: %w: give a result.json of 'ringmill loadgen run'", name, err)
				}
				if bad := results[i].CheckAccounting(); bad != "" {
					return loadVerdict{accounting: name + ": " + bad}.err()
				}
			}
			comparison, err := loadgen.Compare(results[0], results[1], tolerance)
			if err != nil {
				return err
			}
			write := comparison.WriteText
			if format == "json" {
				write = comparison.WriteJSON
			}
			if err := write(s.out); err != nil {
				return printed(err)
			}
			if comparison.Regression && failOn == "regression" {
				return &exitError{code: exitRegression}
			}
			return nil
		},
	}
	flags := c.Flags()
	flags.Var(choice(&failOn, "WHAT", failOn, oneOf("never", "regression")), "fail-on", "exit with 4: never or regression")
	complete(c, "fail-on", "never", "regression")
	flags.Var(parsed(&tolerance, "SHARE", "10%", parseTolerance), "tolerance", "change that matters")
	flags.Var(choice(&format, "FORMAT", format, oneOf("text", "json")), "format", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// readOutcome reads the result in a file, or in a folder that -o wrote.
func readOutcome(s streams, name string) (file string, data []byte, err error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		file = filepath.Join(name, resultFile)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return file, nil, fmt.Errorf("%s: this folder has no %s: give a folder that -o of a measurement wrote, or a file", name, resultFile)
		}
		name = file
	}
	data, err = read(s, name)
	return name, data, err
}

func parseTolerance(s string) (float64, error) {
	t, err := loadgen.ParseShare(s)
	if err == nil && t == 0 {
		err = fmt.Errorf("%s is out of range; want more than 0, such as 10%%", s)
	}
	return t, err
}

func completeResults(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
}

func newLoadReport(s streams) *cobra.Command {
	out := "report.html"
	c := &cobra.Command{
		Use:   "report RESULT",
		Short: "Make an HTML page of a result",
		Long: `Report turns the result.json of a run, a search or a grid, or the one in a folder of
their -o, into one HTML page that needs nothing else: no network, no other file. The
file - is standard input, -o - standard output. It prints where the page is.

Exit codes: 0 written; 1 it could not be written; 2 wrong usage or no result; 6 the
accounting of the result is broken (the page is written all the same).`,
		Example:           `  ringmill loadgen report out/result.json -o report.html`,
		Args:              oneFile,
		ValidArgsFunction: completeResults,
		RunE: func(_ *cobra.Command, files []string) error {
			name, data, err := readOutcome(s, files[0])
			if err != nil {
				return err
			}
			page, accounting, err := readReport(data)
			if err != nil {
				return fmt.Errorf("%s: %w: give the result.json of a run, search or grid", name, err)
			}
			if out == standardInput {
				if err := page(s.out); err != nil {
					return printed(err)
				}
			} else if err := writeFile(out, page); err != nil {
				return couldNotRun(err)
			} else if _, err := fmt.Fprintln(s.out, out); err != nil {
				return printed(err)
			}
			return loadVerdict{accounting: accounting}.err()
		},
	}
	c.Flags().StringVarP(&out, "output", "o", out, "the page: `FILE`, or - for standard output")
	return c
}

// readReport reads a result of any kind.
func readReport(data []byte) (page func(io.Writer) error, accounting string, err error) {
	schema, err := loadgen.SchemaOf(data)
	if err != nil {
		return nil, "", err
	}
	switch schema {
	case loadgen.GridSchema:
		g, err := loadgen.ReadGrid(data)
		if err != nil {
			return nil, "", err
		}
		return g.WriteHTML, g.CheckAccounting(), nil
	case loadgen.SearchSchema:
		r, err := loadgen.ReadSearch(data)
		if err != nil {
			return nil, "", err
		}
		return r.WriteHTML, r.CheckAccounting(), nil
	}
	r, err := loadgen.ReadResult(data)
	if err != nil {
		return nil, "", err
	}
	return r.WriteHTML, r.CheckAccounting(), nil
}
