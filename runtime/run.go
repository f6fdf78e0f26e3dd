package runtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A RunOption changes one call of Execute or Start.
type RunOption func(*processor.Options)

// ID names the run, in errors, logs, reports and idempotency keys, and makes it happen once: a call of Start or Execute on the same
// Runtime with an id that was given before returns the run of that id, whether it is in flight or has ended, well or not, for as long as
// Config.RunRetention and Config.RetainedRuns keep it. Callers that come at the same time share one run. It belongs to the
// one that started it: another Execute that joined it waits within its own context, whose end does not cancel it, and a joined
// run goes by the options that it was started with. A run that was refused or shed was none, and its id is free.
//
// An id that stands for a run of another workflow, other types, or another input is ErrIDConflict. Inputs are compared by all that
// they hold, pointers followed, JSON without its white space; of one that holds a function or a channel, or
// itself, pointers and channels are compared as such, and kept with the run; what is neither is an error.
//
// At most MaxIDBytes long. Defaults to a generated id that is unique among all runtimes.
func ID(id string) RunOption { return func(o *processor.Options) { o.ID = id } }

// MaxIDBytes is the length of the longest ID.
const MaxIDBytes = 1024

// RunTimeout bounds the run, from the call of Execute or Start: waiting for room
// and queueing count. A run that takes longer fails with an error that satisfies
// errors.Is(err, context.DeadlineExceeded). Defaults to 0, no bound; a negative
// bound is an error.
func RunTimeout(d time.Duration) RunOption { return func(o *processor.Options) { o.Timeout = d } }

// Priority is the priority of the run's tasks that have none of their own: workflow.Critical, High, Normal or
// Low. It counts where tasks wait: of 15 waiting tasks 8 are taken from Critical, 4 from High, 2 from Normal and 1
// from Low as long as there are enough of each, so none starves; under a Config.Policy other than "idle" only
// until a task has been given to a task actor. Defaults to Normal.
func Priority(level workflow.Level) RunOption { return func(o *processor.Options) { o.Level = level } }

// Execute runs def with input in and waits for its output. The run ends when
// ctx does: its tasks see their context cancelled, and Execute returns when they
// have returned, at most CancelGrace later, and the run's compensations have been
// called.
//
// The error is a *workflow.TaskError when a task failed, a *RunError when the
// run was cancelled or timed out, ErrStopped after Stop. When a bound is hit,
// Execute waits for room within ctx, unless Config.Overflow says otherwise.
//
// A task may call Execute; it keeps its task actor meanwhile. On its own Runtime
// that can deadlock, when every task actor executes such a task and none is left
// for theirs: give nested runs a Runtime of their own, or a deadline.
func Execute[I, O any](ctx context.Context, rt *Runtime, def *workflow.Definition[I, O], in I, opts ...RunOption) (O, error) {
	var none O
	o, err := options(rt, def, processor.Options{Wait: true}, opts)
	if err != nil {
		return none, err
	}
	if o.ID != "" {
		if o.Request, o.Same, err = request[I, O](in); err != nil {
			return none, err
		}
	}
	v, err := rt.proc.Execute(ctx, def.Plan(), in, o)
	out, _ := v.(O) // the comma-ok form: a nil interface stays nil
	return out, err
}

// Start runs def with input in and returns as soon as the run is admitted. The
// run keeps the values of ctx but not its end: stop it with Run.Cancel. When a
// bound is hit, the error is ErrOverloaded, unless Config.Overflow says
// otherwise.
func Start[I, O any](ctx context.Context, rt *Runtime, def *workflow.Definition[I, O], in I, opts ...RunOption) (*Run[O], error) {
	o, err := options(rt, def, processor.Options{Detached: true}, opts)
	if err != nil {
		return nil, err
	}
	if o.ID != "" {
		if o.Request, o.Same, err = request[I, O](in); err != nil {
			return nil, err
		}
	}
	r, err := rt.proc.Submit(ctx, def.Plan(), in, o)
	if err != nil {
		return nil, err
	}
	return &Run[O]{run: r}, nil
}

// request tells apart what calls with the same ID ask for.
func request[I, O any](in I) (request string, same any, err error) {
	types := reflect.TypeFor[func(I) O]().String()
	value := any(in)
	if text, ok := value.(json.RawMessage); ok {
		var compact bytes.Buffer
		if json.Compact(&compact, text) == nil {
			value = compact.Bytes()
		}
	}
	hash, err := workflow.Fingerprint(value)
	if err == nil {
		return types + " " + hash, nil, nil
	}
	switch reflect.TypeOf(value).Kind() {
	case reflect.Pointer, reflect.Chan:
		return types, value, nil
	}
	return "", nil, fmt.Errorf("runtime: ID: the input is to be compared with that of another call under the same id, which cannot be: %w: keep that out of the input, pass a pointer to it, or leave the id out", err)
}

// options checks the arguments of a call.
func options[I, O any](rt *Runtime, def *workflow.Definition[I, O], o processor.Options, opts []RunOption) (processor.Options, error) {
	if rt == nil {
		return o, errors.New("runtime: the Runtime is nil: use the one that New returned without an error")
	}
	if def == nil {
		return o, errors.New("runtime: the definition is nil: use the one that workflow.Build or workflow.Parse returned without an error")
	}
	if len(opts) == 0 {
		return o, nil
	}
	return apply(opts, o)
}

// apply carries options out. It is kept apart because o moves to the heap here.
func apply(opts []RunOption, o processor.Options) (processor.Options, error) {
	for _, opt := range opts {
		if opt == nil {
			return o, errors.New("runtime: a RunOption is nil: leave it out")
		}
		opt(&o)
	}
	if len(o.ID) > MaxIDBytes {
		return o, fmt.Errorf("runtime: ID: it has %d bytes; want at most %d: hash it", len(o.ID), MaxIDBytes)
	}
	if o.Timeout < 0 {
		return o, fmt.Errorf("runtime: RunTimeout: %v is negative; want a bound above 0, or 0 for none", o.Timeout)
	}
	if o.Level > workflow.Low {
		return o, fmt.Errorf("runtime: Priority: %v is unknown; want workflow.Critical, High, Normal or Low", o.Level)
	}
	return o, nil
}

// A Run is a workflow that was started. Its methods are safe for concurrent use;
// only Result blocks.
type Run[O any] struct{ run *processor.Run }

// ID returns the id that names the run.
func (r *Run[O]) ID() string { return r.run.ID() }

// Done returns a channel that is closed when the run has ended.
func (r *Run[O]) Done() <-chan struct{} { return r.run.Done() }

// Status returns the run's state now: pending, running, succeeded, failed or
// cancelled.
func (r *Run[O]) Status() workflow.Status { return r.run.Status() }

// Progress counts the run's tasks by state. It looks at every task.
func (r *Run[O]) Progress() Progress { return r.run.Progress() }

// Report returns a snapshot of the run and all of its tasks.
func (r *Run[O]) Report() Report { return r.run.Report() }

// Cancel asks the run to end: tasks that have not begun never will, running ones
// see their context cancelled. It does not wait. The run ends as cancelled,
// unless it ends otherwise first, and its error satisfies
// errors.Is(err, context.Canceled).
func (r *Run[O]) Cancel() { r.run.Cancel(context.Canceled) }

// Result waits for the end of the run and returns its output and error, which
// are those that Execute would return. ctx bounds the wait only; when it ends
// first, the error is the context's.
func (r *Run[O]) Result(ctx context.Context) (O, error) {
	if r.run.Over() {
		return r.outcome()
	}
	select {
	case <-r.Done():
		return r.outcome()
	case <-ctx.Done():
		if r.run.Over() { // at the same moment: then its outcome counts
			return r.outcome()
		}
		var none O
		return none, fmt.Errorf("runtime: waiting for run %s: %w", r.ID(), processor.Cause(ctx))
	}
}

func (r *Run[O]) outcome() (O, error) {
	v, err := r.run.Outcome()
	out, _ := v.(O) // the comma-ok form: a nil interface stays nil
	return out, err
}
