package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/loadgen"
)

// loadRunFlags is what `ringmill loadgen run` is told.
type loadRunFlags struct {
	load    loadFlags
	repeat  int
	output  loadOutput
	profile profileFlags
}

func newLoadRun(s streams) *cobra.Command {
	f := loadRunFlags{repeat: 1}
	c := &cobra.Command{
		Use:   "run",
		Short: "Send a load and measure",
		Long: `Run sends a load for a while and prints throughput, latency, backpressure, cost,
thresholds, and whether the figures may be trusted.

An open loop (--rate, --stages, --arrivals trace:FILE) sends at planned times,
whatever the answers do; latency counts from the planned time, so that a stall
shows in every request that it delayed. The uncorrected figure stands beside it.
A closed loop (--concurrency) sends when the last request was answered.

Without a load, a workload, or a size it runs ` + loadgen.CanonName + `: 5 s at full speed with 64
clients, then 10 s at 10,000 runs a second, and prints two numbers to compare
machines and versions by.

--threshold may be repeated: p50, p99, p99.9 and so on, max, mean, throughput,
errors, lag, blocked, allocs/op, each with <, <=, > or >=. With :abort@5s behind it
the run ends when it is broken 5 s after the warm-up or later.

--repeat measures several times, for 'loadgen compare'; the result shown is the one
with the median p99. --count bounds the requests, warm-up included.

Environment, where the flag is not given: WORKFLOW_ACTOR_POOL_SIZE,
TASK_ACTOR_POOL_SIZE, RINGMILL_MAILBOX_CAPACITY, RINGMILL_MAILBOX_KIND,
RINGMILL_MAX_RUNS, RINGMILL_OVERFLOW, RINGMILL_POLICY, RINGMILL_SCHEDULE.

Exit codes: 0 ok; 1 it could not run; 2 wrong usage; 3 a threshold was broken;
5 suspect, with --strict; 6 the accounting is broken; 130 interrupted, with all
outputs written.`,
		Example: `  ringmill loadgen run
  ringmill loadgen run --rate 100k --duration 30s --warmup 5s -o out
  ringmill loadgen run --stages 0:5k,10s:20k,20s:5k --arrivals poisson --workflow diamond --work exp:20us
  ringmill loadgen run --concurrency 64 --workflow montage.json --time-scale 0.001
  ringmill loadgen run --rate 20k --threshold 'p99<5ms' --threshold 'errors<1%:abort@5s' --strict`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c, s) },
	}
	f.load.registerLoad(c)
	f.load.registerWorkload(c)
	f.load.registerTimes(c, loadgen.DefaultDuration, "how long to send, warm-up included")
	f.load.registerCount(c)
	flags := c.Flags()
	flags.Var(number(&f.repeat, 1, loadgen.MaxRepetitions, "1"), "repeat", "measurements, each with a runtime of its own")
	flags.Var(thresholdFlag(&f.load.cfg.Thresholds), "threshold", "what must hold, such as 'p99<5ms' (may be repeated)")
	f.output.register(c)
	f.profile.register(c)
	return c
}

// isCanon reports whether nothing was said that shapes the measurement.
func (f *loadRunFlags) isCanon(c *cobra.Command) bool {
	if f.load.workflow == "" { // `ringmill loadgen` has no such flags
		return true
	}
	free := map[string]bool{"output": true, "format": true, "live": true, "strict": true, "duration": true, "threshold": true, "pprof": true, "trace": true}
	canon := true
	c.Flags().Visit(func(flag *pflag.Flag) { canon = canon && free[flag.Name] })
	return canon
}

func (f *loadRunFlags) run(c *cobra.Command, s streams) error {
	canon := f.isCanon(c)
	var cfg loadgen.Config
	if !canon {
		var err error
		if cfg, err = f.load.config(c, s); err != nil {
			return err
		}
		if err := checkLoad(cfg); err != nil {
			return err
		}
	}
	if err := f.profile.check(f.output.dir); err != nil {
		return err
	}
	if err := f.output.prepare(); err != nil {
		return err
	}
	ctx, stop := measuring()
	defer stop()
	live := f.output.show(s.err)
	cfg.Live = live.See
	profiles, err := f.profile.start(f.output.dir, cfg.Warmup)
	if err != nil {
		live.Stop()
		return couldNotRun(err)
	}
	r, err := f.measure(ctx, canon, cfg)
	live.Stop()
	if failed := profiles.stop(); failed != nil && err == nil {
		err = failed
	}
	if err != nil {
		return couldNotRun(err)
	}
	return f.output.finish(s, r, verdictOn(r, f.output.strict))
}

func (f *loadRunFlags) measure(ctx context.Context, canon bool, cfg loadgen.Config) (*loadgen.Result, error) {
	if !canon {
		return loadgen.Repeat(ctx, cfg, f.repeat)
	}
	total := loadgen.CanonDuration
	if d := f.load.cfg.Duration; d > 0 {
		total = d
	}
	return loadgen.RunCanon(ctx, total, loadgen.Config{Live: cfg.Live, Thresholds: f.load.cfg.Thresholds})
}

// describeTime is how long a series of measurements takes.
func describeTime(n int, each time.Duration) string {
	return fmt.Sprintf("%s of %s, about %s", report.Plural(n, "measurement"), report.Duration(each), report.Duration(time.Duration(n)*each))
}
