package loadgen_test

import (
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ringmill/ringmill/loadgen"
)

// What does the load generator itself cost a request: the plan on the generator's
// thread, and the recording on the client's goroutine? "hdr" is one histogram with
// one writer, the floor; "recorder" writes three, the counts and the queueing, under a
// lock that nobody else wants.
func BenchmarkRecord(b *testing.B) {
	b.Run("impl=hdr", func(b *testing.B) {
		h := hdrhistogram.New(1, int64(100*time.Second), 3)
		b.ReportAllocs()
		v := int64(1)
		for b.Loop() {
			_ = h.RecordValue(v)
			v = (v*5 + 1) % 1_000_000
		}
	})
	b.Run("impl=recorder", func(b *testing.B) {
		r := loadgen.NewRecorder()
		b.ReportAllocs()
		v := time.Duration(1)
		for b.Loop() {
			r.Record(v)
			v = (v*5 + 1) % 1_000_000
		}
	})
}

func BenchmarkPlan(b *testing.B) {
	for _, a := range []loadgen.Arrivals{{Kind: "constant"}, {Kind: "poisson"}, {Kind: "burst", Burst: 10}} {
		b.Run("arrivals="+a.Kind, func(b *testing.B) {
			p := loadgen.NewPlan(check(b, loadgen.Config{Rate: 100_000, Arrivals: a}))
			b.ReportAllocs()
			for b.Loop() {
				p.Next()
			}
		})
	}
}

// TestNoAllocation: neither the plan nor the recording allocates.
func TestNoAllocation(t *testing.T) {
	p, r := loadgen.NewPlan(check(t, loadgen.Config{Rate: 1000, Arrivals: loadgen.Arrivals{Kind: "poisson"}})), loadgen.NewRecorder()
	if n := testing.AllocsPerRun(1000, func() { p.Next(); r.Record(12345) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
