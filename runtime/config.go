package runtime

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/cache"
	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/scheduler"
)

// The defaults of Config, and the ranges that New accepts.
const (
	DefaultWorkflowActors  = 10
	DefaultTaskActors      = 50
	DefaultMailboxCapacity = 1024
	DefaultMaxRuns         = 65_536
	DefaultCancelGrace     = 5 * time.Second
	DefaultCompensateGrace = 30 * time.Second
	DefaultRunRetention    = 10 * time.Minute
	DefaultRetainedRuns    = 10_000

	MaxActors          = 65_536  // of either kind
	MaxMailboxCapacity = 1 << 24 // 16 Mi runs, 256 MiB of ring once used
	MaxMaxRuns         = 1 << 30 // a run takes at least 1 KB
	maxActorPairs      = 1 << 23 // each may have one task waiting, within scheduler.MaxPolicyCapacity
	MaxCacheEntries    = 100_000_000
	MaxRunRetention    = 7 * 24 * time.Hour
	MaxRetainedRuns    = 100_000_000
	MaxCancelGrace     = 24 * time.Hour // and of CompensateGrace
)

// Config sizes a Runtime. The zero value is valid: every field that is zero gets
// its default.
type Config struct {
	// WorkflowActors is the number of actors that drive runs.
	// Defaults to 10; 1 to 65,536; environment WORKFLOW_ACTOR_POOL_SIZE.
	WorkflowActors int

	// TaskActors is the number of tasks that execute at once.
	// Defaults to 50; 1 to 65,536; environment TASK_ACTOR_POOL_SIZE.
	TaskActors int

	// TaskActorsMin and TaskActorsMax let the number of task actors follow the load: every 100 ms,
	// while there are runs, it is set to what arrivals, service times and backlog need, within these
	// bounds; TaskActors is the number at the start. See scheduler.Sizer for the rules, Stats.TaskActors and
	// Stats.Resizes for the effect, and NoticeResized for each decision. Tasks are then timed, which
	// costs three readings of the clock each.
	// Default to 0, both: the number stays. 1 to 65,536; environment RINGMILL_TASK_ACTORS_MIN,
	// RINGMILL_TASK_ACTORS_MAX.
	TaskActorsMin, TaskActorsMax int

	// MailboxCapacity is the number of runs that wait in one workflow actor's
	// mailbox; a full one is passed over once around the ring. A run whose first
	// tasks the task actors can take at once does not wait there. Its memory is
	// taken when the first run arrives, 16 bytes a place.
	// Defaults to 1,024; 1 to 16,777,216; environment RINGMILL_MAILBOX_CAPACITY.
	MailboxCapacity int

	// MailboxKind is the kind of the workflow actors' mailboxes: "mpsc", the
	// lock-free ring, or, to be compared with it, "chan", "mutex", or "workiva" in
	// a program that imports the package mailbox/workiva.
	// Defaults to "mpsc"; environment RINGMILL_MAILBOX_KIND.
	MailboxKind string

	// MaxRuns is the number of runs in flight: admitted and not ended.
	// Defaults to 65,536; 1 to 1,073,741,824; environment RINGMILL_MAX_RUNS.
	MaxRuns int

	// CancelGrace is how long a task may take to return after its context was
	// cancelled. Then it is recorded as timed out or cancelled, its goroutine
	// is counted as leaked, and another takes its place. When as many have leaked as
	// there are task actors, attempts of those tasks are refused with a *LeakError, which
	// matches breaker.ErrOpen, until one of the bodies returns; other tasks go on.
	// Defaults to 5 s; 1 ns to 24 h; environment RINGMILL_CANCEL_GRACE (such as 500ms).
	CancelGrace time.Duration

	// CompensateGrace is how long the compensations of cancelled runs may go on, all together, after the
	// context of Stop has ended and their tasks have had CancelGrace. Then the ones that run are cancelled and the others are not
	// called; the errors of their runs say so.
	// Defaults to 30 s; 1 ns to 24 h; environment RINGMILL_COMPENSATE_GRACE.
	CompensateGrace time.Duration

	// Overflow is what happens when MaxRuns or MailboxCapacity is hit.
	// Defaults to OverflowDefault; environment RINGMILL_OVERFLOW (wait, fail,
	// drop-newest, drop-oldest).
	Overflow Overflow

	// RunRetention is how long a run whose caller gave it an ID is kept after its end: a call with
	// the same ID returns that run until then.
	// Defaults to 10 min; 1 ns to 168 h; environment RINGMILL_RUN_RETENTION (such as 1h).
	RunRetention time.Duration

	// RetainedRuns is how many ended runs are kept at most; beyond that those that ended first are forgotten before their
	// RunRetention is over. A run of many tasks counts as one more for each 16 of them, since most of what is kept is its report.
	// Defaults to 10,000, which is about 80 MB beside the runs' outputs; 1 to 100,000,000; environment RINGMILL_RETAINED_RUNS.
	RetainedRuns int

	// CacheEntries is how many results of tasks with workflow.Cache are kept; those that are less likely
	// to be wanted again make room. The memory is taken as results come.
	// Defaults to 10,000; 1 to 100,000,000; environment RINGMILL_CACHE_ENTRIES.
	CacheEntries int

	// Policy says which task actor gets which task: "idle" (an idle one, in turn,
	// else whoever is free first), "round-robin" (strict turns), "least-loaded"
	// (the better of two random ones) or "hash" (all tasks of a run go to the
	// same one). Under all but "idle" a task may wait behind a long one while
	// other task actors are idle.
	// Defaults to "idle"; environment RINGMILL_POLICY.
	Policy string

	// Schedule is the order in which ready tasks are handed out: as they became ready, or the one with the longest
	// remaining path first. That path is reckoned with declared durations (the recorded ones of a WfFormat task; where
	// no task of a workflow has one each counts the same), or, with ScheduleMeasuredPath, with a weighted mean of what
	// each task took in earlier runs of its workflow that went well: 24 bytes a task, kept with the definition, brought
	// up to date at the end of the first 8 runs and of every 16th after those. It implies TaskTimings.
	// Defaults to ScheduleFIFO; environment RINGMILL_SCHEDULE (fifo, critical-path, measured-path).
	Schedule Schedule

	// Observer is told about runs and attempts. Defaults to nil, which costs
	// nothing.
	Observer Observer

	// Clock is the time that everything of the Runtime goes by, for tests that let it pass themselves: timeouts, waits between attempts,
	// heartbeats, deadlines of runs, the life of cached results and kept runs; see the package runtime/runtimetest. Breakers and rate limits
	// have a clock of their own. The time that Stop and cancelled bodies have to end is CancelGrace on this clock, and Stop's own patience
	// real time. Defaults to nil, the real time.
	Clock Clock

	// TaskTimings records the times of every task for Run.Report, which costs
	// three readings of the clock a task. An Observer needs and implies it.
	// Defaults to false.
	TaskTimings bool

	// SampleActors measures how long one message in 64 of each actor waits and takes, for
	// Actors; see actor.Config.Sample for what it costs. Defaults to false.
	SampleActors bool
}

// ConfigFromEnv returns a Config with the fields that the environment sets, the
// others zero. Its error names every variable that is wrong, its value, and
// what is allowed.
func ConfigFromEnv() (Config, error) { return configFrom(os.LookupEnv) }

func configFrom(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	e := environment{lookup: lookup}
	e.number("WORKFLOW_ACTOR_POOL_SIZE", MaxActors, &c.WorkflowActors)
	e.number("TASK_ACTOR_POOL_SIZE", MaxActors, &c.TaskActors)
	e.number("RINGMILL_TASK_ACTORS_MIN", MaxActors, &c.TaskActorsMin)
	e.number("RINGMILL_TASK_ACTORS_MAX", MaxActors, &c.TaskActorsMax)
	e.number("RINGMILL_MAILBOX_CAPACITY", MaxMailboxCapacity, &c.MailboxCapacity)
	e.number("RINGMILL_MAX_RUNS", MaxMaxRuns, &c.MaxRuns)
	e.number("RINGMILL_CACHE_ENTRIES", MaxCacheEntries, &c.CacheEntries)
	e.duration("RINGMILL_CANCEL_GRACE", MaxCancelGrace, &c.CancelGrace)
	e.duration("RINGMILL_COMPENSATE_GRACE", MaxCancelGrace, &c.CompensateGrace)
	e.duration("RINGMILL_RUN_RETENTION", MaxRunRetention, &c.RunRetention)
	e.number("RINGMILL_RETAINED_RUNS", MaxRetainedRuns, &c.RetainedRuns)
	parse(&e, "RINGMILL_MAILBOX_KIND", ParseMailboxKind, &c.MailboxKind)
	parse(&e, "RINGMILL_OVERFLOW", ParseOverflow, &c.Overflow)
	parse(&e, "RINGMILL_SCHEDULE", ParseSchedule, &c.Schedule)
	parse(&e, "RINGMILL_POLICY", ParsePolicy, &c.Policy)
	return c, errors.Join(e.problems...)
}

// environment reads variables and collects what is wrong with them. A variable
// that is set to nothing counts as not set.
type environment struct {
	lookup   func(string) (string, bool)
	problems []error
}

func (e *environment) number(name string, most int, to *int) {
	text, _ := e.lookup(name)
	if text == "" {
		return
	}
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		e.problems = append(e.problems, fmt.Errorf("%s: %q is not a number; want 1 to %d", name, text, most))
	case err != nil || n < 1 || n > most:
		e.problems = append(e.problems, fmt.Errorf("%s: %s is out of range; want 1 to %d", name, text, most))
	default:
		*to = n
	}
}

func (e *environment) duration(name string, most time.Duration, to *time.Duration) {
	text, _ := e.lookup(name)
	if text == "" {
		return
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		e.problems = append(e.problems, fmt.Errorf("%s: %q is not a duration; want one such as 500ms or 5s, up to %v", name, text, most))
	case d <= 0 || d > most:
		e.problems = append(e.problems, fmt.Errorf("%s: %s is out of range; want more than 0 and up to %v", name, text, most))
	default:
		*to = d
	}
}

func parse[T any](e *environment, name string, f func(string) (T, error), to *T) {
	text, _ := e.lookup(name)
	if text == "" {
		return
	}
	v, err := f(text)
	if err != nil {
		e.problems = append(e.problems, fmt.Errorf("%s: %w", name, err))
		return
	}
	*to = v
}

// withDefaults fills in the defaults and checks every field.
func (c Config) withDefaults() (Config, error) {
	var problems []error
	number := func(name string, v *int, def, most int) {
		if *v == 0 {
			*v = def
		}
		if *v < 1 || *v > most {
			problems = append(problems, fmt.Errorf("runtime: Config.%s: %d is out of range; want 1 to %d, or 0 for the default %d", name, *v, most, def))
		}
	}
	number("WorkflowActors", &c.WorkflowActors, DefaultWorkflowActors, MaxActors)
	taskActors := DefaultTaskActors
	if c.TaskActorsMin != 0 || c.TaskActorsMax != 0 {
		number("TaskActorsMin", &c.TaskActorsMin, 1, MaxActors)
		if c.TaskActorsMax == 0 {
			problems = append(problems, fmt.Errorf("runtime: Config.TaskActorsMax: 0 with a TaskActorsMin of %d; want the largest number of task actors, or both 0", c.TaskActorsMin))
		} else {
			number("TaskActorsMax", &c.TaskActorsMax, 0, MaxActors)
		}
		switch {
		case c.TaskActorsMax > 0 && c.TaskActorsMin > c.TaskActorsMax:
			problems = append(problems, fmt.Errorf("runtime: Config.TaskActorsMin: %d is above TaskActorsMax, which is %d; want it at or below", c.TaskActorsMin, c.TaskActorsMax))
		case c.TaskActorsMax > 0 && c.TaskActors != 0 && (c.TaskActors < c.TaskActorsMin || c.TaskActors > c.TaskActorsMax):
			problems = append(problems, fmt.Errorf("runtime: Config.TaskActors: %d is outside TaskActorsMin and TaskActorsMax, %d to %d; want a number between them to begin with, or 0",
				c.TaskActors, c.TaskActorsMin, c.TaskActorsMax))
		}
		taskActors = min(max(taskActors, c.TaskActorsMin), max(c.TaskActorsMax, 1))
	}
	number("TaskActors", &c.TaskActors, taskActors, MaxActors)
	number("MailboxCapacity", &c.MailboxCapacity, DefaultMailboxCapacity, MaxMailboxCapacity)
	number("MaxRuns", &c.MaxRuns, DefaultMaxRuns, MaxMaxRuns)
	number("CacheEntries", &c.CacheEntries, cache.DefaultEntries, MaxCacheEntries)
	duration := func(name string, v *time.Duration, def, most time.Duration) {
		if *v == 0 {
			*v = def
		}
		if *v < 0 || *v > most {
			problems = append(problems, fmt.Errorf("runtime: Config.%s: %v is out of range; want more than 0 and up to %v, or 0 for the default %v", name, *v, most, def))
		}
	}
	duration("CancelGrace", &c.CancelGrace, DefaultCancelGrace, MaxCancelGrace)
	duration("CompensateGrace", &c.CompensateGrace, DefaultCompensateGrace, MaxCancelGrace)
	duration("RunRetention", &c.RunRetention, DefaultRunRetention, MaxRunRetention)
	number("RetainedRuns", &c.RetainedRuns, DefaultRetainedRuns, MaxRetainedRuns)
	if int(c.Overflow) >= len(overflowNames) {
		problems = append(problems, fmt.Errorf("runtime: Config.Overflow: %d is unknown; use one of the Overflow constants", c.Overflow))
	}
	if int(c.Schedule) >= len(scheduleNames) {
		problems = append(problems, fmt.Errorf("runtime: Config.Schedule: %d is unknown; use one of the Schedule constants", c.Schedule))
	}
	if c.MailboxKind == "" {
		c.MailboxKind = mailbox.DefaultKind
	}
	if _, err := ParseMailboxKind(c.MailboxKind); err != nil {
		problems = append(problems, fmt.Errorf("runtime: Config.MailboxKind: %w", err))
	}
	if c.Policy == "" {
		c.Policy = scheduler.DefaultPolicy
	}
	if _, err := ParsePolicy(c.Policy); err != nil {
		problems = append(problems, fmt.Errorf("runtime: Config.Policy: %w", err))
	}
	if most := max(c.TaskActors, c.TaskActorsMax); c.WorkflowActors > 0 && most > 0 && c.WorkflowActors*most > maxActorPairs {
		problems = append(problems, fmt.Errorf("runtime: Config: %d WorkflowActors with %d TaskActors are too many together; want at most %d for the product",
			c.WorkflowActors, most, maxActorPairs))
	}
	return c, errors.Join(problems...)
}

func (c Config) processor() processor.Config {
	return processor.Config{
		WorkflowActors:  c.WorkflowActors,
		TaskActors:      c.TaskActors,
		TaskActorsMin:   c.TaskActorsMin,
		TaskActorsMax:   c.TaskActorsMax,
		MailboxCapacity: c.MailboxCapacity,
		MailboxKind:     c.MailboxKind,
		MaxRuns:         c.MaxRuns,
		CancelGrace:     c.CancelGrace,
		CompensateGrace: c.CompensateGrace,
		RunRetention:    c.RunRetention,
		RetainedRuns:    c.RetainedRuns,
		Overflow:        c.Overflow,
		CacheEntries:    c.CacheEntries,
		Policy:          c.Policy,
		Schedule:        c.Schedule,
		Observer:        c.Observer,
		Clock:           c.Clock,
		TaskTimings:     c.TaskTimings,
		SampleActors:    c.SampleActors,
	}
}
