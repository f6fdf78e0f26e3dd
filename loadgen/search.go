package loadgen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// SearchSchema names the form of a SearchResult as JSON.
const SearchSchema = "ringmill.loadgen.search/1"

// A SearchConfig says what a search looks for.
type SearchConfig struct {
	// Base is the load without its rate; Duration is that of one probe, by
	// default 3 s. Thresholds are the service level objective: at least one.
	Base Config
	// Precision is how near to the true rate the answer comes, as a share.
	// Defaults to 0.03; 0.001 to 0.5.
	Precision float64
	// Confirm is how long the answer is held each time that it is confirmed. Defaults to
	// 30 s.
	Confirm time.Duration
	// Progress, if set, is called after each probe.
	Progress func(Probe)
}

// The defaults of a search.
const (
	DefaultPrecision = 0.03
	DefaultConfirm   = 30 * time.Second
	DefaultProbe     = 3 * time.Second
)

// A Probe is what one rate showed.
type Probe struct {
	Rate       float64 `json:"rate"`
	OK         bool    `json:"ok"`
	Tries      int     `json:"tries"` // measurements, disturbed ones included; two of three others, or three of five, decide
	P99        float64 `json:"p99"`   // of the last one
	Throughput float64 `json:"throughput"`
	Errors     float64 `json:"errors"`
	Trust      string  `json:"trust"`
	Confirming bool    `json:"confirming"`
}

// A SearchResult is the highest rate that keeps the objective.
type SearchResult struct {
	Schema      string   `json:"schema"`
	SLO         []string `json:"slo"`
	Rate        float64  `json:"rate"` // a second; 0 if none keeps it
	Confirmed   bool     `json:"confirmed"`
	Precision   float64  `json:"precision"`
	Probes      []Probe  `json:"probes"` // in the order of measurement
	Result      *Result  `json:"result"` // of the confirmations, the one with the median p99; else of the last probe
	Interrupted bool     `json:"interrupted"`
}

// implied is what every search asks for beside its objective: answers that were
// refused have no latency.
const implied = "errors<0.1%"

// mostConfirmations bounds the steps down from an answer that does not hold.
const mostConfirmations = 8

// mostRepeated bounds, for each rate, the measurements that do not count because something
// else disturbed them.
const mostRepeated = 2

// step is how far apart rates are at the end, as a share of the precision: two searches end
// a step apart by the bisection and another one by the confirmation.
const step = 1. / 3

// lowestRate ends a search that nothing satisfies.
const lowestRate = 1.0

// Time returns how long a search with cfg takes as a rule, and how long at most: when the
// answer is far from the first guess, no two measurements agree, others disturb the machine
// and no rate is confirmed. What requests take that are under way at the end of a
// measurement is not in it.
func (cfg SearchConfig) Time() (usual, most time.Duration) {
	cfg.setDefaults()
	guess := cfg.Base.Duration/2 + cfg.Base.Warmup
	usual, most = guess, guess
	add := func(each time.Duration, agree int, often, atMost float64) {
		usual += time.Duration(often * float64(agree+1) * float64(each)) // one does not agree
		most += time.Duration(atMost * float64(2*agree-1+mostRepeated) * float64(each))
	}
	add(cfg.Base.Duration, 2, 2, math.Ceil(math.Log2(MaxRate/lowestRate))+1) // one that keeps it and one that does not
	for ratio := 2.0; ratio > max(1, cfg.near()); ratio = math.Sqrt(ratio) { // down to 1 for a Precision that Search refuses
		add(cfg.Base.Duration, cfg.agree(ratio), 1, 1)
	}
	add(cfg.Confirm, 2, 1, mostConfirmations)
	return usual, most
}

// near is the ratio of two rates between which no other is tried.
func (cfg *SearchConfig) near() float64 { return 1 + cfg.Precision*step }

// agree is how many measurements decide on a rate between two of this ratio.
func (cfg *SearchConfig) agree(ratio float64) int {
	if ratio < 1+2*cfg.Precision { // so near, chance decides more often
		return 3
	}
	return 2
}

// Search finds the highest rate of an open loop that keeps every threshold of
// cfg.Base. Unless there is one about errors, at most one request in a thousand may
// fail or be refused; and 99 % of the arrivals must be sent. A closed loop gives a
// first guess, the rate is doubled or halved until the answer lies between two rates,
// and the ratio of these is bisected down to a third of the precision. The answer is then
// held for cfg.Confirm, and lowered by a third of the precision while it does not hold: a
// queue that grows slowly shows only then. Two of three measurements decide on each rate, those
// that confirm included, and three of five on the last ones of the bisection. One that broke the objective while something else disturbed
// it is repeated, at most twice a rate.
//
// It takes about nine rates, each two to five times Base.Duration, and two or three times
// Confirm for each rate that is to be confirmed: two to four minutes by default; see
// [SearchConfig.Time].
func Search(ctx context.Context, cfg SearchConfig) (*SearchResult, error) {
	s, err := newSearch(cfg)
	if err != nil {
		return nil, err
	}
	if err := s.find(ctx); err != nil {
		return nil, err
	}
	return s.out, nil
}

type search struct {
	cfg SearchConfig
	out *SearchResult
}

func newSearch(cfg SearchConfig) (*search, error) {
	cfg.setDefaults()
	b := &cfg.Base
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("loadgen: SearchConfig."+format, args...))
	}
	if !(cfg.Precision >= 0.001 && cfg.Precision <= 0.5) {
		wrong("Precision: %v is out of range; want 0.001 to 0.5", cfg.Precision)
	}
	if cfg.Confirm < 0 || cfg.Confirm > MaxDuration {
		wrong("Confirm: %v is out of range; want more than 0 and up to %v", cfg.Confirm, MaxDuration)
	}
	if len(b.Thresholds) == 0 {
		wrong("Base.Thresholds: none; want the objective, such as p99<5ms")
	}
	if b.Rate != 0 || len(b.Stages) > 0 || b.Concurrency != 0 || b.Arrivals.Kind == ArrivalsTrace || b.Requests != 0 {
		wrong("Base: a search chooses the rate itself; leave out Rate, Stages, Concurrency, Requests and traces")
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	s := &search{cfg: cfg, out: &SearchResult{Schema: SearchSchema, Precision: cfg.Precision, Probes: []Probe{}}}
	if !slices.ContainsFunc(b.Thresholds, func(t Threshold) bool { return t.Metric == "errors" }) {
		t, err := ParseThreshold(implied)
		if err != nil {
			return nil, err
		}
		s.cfg.Base.Thresholds = append(slices.Clone(b.Thresholds), t)
	}
	for _, t := range s.cfg.Base.Thresholds {
		s.out.SLO = append(s.out.SLO, t.String())
	}
	probe := *b
	probe.Rate = 1
	_, err := probe.Check()
	return s, err
}

func (cfg *SearchConfig) setDefaults() {
	if cfg.Precision == 0 {
		cfg.Precision = DefaultPrecision
	}
	if cfg.Confirm == 0 {
		cfg.Confirm = DefaultConfirm
	}
	if cfg.Base.Duration == 0 {
		cfg.Base.Duration = DefaultProbe
	}
}

func (s *search) find(ctx context.Context) error {
	guess, err := s.capacity(ctx)
	if err != nil || s.out.Interrupted {
		return err
	}
	low, high := 0.0, 0.0 // the highest rate that kept the objective, the lowest that did not
	for rate := guess / 2; low == 0 || high == 0; {
		ok, err := s.decide(ctx, rate, s.cfg.Base.Duration, 2, false)
		if err != nil || s.out.Interrupted {
			return err
		}
		if ok {
			low = rate
			rate *= 2
		} else {
			high = rate
			rate /= 2
		}
		if rate < lowestRate && low == 0 {
			return nil // nothing keeps it
		}
		if rate > MaxRate && high == 0 {
			high = MaxRate
		}
	}
	for high/low > s.cfg.near() {
		rate := math.Sqrt(low * high)
		ok, err := s.decide(ctx, rate, s.cfg.Base.Duration, s.cfg.agree(high/low), false)
		if err != nil || s.out.Interrupted {
			return err
		}
		if ok {
			low = rate
		} else {
			high = rate
		}
	}
	for range mostConfirmations {
		s.out.Rate = low
		ok, err := s.decide(ctx, low, s.cfg.Confirm, 2, true)
		if err != nil || s.out.Interrupted {
			return err
		}
		if ok {
			s.out.Confirmed = true
			return nil
		}
		low *= 1 - s.cfg.Precision*step
	}
	return nil
}

// capacity is how many requests a second a closed loop gets through.
func (s *search) capacity(ctx context.Context) (float64, error) {
	c := s.cfg.Base
	c.Rate, c.Thresholds, c.Arrivals = 0, nil, Arrivals{}
	c.Concurrency = max(64, 2*c.Runtime.TaskActors)
	c.Duration = c.Duration/2 + c.Warmup
	r, err := Run(ctx, c)
	if err != nil {
		return 0, err
	}
	s.out.Interrupted = r.Interrupted
	s.out.Result = r
	return min(max(r.Throughput, lowestRate), MaxRate), nil
}

// decide measures a rate until so many measurements agree.
func (s *search) decide(ctx context.Context, rate float64, d time.Duration, agree int, confirming bool) (bool, error) {
	var kept, broken []*Result
	for repeated := 0; ; {
		r, ok, err := s.measure(ctx, rate, d)
		if err != nil || s.out.Interrupted {
			return false, err
		}
		s.out.Result = r
		switch {
		case ok:
			kept = append(kept, r)
		case r.disturbed && repeated < mostRepeated:
			repeated++
		default:
			broken = append(broken, r)
		}
		if len(kept) == agree || len(broken) == agree {
			agreed := kept
			if len(broken) == agree {
				agreed = broken
			}
			if confirming {
				r = middle(agreed)
				s.out.Result = r
			}
			s.note(r, rate, len(kept) == agree, len(kept)+len(broken)+repeated, confirming)
			return len(kept) == agree, nil
		}
	}
}

func (s *search) measure(ctx context.Context, rate float64, d time.Duration) (*Result, bool, error) {
	c := s.cfg.Base
	c.Rate, c.Duration = rate, d
	r, err := Run(ctx, c)
	if err != nil {
		return nil, false, err
	}
	s.out.Interrupted = r.Interrupted
	due := r.Sent + r.Unsent
	return r, r.OK() && r.Sent > 0 && float64(r.Unsent) <= mostUnsent*float64(due), nil
}

func (s *search) note(r *Result, rate float64, ok bool, tries int, confirming bool) {
	p := Probe{
		Rate: rate, OK: ok, Tries: tries, P99: r.Latency.P99, Throughput: r.Throughput, Errors: share(r.Failed+r.Shed, r.Sent),
		Trust: r.Trust.Verdict, Confirming: confirming,
	}
	s.out.Probes = append(s.out.Probes, p)
	if s.cfg.Progress != nil {
		s.cfg.Progress(p)
	}
}

// WriteText writes the answer and the probes.
func (s *SearchResult) WriteText(w io.Writer) error {
	var b strings.Builder
	if s.Result != nil {
		if bad := s.Result.CheckAccounting(); bad != "" {
			fmt.Fprintf(&b, "BROKEN ACCOUNTING: %s. This is a defect of Ringmill: please report it.\n", bad)
		}
		if s.Result.Trust.Verdict != Trusted {
			fmt.Fprintf(&b, "SUSPECT: do not quote this rate.\n")
			for _, reason := range s.Result.Trust.Reasons {
				fmt.Fprintf(&b, "  - %s\n", reason)
			}
		}
	}
	slo := strings.Join(s.SLO, ", ")
	switch {
	case s.Interrupted:
		fmt.Fprintf(&b, "INTERRUPTED before the answer\n")
	case s.Rate == 0:
		fmt.Fprintf(&b, "no rate of %g a second or more keeps %s\n", lowestRate, slo)
	case !s.Confirmed:
		fmt.Fprintf(&b, "%s is about the highest rate with %s, but it did not hold when it was confirmed\n", perSecond(s.Rate), slo)
	default:
		fmt.Fprintf(&b, "%s is the highest rate with %s, within %s, confirmed twice for %s\n", perSecond(s.Rate), slo, percent(s.Precision), seconds(s.Result.Load.DurationSeconds))
	}
	if s.Result != nil {
		fmt.Fprintf(&b, "%s\n\n", s.Result.Load.Title())
	}
	rows := [][]string{{"rate", "kept", "p99", "throughput", "errors", "measurements", "trust", ""}}
	for _, p := range s.Probes {
		kept, what := "no", ""
		if p.OK {
			kept = "yes"
		}
		if p.Confirming {
			what = "confirmation"
		}
		rows = append(rows, []string{perSecond(p.Rate), kept, seconds(p.P99), perSecond(p.Throughput), percent(p.Errors), fmt.Sprint(p.Tries), p.Trust, what})
	}
	table(&b, rows)
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes the search as indented JSON.
func (s *SearchResult) WriteJSON(w io.Writer) error { return writeJSON(w, s) }

// WriteCSV writes a line a probe; times are in seconds.
func (s *SearchResult) WriteCSV(w io.Writer) error {
	rows := [][]string{{"rate", "kept", "measurements", "p99", "throughput", "errors", "trust", "confirming"}}
	for _, p := range s.Probes {
		rows = append(rows, []string{fmt.Sprint(p.Rate), fmt.Sprint(p.OK), fmt.Sprint(p.Tries), fmt.Sprint(p.P99), fmt.Sprint(p.Throughput), fmt.Sprint(p.Errors), p.Trust, fmt.Sprint(p.Confirming)})
	}
	return writeCSV(w, rows)
}

// WriteBench writes the confirmation in the Go benchmark format.
func (s *SearchResult) WriteBench(w io.Writer) error {
	if s.Result == nil {
		return nil
	}
	return s.Result.WriteBench(w)
}

// CheckAccounting says how the accounting is broken; empty if it is not.
func (s *SearchResult) CheckAccounting() string {
	if s.Result == nil {
		return ""
	}
	return s.Result.CheckAccounting()
}

// ReadSearch reads what WriteJSON wrote.
func ReadSearch(data []byte) (*SearchResult, error) {
	var s SearchResult
	if err := readJSON(data, SearchSchema, &s); err != nil {
		return nil, err
	}
	return &s, nil
}
