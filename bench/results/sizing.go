package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-analyze/charts"

	"github.com/ringmill/ringmill/scheduler"
	"github.com/ringmill/ringmill/scheduler/simulation"
)

// plotsDir is where plots go, beside the results that show them.
const plotsDir = "bench/plots"

// The step response: phases of constant load, items of constant length.
var sizingRates = []float64{200, 800, 1300, 300} // arrivals a second

const (
	sizingPhase   = 10 * time.Second
	sizingService = 50 * time.Millisecond
	sizingSeed    = 1
)

// computeSizing simulates how a Sizer follows steps of the load, draws it, and returns the section with the figures.
func computeSizing(s suite) (string, error) {
	p, steps, err := stepResponse()
	if err != nil {
		return "", err
	}
	plot, err := drawSizing(p.Decisions)
	if err != nil {
		return "", err
	}
	if err := writePlot(s.name, plot); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\nAgain: `go run ./bench/results -suite %s`; it is the same on every machine.\n\n![Size and waits after steps of the load](plots/%s.svg)\n\n",
		s.name, s.about, s.name, s.name)
	b.WriteString("| arrivals a second | members at work | size after 5 s and more | settled after | longest mean wait of an interval |\n|---|---|---|---|---|\n")
	for _, step := range steps {
		fmt.Fprintf(&b, "| %.0f | %.0f | %d to %d | %v | %v |\n",
			step.rate, step.rate*sizingService.Seconds(), step.least, step.most, step.settled, step.worst.Round(time.Millisecond))
	}
	return b.String(), nil
}

// step is what came out of one phase.
type step struct {
	rate           float64
	least, most    int // size in the second half
	settled, worst time.Duration
}

func stepResponse() (*simulation.Pool, []step, error) {
	sizer, err := scheduler.NewSizer(scheduler.SizerConfig{Min: 2, Max: 500}, 10)
	if err != nil {
		return nil, nil, err
	}
	p := simulation.NewPool(sizer, sizingSeed, sizingRates[0], func(int) time.Duration { return sizingService })
	var steps []step
	for _, p.Rate = range sizingRates {
		from, decided := p.Now(), len(p.Decisions)
		p.Run(sizingPhase)
		s := step{rate: p.Rate, settled: p.Settled(from)}
		s.least, s.most = p.Sizes(from + sizingPhase/2)
		for _, d := range p.Decisions[decided:] {
			s.worst = max(s.worst, d.Wait)
		}
		steps = append(steps, s)
	}
	return p, steps, nil
}

// drawSizing draws the size, what the load keeps busy, and the waits over the time, as an SVG image.
func drawSizing(decisions []scheduler.SizeDecision) ([]byte, error) {
	var size, busy, waits []float64
	var seconds []string
	for _, d := range decisions {
		phase := min(int((d.At-1)/sizingPhase), len(sizingRates)-1)
		size = append(size, float64(d.To))
		busy = append(busy, sizingRates[phase]*sizingService.Seconds())
		waits = append(waits, float64(d.Wait)/float64(time.Millisecond))
		seconds = append(seconds, fmt.Sprintf("%.0f s", d.At.Seconds()))
	}
	opt := charts.NewLineChartOptionWithSeries(charts.LineSeriesList{
		{Name: "size", Values: size},
		{Name: "members at work", Values: busy},
		{Name: "mean wait, ms", Values: waits, YAxisIndex: 1},
	})
	opt.Title = charts.TitleOption{Text: "scheduler.Sizer, step response"}
	opt.Legend = charts.LegendOption{Offset: charts.OffsetStr{Left: charts.PositionRight}}
	opt.Padding = charts.NewBoxEqual(20)
	opt.XAxis = charts.XAxisOption{Labels: seconds, LabelCount: 9, BoundaryGap: charts.Ptr(false)}
	whole := func(v float64) string { return fmt.Sprintf("%.0f", v) }
	opt.YAxis = []charts.YAxisOption{ // eight steps each, so that they share their lines
		{Title: "members", Min: charts.Ptr(0.0), Max: charts.Ptr(80.0), LabelCount: 9, ValueFormatter: whole},
		{Title: "ms", Min: charts.Ptr(0.0), Max: charts.Ptr(40.0), LabelCount: 9, ValueFormatter: whole},
	}
	opt.Symbol = charts.Symbol{Shape: charts.SymbolNone}
	opt.LineStrokeWidth = 1.5
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: 900, Height: 420})
	if err := p.LineChart(opt); err != nil {
		return nil, err
	}
	return p.Bytes()
}
