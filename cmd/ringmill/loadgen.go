package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/loadgen"
)

// The exit codes of `ringmill loadgen` beside those of the other commands.
const (
	exitThreshold  = 3
	exitRegression = 4
	exitSuspect    = 5
	exitAccounting = 6
)

func newLoadgen(s streams) *cobra.Command {
	var f loadRunFlags
	c := &cobra.Command{
		Use:   "loadgen",
		Short: "Measure latency and backpressure under load",
		Long: `Loadgen sends load to a runtime inside this process and says which latency
callers see, which bounds fill up, and how far the figures may be trusted.
Without a subcommand it runs ` + loadgen.CanonName + `, a fixed workload of 15 s that gives two
numbers.

Between arrivals that are far enough apart to sleep, the thread that sends goes before
all others of the machine where the system lets it (Linux with CAP_SYS_NICE, as root
has, and two processors or more); at some 10,000 arrivals a second and more it keeps a
processor as their equal. When it was late it says what for.

Exit codes: 0 ok; 1 it could not run; 2 wrong usage; 3 a threshold was broken;
4 a regression (compare); 5 a suspect measurement, with --strict; 6 the accounting
is broken: sent is not done + failed + shed, which is a defect of Ringmill;
130 interrupted, with all outputs written.`,
		Example: `  ringmill loadgen
  ringmill loadgen run --rate 20k --arrivals poisson --workflow chain:5 --work exp:20us
  ringmill loadgen search --slo 'p99<5ms' --workflow fan:20
  ringmill loadgen grid --rate 20k --grid mailbox=16,64,256,1024 --grid task-actors=1,2,8,50 -o out
  ringmill loadgen compare before after --fail-on regression`,
		Args: noCommand,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c, s) },
	}
	f.output.register(c)
	c.AddCommand(newLoadRun(s), newLoadSearch(s), newLoadGrid(s), newLoadCompare(s), newLoadReport(s))
	return c
}

// A loadVerdict is what decides the exit code of a measurement.
type loadVerdict struct {
	accounting  string // how it is broken
	interrupted bool
	broken      []string // thresholds
	suspect     []string // reasons
	strict      bool
}

// err turns the verdict into the exit code, the gravest first.
func (v loadVerdict) err() error {
	switch {
	case v.accounting != "":
		return &exitError{exitAccounting, fmt.Errorf("ringmill: the accounting is broken: %s: please report this defect", v.accounting)}
	case v.interrupted:
		return &exitError{exitInterrupted, fmt.Errorf("ringmill: %w", errInterrupted)}
	case len(v.broken) > 0:
		return &exitError{exitThreshold, fmt.Errorf("ringmill: threshold broken: %s", strings.Join(v.broken, ", "))}
	case v.strict && len(v.suspect) > 0:
		return &exitError{exitSuspect, fmt.Errorf("ringmill: the measurement is suspect: %s", v.suspect[0])}
	}
	return nil
}

// verdictOn judges one result.
func verdictOn(r *loadgen.Result, strict bool) loadVerdict {
	v := loadVerdict{accounting: r.CheckAccounting(), interrupted: r.Interrupted, strict: strict}
	for _, t := range r.Thresholds {
		if !t.OK {
			v.broken = append(v.broken, t.Threshold)
		}
	}
	if r.Trust.Verdict != loadgen.Trusted {
		v.suspect = r.Trust.Reasons
	}
	return v
}

// couldNotRun is an error that is not about what the user wrote.
func couldNotRun(err error) error { return &exitError{exitFailed, fmt.Errorf("ringmill: %w", err)} }

// measuring returns the context of a measurement, which a signal ends.
func measuring() (ctx context.Context, stop func()) {
	surviveBrokenPipe()
	ctx, _, stop = withInterrupts(context.Background(), nil)
	return ctx, stop
}

// finish writes a report where it belongs and returns the exit code.
func (o *loadOutput) finish(s streams, r loadReport, v loadVerdict) error {
	v.strict = o.strict
	if err := o.write(s, r); err != nil {
		if errors.Is(err, syscall.EPIPE) { // whoever left knows
			return &exitError{code: exitFailed}
		}
		return couldNotRun(err)
	}
	return v.err()
}

// How often the live view is drawn: on a terminal, and elsewhere.
const (
	blockTime = 250 * time.Millisecond
	plainTime = time.Second
)

// openFile is for flags that name a file.
func openFile(name string) (*os.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	return file, nil
}
