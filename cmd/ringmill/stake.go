package main

import (
	"fmt"
	"sync/atomic"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A stake knows what would stay undone if the program ended now: the compensations of the runs
// in flight. It is safe for concurrent use.
type stake struct {
	compensates bool                // the workflow has compensations
	run         atomic.Pointer[run] // the one run; nil with --count
	runs        atomic.Int64        // of --count, in flight
}

// text says it, in words that go between a colon and a semicolon; empty if nothing is at stake.
func (s *stake) text() string {
	if !s.compensates {
		return ""
	}
	if n := s.runs.Load(); n > 0 {
		return report.Plural(n, "run") + " in flight, which call their compensations before they end"
	}
	r := s.run.Load()
	if r == nil || r.Status().Ended() {
		return ""
	}
	switch p := r.Progress(); {
	case p.Compensations > 0:
		return fmt.Sprintf("%s of %s ended", report.Number(p.Compensated), report.Plural(p.Compensations, "compensation"))
	case p.Succeeded > 0 || p.Running > 0: // what runs may be a list of which some items have succeeded
		return "when the tasks that run have ended, those that succeeded are compensated"
	}
	return ""
}

// compensates reports whether a run of the plan may have something to undo.
func compensates(p *workflow.Plan) bool {
	for i := range p.Tasks {
		if t := &p.Tasks[i]; t.Compensate != nil || t.CompensateItem != nil || t.Sub != nil && compensates(t.Sub) {
			return true
		}
	}
	return false
}
