package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// How long the program waits at its end: cancelGrace for tasks, stopGrace for the
// actors, which have nothing left to do, flushGrace for spans on their way. An
// interrupted program is gone within two seconds, unless it has tasks to compensate, and
// hastens the spans.
const (
	cancelGrace     = time.Second
	stopGrace       = 200 * time.Millisecond
	flushGrace      = 1500 * time.Millisecond
	hastyFlushGrace = 500 * time.Millisecond
)

// runFlags is what `ringmill run` is told.
type runFlags struct {
	input     string
	json      bool
	timeScale float64
	count     int
	runID     string
	kinds     formatFlags
	engine    engineFlags
	telemetry telemetryFlags
}

func newRun(s streams) *cobra.Command {
	f := runFlags{timeScale: 1, count: 1}
	c := &cobra.Command{
		Use:   "run FILE",
		Short: "Execute a workflow",
		Long: `Run executes the workflow in FILE, a Ringmill YAML or JSON definition or a
WfFormat 1.5 instance, told apart by content. The file - is standard input.

It shows the progress while tasks run, as a live line on a terminal and as plain
lines elsewhere; then a table of the tasks with the time they waited and ran, a
timeline, the output, and the makespan beside the critical path and the bound
that no schedule can beat. Of more than 40 tasks it shows those that ran longest
and those that failed. With --json standard output gets one object a run instead,
and nothing else.

Ctrl-C cancels what runs, calls the compensations of what had succeeded, and
still prints the summary; a second one quits at once, unless compensations are due:
then it says so, and a third one quits. --count starts that many runs, at most 4,096 at a time (fewer of a large
workflow), and sums them up.

When a task ends, whatever its program started is killed with it, except what has
moved to a session or process group of its own (setsid).

Environment, where the flag is not given: WORKFLOW_ACTOR_POOL_SIZE,
TASK_ACTOR_POOL_SIZE, RINGMILL_SCHEDULE, RINGMILL_POLICY, RINGMILL_LOG_LEVEL,
RINGMILL_METRICS, RINGMILL_OTLP; beside them RINGMILL_MAX_RUNS,
RINGMILL_MAILBOX_CAPACITY, RINGMILL_OVERFLOW, RINGMILL_CANCEL_GRACE (here 1s
unless set), RINGMILL_CACHE_ENTRIES, and the standard OTEL_* variables for --otlp.`,
		Example: `  ringmill run cmd/ringmill/examples/textstats.yaml
  ringmill run order.yaml --input '{"user": "ada"}' --json | jq .output
  ringmill run order.yaml --input @order.json --task-actors 8
  ringmill run montage.json --time-scale 0.01 --schedule critical-path
  ringmill run order.yaml --count 10000 --metrics 127.0.0.1:9464`,
		Args:              oneFile,
		ValidArgsFunction: completeDefinitions,
		RunE:              func(c *cobra.Command, files []string) error { return f.run(c, s, files[0]) },
	}
	flags := c.Flags()
	flags.StringVar(&f.input, "input", "", "the workflow's input: `JSON`, or @file with it")
	flags.BoolVar(&f.json, "json", false, "print one JSON object a run, one a line")
	flags.Var(factor(&f.timeScale), "time-scale", "WfFormat: a task that took s seconds sleeps s times this")
	flags.Var(number(&f.count, 1, math.MaxInt32, "1"), "count", "how many runs to start")
	flags.StringVar(&f.runID, "run-id", "", "the run's `ID`, in the report, logs and the keys that tasks send along; not with --count")
	f.kinds.register(c)
	f.engine.register(c)
	f.telemetry.register(c)
	return c
}

// run checks everything that can be wrong with what the user gave before
// anything starts.
func (f *runFlags) run(c *cobra.Command, s streams, file string) error {
	cfg, err := f.engine.config()
	if err != nil {
		return err
	}
	if err := f.checkRunID(c.Flags().Changed("run-id")); err != nil {
		return err
	}
	if err := fromEnvironment(c.Flags(), telemetryFlagNames...); err != nil {
		return err
	}
	logs := &redirect{to: s.err}
	console := &console{to: logs, runID: f.runID}
	if f.json {
		console.to = nil
	}
	scripts := newScripts(file, console)
	defer scripts.stop()
	def, text, err := load(s, file, append(f.kinds.options(s), workflow.TimeScale(f.timeScale), scripts.option())...)
	if err != nil {
		return err
	}
	if err := checkTimeScale(c, def); err != nil {
		return err
	}
	input, err := inputOf(s, f.input, def, text)
	if err != nil {
		return err
	}
	surviveBrokenPipe()
	stake := &stake{compensates: compensates(def.Plan())}
	ctx, cancel, stop := withInterrupts(context.Background(), stake.text)
	defer stop()
	tele, err := f.telemetry.start(ctx, logs, s)
	if err != nil {
		return err
	}
	defer tele.stop(ctx, s.err)
	cfg.Observer = tele.observer
	cfg.TaskTimings = f.json || f.count == 1
	cfg.SampleActors = tele.admin != nil
	rt, err := runtime.New(cfg)
	if err != nil {
		return err
	}
	defer stopRuntime(rt, s.err)
	tele.serve(rt, scripts.Started, s.err)

	r := &runner{
		streams: s, def: def, input: input, rt: rt, json: f.json, logs: logs, console: console, runID: f.runID,
		stake: stake,
		out:   &output{to: s.out, cancel: cancel},
		style: styleOf(s.out),
		live:  isTerminal(s.err) && !(f.json && f.count > 1 && isTerminal(s.out)), // objects would run into the line
	}
	ctx = tele.context(ctx)
	if f.count == 1 {
		err = r.once(ctx)
	} else {
		err = r.batch(ctx, int64(f.count))
	}
	if f.input == "" && lacksInput(err) {
		fmt.Fprintf(s.err, "ringmill: no input was given: give one such as %s, or --input @FILE\n", exampleInput)
	}
	return r.verdict(ctx, err)
}

// checkRunID reports an id that cannot be meant.
func (f *runFlags) checkRunID(given bool) error {
	switch {
	case !given:
		return nil
	case f.runID == "":
		return errors.New("--run-id: it is empty; want an id, or leave it out for one that is made")
	case len(f.runID) > runtime.MaxIDBytes:
		return fmt.Errorf("--run-id: it has %d bytes; want at most %d", len(f.runID), runtime.MaxIDBytes)
	case f.count > 1:
		return fmt.Errorf("--run-id: an id stands for one run, and --count is %d: leave one of them out", f.count)
	}
	return nil
}

// stopRuntime ends the runtime; nothing is in flight any more.
func stopRuntime(rt *runtime.Runtime, stderr *os.File) {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	if err := rt.Stop(ctx); err != nil {
		fmt.Fprintln(stderr, err)
	}
}

// A runner executes one definition and reports on it.
type runner struct {
	streams
	def   *definition
	input json.RawMessage
	rt    *runtime.Runtime
	json  bool
	runID string // empty: one is made

	console *console
	stake   *stake

	out   *output
	logs  *redirect
	style report.Style
	live  bool // standard error is a terminal: show a progress line there
}

// verdict turns how the runs ended into the exit code. failure is what the
// first run that did not succeed failed with; it goes to standard error unless
// the reader has just seen it there.
func (r *runner) verdict(ctx context.Context, failure error) error {
	switch {
	case errors.Is(r.out.Err(), syscall.EPIPE): // whoever left knows
		return &exitError{code: exitFailed}
	case r.out.Err() != nil:
		return &exitError{exitFailed, r.out.Err()}
	case context.Cause(ctx) != nil:
		return &exitError{exitInterrupted, fmt.Errorf("ringmill: %w", context.Cause(ctx))}
	case failure == nil:
		return nil
	case r.live && r.style.Width > 0 && !r.json:
		return &exitError{code: exitFailed}
	}
	return &exitError{exitFailed, fmt.Errorf("ringmill: %s", report.Clean(failure.Error()))}
}
