package loadgen

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A Stage changes the rate at a time from the start.
type Stage struct {
	At   time.Duration
	Rate float64 // a second, from At on
	Ramp bool    // the rate moves there evenly from the stage before, instead of jumping at At
}

// MaxStages bounds a list of stages.
const MaxStages = 1000

// ParseStages reads stages such as 0:50k,10s:200k, which holds 50,000 a second
// for 10 s and then 200,000; 10s:~200k climbs there evenly during these 10 s.
func ParseStages(s string) ([]Stage, error) {
	var stages []Stage
	for i, part := range strings.Split(s, ",") {
		at, rate, ok := strings.Cut(part, ":")
		if !ok {
			return nil, fmt.Errorf("stage %d: %q: want TIME:RATE such as 10s:200k", i+1, part)
		}
		var st Stage
		var err error
		if st.At, err = parseDuration(at); err != nil {
			return nil, fmt.Errorf("stage %d: %w", i+1, err)
		}
		rate, st.Ramp = strings.CutPrefix(rate, "~")
		if st.Rate, err = ParseRate(rate); err != nil {
			return nil, fmt.Errorf("stage %d: %w", i+1, err)
		}
		stages = append(stages, st)
	}
	return stages, checkStages(stages)
}

func checkStages(stages []Stage) error {
	if len(stages) > MaxStages {
		return fmt.Errorf("%d stages are too many; want at most %d", len(stages), MaxStages)
	}
	for i, s := range stages {
		switch {
		case i == 0 && (s.At != 0 || s.Ramp):
			return fmt.Errorf("stage 1: it begins at %v; want the first stage at 0 and without ~", s.At)
		case i > 0 && s.At <= stages[i-1].At:
			return fmt.Errorf("stage %d: %v does not come after the stage before, %v", i+1, s.At, stages[i-1].At)
		case !(s.Rate > 0 && s.Rate <= MaxRate):
			return fmt.Errorf("stage %d: a rate of %v is out of range; want more than 0 and up to 10M a second", i+1, s.Rate)
		}
	}
	return nil
}

// formatStages returns the form that ParseStages reads.
func formatStages(stages []Stage) string {
	parts := make([]string, len(stages))
	for i, s := range stages {
		ramp := ""
		if s.Ramp {
			ramp = "~"
		}
		parts[i] = fmt.Sprintf("%v:%s%g", s.At, ramp, s.Rate)
	}
	return strings.Join(parts, ",")
}

// A timeline turns the number of arrivals that are due into the time when they
// are. It is the inverse of the integral of the rate: piecewise linear rates have
// a quadratic integral, whose inverse is exact. Its argument must not fall.
type timeline struct {
	segments []segment
	at       int
}

// A segment has a rate that changes evenly.
type segment struct {
	begin, end float64 // seconds
	from, to   float64 // rates
	due        float64 // arrivals before begin
}

func newTimeline(stages []Stage) *timeline {
	var l timeline
	due := 0.0
	for i, s := range stages {
		g := segment{begin: s.At.Seconds(), end: math.Inf(1), from: s.Rate, to: s.Rate, due: due}
		if i+1 < len(stages) {
			next := stages[i+1]
			g.end = next.At.Seconds()
			if next.Ramp {
				g.to = next.Rate
			}
			due += (g.from + g.to) / 2 * (g.end - g.begin)
		}
		l.segments = append(l.segments, g)
	}
	return &l
}

// when returns the seconds at which n arrivals are due.
func (l *timeline) when(n float64) float64 {
	for l.at+1 < len(l.segments) && l.segments[l.at+1].due <= n {
		l.at++
	}
	g := &l.segments[l.at]
	rest := n - g.due
	if g.from == g.to {
		return g.begin + rest/g.from
	}
	// rest = from*t + slope/2*t²; this form of the root loses no digits when the slope is small.
	slope := (g.to - g.from) / (g.end - g.begin)
	return g.begin + 2*rest/(g.from+math.Sqrt(max(0, g.from*g.from+2*slope*rest)))
}
