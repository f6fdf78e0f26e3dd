package histogram

import (
	"math"
	"time"
)

// A Snapshot is the sum of one or more histograms. It is plain data; the zero
// Snapshot is empty.
type Snapshot struct {
	Count   uint64
	Sum     time.Duration
	Zero    uint64         // durations of at most ZeroThreshold
	Buckets [Length]uint64 // of index First and up
}

// Mean returns the average duration, 0 if there is none.
func (s *Snapshot) Mean() time.Duration {
	if s.Count == 0 {
		return 0
	}
	return time.Duration(float64(s.Sum) / float64(s.Count))
}

// Quantile returns the duration that the fraction q (0 to 1) of the durations do
// not exceed, 0 if there is none. It assumes that durations spread evenly (on
// a logarithmic scale) within a bucket.
func (s *Snapshot) Quantile(q float64) time.Duration {
	if s.Count == 0 {
		return 0
	}
	rank := min(max(q, 0), 1) * float64(s.Count)
	below := float64(s.Zero)
	if rank <= below {
		return 0
	}
	last := 0
	for i, n := range s.Buckets {
		if n == 0 {
			continue
		}
		last = i
		if rank <= below+float64(n) {
			return boundAt(float64(First+i-1) + (rank-below)/float64(n))
		}
		below += float64(n)
	}
	return boundAt(float64(First + last)) // rounding of rank left nothing else
}

// boundAt returns 2^(index/PerOctave) seconds.
func boundAt(index float64) time.Duration {
	return time.Duration(math.Exp2(index/PerOctave) * float64(time.Second))
}
