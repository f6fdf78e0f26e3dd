package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/cmd/ringmill/internal/screen"
	"github.com/ringmill/ringmill/runtime"
)

// A run is one execution of a definition.
type run = runtime.Run[json.RawMessage]

// once executes the definition and reports in full. It returns what the run
// failed with.
func (r *runner) once(ctx context.Context) error {
	started, err := runtime.Start(ctx, r.rt, r.def, r.input)
	if err != nil {
		r.printRefused(err)
		return err
	}
	r.header(report.Plural(len(r.def.Plan().Tasks), "task"))
	progress := r.showProgress(started)
	wait(ctx, started)
	progress.Stop()
	r.logs.Set(r.err)

	out, err := started.Result(context.Background())
	if r.json {
		r.printObject(report.NewObject(started.Report(), out))
		return err
	}
	r.printReport(started.Report(), out)
	return err
}

// wait returns when the run has ended; it cancels the run when ctx ends.
func wait(ctx context.Context, started *run) {
	select {
	case <-started.Done():
	case <-ctx.Done():
		started.Cancel()
		<-started.Done()
	}
}

// header prints what is about to happen to how much.
func (r *runner) header(what string) {
	if r.json {
		return
	}
	cfg := r.rt.Config()
	fmt.Fprintf(r.out, "%s: %s, %s, %s\n", report.Clean(r.def.Name()), what,
		report.Plural(cfg.TaskActors, "task actor"), report.Plural(cfg.WorkflowActors, "workflow actor"))
}

func (r *runner) printReport(rep runtime.Report, out json.RawMessage) {
	for _, write := range []func(io.Writer){
		func(w io.Writer) { report.WriteTable(w, rep.Tasks, r.style) },
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
	line, err := json.Marshal(o)
	if err != nil { // the output is not JSON: the run is still told
		o.Output = nil
		o.Error = &report.Error{Class: "error", Message: "output: " + err.Error()}
		line, _ = json.Marshal(o)
	}
	_, _ = r.out.Write(append(line, '\n')) // r.out keeps the error
}

// printRefused tells of a run that was not started.
func (r *runner) printRefused(err error) {
	if r.json {
		r.printObject(report.Refused(r.def.Name(), err))
	}
}

// A progress shows how far the runs are until it is stopped.
type progress interface{ Stop() }

// none is the progress of a program's output.
type none struct{}

func (none) Stop() {}

// show starts the progress that fits where the output goes: a live line on a
// terminal, plain lines on a pipe, nothing where JSON is wanted. draw returns
// the line for a width in columns, which is 0 for a pipe.
func (r *runner) show(draw func(width int) string) progress {
	switch {
	case r.live:
		live := screen.NewLive(r.err, func() string { return draw(columns(r.err)) })
		r.logs.Set(live)
		return live
	case r.json:
		return none{}
	}
	return screen.NewPlain(r.out, func() string { return draw(0) })
}

func (r *runner) showProgress(started *run) progress {
	begin := time.Now()
	return r.show(func(width int) string {
		p := started.Progress()
		parts := []string{
			fmt.Sprintf("%s/%s done", report.Number(p.Ended), report.Plural(p.Tasks, "task")),
			report.Number(p.Running) + " running",
			report.Number(p.Failed) + " failed",
			elapsed(begin),
		}
		return screen.Line(width, float64(p.Ended)/float64(p.Tasks), r.shortName(width), parts...)
	})
}

// shortName is the workflow's name in a progress line, where the numbers need
// the room.
func (r *runner) shortName(width int) string {
	if width == 0 {
		return r.def.Name()
	}
	return report.Fit(r.def.Name(), max(width/4, 8))
}

// elapsed prints the time since begin, steady in width while it is redrawn.
func elapsed(begin time.Time) string {
	d := time.Since(begin)
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return report.Duration(d)
}
