package loadgen

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ringmill/ringmill/runtime"
)

// GridSchema names the form of a GridResult as JSON.
const GridSchema = "ringmill.loadgen.grid/1"

// MaxCells bounds a grid.
const MaxCells = 1000

// A GridConfig says what a grid measures.
type GridConfig struct {
	Base Config
	Axes []Axis
	// Count is how often each cell is measured. Defaults to 3; 1 to 100.
	Count int
	// Progress, if set, is called before each measurement.
	Progress func(done, all int, cell string)
}

// A GridResult holds a result for every combination of the axes' values.
type GridResult struct {
	Schema string `json:"schema"`
	Axes   []Axis `json:"axes"`
	Count  int    `json:"count"`
	Cells  []Cell `json:"cells"` // the last axis moves fastest
	// Best is the cell with the lowest p99 among those with the highest throughput.
	Best int `json:"best"`
	// Knee is the smallest cell that is about as good as Best; see Grid.
	Knee        int  `json:"knee"`
	Interrupted bool `json:"interrupted"`
}

// A Cell is one combination. Its figures are medians over the repetitions.
type Cell struct {
	Values     []string `json:"values"` // by axis
	P50        float64  `json:"p50"`
	P99        float64  `json:"p99"`
	Throughput float64  `json:"throughput"`
	Errors     float64  `json:"errors"` // share that failed or was shed
	Result     *Result  `json:"result"` // of the repetition with the median p99, without series
}

// How much worse than the best the knee may be. Two measurements of one cell differ
// by about that much in p99 on a machine that is quiet.
const (
	kneeP99        = 1.25
	kneeThroughput = 0.95
	kneeErrors     = 0.001 // more requests of all
)

// Grid measures every combination of the axes. Repetitions are interleaved: each one
// goes through all cells, so that a slow minute of the machine hits all alike.
//
// The knee is the smallest cell, by the product of its sizes (mailbox, actors,
// bounds), whose throughput is at least 95 % of the best one's, of whose requests at
// most one in a thousand more fails or is shed, and whose p99 is at most 1.25 times as
// high: more than that buys nothing that can be told from noise.
func Grid(ctx context.Context, cfg GridConfig) (*GridResult, error) {
	if cfg.Count == 0 {
		cfg.Count = 3
	}
	if cfg.Count < 1 || cfg.Count > 100 {
		return nil, fmt.Errorf("loadgen: GridConfig.Count: %d is out of range; want 1 to 100", cfg.Count)
	}
	configs, cells, err := cfg.cells(ctx)
	if err != nil {
		return nil, err
	}
	g := &GridResult{Schema: GridSchema, Axes: cfg.Axes, Count: cfg.Count, Cells: cells}
	results := make([][]*Result, len(cells))
measuring:
	for round := range cfg.Count {
		for i, c := range configs {
			if cfg.Progress != nil {
				cfg.Progress(round*len(cells)+i, cfg.Count*len(cells), cfg.title(cells[i].Values))
			}
			r, err := Run(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("cell %s: %w", cfg.title(cells[i].Values), err)
			}
			if r.Interrupted {
				g.Interrupted = true
				break measuring
			}
			r.Series, r.log, r.histogram = []Point{}, nil, nil // thousands of them would fill the memory
			results[i] = append(results[i], r)
		}
	}
	measured := g.Cells[:0]
	for i, rs := range results {
		if len(rs) == 0 {
			continue // interrupted before
		}
		c := cells[i]
		c.Result = middle(rs)
		c.summarize()
		measured = append(measured, c)
	}
	g.Cells = measured
	g.choose()
	return g, nil
}

func (cfg GridConfig) title(values []string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = cfg.Axes[i].Name + "=" + v
	}
	return strings.Join(parts, " ")
}

// cells lists all combinations and checks them before anything runs.
func (cfg GridConfig) cells(ctx context.Context) ([]Config, []Cell, error) {
	if len(cfg.Axes) == 0 {
		return nil, nil, fmt.Errorf("loadgen: GridConfig.Axes: none; want at least one such as mailbox=16,64,256")
	}
	all := 1
	for i, a := range cfg.Axes {
		if err := a.check(); err != nil {
			return nil, nil, fmt.Errorf("loadgen: GridConfig.Axes: %w", err)
		}
		if slices.ContainsFunc(cfg.Axes[:i], func(b Axis) bool { return a.Name == b.Name }) {
			return nil, nil, fmt.Errorf("loadgen: GridConfig.Axes: %s is there twice: join the two", a.Name)
		}
		if all *= len(a.Values); all > MaxCells {
			return nil, nil, fmt.Errorf("loadgen: GridConfig.Axes: more than %d cells: take fewer values", MaxCells)
		}
	}
	if has := func(name string) bool {
		return slices.ContainsFunc(cfg.Axes, func(a Axis) bool { return a.Name == name })
	}; has("rate") && has("concurrency") {
		return nil, nil, fmt.Errorf("loadgen: GridConfig.Axes: rate and concurrency exclude each other: a load is an open loop or a closed one")
	}
	var configs []Config
	var cells []Cell
	for n := range all {
		c, values, rest := cfg.Base, make([]string, len(cfg.Axes)), n
		for i := len(cfg.Axes) - 1; i >= 0; i-- {
			a := cfg.Axes[i]
			values[i] = a.Values[rest%len(a.Values)]
			rest /= len(a.Values)
			if err := settings[a.Name].set(&c, values[i]); err != nil {
				return nil, nil, err
			}
		}
		checked, err := c.Check()
		if err == nil {
			err = tryRuntime(ctx, checked)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("cell %s: %w", cfg.title(values), err)
		}
		configs, cells = append(configs, checked), append(cells, Cell{Values: values})
	}
	return configs, cells, nil
}

// tryRuntime finds what only the runtime knows to be wrong, before hours of
// measurement.
func tryRuntime(ctx context.Context, c Config) error {
	if c.Target != nil {
		return nil
	}
	rt, err := runtime.New(c.Runtime)
	if err != nil {
		return err
	}
	return rt.Stop(context.WithoutCancel(ctx)) // it has nothing to wait for
}

// summarize fills in the medians.
func (c *Cell) summarize() {
	of := func(f func(Sample) float64) float64 {
		var v []float64
		for _, s := range c.Result.Samples {
			v = append(v, f(s))
		}
		return median(v)
	}
	c.P50 = of(func(s Sample) float64 { return s.P50 })
	c.P99 = of(func(s Sample) float64 { return s.P99 })
	c.Throughput = of(func(s Sample) float64 { return s.Throughput })
	c.Errors = of(func(s Sample) float64 { return s.Errors })
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

// choose finds the best cell and the knee.
func (g *GridResult) choose() {
	g.Best, g.Knee = -1, -1
	most, fewest := 0.0, 1.0
	for _, c := range g.Cells {
		most, fewest = max(most, c.Throughput), min(fewest, c.Errors)
	}
	enough := func(c Cell) bool {
		return c.Throughput > 0 && c.Throughput >= kneeThroughput*most && c.Errors <= fewest+kneeErrors
	}
	for i, c := range g.Cells {
		if enough(c) && (g.Best < 0 || c.P99 < g.Cells[g.Best].P99) {
			g.Best = i
		}
	}
	if g.Best < 0 {
		return
	}
	for i, c := range g.Cells {
		if enough(c) && c.P99 <= kneeP99*g.Cells[g.Best].P99 && (g.Knee < 0 || g.size(c) < g.size(g.Cells[g.Knee])) {
			g.Knee = i
		}
	}
}

// size is the logarithm of the product of a cell's sizes.
func (g *GridResult) size(c Cell) float64 {
	sum := 0.0
	for i, a := range g.Axes {
		if n, err := strconv.ParseFloat(c.Values[i], 64); err == nil && settings[a.Name].size {
			sum += math.Log(n)
		}
	}
	return sum
}

// Suspects counts the cells whose measurement is suspect.
func (g *GridResult) Suspects() (n int) {
	for _, c := range g.Cells {
		if c.Result.Trust.Verdict != Trusted {
			n++
		}
	}
	return n
}

// CheckAccounting says in which cell the accounting is broken; empty if in none.
func (g *GridResult) CheckAccounting() string {
	for _, c := range g.Cells {
		if bad := c.Result.CheckAccounting(); bad != "" {
			return GridConfig{Axes: g.Axes}.title(c.Values) + ": " + bad
		}
	}
	return ""
}

// Title names a cell: mailbox=16 task-actors=8.
func (g *GridResult) Title(cell int) string {
	return GridConfig{Axes: g.Axes}.title(g.Cells[cell].Values)
}

// WriteText writes a table of the cells and the verdict.
func (g *GridResult) WriteText(w io.Writer) error {
	var b strings.Builder
	if bad := g.CheckAccounting(); bad != "" {
		fmt.Fprintf(&b, "BROKEN ACCOUNTING: %s. This is a defect of Ringmill: please report it.\n", bad)
	}
	if n := g.Suspects(); n > 0 {
		fmt.Fprintf(&b, "SUSPECT: %d of %d cells; do not quote them. The reasons of the first one:\n", n, len(g.Cells))
		for _, c := range g.Cells {
			if c.Result.Trust.Verdict != Trusted {
				for _, reason := range c.Result.Trust.Reasons {
					fmt.Fprintf(&b, "  - %s\n", reason)
				}
				break
			}
		}
	}
	if g.Interrupted {
		fmt.Fprintf(&b, "INTERRUPTED: some cells have fewer than %d measurements, or none\n", g.Count)
	}
	if len(g.Cells) == 0 {
		fmt.Fprintln(&b, "no cell was measured")
		_, err := io.WriteString(w, b.String())
		return err
	}
	l := g.Cells[0].Result.Load
	fmt.Fprintf(&b, "%s, median of %d\nplan %s, seed %d\n\n", l.load(), g.Count, g.Cells[0].Result.PlanHash, l.Seed)
	header := []string{}
	for _, a := range g.Axes {
		header = append(header, a.Name)
	}
	rows := [][]string{append(header, "p50", "p99", "throughput", "errors", "blocked", "fullest", "trust", "")}
	for i, c := range g.Cells {
		mark := ""
		switch i {
		case g.Knee:
			mark = "<- knee: the smallest that is enough"
		case g.Best:
			mark = "<- lowest p99"
		}
		bp := c.Result.Backpressure
		rows = append(rows, append(slices.Clone(c.Values), seconds(c.P50), seconds(c.P99), perSecond(c.Throughput), percent(c.Errors),
			percent(bp.BlockedShare), percent(bp.FullestMailbox), c.Result.Trust.Verdict, mark))
	}
	table(&b, rows)
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes rows in columns, numbers to the right.
func table(out *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i == len(row)-1 { // the last column is text
				b.WriteString(cell)
			} else {
				b.WriteString(pad + cell + "  ")
			}
		}
		line := strings.TrimRight(b.String(), " ")
		out.WriteString(line + "\n")
	}
}

// WriteBench writes every sample of every cell in the Go benchmark format:
//
//	benchstat -row /mailbox -col /task-actors bench.txt
func (g *GridResult) WriteBench(w io.Writer) error {
	var b strings.Builder
	for i, c := range g.Cells {
		if i == 0 {
			benchHeader(&b, c.Result.Environment)
		}
		c.Result.benchLines(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteCSV writes a line a cell; times are in seconds.
func (g *GridResult) WriteCSV(w io.Writer) error {
	rows := [][]string{}
	header := []string{}
	for _, a := range g.Axes {
		header = append(header, a.Name)
	}
	rows = append(rows, append(header, "p50", "p99", "throughput", "errors", "blocked", "fullest", "trust"))
	f := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, c := range g.Cells {
		bp := c.Result.Backpressure
		rows = append(rows, append(slices.Clone(c.Values), f(c.P50), f(c.P99), f(c.Throughput), f(c.Errors), f(bp.BlockedShare), f(bp.FullestMailbox), c.Result.Trust.Verdict))
	}
	return writeCSV(w, rows)
}

// WriteJSON writes the grid as indented JSON.
func (g *GridResult) WriteJSON(w io.Writer) error { return writeJSON(w, g) }

// ReadGrid reads what WriteJSON wrote.
func ReadGrid(data []byte) (*GridResult, error) {
	var g GridResult
	if err := readJSON(data, GridSchema, &g); err != nil {
		return nil, err
	}
	if len(g.Axes) == 0 {
		return nil, fmt.Errorf("loadgen: the grid has no dimensions")
	}
	for i, c := range g.Cells {
		if c.Result == nil || len(c.Values) != len(g.Axes) {
			return nil, fmt.Errorf("loadgen: cell %d of the grid is incomplete", i)
		}
	}
	in := func(i int) bool { return i >= -1 && i < len(g.Cells) }
	if !in(g.Best) || !in(g.Knee) {
		return nil, fmt.Errorf("loadgen: the grid names a cell that it does not have")
	}
	return &g, nil
}
