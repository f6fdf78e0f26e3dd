package histogram

import (
	"math"
	"sync/atomic"
	"time"
)

// The layout, in the terms of Prometheus native histograms. Bucket i of a
// [Snapshot] has index First+i; the bucket of index n holds the durations in
// (2^((n-1)/PerOctave), 2^(n/PerOctave)] seconds.
const (
	Schema    = 3           // buckets grow by the factor 2^(2^-Schema)
	PerOctave = 1 << Schema // buckets for each power of two

	MinExp = -24 // 2^-24 s = 60 ns: shorter than any measured wait, a clock call costs as much
	MaxExp = 17  // 2^17 s = 36 h: what takes longer is counted in the last bucket

	First  = MinExp*PerOctave + 1
	Length = (MaxExp - MinExp) * PerOctave
)

// ZeroThreshold is the widest duration, in seconds, that the zero bucket counts.
const ZeroThreshold = 1.0 / (1 << -MinExp)

// A Histogram counts durations. The zero value is ready. All methods are safe
// for concurrent use, none blocks or allocates. It must not be copied.
type Histogram struct {
	sum     atomic.Int64 // nanoseconds
	zero    atomic.Uint64
	buckets [Length]atomic.Uint64
}

// Record counts d. A negative d counts as 0.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.sum.Add(int64(d))
	i := bucket(d)
	if i < 0 {
		h.zero.Add(1)
		return
	}
	h.buckets[i].Add(1)
}

// AddTo adds what h holds to s. Durations recorded meanwhile may or may not be
// part of it, or with their sum only.
func (h *Histogram) AddTo(s *Snapshot) {
	s.Sum += time.Duration(h.sum.Load())
	zero := h.zero.Load()
	s.Zero += zero
	s.Count += zero
	for i := range h.buckets {
		n := h.buckets[i].Load()
		s.Buckets[i] += n
		s.Count += n
	}
}

// Snapshot returns what h holds.
func (h *Histogram) Snapshot() *Snapshot {
	s := new(Snapshot)
	h.AddTo(s)
	return s
}

const (
	mantissaBits = 52
	exponentBias = 1023
	slotBits     = 6 // 64 slots an octave: no two bucket bounds share one, the closest are 0.09 apart
)

// bounds are the mantissas of the buckets' lower bounds within an octave;
// slots tells for the top bits of a mantissa how many bounds lie below them.
var bounds, slots = layout()

func layout() (bounds [PerOctave]uint64, slots [1 << slotBits]uint8) {
	for i := range bounds {
		bounds[i] = math.Float64bits(math.Exp2(float64(i)/PerOctave)) & (1<<mantissaBits - 1)
	}
	for s := range slots {
		for _, b := range bounds {
			if b < uint64(s)<<(mantissaBits-slotBits) {
				slots[s]++
			}
		}
	}
	return bounds, slots
}

// bucket returns the position of d in the buckets, or -1 for the zero bucket.
// It reads the power of two off the float's exponent and looks the rest up:
// no logarithm, and exact at the bounds.
func bucket(d time.Duration) int {
	bits := math.Float64bits(float64(d) / 1e9)
	exp := int(bits>>mantissaBits) - exponentBias
	mantissa := bits & (1<<mantissaBits - 1)
	n := slots[mantissa>>(mantissaBits-slotBits)]
	if int(n) < PerOctave && mantissa > bounds[n] {
		n++
	}
	i := exp*PerOctave + int(n) - First
	return max(-1, min(i, Length-1))
}
