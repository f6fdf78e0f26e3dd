package js

import (
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/telemetry/histogram"
)

// Stats is what an engine did since it was made.
type Stats struct {
	// Calls counts finished calls, Attempts their attempts.
	Calls, Attempts uint64
	// Failures counts failed calls by class; classes without one are missing.
	Failures map[Class]uint64
	// Replaced counts guests that were thrown away and made anew.
	Replaced uint64
	// Waiting is how many calls wait for a guest now.
	Waiting int
	// Queue, Restore and Run are the times of the attempts: waiting for a guest,
	// making it pristine, running the script.
	Queue, Restore, Run Quantiles
	// Overrun is how long after its limit a stopped script came back.
	Overrun Quantiles
	// PeakMemoryBytes is the most that a guest used.
	PeakMemoryBytes int64
	// Scripts and ScriptBytes are what the compile cache holds; Recompiled counts
	// calls whose script had been dropped from it.
	Scripts     int
	ScriptBytes int64
	Recompiled  int64
	// OpenBreakers is how many scripts are refused now; Open says that all are.
	OpenBreakers int
	Open         bool
}

// Times are the distributions whose quantiles [Stats] has.
type Times struct{ Queue, Restore, Run, Overrun *histogram.Snapshot }

// Times copies the distributions, 5 KB each. It may be called at any time.
func (e *Engine) Times() Times {
	c := &e.counters
	return Times{c.queue.Snapshot(), c.restore.Snapshot(), c.run.Snapshot(), c.late.Snapshot()}
}

// Quantiles are of a distribution of times, exact to 9 %.
type Quantiles struct{ P50, P95, P99 time.Duration }

// counters are what Stats is made of.
type counters struct {
	calls, attempts, replaced atomic.Uint64
	failures                  [6]atomic.Uint64
	queue, restore, run, late histogram.Histogram
	peakPages                 atomic.Uint32
}

var classes = [6]Class{ClassScript, ClassTimeout, ClassOOM, ClassTrap, ClassSaturated, ClassHost}

func (c *counters) failed(class Class) {
	for i, k := range classes {
		if k == class {
			c.failures[i].Add(1)
		}
	}
}

func (c *counters) usedPages(pages uint32) {
	for {
		old := c.peakPages.Load()
		if pages <= old || c.peakPages.CompareAndSwap(old, pages) {
			return
		}
	}
}

// Stats reads the counters. It may be called at any time; numbers of calls that end
// meanwhile may be part of it or not.
func (e *Engine) Stats() Stats {
	c := &e.counters
	s := Stats{
		Calls: c.calls.Load(), Attempts: c.attempts.Load(), Replaced: c.replaced.Load(),
		Failures:        make(map[Class]uint64),
		Waiting:         e.pool.waitingNow(),
		Queue:           quantiles(&c.queue),
		Restore:         quantiles(&c.restore),
		Run:             quantiles(&c.run),
		Overrun:         quantiles(&c.late),
		PeakMemoryBytes: int64(c.peakPages.Load()) * pageSize,
	}
	for i, class := range classes {
		if n := c.failures[i].Load(); n > 0 {
			s.Failures[class] = n
		}
	}
	s.Scripts, s.ScriptBytes, s.Recompiled = e.cache.usage()
	s.OpenBreakers, s.Open = e.breakers.open(time.Now())
	return s
}

func quantiles(h *histogram.Histogram) Quantiles {
	s := h.Snapshot()
	return Quantiles{s.Quantile(0.5), s.Quantile(0.95), s.Quantile(0.99)}
}
