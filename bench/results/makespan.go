package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-analyze/charts"

	"github.com/ringmill/ringmill/bench/listsched"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// makespanActors are the numbers of task actors.
var makespanActors = []int{8, 50}

// liveWorkflows are executed in real time, scaled so that each simulation takes liveMakespan; they take a minute in all.
var liveWorkflows = []string{
	"pegasus/montage/montage-chameleon-2mass-025d-001.json",
	"pegasus/montage/montage-chameleon-dss-15d-001.json",
	"pegasus/epigenomics/epigenomics-chameleon-ilmn-6seq-100k-001.json",
	"pegasus/1000genome/1000genome-chameleon-22ch-250k-001.json",
	"pegasus/seismology/seismology-chameleon-500p-001.json",
	"makeflow/blast/blast-chameleon-large-004.json",
}

const (
	liveMakespan = 4 * time.Second
	liveActors   = 50
)

type anyWorkflow = workflow.Definition[json.RawMessage, json.RawMessage]

// computeMakespan simulates the recorded workflows in both orders, draws their ratios, executes some of them, and returns the
// section with the figures.
func computeMakespan(s suite) (string, error) {
	files, err := recorded()
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\nAgain: `go run ./bench/results -suite %s`; what is simulated is the same on every machine.\n\n![Makespan by the longest remaining path over first come first served](plots/%s.svg)\n\n",
		s.name, s.about, s.name, s.name)
	b.WriteString("| workflow | tasks | 8: fifo | critical path | ratio | 50: fifo | critical path | ratio |\n|---|---|---|---|---|---|---|---|\n")
	ratios := make([][]float64, len(makespanActors))
	var above [2][2]float64 // of order and actors: sum of makespan / bound
	for _, name := range names {
		def, err := readRecorded(name, files[name], 1)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "| %s | %d |", strings.TrimSuffix(filepath.Base(name), ".json"), len(def.Plan().Tasks))
		for i, n := range makespanActors {
			fifo, path := listsched.Makespan(def.Plan(), n, listsched.FIFO), listsched.Makespan(def.Plan(), n, listsched.CriticalPath)
			bound := float64(listsched.Bound(def.Plan(), n))
			ratios[i] = append(ratios[i], float64(path)/float64(fifo))
			above[0][i] += float64(fifo) / bound
			above[1][i] += float64(path) / bound
			fmt.Fprintf(&b, " %.1f s | %.1f s | %.3f |", fifo.Seconds(), path.Seconds(), float64(path)/float64(fifo))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n| task actors | mean ratio | asked at most | least | most | fifo over the bound | critical path over it | |\n|---|---|---|---|---|---|---|---|\n")
	for i, n := range makespanActors {
		mean, verdict := average(ratios[i]), "met"
		if mean > 0.96 {
			verdict = "**missed**"
		}
		fmt.Fprintf(&b, "| %d | %.3f | 0.96 | %.3f | %.3f | %.2f | %.2f | %s |\n", n, mean, slices.Min(ratios[i]), slices.Max(ratios[i]),
			above[0][i]/float64(len(names)), above[1][i]/float64(len(names)), verdict)
	}
	b.WriteString("\nThe bound is max(critical path, work / task actors), which no order beats.\n\n")
	if err := writeLive(&b, files); err != nil {
		return "", err
	}
	plot, err := drawMakespan(ratios)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(plotsDir, 0o755); err != nil {
		return "", err
	}
	return b.String(), os.WriteFile(filepath.Join(plotsDir, s.name+".svg"), plot, 0o644)
}

func average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// writeLive executes some of the workflows with tasks that sleep, and compares with the simulation.
func writeLive(b *strings.Builder, files map[string][]byte) error {
	before := loadAverage()
	fmt.Fprintf(b, "Executed in real time, tasks that sleep, %d task actors, each scaled to about %v:\n\n| workflow | order | simulated | measured | ratio | asked at most | |\n|---|---|---|---|---|---|---|\n",
		liveActors, liveMakespan)
	orders := []struct {
		schedule runtime.Schedule
		name     string
		order    listsched.Order
	}{{runtime.ScheduleFIFO, "fifo", listsched.FIFO}, {runtime.ScheduleCriticalPath, "critical path", listsched.CriticalPath}}
	for _, name := range liveWorkflows {
		data, ok := files[name]
		if !ok {
			return fmt.Errorf("the recorded workflow %s is missing", name)
		}
		full, err := readRecorded(name, data, 1)
		if err != nil {
			return err
		}
		scale := float64(liveMakespan) / float64(listsched.Makespan(full.Plan(), liveActors, listsched.FIFO))
		for _, o := range orders {
			def, err := readRecorded(name, data, scale)
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "makespan %s %s\n", name, o.name)
			took, err := execute(def, o.schedule)
			if err != nil {
				return err
			}
			want, verdict := listsched.Makespan(def.Plan(), liveActors, o.order), "met"
			ratio := float64(took) / float64(want)
			if ratio > 1.03 {
				verdict = "**missed**"
			}
			fmt.Fprintf(b, "| %s | %s | %.3f s | %.3f s | %.3f | 1.03 | %s |\n",
				strings.TrimSuffix(filepath.Base(name), ".json"), o.name, want.Seconds(), took.Seconds(), ratio, verdict)
		}
	}
	fmt.Fprintf(b, "\nMeasured %s%s.\n", time.Now().Format("2006-01-02 15:04"), loads(before, loadAverage()))
	return nil
}

// execute runs the workflow once and returns its makespan.
func execute(def *anyWorkflow, schedule runtime.Schedule) (time.Duration, error) {
	ctx := context.Background()
	rt, err := runtime.New(runtime.Config{TaskActors: liveActors, Schedule: schedule, TaskTimings: true})
	if err != nil {
		return 0, err
	}
	run, err := runtime.Start(ctx, rt, def, nil)
	if err != nil {
		return 0, err
	}
	if _, err := run.Result(ctx); err != nil {
		return 0, err
	}
	return run.Report().Makespan, rt.Stop(ctx)
}

// recorded returns the recorded production workflows by their path.
func recorded() (map[string][]byte, error) {
	shared := os.Getenv("RINGMILL_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "shared")
	}
	root := filepath.Join(shared, "data", "wfinstances")
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = data
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the recorded workflows (RINGMILL_SHARED names the folder that has data/wfinstances): %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no recorded workflows in %s; RINGMILL_SHARED names another place", root)
	}
	return files, nil
}

func readRecorded(name string, data []byte, scale float64) (*anyWorkflow, error) {
	return workflow.Parse(data, workflow.File(name), workflow.TimeScale(scale))
}

// drawMakespan draws the sorted ratios, as an SVG image.
func drawMakespan(ratios [][]float64) ([]byte, error) {
	var series charts.LineSeriesList
	var labels []string
	for i, n := range makespanActors {
		sorted := slices.Sorted(slices.Values(ratios[i]))
		series = append(series, charts.LineSeries{Name: fmt.Sprintf("%d task actors", n), Values: sorted})
	}
	one := make([]float64, len(ratios[0]))
	for i := range one {
		one[i] = 1
		labels = append(labels, fmt.Sprint(i+1))
	}
	series = append(series, charts.LineSeries{Name: "as long as fifo", Values: one})
	opt := charts.NewLineChartOptionWithSeries(series)
	opt.Title = charts.TitleOption{Text: "Makespan, longest remaining path / fifo"}
	opt.Legend = charts.LegendOption{Offset: charts.OffsetStr{Left: charts.PositionRight}}
	opt.Padding = charts.NewBoxEqual(20)
	opt.XAxis = charts.XAxisOption{Title: "recorded workflows, sorted by ratio", Labels: labels, LabelCount: 10, BoundaryGap: charts.Ptr(false)}
	opt.YAxis = []charts.YAxisOption{{Min: charts.Ptr(0.4), Max: charts.Ptr(1.2), LabelCount: 9, ValueFormatter: func(v float64) string { return fmt.Sprintf("%.1f", v) }}}
	opt.Symbol = charts.Symbol{Shape: charts.SymbolNone}
	opt.LineStrokeWidth = 1.5
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: 900, Height: 420})
	if err := p.LineChart(opt); err != nil {
		return nil, err
	}
	return p.Bytes()
}
