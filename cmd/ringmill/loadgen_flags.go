package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/loadgen"
	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// loadFlags describe a load and the runtime that it is sent to.
type loadFlags struct {
	cfg       loadgen.Config
	seed      uint64
	count     int
	workflow  string
	input     string
	timeScale float64
	synthetic []string // flags that need bodies of the load generator
	engine    engineFlags
	mailbox   int
	maxRuns   int
	kind      *string
	overflow  *runtime.Overflow
}

// parsed is a flag whose parsed form goes to *to.
func parsed[T any](to *T, kind, text string, parse func(string) (T, error)) *checked {
	return choice(to, kind, text, parse)
}

// registerWorkload adds the flags that every measurement has.
func (f *loadFlags) registerWorkload(c *cobra.Command) {
	flags := c.Flags()
	f.timeScale, f.seed = 1, 1
	flags.StringVar(&f.workflow, "workflow", "noop", "what a request runs: noop, chain:N, fan:N, diamond, js:FILE or ts:FILE (one script), or `FILE` (YAML, JSON, WfFormat)")
	flags.Var(parsed(&f.cfg.Workload.Work, "WORK", "0", loadgen.ParseWork), "work",
		"each task: 0, 2us, exp:50us, uniform:1ms,2ms, bimodal:10us,1ms,.01; sleep: before it to wait, not compute")
	flags.Var(parsed(&f.cfg.Workload.Fail, "SHARE", "0", loadgen.ParseShare), "fail", "share of runs in which a task fails, such as .01")
	flags.Var(parsed(&f.cfg.Workload.Panic, "SHARE", "0", loadgen.ParseShare), "panic", "share of runs in which a task panics, such as .001")
	flags.Var(parsed(&f.cfg.Workload.Payload, "SIZE", "0B", loadgen.ParseSize), "payload", "bytes that each task copies and returns, such as 64B")
	flags.Var(parsed(&f.cfg.Workload.Hot, "DIST", "none", loadgen.ParseHot), "hot", "runs share 1,024 locks, drawn from zipf:S, such as zipf:1.1")
	f.synthetic = []string{"work", "fail", "panic", "payload", "hot"}
	flags.StringVar(&f.input, "input", "", "input of each run of a FILE: `JSON`, or @file with it")
	flags.Var(factor(&f.timeScale), "time-scale", "WfFormat: a task that took s seconds sleeps s times this")

	f.engine.register(c)
	flags.Var(number(&f.mailbox, 1, runtime.MaxMailboxCapacity, strconv.Itoa(runtime.DefaultMailboxCapacity)), "mailbox", "runs that one workflow actor's mailbox holds")
	flags.Var(choice(&f.kind, "KIND", mailbox.DefaultKind, pointer(runtime.ParseMailboxKind)), "mailbox-kind", strings.Join(mailbox.Kinds(), ", "))
	complete(c, "mailbox-kind", mailbox.Kinds()...)
	flags.Var(number(&f.maxRuns, 1, runtime.MaxMaxRuns, strconv.Itoa(runtime.DefaultMaxRuns)), "max-runs", "runs in flight in the runtime")
	flags.Var(choice(&f.overflow, "MODE", "fail; closed loop: wait", pointer(runtime.ParseOverflow)), "overflow", "at a full bound: fail, wait, drop-oldest or drop-newest")
	complete(c, "overflow", "fail", "wait", "drop-oldest", "drop-newest")
}

// registerTimes adds how long and how densely to send.
func (f *loadFlags) registerTimes(c *cobra.Command, duration time.Duration, about string) {
	flags := c.Flags()
	flags.Var(parsed(&f.cfg.Duration, "TIME", duration.String(), positive), "duration", about)
	flags.Var(parsed(&f.cfg.Warmup, "TIME", "0s", notNegative), "warmup", "time from the start that is not measured")
	flags.Var(parsed(&f.seed, "N", "1", parseSeed), "seed", "of the plan: the same seed sends the same load")
	flags.Var(number(&f.cfg.MaxInFlight, 1, loadgen.MaxInFlight, strconv.Itoa(loadgen.DefaultMaxInFlight)), "max-inflight", "open loop: requests under way at once; beyond it arrivals wait, and their latency grows")
	flags.Var(parsed(&f.cfg.Arrivals, "PROCESS", "constant", parseArrivals), "arrivals", "open loop: constant, poisson, burst:N or trace:FILE")
	if err := c.RegisterFlagCompletionFunc("arrivals", cobra.FixedCompletions([]string{"constant", "poisson", "burst:", "trace:"}, cobra.ShellCompDirectiveNoSpace|cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag does not exist
	}
}

// registerLoad adds the rate, or the number of clients.
func (f *loadFlags) registerLoad(c *cobra.Command) {
	flags := c.Flags()
	flags.Var(parsed(&f.cfg.Rate, "RATE", "", loadgen.ParseRate), "rate", "open loop: arrivals a second, such as 500, 100k or 1.5M")
	flags.Var(number(&f.cfg.Concurrency, 1, loadgen.MaxConcurrency, ""), "concurrency", "closed loop: clients that wait for their answer")
	flags.Var(parsed(&f.cfg.Stages, "STAGES", "", loadgen.ParseStages), "stages", "open loop: TIME:RATE,... such as 0:50k,10s:200k; 10s:~200k climbs there")
}

func (f *loadFlags) registerCount(c *cobra.Command) {
	c.Flags().Var(number(&f.count, 1, math.MaxInt, "no bound but the time"), "count", "requests to send at most")
}

func positive(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return notNegative(s)
	}
	if d <= 0 || d > loadgen.MaxDuration {
		err = fmt.Errorf("%s is out of range; want more than 0 and up to %v", s, loadgen.MaxDuration)
	}
	return d, err
}

func notNegative(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; want one such as 500ms or 15s", s)
	}
	if d < 0 || d > loadgen.MaxDuration {
		return 0, fmt.Errorf("%s is out of range; want 0 to %v", s, loadgen.MaxDuration)
	}
	return d, nil
}

func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		err = fmt.Errorf("%q is no seed; want a whole number from 0 to %d", s, uint64(math.MaxUint64))
	}
	return n, err
}

func parseArrivals(s string) (loadgen.Arrivals, error) {
	return loadgen.ParseArrivals(s, func(name string) (io.ReadCloser, error) { return openFile(name) })
}

// pointer makes a parse function return where its value is, so that a flag that was
// not given is told from one that is empty.
func pointer[T any](parse func(string) (T, error)) func(string) (*T, error) {
	return func(s string) (*T, error) {
		v, err := parse(s)
		return &v, err
	}
}

// config joins flags, environment and defaults.
func (f *loadFlags) config(c *cobra.Command, s streams) (loadgen.Config, error) {
	cfg := f.cfg
	cfg.Seed, cfg.Requests = f.seed, int64(f.count)
	env, err := runtime.ConfigFromEnv()
	if err != nil {
		return cfg, err
	}
	if cfg.Runtime, err = f.engine.config(); err != nil {
		return cfg, err
	}
	cfg.Runtime.Overflow = env.Overflow // the zero one means what suits the loop
	if f.mailbox > 0 {
		cfg.Runtime.MailboxCapacity = f.mailbox
	}
	if f.maxRuns > 0 {
		cfg.Runtime.MaxRuns = f.maxRuns
	}
	if f.kind != nil {
		cfg.Runtime.MailboxKind = *f.kind
	}
	if f.overflow != nil {
		cfg.Runtime.Overflow = *f.overflow
	}
	return cfg, f.setWorkload(c, s, &cfg.Workload)
}

// setWorkload reads the workflow, which is one of the built-in shapes or a file.
func (f *loadFlags) setWorkload(c *cobra.Command, s streams, w *loadgen.Workload) error {
	w.Workflow = f.workflow
	kind, _, _ := strings.Cut(f.workflow, ":")
	switch kind {
	case "noop", "chain", "fan", "diamond":
		for _, name := range []string{"input", "time-scale"} {
			if c.Flags().Changed(name) {
				return usagef("--%s: it is for a workflow from a file: leave it out, or set --workflow FILE", name)
			}
		}
		return nil
	}
	for _, name := range f.synthetic { // its tasks do not run
		w.Synthetic = w.Synthetic || c.Flags().Changed(name)
	}
	def, text, err := loadScripted(c, s, f.workflow, !w.Synthetic, workflow.TimeScale(f.timeScale))
	if err != nil {
		return fmt.Errorf("--workflow: %w", err)
	}
	if err := checkTimeScale(c, def); err != nil {
		return err
	}
	w.Definition = def
	if w.Synthetic {
		w.Input, err = readInput(s, f.input)
	} else {
		w.Input, err = inputOf(s, f.input, def, text)
	}
	return err
}

// checkLoad rewords what loadgen.Config.Check finds in the words of flags.
func checkLoad(cfg loadgen.Config) error {
	_, err := cfg.Check()
	if err == nil {
		return nil
	}
	words := strings.NewReplacer(
		"loadgen: Config.Workload.Workflow", "--workflow", "loadgen: Config.Rate: 0 says nothing; want Rate, Stages, a trace, or Concurrency",
		"no load given; want --rate, --stages, --arrivals trace:FILE, or --concurrency",
		"loadgen: Config.Concurrency", "--concurrency", "loadgen: Config.MaxInFlight", "--max-inflight", "loadgen: Config.Rate", "--rate",
		"loadgen: Config.Stages", "--stages", "loadgen: Config.Arrivals", "--arrivals", "loadgen: Config.Warmup", "--warmup",
		"loadgen: Config.Duration", "--duration", "want Rate, Stages or a trace, or Concurrency", "want --rate, --stages or a trace, or --concurrency",
		"they exclude Rate", "they exclude --rate", "leave out Rate and Stages", "leave out --rate and --stages", "set Rate in the place of Concurrency", "set --rate in the place of --concurrency",
	)
	return usagef("%w", errors.New(words.Replace(err.Error())))
}

// thresholdFlag is a flag that may be repeated.
func thresholdFlag(to *[]loadgen.Threshold) *checked {
	return &checked{kind: "RULE", set: func(s string) error {
		t, err := loadgen.ParseThreshold(s)
		if err == nil {
			*to = append(*to, t)
		}
		return err
	}}
}
