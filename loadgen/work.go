package loadgen

import (
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"time"
)

// The distributions of Work.
const (
	WorkConstant    = "constant"
	WorkExponential = "exp"
	WorkUniform     = "uniform"
	WorkBimodal     = "bimodal"
)

// Work is what the body of a task does: it computes or sleeps for a time that is
// drawn from a distribution. The zero value does nothing.
type Work struct {
	Distribution string        // defaults to WorkConstant
	Sleep        bool          // wait instead of compute
	A            time.Duration // the time, the mean, the shorter one or the lower end
	B            time.Duration // the longer one, or the upper end
	Share        float64       // of the longer one of WorkBimodal
}

// MaxWork bounds the time of one body.
const MaxWork = time.Minute

// ParseWork reads 0, 2us, exp:50us, uniform:1ms,2ms, bimodal:10us,1ms,.01 (one in a
// hundred takes 1 ms), each of them with sleep: before it to wait instead of
// compute.
func ParseWork(s string) (Work, error) {
	var w Work
	rest, sleep := strings.CutPrefix(s, "sleep:")
	w.Sleep = sleep
	kind, args, has := strings.Cut(rest, ":")
	if !has {
		kind, args = WorkConstant, rest
	}
	want := map[string]int{WorkConstant: 1, WorkExponential: 1, WorkUniform: 2, WorkBimodal: 3}[kind]
	fields := strings.Split(args, ",")
	if want == 0 || len(fields) != want {
		return w, fmt.Errorf("%q is unknown; want 0, 2us, exp:50us, uniform:1ms,2ms or bimodal:10us,1ms,.01, with sleep: before it to wait instead of compute", s)
	}
	w.Distribution = kind
	var err error
	if w.A, err = parseDuration(fields[0]); err != nil {
		return w, err
	}
	if want > 1 {
		if w.B, err = parseDuration(fields[1]); err != nil {
			return w, err
		}
	}
	if want > 2 {
		if w.Share, err = ParseShare(fields[2]); err != nil {
			return w, err
		}
	}
	return w, w.check()
}

func (w Work) check() error {
	switch {
	case w.A < 0 || w.B < 0 || w.A > MaxWork || w.B > MaxWork:
		return fmt.Errorf("%s: want times from 0 to %v", w, MaxWork)
	case w.Share < 0 || w.Share > 1:
		return fmt.Errorf("%s: want a share from 0 to 1", w)
	case (w.Distribution == WorkUniform || w.Distribution == WorkBimodal) && w.B < w.A:
		return fmt.Errorf("%s: the second time is shorter than the first: swap them", w)
	}
	switch w.Distribution {
	case "", WorkConstant, WorkExponential, WorkUniform, WorkBimodal:
		return nil
	}
	return fmt.Errorf("distribution %q is unknown; want constant, exp, uniform or bimodal", w.Distribution)
}

// String returns the form that ParseWork reads.
func (w Work) String() string {
	s := ""
	switch w.Distribution {
	case WorkExponential:
		s = "exp:" + w.A.String()
	case WorkUniform:
		s = "uniform:" + w.A.String() + "," + w.B.String()
	case WorkBimodal:
		s = fmt.Sprintf("bimodal:%v,%v,%g", w.A, w.B, w.Share)
	default:
		if w.A == 0 {
			return "0"
		}
		s = w.A.String()
	}
	if w.Sleep {
		s = "sleep:" + s
	}
	return strings.ReplaceAll(s, "µ", "u")
}

// IsZero reports whether the body does nothing.
func (w Work) IsZero() bool { return w.A == 0 && w.B == 0 }

// duration turns random bits into the time of one body, at most 100 times the
// mean of an exponential one.
func (w Work) duration(bits uint64) time.Duration {
	switch w.Distribution {
	case WorkExponential:
		return time.Duration(min(exponential(bits), 100) * float64(w.A))
	case WorkUniform:
		return w.A + time.Duration(unit(bits)*float64(w.B-w.A))
	case WorkBimodal:
		if unit(bits) < w.Share {
			return w.B
		}
	}
	return w.A
}

// do computes or sleeps for d.
func (w Work) do(d time.Duration) {
	switch {
	case d <= 0:
	case w.Sleep:
		time.Sleep(d)
	default:
		compute(d)
	}
}

// compute keeps a core busy for as long as d takes on an idle machine. It counts
// steps instead of looking at the clock: work takes longer when cores are short,
// as a task's own work would.
func compute(d time.Duration) { spin(int(float64(d) * stepsPerNanosecond())) }

// stepsPerNanosecond is measured once: the fastest of several tries, in which
// nobody came between.
var stepsPerNanosecond = sync.OnceValue(func() float64 {
	const steps = 20_000
	best := time.Duration(1 << 62)
	for range 50 {
		begin := time.Now()
		spin(steps)
		best = min(best, max(time.Since(begin), 1))
	}
	return steps / float64(best)
})

// spin computes a chain of dependent steps that no compiler shortens.
func spin(steps int) {
	x := uint64(steps) | 1
	for range steps {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	goruntime.KeepAlive(&x)
}
