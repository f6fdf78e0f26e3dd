package workflow

import (
	"context"
	"fmt"
	"reflect"
	"slices"
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
		if d.validPolicy("Retry", policy) {
			d.Retry = policy
		}
	}
}

// validPolicy reports what is wrong with the retry policy of an option; false without one.
func (d *declaration) validPolicy(option string, policy retry.Policy) bool {
	if isNil(policy) {
		d.report(ErrBadOption, "pass a policy such as retry.Exponential{}, or leave the option out", "%s(nil) has no policy", option)
		return false
	}
	if v, ok := policy.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			d.report(fmt.Errorf("%w: %w", ErrBadOption, err), "correct the policy", "%s(%T): %s", option, policy,
				strings.ReplaceAll(err.Error(), "\n", "; ")) // one problem, one line
		}
	}
	return true
}

// Limit bounds how many items of a [Map] run at once. 0, the default, is no
// bound but that of the task actors.
func Limit(items int) Option {
	return func(_ *declarations, d *declaration) {
		switch {
		case items < 0:
			d.report(ErrBadOption, "give a positive number, or leave the option out", "Limit(%d) is negative", items)
		case d.Expand == nil && (d.Run != nil || d.Sub != nil):
			d.report(ErrBadOption, "leave the option out, or declare the task with workflow.Map", "Limit(%d) is set on a task that is not a Map", items)
		}
		d.Limit = items
	}
}

// When lets the task run only if cond holds for the value of step s, which the
// task then waits for: otherwise it is skipped, and by default what depends on it.
// cond is called once, before the first attempt; it is quick and does not block. Given
// more than once, all conditions must hold.
func When[A any](s Step[A], cond func(A) bool) Option {
	return func(owner *declarations, d *declaration) {
		if cond == nil {
			d.report(ErrNilFunc, "pass a func(A) bool, or leave the option out", "the condition of When is nil")
			return
		}
		d.depend(owner, s.node(), "the step of When")
		d.condition(func(in Inputs) (bool, error) { return cond(unboxed(in, s)), nil })
	}
}

// WhenAsk is [When] for a condition that takes longer, or can fail: cond runs as a
// task does, after the conditions of When. Its context is cancelled with the run; no
// timeout of the task counts, and an error fails the task.
func WhenAsk[A any](s Step[A], cond func(context.Context, A) (bool, error)) Option {
	return func(owner *declarations, d *declaration) {
		if cond == nil {
			d.report(ErrNilFunc, "pass a func(context.Context, A) (bool, error), or leave the option out", "the condition of WhenAsk is nil")
			return
		}
		d.depend(owner, s.node(), "the step of WhenAsk")
		ask := func(ctx context.Context, in Inputs) (bool, error) { return cond(ctx, unboxed(in, s)) }
		if before := d.Ask; before != nil {
			d.Ask = func(ctx context.Context, in Inputs) (bool, error) {
				if ok, err := before(ctx, in); !ok || err != nil {
					return false, err
				}
				return ask(ctx, in)
			}
			return
		}
		d.Ask = ask
	}
}

// condition adds a condition to those that must hold.
func (d *declaration) condition(cond func(Inputs) (bool, error)) {
	before := d.When
	if before == nil {
		d.When = cond
		return
	}
	d.When = func(in Inputs) (bool, error) {
		if ok, err := before(in); !ok || err != nil {
			return false, err
		}
		return cond(in)
	}
}

// A caseKey is a step as what Case and Otherwise ask.
type caseKey struct{ task int }

// Case lets the task run only if the value of step s, a switch, is one of values.
// The task that joins the cases again starts with [TriggerOn] AnySucceeded.
func Case[K comparable](s Step[K], values ...K) Option {
	return func(owner *declarations, d *declaration) {
		if len(values) == 0 {
			d.report(ErrBadOption, "give the values that the task is for", "Case has no values")
		}
		d.depend(owner, s.node(), "the step of Case")
		if owner.cases == nil {
			owner.cases = make(map[caseKey][]any)
		}
		key := caseKey{s.task}
		for _, v := range values {
			owner.cases[key] = append(owner.cases[key], v)
		}
		values := slices.Clone(values)
		d.condition(func(in Inputs) (bool, error) { return slices.Contains(values, unboxed(in, s)), nil })
	}
}

// Otherwise lets the task run only if no [Case] of step s, whichever task it
// belongs to and when it is declared, has the value of s.
func Otherwise[K comparable](s Step[K]) Option {
	return func(owner *declarations, d *declaration) {
		d.depend(owner, s.node(), "the step of Otherwise")
		d.condition(func(in Inputs) (bool, error) {
			return !slices.Contains(owner.cases[caseKey{s.task}], any(unboxed(in, s))), nil
		})
	}
}

// TriggerOn says how the tasks that the task waits for must have ended for it to
// start. Defaults to AllSucceeded. The value of one that did not succeed is the
// zero value; [Outcome] tells how it ended.
func TriggerOn(t Trigger) Option {
	return func(_ *declarations, d *declaration) {
		if int(t) >= len(triggerNames) {
			d.report(ErrBadOption, "pass AllSucceeded, AllDone or AnySucceeded", "TriggerOn(%d) is no trigger", uint8(t))
		}
		d.Trigger = t
	}
}

// MayFail keeps a failure of the task to itself: nothing else is cancelled, what
// depends on the task goes by [TriggerOn], and the run can still succeed.
func MayFail() Option {
	return func(_ *declarations, d *declaration) { d.MayFail = true }
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

// Inline says that the task's function is quick, some microseconds at most, and
// never blocks: it may run where it is cheapest, in between other work of the
// engine.
func Inline() Option {
	return func(_ *declarations, d *declaration) {
		if d.Sub != nil {
			d.report(ErrBadOption, "give it to the tasks of the workflow", "Inline is set on a workflow")
		}
		d.Inline = true
	}
}

// takes checks that the function of an option fits the task.
func (d *declaration) takes(option string, got, want reflect.Type, what string) {
	if got != want {
		d.report(ErrBadOption, fmt.Sprintf("pass a function that takes %s", want), "%s takes %s, and %s %s", option, got, what, want)
	}
}

// Cache lets the task take its result from an earlier execution with equal
// arguments, for as long as ttl after it; 0 is as long as there is room. Arguments
// are equal if all that they hold is; Build refuses types for which that cannot be
// told, such as functions: see [CacheBy].
func Cache(ttl time.Duration) Option {
	return func(_ *declarations, d *declaration) {
		args := d.args
		for i, arg := range args {
			if why := notHashable(arg.of); why != "" {
				d.report(ErrBadOption, "give a key with CacheBy", "Cache: argument %d, %s, holds %s", i+1, arg.of, why)
			}
		}
		d.Cache = &CachePolicy{TTL: d.positive("Cache", ttl), Key: func(in Inputs) (string, error) {
			values := make([]any, len(args))
			for i, arg := range args {
				values[i] = arg.get(in)
			}
			key, err := stableHash(values)
			if err != nil {
				err = fmt.Errorf("%w, so it cannot be part of a cache's key: give a key with CacheBy", err)
			}
			return key, err
		}}
	}
}

// CacheBy is [Cache] with a key of one's own, made of the value of step s: results
// of the task under one key are interchangeable.
func CacheBy[A any](s Step[A], ttl time.Duration, key func(A) string) Option {
	return func(owner *declarations, d *declaration) {
		if key == nil {
			d.report(ErrNilFunc, "pass a func(A) string", "the key of CacheBy is nil")
			return
		}
		d.depend(owner, s.node(), "the step of CacheBy")
		d.Cache = &CachePolicy{TTL: d.positive("CacheBy", ttl), Key: func(in Inputs) (string, error) { return key(unboxed(in, s)), nil }}
	}
}

// Breaker lets b refuse attempts, on a [Map] those of items, while the resource
// that they need is down.
func Breaker(b CircuitBreaker) Option {
	return func(_ *declarations, d *declaration) {
		if d.given("Breaker", b) {
			d.Breaker = b
		}
	}
}

// RateLimit spreads the attempts, on a [Map] those of items, over time.
func RateLimit(r RateLimiter) Option {
	return func(_ *declarations, d *declaration) {
		if d.given("RateLimit", r) {
			d.RateLimit = r
		}
	}
}

// Concurrency bounds how many tasks with this limiter are under way at once, over
// all runs and workflows that share it.
func Concurrency(l ConcurrencyLimiter) Option {
	return func(_ *declarations, d *declaration) {
		if d.given("Concurrency", l) {
			d.Concurrency = &ConcurrencyPolicy{Limit: l}
		}
	}
}

// ConcurrencyBy is [Concurrency] for each key on its own, made of the value of
// step s.
func ConcurrencyBy[A any](s Step[A], l ConcurrencyLimiter, key func(A) string) Option {
	return func(owner *declarations, d *declaration) {
		if !d.given("ConcurrencyBy", l) {
			return
		}
		if key == nil {
			d.report(ErrNilFunc, "pass a func(A) string", "the key of ConcurrencyBy is nil")
			return
		}
		d.depend(owner, s.node(), "the step of ConcurrencyBy")
		d.Concurrency = &ConcurrencyPolicy{Limit: l, Key: func(in Inputs) (string, error) { return key(unboxed(in, s)), nil }}
	}
}

// given reports whether an option was passed something.
func (d *declaration) given(option string, policy any) bool {
	if isNil(policy) {
		d.report(ErrBadOption, "pass one, or leave the option out", "%s(nil) has no policy", option)
		return false
	}
	return true
}

// RepeatWait is the time between two calls of a [Repeat]. Defaults to 0.
func RepeatWait(wait time.Duration) Option {
	return func(_ *declarations, d *declaration) {
		if d.Repeat == nil {
			d.report(ErrBadOption, "leave it out, or declare the task with workflow.Repeat", "RepeatWait(%s) is set on a task that does not repeat", wait)
			return
		}
		d.Repeat.Wait = d.positive("RepeatWait", wait)
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
