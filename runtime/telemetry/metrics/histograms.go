package metrics

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/ringmill/ringmill/runtime/telemetry/histogram"
)

// A histogramMetric is one series that an [Observer] measures.
type histogramMetric struct {
	desc   *prometheus.Desc
	series series
	label  []string
}

var (
	runSecondsDesc     = desc("ringmill_run_duration_seconds", "From a run's start to its end, by how it ended.", "status")
	attemptSecondsDesc = desc("ringmill_task_run_seconds", "Run time of task attempts, by how they ended.", "status")
)

var histogramMetrics = []histogramMetric{
	{desc("ringmill_run_queue_seconds", "From a run's admission to its start."), runQueue, nil},
	{runSecondsDesc, runSucceeded, []string{"succeeded"}},
	{runSecondsDesc, runFailed, []string{"failed"}},
	{runSecondsDesc, runCancelled, []string{"cancelled"}},
	{desc("ringmill_task_queue_seconds", "From the moment a task attempt was ready to its start."), attemptQueue, nil},
	{attemptSecondsDesc, attemptSucceeded, []string{"succeeded"}},
	{attemptSecondsDesc, attemptFailed, []string{"failed"}},
	{attemptSecondsDesc, attemptCancelled, []string{"cancelled"}},
	{attemptSecondsDesc, attemptTimedOut, []string{"timed_out"}},
}

// The classic buckets end at powers of two from 1 us to 4096 s, which are
// bounds of the native ones too: no count is estimated.
const (
	minClassicExp = -20
	maxClassicExp = 12
)

const classicBuckets = maxClassicExp - minClassicExp + 1

// newHistogram turns a snapshot into a metric with native and classic buckets.
func newHistogram(d *prometheus.Desc, s *histogram.Snapshot, created time.Time, label ...string) prometheus.Metric {
	native := make(map[int]int64)
	classic := make([]*dto.Bucket, 0, classicBuckets)
	below := s.Zero
	for i, n := range s.Buckets {
		if n > 0 {
			native[histogram.First+i] = int64(n)
		}
		below += n
		if exp, at := octaveEnd(histogram.First + i); at && exp >= minClassicExp && exp <= maxClassicExp {
			classic = append(classic, &dto.Bucket{UpperBound: new(math.Ldexp(1, exp)), CumulativeCount: new(below)})
		}
	}
	m, err := prometheus.NewConstNativeHistogram(d, s.Count, s.Sum.Seconds(), native, nil, s.Zero,
		histogram.Schema, histogram.ZeroThreshold, created, label...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	return &twofold{Metric: m, classic: classic}
}

// octaveEnd reports whether a native bucket's upper bound is 2^exp.
func octaveEnd(index int) (exp int, at bool) {
	return index / histogram.PerOctave, index%histogram.PerOctave == 0
}

// A twofold is a native histogram that carries classic buckets beside its own,
// as the client library's measured histograms do; its constant ones are either
// or.
type twofold struct {
	prometheus.Metric // native
	classic           []*dto.Bucket
}

// Write implements [prometheus.Metric].
func (h *twofold) Write(out *dto.Metric) error {
	if err := h.Metric.Write(out); err != nil {
		return err
	}
	out.Histogram.Bucket = h.classic
	return nil
}
