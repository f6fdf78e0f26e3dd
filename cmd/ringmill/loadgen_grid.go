package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/loadgen"
)

// gridDuration is how long a cell is measured once.
const gridDuration = 3 * time.Second

func newLoadGrid(s streams) *cobra.Command {
	var f loadFlags
	var o loadOutput
	var axes []loadgen.Axis
	count := 3
	c := &cobra.Command{
		Use:   "grid",
		Short: "Measure every combination of sizes",
		Long: `Grid measures every combination of the values of its dimensions and prints a table,
with the knee: the smallest sizes whose throughput is at least 95 % of the best and
whose p99 is at most 1.25 times the best one.

Dimensions: ` + strings.Join(loadgen.AxisNames(), ", ") + `.
Repetitions are interleaved, so that a slow minute of the machine hits all cells
alike. Exit codes as for 'loadgen run'.`,
		Example: `  ringmill loadgen grid --rate 20k --grid mailbox=16,64,256,1024 --grid task-actors=1,2,8,50,200 -o out
  ringmill loadgen grid --concurrency 64 --grid mailbox-kind=mpsc,chan,workiva --grid mailbox=4,64 --format bench | benchstat -row /mailbox -col /mailbox-kind -`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := f.config(c, s)
			if err != nil {
				return err
			}
			if len(axes) == 0 {
				return usagef("no dimension given; want --grid such as --grid mailbox=16,64,256")
			}
			if cfg.Duration == 0 {
				cfg.Duration = gridDuration
			}
			check := cfg
			cells := 1
			for _, a := range axes {
				cells *= len(a.Values)
				if (a.Name == "rate" || a.Name == "concurrency") && check.Rate == 0 && check.Concurrency == 0 {
					check.Rate = 1
				}
			}
			has := func(name string) bool {
				return slices.ContainsFunc(axes, func(a loadgen.Axis) bool { return a.Name == name })
			}
			if has("rate") && has("concurrency") {
				return usagef("--grid: rate and concurrency exclude each other: a load is an open loop or a closed one")
			}
			if err := checkLoad(check); err != nil {
				return err
			}
			if cells > loadgen.MaxCells {
				return usagef("--grid: %d cells are too many; want at most %d", cells, loadgen.MaxCells)
			}
			if err := o.prepare(); err != nil {
				return err
			}
			ctx, stop := measuring()
			defer stop()
			live := o.showSeries(s.err)
			live.Printf("%s: %s", report.Plural(cells, "cell"), describeTime(cells*count, cfg.Duration))
			cfg.Live = live.See
			r, err := loadgen.Grid(ctx, loadgen.GridConfig{
				Base: cfg, Axes: axes, Count: count,
				Progress: func(done, all int, cell string) { live.Printf("%d/%d %s", done+1, all, cell) },
			})
			live.Stop()
			if err != nil {
				return couldNotRun(err)
			}
			v := loadVerdict{accounting: r.CheckAccounting(), interrupted: r.Interrupted}
			for i, cell := range r.Cells {
				for _, t := range cell.Result.Thresholds {
					if !t.OK {
						v.broken = append(v.broken, r.Title(i)+" "+t.Threshold)
					}
				}
			}
			if n := r.Suspects(); n > 0 {
				v.suspect = []string{fmt.Sprintf("%d of %d cells are", n, len(r.Cells))}
			}
			return o.finish(s, r, v)
		},
	}
	f.registerLoad(c)
	f.registerWorkload(c)
	f.registerTimes(c, gridDuration, "how long a cell is measured once, warm-up included")
	flags := c.Flags()
	flags.Var(&checked{kind: "NAME=VALUES", set: func(s string) error {
		a, err := loadgen.ParseAxis(s)
		for _, b := range axes {
			if a.Name == b.Name && err == nil {
				err = fmt.Errorf("%s is there twice: join the two", a.Name)
			}
		}
		axes = append(axes, a)
		return err
	}}, "grid", "a dimension, such as mailbox=16,64,256 (repeat for more)")
	var names []string
	for _, n := range loadgen.AxisNames() {
		names = append(names, n+"=")
	}
	if err := c.RegisterFlagCompletionFunc("grid", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoSpace|cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag does not exist
	}
	flags.Var(number(&count, 1, 100, "3"), "count", "measurements of each cell")
	flags.Var(thresholdFlag(&f.cfg.Thresholds), "threshold", "what must hold in every cell, such as 'p99<5ms' (may be repeated)")
	o.register(c)
	return c
}
