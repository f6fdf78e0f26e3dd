package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/loadgen"
)

func newLoadSearch(s streams) *cobra.Command {
	var f loadFlags
	var o loadOutput
	precision, confirm := float64(loadgen.DefaultPrecision), loadgen.DefaultConfirm
	c := &cobra.Command{
		Use:   "search",
		Short: "Find the highest rate that keeps an objective",
		Long: `Search finds the highest rate at which every --slo holds, within --precision. A
closed loop gives a first guess, then rates are doubled, halved and bisected. The
answer is held for --confirm, and lowered while it does not hold. Two of three
measurements decide on each rate, three of five on the last ones; one that failed
while other processes used the machine is repeated, at most twice. With the defaults
it takes two to four minutes as a rule; it begins by saying how long it may take.

Unless an --slo is about errors, at most one request in a thousand may fail or be
refused.

Exit codes as for 'loadgen run'; 3 if no rate keeps the objective, or the answer was
not confirmed.`,
		Example: `  ringmill loadgen search --slo 'p99<5ms'
  ringmill loadgen search --slo 'p99<2ms' --workflow fan:20 --work exp:50us --arrivals poisson --task-actors 4 -o out`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := f.config(c, s)
			if err != nil {
				return err
			}
			if len(cfg.Thresholds) == 0 {
				return usagef("no objective given; want --slo such as --slo 'p99<5ms'")
			}
			if cfg.Duration == 0 {
				cfg.Duration = loadgen.DefaultProbe
			}
			probe := cfg
			probe.Rate = 1
			if err := checkLoad(probe); err != nil {
				return err
			}
			if cfg.Arrivals.Kind == loadgen.ArrivalsTrace {
				return usagef("--arrivals: a trace has its own times, and a search chooses the rate: want constant, poisson or burst:N")
			}
			if err := o.prepare(); err != nil {
				return err
			}
			ctx, stop := measuring()
			defer stop()
			live := o.showSeries(s.err)
			cfg.Live = live.See
			search := loadgen.SearchConfig{
				Base: cfg, Precision: precision, Confirm: confirm,
				Progress: func(p loadgen.Probe) {
					live.Printf("%s: %s  p99 %s  errors %.2f %%", rateText(p.Rate), kept(p), secondsText(p.P99), 100*p.Errors)
				},
			}
			usual, most := search.Time()
			live.Printf("this takes about %s, at most %s (longer if requests take seconds)", report.Duration(usual), report.Duration(most))
			r, err := loadgen.Search(ctx, search)
			live.Stop()
			if err != nil {
				return couldNotRun(err)
			}
			v := loadVerdict{accounting: r.CheckAccounting(), interrupted: r.Interrupted}
			switch {
			case r.Rate == 0:
				v.broken = r.SLO
			case !r.Confirmed:
				v.broken = []string{"the answer was not confirmed"}
			}
			if r.Result != nil && r.Result.Trust.Verdict != loadgen.Trusted {
				v.suspect = r.Result.Trust.Reasons
			}
			return o.finish(s, r, v)
		},
	}
	f.registerWorkload(c)
	f.registerTimes(c, loadgen.DefaultProbe, "how long one rate is measured, warm-up included")
	flags := c.Flags()
	flags.Var(thresholdFlag(&f.cfg.Thresholds), "slo", "what must hold, such as 'p99<5ms' (may be repeated)")
	flags.Var(parsed(&precision, "SHARE", "3%", parsePrecision), "precision", "how near to the true rate, .1% to 50%")
	flags.Var(parsed(&confirm, "TIME", loadgen.DefaultConfirm.String(), positive), "confirm", "how long the answer is held each time that it is confirmed")
	o.register(c)
	return c
}

func parsePrecision(s string) (float64, error) {
	p, err := loadgen.ParseShare(s)
	if err == nil && (p < 0.001 || p > 0.5) {
		err = fmt.Errorf("%s is out of range; want .1%% to 50%%", s)
	}
	return p, err
}

func kept(p loadgen.Probe) string {
	if p.OK {
		return "kept"
	}
	return "broken"
}
