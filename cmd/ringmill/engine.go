package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/scheduler"
)

// engineFlags sizes the runtime. A zero is a flag that was not given.
type engineFlags struct {
	taskActors, workflowActors int
	schedule                   *runtime.Schedule
	policy                     *string
}

func (f *engineFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.Var(number(&f.taskActors, 1, runtime.MaxActors, "50"), "task-actors", "how many tasks execute at once")
	flags.Var(number(&f.workflowActors, 1, runtime.MaxActors, "10"), "workflow-actors", "how many actors drive the runs")
	flags.Var(choice(&f.schedule, "ORDER", "fifo", parseSchedule), "schedule", "order of ready tasks: fifo, critical-path or measured-path")
	complete(c, "schedule", "fifo", "critical-path", "measured-path")
	flags.Var(choice(&f.policy, "POLICY", scheduler.DefaultPolicy, parsePolicy), "policy",
		"which task actor gets which task: "+strings.Join(scheduler.Policies(), ", "))
	complete(c, "policy", scheduler.Policies()...)
}

func parseSchedule(s string) (*runtime.Schedule, error) {
	schedule, err := runtime.ParseSchedule(s)
	return &schedule, err
}

func parsePolicy(s string) (*string, error) {
	policy, err := runtime.ParsePolicy(s)
	return &policy, err
}

// config joins flags, environment and defaults, in this order of precedence.
func (f *engineFlags) config() (runtime.Config, error) {
	cfg, err := runtime.ConfigFromEnv()
	if err != nil {
		return cfg, err
	}
	if f.taskActors > 0 {
		cfg.TaskActors = f.taskActors
	}
	if f.workflowActors > 0 {
		cfg.WorkflowActors = f.workflowActors
	}
	if f.schedule != nil {
		cfg.Schedule = *f.schedule
	}
	if f.policy != nil {
		cfg.Policy = *f.policy
	}
	if cfg.CancelGrace == 0 {
		cfg.CancelGrace = cancelGrace
	}
	if cfg.Overflow == runtime.OverflowDefault {
		cfg.Overflow = runtime.OverflowWait // --count waits for room rather than fail runs
	}
	return cfg, nil
}
