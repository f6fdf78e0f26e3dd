package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringmill/ringmill/runtime/processor"
)

// Config says what a [Collector] reports. The zero value reports the build only.
type Config struct {
	// Stats returns the runtime's statistics; usually the method value
	// rt.Stats. It is called once a scrape. Nil leaves them out.
	Stats func() processor.Stats
	// Observer holds the measured times. Nil leaves the histograms out.
	Observer *Observer
	// PerActor adds the series of every workflow actor, labelled with its
	// index: three for each actor. Defaults to false.
	PerActor bool
}

// A Collector is a [prometheus.Collector] that puts a runtime's metrics together
// when it is scraped. It is safe for concurrent use, so several registries may
// share it.
type Collector struct {
	cfg     Config
	created time.Time // when the counting began, for native histograms
	build   prometheus.Metric
}

// NewCollector returns a Collector for one runtime. Two runtimes of one program
// need registries of their own, or prometheus.WrapRegistererWith a label.
func NewCollector(cfg Config) *Collector {
	return &Collector{cfg: cfg, created: time.Now(), build: buildInfo()}
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.build.Desc()
	if c.cfg.Stats != nil {
		for i := range statMetrics {
			ch <- statMetrics[i].desc
		}
		describeActors(ch, c.cfg.PerActor)
	}
	if c.cfg.Observer != nil {
		for i := range histogramMetrics {
			ch <- histogramMetrics[i].desc
		}
	}
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	ch <- c.build
	if c.cfg.Stats != nil {
		c.collectStats(ch)
	}
	if c.cfg.Observer != nil {
		c.collectHistograms(ch)
	}
}

func (c *Collector) collectStats(ch chan<- prometheus.Metric) {
	s := c.cfg.Stats()
	for i := range statMetrics {
		m := &statMetrics[i]
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&s), m.label...)
	}
	collectActors(ch, s.Workflows, c.cfg.PerActor)
}

func (c *Collector) collectHistograms(ch chan<- prometheus.Metric) {
	for i := range histogramMetrics {
		m := &histogramMetrics[i]
		ch <- NewHistogram(m.desc, c.cfg.Observer.snapshot(m.series), c.created, m.label...)
	}
}
