package loadgen

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Threshold is a bound on what a run measures.
type Threshold struct {
	Metric string        // p50, p99.9 and so on, max, mean, throughput, errors, lag, blocked, allocs/op
	Op     string        // <, <=, > or >=
	Value  float64       // seconds, runs a second, a share, or a number
	Abort  time.Duration // end the run when it is broken after this time; 0 is never
	text   string
}

var thresholdForm = regexp.MustCompile(`^\s*([a-z/]+|p[0-9.]+)\s*(<=|>=|<|>)\s*([^:\s]+)\s*(?::abort@(.+))?$`)

// ParseThreshold reads p99<5ms, throughput>=90k, errors<1%, each of them with
// :abort@5s behind it to end the run when it is broken 5 s after the warm-up or
// later.
func ParseThreshold(s string) (Threshold, error) {
	t := Threshold{text: s}
	m := thresholdForm.FindStringSubmatch(s)
	if m == nil {
		return t, fmt.Errorf("%q is no threshold; want METRIC<VALUE such as 'p99<5ms', 'throughput>90k' or 'errors<1%%:abort@5s'", s)
	}
	t.Metric, t.Op = m[1], m[2]
	var err error
	switch {
	case t.Metric == "max" || t.Metric == "mean" || t.Metric == "lag":
		t.Value, err = parseSeconds(m[3])
	case t.Metric == "throughput":
		t.Value, err = ParseRate(m[3])
	case t.Metric == "errors" || t.Metric == "blocked":
		t.Value, err = ParseShare(m[3])
	case t.Metric == "allocs/op":
		if t.Value, err = strconv.ParseFloat(m[3], 64); err != nil || !(t.Value >= 0) {
			err = fmt.Errorf("%q is not a number of 0 or more", m[3])
		}
	default:
		if _, ok := t.percentile(); !ok {
			return t, fmt.Errorf("%q: metric %q is unknown; want p50, p99, p99.9 and so on, max, mean, throughput, errors, lag, blocked or allocs/op", s, t.Metric)
		}
		t.Value, err = parseSeconds(m[3])
	}
	if err != nil {
		return t, fmt.Errorf("%q: %w", s, err)
	}
	if t.Op == "<" && t.Value == 0 {
		return t, fmt.Errorf("%q: nothing is less than 0; want a larger value, or <=", s)
	}
	if m[4] != "" {
		if t.Abort, err = parseDuration(m[4]); err != nil || t.Abort == 0 {
			return t, fmt.Errorf("%q: %q is not a time to abort at; want one above 0 such as 5s", s, m[4])
		}
		if t.Metric == "lag" || t.Metric == "allocs/op" {
			return t, fmt.Errorf("%q: %s is known at the end only: leave out :abort", s, t.Metric)
		}
	}
	return t, nil
}

func parseSeconds(s string) (float64, error) {
	d, err := parseDuration(s)
	return d.Seconds(), err
}

// percentile returns 99.9 of p99.9.
func (t Threshold) percentile() (float64, bool) {
	text, ok := strings.CutPrefix(t.Metric, "p")
	p, err := strconv.ParseFloat(text, 64)
	return p, ok && err == nil && p > 0 && p < 100
}

// String returns the form that ParseThreshold reads.
func (t Threshold) String() string {
	if t.text != "" {
		return t.text
	}
	value := strconv.FormatFloat(t.Value, 'g', -1, 64)
	if _, ok := t.percentile(); ok || t.Metric == "max" || t.Metric == "mean" || t.Metric == "lag" {
		value = time.Duration(t.Value * 1e9).String()
	}
	s := t.Metric + t.Op + value
	if t.Abort > 0 {
		s += ":abort@" + t.Abort.String()
	}
	return s
}

func (t Threshold) holds(v float64) bool {
	switch t.Op {
	case "<":
		return v < t.Value
	case "<=":
		return v <= t.Value
	case ">":
		return v > t.Value
	case ">=":
		return v >= t.Value
	}
	return false
}

// known are the figures that thresholds are about.
type known struct {
	*tally
	throughput, lag, blocked, allocs float64
}

func (k known) value(t Threshold) float64 {
	switch t.Metric {
	case "max":
		return float64(k.latency.Max()) / 1e9
	case "mean":
		return k.latency.Mean() / 1e9
	case "throughput":
		return k.throughput
	case "errors":
		return share(k.failed+k.shed, k.done+k.failed+k.shed)
	case "lag":
		return k.lag
	case "blocked":
		return k.blocked
	case "allocs/op":
		return k.allocs
	}
	p, _ := t.percentile()
	return float64(k.latency.ValueAtPercentile(p)) / 1e9
}

// holds reports whether the threshold is kept. Of latencies nothing is known, and
// no bound kept, when no request was done.
func (k known) holds(t Threshold) bool {
	_, percentile := t.percentile()
	if k.done == 0 && (percentile || t.Metric == "max" || t.Metric == "mean") {
		return false
	}
	return t.holds(k.value(t))
}

func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
