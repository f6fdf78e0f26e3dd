package loadgen

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/aclements/go-moremath/stats"
)

// ComparisonSchema names the form of a Comparison as JSON.
const ComparisonSchema = "ringmill.loadgen.compare/1"

// The verdicts on one metric.
const (
	Worse   = "worse"
	Better  = "better"
	Same    = "same"    // no difference that can be told from noise, or too small to matter
	Unknown = "unknown" // too few samples
)

// A Comparison says what changed between two results.
type Comparison struct {
	Schema     string   `json:"schema"`
	Metrics    []Change `json:"metrics"`
	Regression bool     `json:"regression"` // one metric is worse
	Suspect    bool     `json:"suspect"`    // one of the results is
	Method     string   `json:"method"`
	Notes      []string `json:"notes"`
}

// A Change is that of one metric.
type Change struct {
	Metric  string  `json:"metric"`
	Old     float64 `json:"old"` // medians, in seconds, runs a second, or a number
	New     float64 `json:"new"`
	Delta   float64 `json:"delta"` // new/old - 1
	P       float64 `json:"p"`     // of the Mann-Whitney U test; 1 if there was none
	Least   float64 `json:"least"` // a smaller delta does not count
	N       [2]int  `json:"n"`     // samples of either side
	Verdict string  `json:"verdict"`
}

// ErrOtherLoad reports that two results are of different loads.
var ErrOtherLoad = errors.New("loadgen: the results are of different loads")

// DefaultTolerance is the change that matters.
const DefaultTolerance = 0.10

// When a difference counts. Five samples a side, all of one above all of the other,
// have p = 2/252 = 0.008. The intervals of one run depend on each other, and two runs
// differ by more than their intervals: they need far clearer a case.
const (
	enoughRepetitions = 5
	blocks            = 10
	alphaRepetitions  = 0.01
	alphaBlocks       = 0.001

	mostForeignCompared = 0.5 // of the machine; beyond it the others decide the times
	doubtful            = 3   // times as long is a change even so, if as much of the machine was left
)

// foreignCPU is the median of what others used during the repetitions.
func foreignCPU(r *Result) float64 {
	return median(values(r.Samples, func(s Sample) float64 { return s.ForeignCPU }))
}

// Compare tells whether b, the new one, is worse than a. Both need five repetitions
// or more (Repeat) to be compared properly; of fewer, the intervals of the run stand
// in, at a stricter level and twice the tolerance, which finds only coarse changes.
// tolerance is the share by which a metric must move; p99 must move by 2.5 times as
// much, throughput by a third. It doubles when a result is suspect, and grows with what other
// processes used of the machine; beyond half of it times say nothing. The error is
// ErrOtherLoad when the plans differ.
func Compare(a, b *Result, tolerance float64) (*Comparison, error) {
	if a.PlanHash != b.PlanHash {
		return nil, fmt.Errorf("%w: plans %s and %s: measure both with the same flags and seed", ErrOtherLoad, a.PlanHash, b.PlanHash)
	}
	if !(tolerance > 0 && tolerance <= 10) {
		return nil, fmt.Errorf("loadgen: a tolerance of %v is out of range; want more than 0 and up to 10", tolerance)
	}
	c := &Comparison{
		Schema: ComparisonSchema, Method: fmt.Sprintf("Mann-Whitney U test over %d and %d repetitions", len(a.Samples), len(b.Samples)),
		Suspect: a.Trust.Verdict != Trusted || b.Trust.Verdict != Trusted, Notes: []string{},
	}
	old, new := a.Samples, b.Samples
	alpha := alphaRepetitions
	if len(old) < enoughRepetitions || len(new) < enoughRepetitions {
		old, new, alpha = a.blocks(), b.blocks(), alphaBlocks
		tolerance *= 2
		c.Method = fmt.Sprintf("Mann-Whitney U test over %d and %d parts of the runs", len(old), len(new))
		c.Notes = append(c.Notes, "fewer than 5 repetitions a side: only coarse changes are found; measure with --repeat 5 or more")
	}
	if c.Suspect {
		tolerance *= 2
		c.Notes = append(c.Notes, "a result is suspect: the tolerance is doubled")
	}
	was, is := foreignCPU(a), foreignCPU(b)
	extra := 0.0 // that times must change because of others
	if most := max(was, is); most > mostForeignCPU {
		extra = most + 3*math.Abs(is-was)
		c.Notes = append(c.Notes, fmt.Sprintf("other processes used %s and %s of the machine: %s more tolerance for times", percent(was), percent(is), percent(extra)))
	}
	useless := max(was, is) > mostForeignCompared
	least := tolerance + extra // of times
	if useless {
		left := max(1-was, 0.01) / max(1-is, 0.01)
		least = max(least, doubtful*max(left, 1/left)-1)
		c.Notes = append(c.Notes, "that is too much to compare times, but for changes that nobody else can explain: measure when it is quiet")
	}
	if a.Environment.CPU != b.Environment.CPU || a.Environment.Cores != b.Environment.Cores {
		c.Notes = append(c.Notes, "the results are from different machines")
	}
	if x, y := a.Load.sizes(), b.Load.sizes(); x != y {
		c.Notes = append(c.Notes, "sizes differ: "+x+" and "+y)
	}
	for _, m := range []struct {
		name     string
		of       func(Sample) float64
		factor   float64
		moreGood bool
		least    float64 // a difference in the unit that is too small to matter
		time     bool    // it depends on the time that others leave
	}{
		{"p50", func(s Sample) float64 { return s.P50 }, 1, false, 1e-6, true},
		{"p99", func(s Sample) float64 { return s.P99 }, 2.5, false, 10e-6, true},
		{"mean", func(s Sample) float64 { return s.Mean }, 1, false, 1e-6, true},
		{"throughput", func(s Sample) float64 { return s.Throughput }, 1. / 3, true, 0, true},
		{"errors", func(s Sample) float64 { return s.Errors }, 1, false, 0.001, true},
		{"cpu/op", func(s Sample) float64 { return s.CPUPerOp }, 1, false, 100e-9, true},
		{"allocs/op", func(s Sample) float64 { return s.AllocsOp }, 1, false, 0.5, false},
	} {
		matters := tolerance
		if m.time {
			matters = least
		}
		change := changeOf(m.name, values(old, m.of), values(new, m.of), alpha, matters*m.factor, m.least, m.moreGood)
		if m.time && useless && change.Verdict == Same {
			change.Verdict = Unknown
		}
		c.Metrics = append(c.Metrics, change)
		c.Regression = c.Regression || change.Verdict == Worse
	}
	return c, nil
}

func values(samples []Sample, of func(Sample) float64) []float64 {
	var v []float64
	for _, s := range samples {
		if x := of(s); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	return v
}

func changeOf(name string, old, new []float64, alpha, least, leastUnits float64, moreGood bool) Change {
	c := Change{Metric: name, P: 1, Least: least, N: [2]int{len(old), len(new)}, Verdict: Unknown}
	if len(old) == 0 || len(new) == 0 {
		return c
	}
	test, err := stats.MannWhitneyUTest(old, new, stats.LocationDiffers) // before median sorts them
	c.Old, c.New = median(old), median(new)
	switch {
	case c.Old != 0:
		c.Delta = c.New/c.Old - 1
	case c.New != 0:
		c.Delta = 1
	}
	if len(old) < enoughRepetitions || len(new) < enoughRepetitions {
		return c
	}
	c.Verdict = Same
	if err != nil { // all samples are equal
		return c
	}
	c.P = test.P
	if c.P >= alpha || math.Abs(c.Delta) < least || math.Abs(c.New-c.Old) < leastUnits {
		return c
	}
	c.Verdict = Worse
	if c.Delta > 0 == moreGood {
		c.Verdict = Better
	}
	return c
}

// blocks joins the intervals of a run into ten parts, which depend less on each
// other. What the series does not have is not a number.
func (r *Result) blocks() []Sample {
	n := len(r.Series)
	if n < blocks {
		return nil
	}
	var out []Sample
	for i := range blocks {
		part := r.Series[i*n/blocks : (i+1)*n/blocks]
		s := Sample{CPUPerOp: math.NaN(), AllocsOp: math.NaN()}
		var errs, all float64
		for _, p := range part {
			k := 1 / float64(len(part))
			s.P50 += p.P50 * k
			s.P99 += p.P99 * k
			s.Mean += p.Mean * k
			s.Throughput += p.Throughput * k
			errs += float64(p.Failed + p.Shed)
			all += float64(p.Done + p.Failed + p.Shed)
		}
		if all > 0 {
			s.Errors = errs / all
		}
		out = append(out, s)
	}
	return out
}

// WriteText writes a table of the changes and the verdict.
func (c *Comparison) WriteText(w io.Writer) error {
	var b strings.Builder
	switch {
	case c.Regression:
		fmt.Fprintln(&b, "REGRESSION")
	case c.unknown():
		fmt.Fprintln(&b, "UNKNOWN: these measurements cannot be compared")
	case c.Suspect:
		fmt.Fprintln(&b, "no regression that can be told from noise; SUSPECT: at least one result should not be quoted")
	default:
		fmt.Fprintln(&b, "no regression")
	}
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "  - %s\n", n)
	}
	fmt.Fprintf(&b, "%s\n\n", c.Method)
	rows := [][]string{{"metric", "old", "new", "change", "p", "matters from", "verdict"}}
	for _, m := range c.Metrics {
		p := digits(m.P)
		if m.P < 0.01 {
			p = fmt.Sprintf("%.4f", m.P)
		}
		if m.N[0] == 0 || m.N[1] == 0 {
			rows = append(rows, []string{m.Metric, "", "", "", "", "", m.Verdict})
			continue
		}
		rows = append(rows, []string{m.Metric, metric(m.Metric, m.Old), metric(m.Metric, m.New), fmt.Sprintf("%+.1f %%", 100*m.Delta), p, fmt.Sprintf("%.1f %%", 100*m.Least), m.Verdict})
	}
	table(&b, rows)
	_, err := io.WriteString(w, b.String())
	return err
}

// metric prints a value in its unit.
func metric(name string, v float64) string {
	switch name {
	case "throughput":
		return perSecond(v)
	case "errors":
		return percent(v)
	case "allocs/op":
		return digits(v)
	}
	return seconds(v)
}

// WriteJSON writes the comparison as indented JSON.
func (c *Comparison) WriteJSON(w io.Writer) error { return writeJSON(w, c) }

// unknown reports whether nothing can be said about the latencies.
func (c *Comparison) unknown() bool {
	for _, m := range c.Metrics {
		if m.Verdict != Unknown && m.Metric != "allocs/op" {
			return false
		}
	}
	return true
}
