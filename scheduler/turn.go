package scheduler

import "time"

// turnTime is how long a worker keeps its processor while other goroutines of the
// program may be waiting for one. The Go scheduler alone would let a busy worker run
// for 10 ms; yielding every 100 us costs 0.2 us of that.
const turnTime = 100 * time.Microsecond

// maxStride bounds the activations between two looks at the clock: at 256 a look is
// below 0.2 ns for each. A turn begins with firstStride, so that a worker that finds
// little to do never looks.
const (
	firstStride = 8
	maxStride   = 256
)

// turn measures how long a worker has been running, with few looks at the clock: one
// after stride activations, where stride adapts so that there are a few in every
// turn, and one after each activation that used up its slice, which is long enough.
type turn struct {
	began  time.Duration // 0: not yet known
	count  int           // activations since the last look
	stride int
}

// epoch makes instants small enough to be kept as durations.
var epoch = time.Now()

// reset forgets the past, for a worker that starts.
func (t *turn) reset() { *t = turn{stride: firstStride} }

// over counts one activation and reports whether the turn is over.
func (t *turn) over(spent bool) bool {
	t.count++
	if !spent && t.count < t.stride {
		return false
	}
	full := t.count >= t.stride
	t.count = 0
	now := time.Since(epoch)
	if t.began == 0 {
		t.began = now
		return false
	}
	elapsed := now - t.began
	if full && elapsed < turnTime/4 {
		t.stride = min(2*t.stride, maxStride)
	}
	if elapsed > 2*turnTime {
		t.stride = 1 // it was far too long for these activations
	}
	return elapsed >= turnTime
}

// begin starts the next turn, after a yield.
func (t *turn) begin() { t.began = time.Since(epoch) }
