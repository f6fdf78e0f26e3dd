package histogram_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/telemetry/histogram"
)

// TestBucketBounds: every duration falls between its bucket's bounds, computed
// here with logarithms: lower < d <= upper.
func TestBucketBounds(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	durations := []time.Duration{0, 1, 59, 60, time.Microsecond, time.Millisecond, time.Second, 2 * time.Second,
		4 * time.Second, time.Second / 2, time.Second + 1, time.Second - 1, time.Hour, 36 * time.Hour, 131072 * time.Second}
	for range 100_000 {
		durations = append(durations, time.Duration(math.Exp2(rng.Float64()*46)))
	}
	for _, d := range durations {
		checkBounds(t, d)
	}
}

func checkBounds(t *testing.T, d time.Duration) {
	t.Helper()
	seconds := float64(d) / 1e9
	i := histogram.Bucket(d)
	if i == -1 {
		if seconds > histogram.ZeroThreshold {
			t.Errorf("%v counts as zero", d)
		}
		return
	}
	n := float64(histogram.First + i)
	lower, upper := math.Exp2((n-1)/histogram.PerOctave), math.Exp2(n/histogram.PerOctave)
	if seconds <= lower || seconds > upper {
		t.Errorf("%v is in bucket (%g, %g]", d, lower, upper)
	}
}

func TestTooLongCountsInLastBucket(t *testing.T) {
	for _, d := range []time.Duration{200_000 * time.Second, math.MaxInt64} {
		if i := histogram.Bucket(d); i != histogram.Length-1 {
			t.Errorf("Bucket(%v) = %d, want the last, %d", d, i, histogram.Length-1)
		}
	}
}

func TestNegativeCountsAsZero(t *testing.T) {
	var h histogram.Histogram
	h.Record(-time.Second)
	if s := h.Snapshot(); s.Zero != 1 || s.Count != 1 || s.Sum != 0 {
		t.Errorf("zero %d, count %d, sum %v; want 1, 1, 0s", s.Zero, s.Count, s.Sum)
	}
}

// TestQuantile: quantiles of log-uniform durations are within 4.5 % of the
// sorted truth, which is half a bucket's width.
func TestQuantile(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, seed))
	var h histogram.Histogram
	durations := make([]time.Duration, 20_000)
	for i := range durations {
		durations[i] = time.Duration(1000 * math.Exp2(rng.Float64()*20))
		h.Record(durations[i])
	}
	slices.Sort(durations)
	s := h.Snapshot()
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := durations[int(math.Ceil(q*float64(len(durations))))-1]
		if got := s.Quantile(q); math.Abs(float64(got-want)) > 0.045*float64(want) {
			t.Errorf("quantile %g = %v, want %v (seed %d)", q, got, want, seed)
		}
	}
}

func TestEmptySnapshot(t *testing.T) {
	var s histogram.Snapshot
	if s.Quantile(0.5) != 0 || s.Mean() != 0 {
		t.Error("an empty snapshot has a quantile or a mean")
	}
}

// TestConcurrentRecord: nothing is lost when many write one histogram.
func TestConcurrentRecord(t *testing.T) {
	const writers, each = 8, 2000
	var h histogram.Histogram
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range each {
				h.Record(time.Duration(w+1) * time.Millisecond)
			}
		})
	}
	wg.Wait()
	s := h.Snapshot()
	if s.Count != writers*each || s.Sum != 36*each*time.Millisecond {
		t.Errorf("count %d, sum %v; want %d, %v", s.Count, s.Sum, writers*each, 36*each*time.Millisecond)
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	var h histogram.Histogram
	if n := testing.AllocsPerRun(1000, func() { h.Record(time.Millisecond) }); n != 0 {
		t.Errorf("Record allocates %v times", n)
	}
}

// BenchmarkRecord: what one measured duration costs its writer.
func BenchmarkRecord(b *testing.B) {
	b.ReportAllocs()
	var h histogram.Histogram
	d := 3 * time.Microsecond
	for b.Loop() {
		h.Record(d)
		d += 17
	}
}
