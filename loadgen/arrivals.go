package loadgen

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The kinds of arrival process.
const (
	ArrivalsConstant = "constant" // evenly spaced
	ArrivalsPoisson  = "poisson"  // independent of each other: exponential gaps
	ArrivalsBurst    = "burst"    // Burst requests at once, evenly spaced bursts
	ArrivalsTrace    = "trace"    // at the times of Trace
)

// Arrivals says how requests are spread over time. The zero value is constant.
type Arrivals struct {
	Kind  string          // defaults to ArrivalsConstant
	Burst int             // requests of a burst, 1 to 1,000,000
	Trace []time.Duration // offsets from the start, ascending, at most 10,000,000
	Name  string          // of the trace, for reports
}

// The bounds of Arrivals.
const (
	MaxBurst = 1_000_000
	MaxTrace = 10_000_000
)

// ParseArrivals reads constant, poisson, burst:N or trace:FILE. open is called with
// FILE.
func ParseArrivals(s string, open func(name string) (io.ReadCloser, error)) (Arrivals, error) {
	kind, argument, _ := strings.Cut(s, ":")
	switch {
	case s == ArrivalsConstant, s == ArrivalsPoisson:
		return Arrivals{Kind: s}, nil
	case kind == ArrivalsBurst:
		n, err := strconv.Atoi(argument)
		if err != nil || n < 1 || n > MaxBurst {
			return Arrivals{}, fmt.Errorf("%q: want burst:N with N from 1 to %d", s, MaxBurst)
		}
		return Arrivals{Kind: kind, Burst: n}, nil
	case kind == ArrivalsTrace && argument != "":
		file, err := open(argument)
		if err != nil {
			return Arrivals{}, err
		}
		defer func() { _ = file.Close() }()
		trace, err := ReadTrace(file)
		if err != nil {
			return Arrivals{}, fmt.Errorf("%s:%w", argument, err)
		}
		return Arrivals{Kind: kind, Trace: trace, Name: argument}, nil
	}
	return Arrivals{}, fmt.Errorf("%q is unknown; want constant, poisson, burst:N or trace:FILE", s)
}

// ReadTrace reads one arrival a line: its offset from the start in seconds, or as a
// duration such as 1.5ms. Empty lines and those that begin with # are skipped, and
// of a line with commas the first field counts. Offsets must not fall. An error
// begins with the number of the line.
func ReadTrace(r io.Reader) ([]time.Duration, error) {
	var trace []time.Duration
	lines := bufio.NewScanner(r)
	n := 0
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), ",")
		if text == "" || text[0] == '#' {
			continue
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			text += "s"
		}
		at, err := time.ParseDuration(text)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%d: %q is no offset: want seconds such as 0.25, or a duration such as 250ms", n, text)
		case at < 0 || at > MaxDuration:
			return nil, fmt.Errorf("%d: %s is out of range: want 0 to %v", n, text, MaxDuration)
		case len(trace) > 0 && at < trace[len(trace)-1]:
			return nil, fmt.Errorf("%d: %s lies before the line above: sort the offsets", n, text)
		case len(trace) == MaxTrace:
			return nil, fmt.Errorf("%d: the trace has more than %d arrivals: split it", n, MaxTrace)
		}
		trace = append(trace, at)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%d: %w", n+1, err)
	}
	if len(trace) == 0 {
		return nil, fmt.Errorf("%d: the trace is empty: want one offset a line", max(n, 1))
	}
	return trace, nil
}

// String returns the form that ParseArrivals reads.
func (a Arrivals) String() string {
	switch a.Kind {
	case "":
		return ArrivalsConstant
	case ArrivalsBurst:
		return fmt.Sprintf("burst:%d", a.Burst)
	case ArrivalsTrace:
		return "trace:" + a.Name
	}
	return a.Kind
}
