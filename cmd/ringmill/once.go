package main

import (
	"context"
	"encoding/json"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/runtime"
)

// A run is one execution of a definition.
type run = runtime.Run[json.RawMessage]

// once executes the definition and reports in full. It returns what the run
// failed with.
func (r *runner) once(ctx context.Context) error {
	var opts []runtime.RunOption
	if r.runID != "" {
		opts = append(opts, runtime.ID(r.runID))
	}
	started, err := runtime.Start(ctx, r.rt, r.def, r.input, opts...)
	if err != nil {
		r.printRefused(err)
		return err
	}
	r.header(report.Plural(len(r.def.Plan().Tasks), "task"))
	progress := r.showProgress(started)
	r.stake.run.Store(started)
	wait(ctx, started)
	progress.Stop()
	r.logs.Set(r.err)

	out, err := started.Result(context.Background())
	if r.json {
		r.printObject(report.NewObject(started.Report(), out, r.console.take(started.ID())))
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
