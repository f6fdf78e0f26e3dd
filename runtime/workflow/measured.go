package workflow

import (
	"sync"
	"sync/atomic"
	"time"
)

// Measured is what the tasks of a plan have taken in runs that went well: an exponentially weighted mean for each
// task, and the upward ranks that follow from those. Its size is that of the plan. Its methods are safe for concurrent
// use. The zero Measured has no figures.
type Measured struct {
	ranks atomic.Pointer[[]float64]
	runs  atomic.Uint64

	plan *Plan
	mu   sync.Mutex
	mean []float64 // nanoseconds by task, below 0: not measured yet
}

const (
	// measuredWeight is the weight of the latest run in the mean: of a change of a task's duration half is seen
	// after three recorded runs.
	measuredWeight = 0.25
	// Every one of the first runs is recorded, and then one of measuredEvery: it takes a look at each task and edge.
	measuredFirst = 8
	measuredEvery = 16
)

// Measured returns the figures of the plan, which all its engines share.
func (p *Plan) Measured() *Measured {
	p.measuredOnce.Do(func() { p.measured.plan = p })
	return &p.measured
}

// Ranks returns the upward rank of each task by its measured duration, or its Weight while it has none; nil before the
// first run was recorded. The slice does not change.
func (m *Measured) Ranks() []float64 {
	if ranks := m.ranks.Load(); ranks != nil {
		return *ranks
	}
	return nil
}

// Record keeps what a run has taken: took answers the run time of a task, false if it did not execute. It records each of
// the first 8 runs and every 16th from then on; of others it costs an addition.
func (m *Measured) Record(took func(task int) (time.Duration, bool)) {
	if n := m.runs.Add(1); n > measuredFirst && n%measuredEvery != 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mean == nil {
		m.mean = make([]float64, len(m.plan.Tasks))
		for i := range m.mean {
			m.mean[i] = -1
		}
	}
	for i := range m.mean {
		d, ok := took(i)
		switch {
		case !ok:
		case m.mean[i] < 0:
			m.mean[i] = float64(d)
		default:
			m.mean[i] += measuredWeight * (float64(d) - m.mean[i])
		}
	}
	ranks := m.plan.ranks(func(i int) float64 {
		if m.mean[i] < 0 {
			return float64(m.plan.Tasks[i].Weight)
		}
		return m.mean[i]
	})
	m.ranks.Store(&ranks)
}
