package loadgen

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ringmill/ringmill/runtime"
)

// How often gauges are looked at, and within which bounds intervals of the series
// are: a hundred a run where that is possible.
const (
	gaugeTime        = 10 * time.Millisecond
	shortestInterval = 100 * time.Millisecond
	longestInterval  = time.Second
	mostPoints       = 600 // of a series; then two neighbours become one
)

// gauges are the highest values seen.
type gauges struct {
	fullest                                        float64
	deepest, mailboxes, inFlight, ready, idle, all int
}

func (g *gauges) see(s runtime.Stats) {
	sum := 0
	for _, w := range s.Workflows {
		sum += w.MailboxLen
		g.deepest = max(g.deepest, w.MailboxLen)
		g.fullest = max(g.fullest, float64(w.MailboxLen)/float64(w.MailboxCap))
	}
	g.mailboxes = max(g.mailboxes, sum)
	g.inFlight = max(g.inFlight, s.InFlight)
	g.ready = max(g.ready, s.Ready+s.Queued)
	g.idle, g.all = s.IdleTaskActors, s.TaskActors
}

// join keeps the higher values.
func (g *gauges) join(o gauges) {
	g.fullest = max(g.fullest, o.fullest)
	g.deepest = max(g.deepest, o.deepest)
	g.mailboxes = max(g.mailboxes, o.mailboxes)
	g.inFlight = max(g.inFlight, o.inFlight)
	g.ready = max(g.ready, o.ready)
}

// startSampler starts the goroutine that collects what the clients recorded. The
// function that it returns ends it after a last look.
func (s *session) startSampler() (stop func()) {
	interval := shortestInterval // where nobody knows the end, neighbours are joined later
	if d := s.cfg.expected(); d < MaxDuration {
		interval = min(max(d/100, shortestInterval), longestInterval)
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	log := hdrhistogram.NewHistogramLogWriter(&s.log)
	began := s.start.UnixMilli()
	// A log in memory takes every write.
	_ = log.OutputLogFormatVersion()
	_ = log.OutputComment("[Latency in nanoseconds from the intended time of arrival]")
	_ = log.OutputStartTime(began)
	log.SetBaseTime(began)
	_ = log.OutputBaseTime(began)
	_ = log.OutputLegend()
	go func() {
		defer close(ended)
		tick := time.NewTicker(gaugeTime)
		defer tick.Stop()
		c := &collector{s: s, log: log, part: newTally()}
		for {
			select {
			case <-quit:
				c.see()
				c.collect(s.elapsed(), false)
				return
			case <-tick.C:
				c.see()
				if now := s.elapsed(); now-c.last >= interval {
					c.collect(now, true)
				}
			}
		}
	}()
	return func() { close(quit); <-ended }
}

// A collector is the sampler's own state.
type collector struct {
	s      *session
	log    *hdrhistogram.HistogramLogWriter
	part   *tally
	last   time.Duration
	now    gauges // of this interval
	warmed bool
}

func (c *collector) see() {
	s := c.s
	if s.rt != nil {
		c.now.see(s.rt.Stats())
	} else {
		c.now.inFlight = max(c.now.inFlight, s.underWay())
	}
	if !c.warmed && s.cfg.Warmup > 0 && s.elapsed() >= s.cfg.Warmup {
		c.warmed = true
		s.before, s.beforeOps = read(0), s.completed.Load()
		if s.rt != nil {
			s.beforeStats = s.rt.Stats()
		}
	}
}

// collect ends an interval.
func (c *collector) collect(now time.Duration, under bool) {
	s := c.s
	for _, r := range s.recorders {
		r.collect(c.part)
	}
	took := (now - c.last).Seconds()
	p := Point{
		At: now.Seconds(), Done: c.part.done, Failed: c.part.failed, Shed: c.part.shed, Throughput: float64(c.part.done) / took,
		InFlight: c.now.inFlight, Mailboxes: c.now.mailboxes, Fullest: c.now.fullest, Ready: c.now.ready,
	}
	if h := c.part.latency; c.part.done > 0 {
		p.P50, p.P99 = float64(h.ValueAtPercentile(50))/1e9, float64(h.ValueAtPercentile(99))/1e9
		p.Max, p.Mean = float64(h.Max())/1e9, h.Mean()/1e9
		h.SetStartTimeMs(s.start.Add(c.last).UnixMilli())
		h.SetEndTimeMs(s.start.Add(now).UnixMilli())
		_ = c.log.OutputIntervalHistogram(h)
	}
	s.total.merge(c.part)
	c.part.reset()
	if c.last >= s.cfg.Warmup && took > 0 { // one that began in the warm-up shows less than it lasted
		s.series = append(s.series, p)
		if len(s.series) > mostPoints {
			s.series = halve(s.series)
		}
		s.gauges.join(c.now)
	}
	idle, all := c.now.idle, c.now.all
	c.last, c.now = now, gauges{}
	if under {
		c.abort(now)
	}
	if s.cfg.Live != nil {
		snap := Snapshot{
			Elapsed: now, Duration: s.cfg.expected(), Warmup: now < s.cfg.Warmup, Sent: s.sent.Load(),
			Done: s.total.done, Failed: s.total.failed, Shed: s.total.shed, Rate: p.Throughput, Last: p,
			Latency: quantilesOf(s.total.latency), TaskActors: all, IdleTaskActors: idle,
		}
		if a := s.aborted.Load(); a != nil {
			snap.Aborted = *a
		}
		s.cfg.Live(snap)
	}
}

// abort ends the run when a threshold that says so is broken.
func (c *collector) abort(now time.Duration) {
	s := c.s
	for _, t := range s.cfg.Thresholds {
		if t.Abort == 0 || now < s.cfg.Warmup+t.Abort || s.stop.Load() {
			continue
		}
		k := known{tally: s.total, throughput: float64(s.total.done) / (now - s.cfg.Warmup).Seconds(), blocked: s.backpressure().BlockedShare}
		if !k.holds(t) {
			text := t.String()
			s.aborted.Store(&text)
			s.halt()
		}
	}
}

// halve joins neighbours of a series that has grown long.
func halve(series []Point) []Point {
	joined := series[:0]
	for i := 0; i+1 < len(series); i += 2 {
		a, b := series[i], series[i+1]
		p := b
		p.Done, p.Failed, p.Shed = a.Done+b.Done, a.Failed+b.Failed, a.Shed+b.Shed
		p.Throughput = (a.Throughput + b.Throughput) / 2
		p.P50, p.P99, p.Max = max(a.P50, b.P50), max(a.P99, b.P99), max(a.Max, b.Max)
		p.Mean = (a.Mean + b.Mean) / 2
		p.InFlight, p.Mailboxes = max(a.InFlight, b.InFlight), max(a.Mailboxes, b.Mailboxes)
		p.Fullest, p.Ready = max(a.Fullest, b.Fullest), max(a.Ready, b.Ready)
		joined = append(joined, p)
	}
	return joined
}
