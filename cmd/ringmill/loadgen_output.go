package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/loadgen"
)

// resultFile is what -o writes for 'loadgen compare' and 'loadgen report'.
const resultFile = "result.json"

// loadOutput says where the outcome of a measurement goes.
type loadOutput struct {
	dir, format, live string
	strict            bool
}

func (o *loadOutput) register(c *cobra.Command) {
	o.format, o.live = "text", "auto"
	flags := c.Flags()
	flags.StringVarP(&o.dir, "output", "o", "", "write result.json, report.html, bench.txt, series.csv and latency.hlog into `DIR`")
	flags.Var(choice(&o.format, "FORMAT", o.format, oneOf("text", "json", "bench", "csv")), "format", "of standard output: text, json, bench or csv")
	complete(c, "format", "text", "json", "bench", "csv")
	flags.Var(choice(&o.live, "WHEN", o.live, oneOf("auto", "plain", "off")), "live", "progress on standard error: auto, plain (a line a second) or off")
	complete(c, "live", "auto", "plain", "off")
	flags.BoolVar(&o.strict, "strict", false, "exit with 5 if the measurement is suspect")
	if err := c.MarkFlagDirname("output"); err != nil {
		panic(err) // the flag does not exist
	}
}

// A loadReport is an outcome that can be written.
type loadReport interface {
	WriteText(io.Writer) error
	WriteJSON(io.Writer) error
	WriteBench(io.Writer) error
	WriteCSV(io.Writer) error
	WriteHTML(io.Writer) error
}

// prepare makes the folder before anything is measured.
func (o *loadOutput) prepare() error {
	if o.dir == "" {
		return nil
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return usagef("-o: %w: choose a folder that can be made", err)
	}
	probe, err := os.CreateTemp(o.dir, ".ringmill-*")
	if err != nil {
		return usagef("-o: %w: choose a folder that can be written to", err)
	}
	_ = probe.Close()
	return os.Remove(probe.Name())
}

// write fills the folder and prints to standard output.
func (o *loadOutput) write(s streams, r loadReport) error {
	if o.dir != "" {
		files := map[string]func(io.Writer) error{
			resultFile: r.WriteJSON, "report.html": r.WriteHTML, "bench.txt": r.WriteBench, "series.csv": r.WriteCSV,
		}
		if one, ok := r.(*loadgen.Result); ok {
			files["latency.hlog"] = one.WriteHistogramLog
		}
		for name, write := range files {
			if err := writeFile(filepath.Join(o.dir, name), write); err != nil {
				return err
			}
		}
	}
	var text bytes.Buffer
	write := map[string]func(io.Writer) error{"text": r.WriteText, "json": r.WriteJSON, "bench": r.WriteBench, "csv": r.WriteCSV}[o.format]
	if err := write(&text); err != nil {
		return err
	}
	if o.dir != "" && o.format == "text" {
		fmt.Fprintf(&text, "%-15s%s\n", "report", filepath.Join(o.dir, "report.html"))
	}
	if _, err := s.out.Write(text.Bytes()); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// writeFile writes a file whole.
func writeFile(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}
