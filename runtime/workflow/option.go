package workflow

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringmill/ringmill/runtime/retry"
)

// An Option changes how a task runs. Values that cannot be meant are reported
// by [Build]. Of an option given twice the last one counts, except After, which
// adds up.
type Option func(*declarations, *declaration)

// After makes the task wait for nodes whose values it does not use.
func After(nodes ...Node) Option {
	return func(owner *declarations, d *declaration) {
		for i, n := range nodes {
			role := fmt.Sprintf("step %d of After", i+1)
			if isNil(n) {
				d.report(ErrForeignStep, "leave it out, or pass a Step of this workflow", "%s is nil", role)
				continue
			}
			d.depend(owner, n.node(), role)
		}
	}
}

// Timeout bounds one attempt, from the start of the task's function; on a [Map]
// one attempt of one item. 0, the default, is no bound.
func Timeout(limit time.Duration) Option {
	return func(_ *declarations, d *declaration) {
		d.Timeout = d.positive("Timeout", limit)
	}
}

// TaskTimeout bounds the task as a whole: waiting for a task actor, all
// attempts, and the waits between them. 0, the default, is no bound.
func TaskTimeout(limit time.Duration) Option {
	return func(_ *declarations, d *declaration) {
		d.TaskTimeout = d.positive("TaskTimeout", limit)
	}
}

func (d *declaration) positive(option string, limit time.Duration) time.Duration {
	if limit < 0 {
		d.report(ErrBadOption, "give a positive duration, or leave the option out", "%s(%s) is negative", option, limit)
	}
	return limit
}

// Retry lets the policy decide whether a failed attempt is followed by another
// one; on a [Map] for each item on its own. Without it a task has one attempt. A
// policy with a method Validate() error is asked by [Build].
func Retry(policy retry.Policy) Option {
	return func(_ *declarations, d *declaration) {
		if isNil(policy) {
			d.report(ErrBadOption, "pass a policy such as retry.Exponential{}, or leave the option out", "Retry(nil) has no policy")
			return
		}
		if v, ok := policy.(interface{ Validate() error }); ok {
			if err := v.Validate(); err != nil {
				d.report(fmt.Errorf("%w: %w", ErrBadOption, err), "correct the policy", "Retry(%T): %s", policy,
					strings.ReplaceAll(err.Error(), "\n", "; ")) // one problem, one line
			}
		}
		d.Retry = policy
	}
}

// Limit bounds how many items of a [Map] run at once. 0, the default, is no
// bound but that of the task actors.
func Limit(items int) Option {
	return func(_ *declarations, d *declaration) {
		switch {
		case items < 0:
			d.report(ErrBadOption, "give a positive number, or leave the option out", "Limit(%d) is negative", items)
		case d.Expand == nil && d.Run != nil:
			d.report(ErrBadOption, "leave the option out, or declare the task with workflow.Map", "Limit(%d) is set on a task that is not a Map", items)
		}
		d.Limit = items
	}
}

// HeartbeatTimeout bounds the time between two signs of life of an attempt: its
// start and each call of [Heartbeat] by its function. An attempt that stays
// silent for longer is cancelled and timed out. 0, the default, is no bound.
func HeartbeatTimeout(limit time.Duration) Option {
	return func(_ *declarations, d *declaration) {
		d.Heartbeat = d.positive("HeartbeatTimeout", limit)
	}
}

// Priority is the level at which the task waits for a task actor, instead of its run's. On a [Map] it is
// that of each item. See [Level] for how levels share the task actors.
func Priority(level Level) Option {
	return func(_ *declarations, d *declaration) {
		if level < Critical || level > Low {
			d.report(ErrBadOption, "give Critical, High, Normal or Low, or leave the option out", "Priority(%v) is not a level", level)
		}
		d.Level = level
	}
}
