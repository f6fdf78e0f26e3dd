package runtime

import (
	"context"

	"github.com/ringmill/ringmill/runtime/processor"
)

// A Runtime executes workflows. Its methods, and the functions that take it,
// are safe for concurrent use. Make one with New and share it: it is meant to
// live as long as the program.
type Runtime struct {
	cfg  Config
	proc *processor.Processor
}

// New checks cfg and starts a Runtime. Its actors are idle and cost no CPU until
// there is work. Its error names every field that is wrong.
func New(cfg Config) (*Runtime, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	proc, err := processor.New(cfg.processor())
	if err != nil {
		return nil, err
	}
	return &Runtime{cfg: cfg, proc: proc}, nil
}

// Config returns the configuration with its defaults filled in.
func (rt *Runtime) Config() Config { return rt.cfg }

// Stats returns a snapshot of counters and gauges. It does not block.
func (rt *Runtime) Stats() Stats { return rt.proc.Stats() }

// Actors returns the present state of the actors that the Runtime consists of, workflow-0 and
// so on and task-0 and so on, for people: the telemetry/actorlist package shows it over HTTP. What a task actor handles is
// the call that wakes it: it then goes on with further attempts, so its service time is that of all of them. It copies a list
// under a lock and does not disturb the actors.
func (rt *Runtime) Actors() []ActorStats { return rt.proc.Actors() }

// Stop ends the Runtime: from now on runs are refused with ErrStopped, those in
// flight are waited for, and all goroutines end. When ctx ends first, the runs
// that are left are cancelled, and the error says how many there were. Stop
// returns no later than about CancelGrace after ctx has ended, or CompensateGrace
// later if cancelled runs have compensations.
//
// A later call waits for the first one, and when its own ctx ends it cancels what
// is left. A task must not stop the Runtime that executes it: Stop waits for that
// task, until ctx ends.
func (rt *Runtime) Stop(ctx context.Context) error { return rt.proc.Stop(ctx) }
