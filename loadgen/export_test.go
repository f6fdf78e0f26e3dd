package loadgen

import (
	goruntime "runtime"
	"sync/atomic"
	"time"
)

// InFakeTime times arrivals with Go's timers, which are exact under testing/synctest,
// where a spin would never end.
func InFakeTime(c Config) Config {
	c.pacer, c.keepProcs, c.blind = timerPacer{}, true, true
	return c
}

// Floor returns how late a pacer is in an otherwise idle process, at a constant rate, when
// nothing is handed over: less than that no generator on this machine can do.
func Floor(rate float64, d time.Duration) Quantiles {
	procs := goruntime.GOMAXPROCS(0)
	goruntime.GOMAXPROCS(procs + 1)
	defer goruntime.GOMAXPROCS(procs)
	result := make(chan Quantiles)
	go func() { // its thread ends with it
		p, h := newPacer(), newHistogram()
		p.begin()
		defer p.end()
		var stop atomic.Bool
		start := time.Now()
		for n := range int(rate * d.Seconds()) {
			at := time.Duration(float64(n) / rate * 1e9)
			p.until(start, at, &stop)
			recordIn(h, int64(time.Since(start)-at))
		}
		result <- quantilesOf(h)
	}()
	return <-result
}

// Audit compares books that were made up.
func Audit(sent, done, failed, shed, succeeded, accepted, lost uint64) string {
	s := &session{books: func() bookkeeping { return bookkeeping{accepted: accepted, succeeded: succeeded} }}
	return s.audit(&Result{Sent: sent, Done: done, Failed: failed, Shed: shed}, lost)
}

var ParseShape = func(s string) (tasks int, ok bool, err error) {
	g, ok, err := parseShape(s)
	return len(g), ok, err
}

// Longest returns the longest path through the bodies' times.
func Longest(workflow string, times []int64) int64 {
	g, _, _ := parseShape(workflow)
	return g.longest(times)
}

// CountBetween returns how many corrected latencies lie from low to high
// nanoseconds.
func (r *Result) CountBetween(low, high int64) (n int64) {
	for _, b := range r.histogram.Distribution() {
		if b.From >= low && b.From < high {
			n += b.Count
		}
	}
	return n
}

// A Recorder is one shard, for benchmarks.
type Recorder struct{ r *recorder }

// NewRecorder returns an empty one.
func NewRecorder() Recorder { return Recorder{newRecorder()} }

// Record adds a done request with the given latency.
func (r Recorder) Record(latency time.Duration) {
	r.r.record(measurement{end: latency, service: 1})
}

// RaceEnabled reports whether the race detector is on.
const RaceEnabled = raceEnabled

// MachineCPU returns the busy seconds of all cores and the stolen ones; negative if
// they are unknown.
func MachineCPU() (busy, steal float64) { return machineCPU() }

// An Interval is what the counters of the machine and the process gained in a run, in
// seconds; Busy is of all cores, Own of this process.
type Interval struct {
	Elapsed, Busy, Own, Steal, CPUWait, MemoryWait, IOWait float64
	Unknown                                                bool // the machine tells nothing
}

// Judge fills in r.Trust as at the end of a run.
func Judge(r *Result, i Interval, percentiles ...float64) Trust {
	begin := time.Now()
	before := reading{at: begin, pressure: map[string]float64{"cpu": 0, "memory": 0, "io": 0}}
	after := reading{
		at: begin.Add(time.Duration(i.Elapsed * 1e9)), busy: i.Busy, ownCPU: time.Duration(i.Own * 1e9), steal: i.Steal,
		pressure: map[string]float64{"cpu": i.CPUWait, "memory": i.MemoryWait, "io": i.IOWait},
	}
	if i.Unknown {
		before.busy, after.busy, after.pressure = -1, -1, nil
	}
	r.judge(before, after, percentiles)
	return r.Trust
}
