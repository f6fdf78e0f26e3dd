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

// classicExps are the powers of two, in seconds, at which the classic buckets
// end: each between 1 ms and 64 s, where most tasks are, every third one further
// out. They are bounds of the native buckets too, so no count is estimated.
var classicExps = []int{-19, -16, -13, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 9, 12}

// NewHistogram turns a snapshot into a metric with native and classic buckets.
// created is when the counting began; label are the values of d's variable labels. A
// wrong number of them is a metric that fails the scrape.
func NewHistogram(d *prometheus.Desc, s *histogram.Snapshot, created time.Time, label ...string) prometheus.Metric {
	native := make(map[int]int64)
	classic := make([]*dto.Bucket, 0, len(classicExps))
	below := s.Zero
	for i, n := range s.Buckets {
		if n > 0 {
			native[histogram.First+i] = int64(n)
		}
		below += n
		if next := len(classic); next < len(classicExps) && histogram.First+i == classicExps[next]*histogram.PerOctave {
			classic = append(classic, &dto.Bucket{UpperBound: new(math.Ldexp(1, classicExps[next])), CumulativeCount: new(below)})
		}
	}
	m, err := prometheus.NewConstNativeHistogram(d, s.Count, s.Sum.Seconds(), native, nil, s.Zero,
		histogram.Schema, histogram.ZeroThreshold, created, label...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	return &twofold{Metric: m, classic: classic}
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
