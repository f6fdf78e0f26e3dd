package loadgen

import "time"

// InFakeTime times arrivals with Go's timers, which are exact under testing/synctest,
// where a spin would never end.
func InFakeTime(c Config) Config {
	c.pacer, c.keepProcs = timerPacer{}, true
	return c
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
