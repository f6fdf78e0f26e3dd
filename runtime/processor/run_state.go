package processor

import (
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A runState is the memory of a run that only the engine sees. It is used again
// for another run of the same plan when the run has ended well, nobody can ask
// for its report, and nothing out of the ordinary was written to it; see
// Run.recycle. It may stay with its Run meanwhile; see caller.reclaim.
type runState struct {
	tasks   []taskState
	results []any     // by task; read by the bodies of dependents
	ranks   []float64 // measured ones, by task; nil: those of the plan
	plain   bool      // no task has more than a body and what bounds it: unless one is retried, only what prepare sets is ever written, and the task actor
}

// prepare gives the run its state, with all tasks waiting, and a hold for its begin.
func (r *Run) prepare() {
	plan, s := r.plan, r.state
	if s == nil {
		s, _ = plan.Scratch().Get().(*runState)
	}
	if s == nil {
		s = &runState{tasks: make([]taskState, len(plan.Tasks)), results: make([]any, len(plan.Tasks)), plain: isPlain(plan)}
	}
	for i := range s.tasks {
		t := &s.tasks[i]
		if deps := len(plan.Tasks[i].Deps); deps > 1 { // else it is not used
			t.pending.Store(int32(deps))
		}
		t.setStatus(workflow.StatusWaiting)
		a := &t.first
		if a.run != r { // spare the write barrier
			a.run = r
		}
		a.task, a.item, a.number = int32(i), -1, 1
		a.level = r.levelOf(i)
		a.phase.Store(phaseQueued)
	}
	if r.p.cfg.Schedule == ScheduleMeasuredPath {
		s.ranks = plan.Measured().Ranks()
	} else if s.ranks != nil { // of another runtime's run of the same plan
		s.ranks = nil
	}
	if r.state != s {
		r.state, r.tasks = s, s.tasks
	}
	r.open.Store(int32(plan.Sinks) + 1)
	if n := len(plan.Tasks); n > inlineContexts {
		r.contexts = make([]firstContext, n-inlineContexts)
	}
	if r.p.bounded {
		if plan.Bounds > 0 {
			r.bounds = make([]boundContext, plan.Bounds)
		}
		if plan.Arms > plan.Bounds {
			r.arms = make([]armed, plan.Arms-plan.Bounds)
		}
	} else if plan.Arms > 0 {
		r.arms = make([]armed, plan.Arms)
	}
}

func isPlain(plan *workflow.Plan) bool {
	for i := range plan.Tasks {
		if t := &plan.Tasks[i]; !t.Direct || !t.Plain || t.MayFail || t.Heartbeat > 0 {
			return false
		}
	}
	return true
}

// recycle clears the state for another run. The caller knows that nobody uses it any more.
func (r *Run) recycle() {
	s := r.state
	clear(s.results)
	if !s.plain || r.retried || r.p.timed || r.p.sizing != nil {
		clear(s.tasks)
	}
	// Attempts keep pointing to their run until the next one, or until the pool is emptied, which takes two collections:
	// what is written during one costs.
	if r.caller != nil && !r.met.Load() {
		r.cleared = true // what becomes of it is the caller's to say
		return
	}
	r.giveStateBack()
}

// giveStateBack lets other runs of the plan have a state that was cleared.
func (r *Run) giveStateBack() {
	s := r.state
	r.state, r.tasks = nil, nil
	r.plan.Scratch().Put(s)
}
