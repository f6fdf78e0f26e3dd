package loadgen

import (
	"math/bits"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range and precision of every histogram: 1 ns to 100 s in three digits, 220
// KB. What takes longer counts as 100 s, and is told as clipped.
const (
	longestLatency  = int64(100 * time.Second)
	significantness = 3
)

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longestLatency, significantness)
}

func recordIn(h *hdrhistogram.Histogram, v int64) (clipped uint64) {
	if v > longestLatency {
		v, clipped = longestLatency, 1
	}
	_ = h.RecordValue(max(v, 0)) // it is within the range
	return clipped
}

// outcome is how a request ended.
type outcome uint8

const (
	outcomeDone outcome = iota
	outcomeFailed
	outcomeShed
)

// A tally is what was recorded in an interval.
type tally struct {
	latency     *hdrhistogram.Histogram // of done requests, from the intended time
	uncorrected *hdrhistogram.Histogram // from the time when the client sent them
	service     *hdrhistogram.Histogram // the longest path of task bodies
	done        uint64
	failed      uint64
	shed        uint64
	inWindow    uint64 // done before the end of the plan
	clipped     uint64
	last        time.Duration // when the last one ended
	paths       [pathBuckets]path
}

// A path sums the service times of requests of about one latency.
type path struct{ n, service, latency int64 }

// pathBuckets has eight buckets an octave.
const pathBuckets = 64 * 8

func pathBucket(latency int64) int {
	octave := bits.Len64(uint64(latency))
	if octave < 4 {
		return octave * 8
	}
	return octave*8 + int(latency>>(octave-4))&7
}

func newTally() *tally {
	return &tally{latency: newHistogram(), uncorrected: newHistogram(), service: newHistogram()}
}

// merge adds the other tally.
func (t *tally) merge(o *tally) {
	t.latency.Merge(o.latency)
	t.uncorrected.Merge(o.uncorrected)
	t.service.Merge(o.service)
	t.done += o.done
	t.failed += o.failed
	t.shed += o.shed
	t.inWindow += o.inWindow
	t.clipped += o.clipped
	t.last = max(t.last, o.last)
	for i := range t.paths {
		t.paths[i].n += o.paths[i].n
		t.paths[i].service += o.paths[i].service
		t.paths[i].latency += o.paths[i].latency
	}
}

func (t *tally) reset() {
	if t.done > 0 {
		t.latency.Reset()
		t.uncorrected.Reset()
		t.service.Reset()
	}
	*t = tally{latency: t.latency, uncorrected: t.uncorrected, service: t.service}
}

// queueShare is how much of the latency near the quantile was not spent in task
// bodies, 0 to 1; negative if unknown.
func (t *tally) queueShare(percentile float64) float64 {
	p := t.paths[pathBucket(t.latency.ValueAtPercentile(percentile))]
	if p.n == 0 || p.latency == 0 {
		return -1
	}
	return max(0, 1-float64(p.service)/float64(p.latency))
}

// A recorder collects the measurements of the clients that share it. The lock is
// nearly always free: there are twice as many recorders as cores, and it is held for some
// ten nanoseconds.
type recorder struct {
	mu    sync.Mutex
	now   *tally
	spare *tally
	_     [64]byte // recorders are written by different cores
}

func newRecorder() *recorder { return &recorder{now: newTally(), spare: newTally()} }

// measurement is one request that has ended. Times count from the start.
type measurement struct {
	intended, sent, end time.Duration
	service             int64 // negative: unknown
	outcome             outcome
	window              time.Duration // when the plan ends
}

func (r *recorder) record(m measurement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.now
	t.last = max(t.last, m.end)
	switch m.outcome {
	case outcomeFailed:
		t.failed++
		return
	case outcomeShed:
		t.shed++
		return
	}
	latency := int64(m.end - m.intended)
	t.done++
	if m.end <= m.window {
		t.inWindow++
	}
	t.clipped += recordIn(t.latency, latency)
	recordIn(t.uncorrected, int64(m.end-m.sent))
	if m.service >= 0 {
		recordIn(t.service, m.service)
		p := &t.paths[pathBucket(latency)]
		p.n++
		p.service += m.service
		p.latency += latency
	}
}

// collect merges what was recorded since the last call into t. It is for one
// goroutine.
func (r *recorder) collect(t *tally) {
	r.mu.Lock()
	full := r.now
	r.now, r.spare = r.spare, nil
	r.mu.Unlock()
	if full.done+full.failed+full.shed > 0 {
		t.merge(full)
		full.reset()
	}
	r.spare = full
}
