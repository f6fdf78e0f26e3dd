package jsmetrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringmill/ringmill/runtime/js"
	"github.com/ringmill/ringmill/runtime/telemetry/histogram"
	"github.com/ringmill/ringmill/runtime/telemetry/metrics"
)

// A Collector is a [prometheus.Collector] for one engine. It is safe for concurrent
// use, so several registries may share it.
type Collector struct {
	engine  func() *js.Engine
	created time.Time // when the counting began, for native histograms
}

// NewCollector returns a Collector. engine is asked once a scrape and returns the
// engine, nil as long as there is none; usually it is the method value tasks.Started. It must
// be safe for concurrent use, and answer the same engine once it has answered one.
func NewCollector(engine func() *js.Engine) *Collector {
	return &Collector{engine: engine, created: time.Now()}
}

// A single is a series with one value.
type single struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*js.Stats) float64
}

var singles = []single{
	counter("ringmill_js_calls_total", "Calls of scripts that ended.", func(s *js.Stats) float64 { return float64(s.Calls) }),
	counter("ringmill_js_attempts_total", "Attempts of calls that started.", func(s *js.Stats) float64 { return float64(s.Attempts) }),
	counter("ringmill_js_guests_replaced_total", "Guests that were thrown away and made anew.", func(s *js.Stats) float64 { return float64(s.Replaced) }),
	counter("ringmill_js_recompiled_total", "Calls whose script had been dropped from the compile cache.", func(s *js.Stats) float64 { return float64(s.Recompiled) }),
	gauge("ringmill_js_calls_waiting", "Calls that wait for a guest.", func(s *js.Stats) float64 { return float64(s.Waiting) }),
	gauge("ringmill_js_guest_memory_peak_bytes", "The most memory that a guest has used.", func(s *js.Stats) float64 { return float64(s.PeakMemoryBytes) }),
	gauge("ringmill_js_scripts", "Scripts in the compile cache.", func(s *js.Stats) float64 { return float64(s.Scripts) }),
	gauge("ringmill_js_script_bytes", "Memory of the compile cache.", func(s *js.Stats) float64 { return float64(s.ScriptBytes) }),
	gauge("ringmill_js_script_breakers_open", "Scripts that are refused because they failed too often.", func(s *js.Stats) float64 { return float64(s.OpenBreakers) }),
	gauge("ringmill_js_breaker_open", "1 while all scripts are refused because too many trapped, else 0.", func(s *js.Stats) float64 {
		if s.Open {
			return 1
		}
		return 0
	}),
}

var failures = prometheus.NewDesc("ringmill_js_failures_total", "Calls that failed, by class.", []string{"class"}, nil)

var times = []struct {
	desc *prometheus.Desc
	of   func(*js.Times) *histogram.Snapshot
}{
	{desc("ringmill_js_queue_seconds", "From an attempt's beginning to its guest."), func(t *js.Times) *histogram.Snapshot { return t.Queue }},
	{desc("ringmill_js_restore_seconds", "Time to make a guest pristine."), func(t *js.Times) *histogram.Snapshot { return t.Restore }},
	{desc("ringmill_js_run_seconds", "Run time of scripts, with their waits for timers and requests."), func(t *js.Times) *histogram.Snapshot { return t.Run }},
	{desc("ringmill_js_overrun_seconds", "How long after its limit a stopped script came back."), func(t *js.Times) *histogram.Snapshot { return t.Overrun }},
}

func desc(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

func counter(name, help string, value func(*js.Stats) float64) single {
	return single{desc(name, help), prometheus.CounterValue, value}
}

func gauge(name, help string, value func(*js.Stats) float64) single {
	return single{desc(name, help), prometheus.GaugeValue, value}
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for i := range singles {
		ch <- singles[i].desc
	}
	ch <- failures
	for i := range times {
		ch <- times[i].desc
	}
}

// Collect implements [prometheus.Collector]. Without an engine there are no series.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	engine := c.engine()
	if engine == nil {
		return
	}
	stats, distributions := engine.Stats(), engine.Times()
	for i := range singles {
		s := &singles[i]
		ch <- prometheus.MustNewConstMetric(s.desc, s.kind, s.value(&stats))
	}
	for _, class := range js.Classes() {
		ch <- prometheus.MustNewConstMetric(failures, prometheus.CounterValue, float64(stats.Failures[class]), string(class))
	}
	for i := range times {
		ch <- metrics.NewHistogram(times[i].desc, times[i].of(&distributions), c.created)
	}
}
