package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/runtime"
)

// header prints what is about to happen to how much.
func (r *runner) header(what string) {
	if r.json {
		return
	}
	cfg := r.rt.Config()
	fmt.Fprintf(r.out, "%s: %s, %s, %s\n", report.Clean(r.def.Name()), what,
		report.Plural(cfg.TaskActors, "task actor"), report.Plural(cfg.WorkflowActors, "workflow actor"))
}

// printReport prints everything about a run, for the width that the terminal has
// by now.
func (r *runner) printReport(rep runtime.Report, out json.RawMessage) {
	r.style = styleOf(r.streams.out)
	for _, write := range []func(io.Writer){
		func(w io.Writer) { report.WriteTable(w, rep.Tasks, r.style) },
		func(w io.Writer) { report.WriteCompensations(w, rep.Compensations, r.style) },
		func(w io.Writer) { report.WriteTimeline(w, rep, r.style) },
		func(w io.Writer) { report.WriteOutput(w, out, r.style) },
		func(w io.Writer) { report.WriteSummary(w, rep, r.def.Plan(), r.rt.Config().TaskActors, r.style) },
	} {
		var section bytes.Buffer
		write(&section)
		if section.Len() > 0 {
			fmt.Fprintf(r.out, "\n%s", section.Bytes())
		}
	}
}

// printObject writes o as one line.
func (r *runner) printObject(o report.Object) {
	var line bytes.Buffer
	if err := writeJSON(&line, o); err != nil { // the output is not JSON: the run is still told
		line.Reset()
		o.Output = nil
		o.Error = &report.Error{Class: "error", Message: "output: " + err.Error()}
		_ = writeJSON(&line, o)
	}
	_, _ = r.out.Write(line.Bytes()) // r.out keeps the error
}

// writeJSON writes v as one line, without the escapes that only HTML needs.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printRefused tells of a run that was not started.
func (r *runner) printRefused(err error) {
	if r.json {
		r.printObject(report.Refused(r.def.Name(), err))
	}
}
