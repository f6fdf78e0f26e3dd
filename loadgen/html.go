package loadgen

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// A page is what the template shows.
type page struct {
	Title    string
	Subtitle string
	Verdict  verdict
	Tiles    []tile
	Charts   []chart
	Tables   []htmlTable
	Heats    []heat
	Facts    []fact
	Schema   string
}

type verdict struct {
	Class, Word string // good, bad or warn
	Reasons     []string
	Notes       []string
}

type tile struct{ Name, Value, Note string }

type fact struct{ Name, Value string }

type htmlTable struct {
	Title string
	Wide  bool // takes the whole width of the page
	Head  []string
	Rows  []htmlRow
}

type htmlRow struct {
	Class string
	Cells []string
}

// A heat is a map over two dimensions of a grid.
type heat struct {
	Title, Rows, Columns string
	Wide                 bool // takes the whole width of the page
	Head                 []string
	Body                 []heatRow
}

type heatRow struct {
	Name  string
	Cells []heatCell
}

type heatCell struct {
	Text, Note, Title, Class string
	Heat                     int // 0 to 10, a class of the page
}

// Title returns the chart's title, for the template.
func (c chart) Title() string { return c.title }

func (p page) write(w io.Writer) error { return pageTemplate.Execute(w, p) }

// WriteHTML writes the result as one page that needs nothing else.
func (r *Result) WriteHTML(w io.Writer) error {
	p := page{
		Title: "Load run", Subtitle: r.Load.Title(), Schema: Schema, Verdict: r.verdict(), Tiles: r.tiles(), Charts: r.charts(), Facts: r.facts(),
	}
	p.Tables = []htmlTable{r.latencyTable()}
	if len(r.Thresholds) > 0 {
		t := htmlTable{Title: "Thresholds", Head: []string{"threshold", "measured", ""}}
		for _, th := range r.Thresholds {
			class, word := "good", "kept"
			if !th.OK {
				class, word = "bad", "broken"
			}
			t.Rows = append(t.Rows, htmlRow{class, []string{th.Threshold, th.value(), word}})
		}
		p.Tables = append(p.Tables, t)
	}
	p.Tables = append(p.Tables, r.backpressureTable(), r.costTable())
	return p.write(w)
}

func (r *Result) verdict() verdict {
	v := verdict{Class: "good", Word: "trusted", Reasons: r.Trust.Reasons, Notes: r.Trust.Notes}
	if r.Trust.Verdict != Trusted {
		v.Class, v.Word = "warn", "suspect: do not quote"
	}
	if !r.OK() {
		v.Notes = append([]string{"a threshold was broken"}, v.Notes...)
	}
	if r.Aborted != "" {
		v.Notes = append([]string{"aborted by " + r.Aborted}, v.Notes...)
	}
	if bad := r.CheckAccounting(); bad != "" {
		v.Class, v.Word = "bad", "accounting broken: a defect of Ringmill"
	}
	return v
}

func (r *Result) tiles() []tile {
	var tiles []tile
	if c := r.Canon; c != nil {
		tiles = append(tiles, tile{c.Name + ", full speed", perSecond(c.Throughput), "64 clients"})
	}
	of := "closed loop"
	if r.Load.Concurrency == 0 {
		of = "of " + perSecond(r.Offered) + " offered"
	}
	return append(tiles,
		tile{"throughput", perSecond(r.Throughput), of},
		tile{"p50", seconds(r.Latency.P50), "uncorrected " + seconds(r.Uncorrected.P50)},
		tile{"p99", seconds(r.Latency.P99), "uncorrected " + seconds(r.Uncorrected.P99)},
		tile{"p99.9", seconds(r.Latency.P999), "max " + seconds(r.Latency.Max)},
		tile{"failed or shed", percent(share(r.Failed+r.Shed, r.Sent)), count(r.Failed+r.Shed) + " of " + count(r.Sent)},
	)
}

// lowestShown is where the percentile curve begins: below it there is only the
// cliff down to the fastest request.
const lowestShown = 5

// mostShown bounds the points of a line on the page.
const mostShown = 120

func (r *Result) charts() []chart {
	percentiles := line{name: "latency", class: "c1"}
	for _, c := range r.Curve {
		if c.Percentile >= lowestShown && c.Percentile < 100 && c.Seconds > 0 {
			percentiles.x, percentiles.y = append(percentiles.x, c.Percentile), append(percentiles.y, c.Seconds)
		}
	}
	u := r.Uncorrected
	uncorrected := line{name: "uncorrected", class: "c3", dots: true}
	for i, v := range []float64{u.P50, u.P90, u.P99, u.P999} {
		if at := []float64{50, 90, 99, 99.9}[i]; v > 0 && len(percentiles.x) > 0 && at <= percentiles.x[len(percentiles.x)-1] {
			uncorrected.x, uncorrected.y = append(uncorrected.x, at), append(uncorrected.y, v)
		}
	}
	curve := chart{
		title: "Latency by percentile", lines: []line{percentiles, uncorrected}, logY: true, format: shortSeconds, scaleX: nines,
		formatX: func(p float64) string { return "p" + strconv.FormatFloat(p, 'g', 7, 64) },
	}
	for _, p := range []float64{50, 90, 99, 99.9, 99.99, 99.999, 99.9999} {
		if n := len(percentiles.x); n > 0 && p <= percentiles.x[n-1] {
			curve.ticksX = append(curve.ticksX, p)
		}
	}
	curve.marks = r.marks()
	charts := []chart{curve}
	s := thin(r.Series, mostShown)
	if len(s) < 2 {
		return charts
	}
	over := func(name, class string, f func(Point) float64) line {
		l := line{name: name, class: class}
		for _, p := range s {
			l.x, l.y = append(l.x, p.At), append(l.y, f(p))
		}
		return l
	}
	at := func(s float64) string { return strconv.FormatFloat(s, 'g', 4, 64) + "s" }
	latency := chart{title: "Latency over time", logY: true, format: shortSeconds, formatX: at, marks: r.marks(), lines: []line{
		positiveOf(over("max", "c3", func(p Point) float64 { return p.Max })),
		positiveOf(over("p99", "c2", func(p Point) float64 { return p.P99 })),
		positiveOf(over("p50", "c1", func(p Point) float64 { return p.P50 })),
	}}
	done := over("done", "c1", func(p Point) float64 { return p.Throughput })
	done.area = true
	throughput := chart{title: "Throughput over time, a second", format: short, formatX: at, lines: []line{done}}
	if r.Failed+r.Shed > 0 {
		throughput.lines = append(throughput.lines, over("failed or shed", "c2", func(p Point) float64 {
			if p.Done == 0 || p.Throughput == 0 {
				return 0
			}
			return float64(p.Failed+p.Shed) * p.Throughput / float64(p.Done)
		}))
	}
	if r.Load.Concurrency == 0 && r.Load.Rate > 0 {
		throughput.marks = []mark{{"offered " + short(r.Load.Rate), r.Load.Rate, true}}
	}
	waiting := over("waiting in mailboxes", "c2", func(p Point) float64 { return float64(p.Mailboxes) })
	waiting.area = true
	depth := chart{title: "Runs and tasks that wait, most in each interval", format: short, formatX: at, lines: []line{
		over("in flight", "c3", func(p Point) float64 { return float64(p.InFlight) }),
		over("tasks ready", "c1", func(p Point) float64 { return float64(p.Ready) }), waiting,
	}}
	return append(charts, latency, throughput, depth)
}

// positiveOf leaves out the points that a logarithmic axis cannot show.
func positiveOf(l line) line {
	out := line{name: l.name, class: l.class}
	for i := range l.x {
		if l.y[i] > 0 {
			out.x, out.y = append(out.x, l.x[i]), append(out.y, l.y[i])
		}
	}
	return out
}

// marks are the upper bounds on latencies.
func (r *Result) marks() []mark {
	var marks []mark
	for _, th := range r.Thresholds {
		t, err := ParseThreshold(th.Threshold)
		if err != nil || t.Op[0] != '<' {
			continue
		}
		if _, ok := t.percentile(); ok || t.Metric == "max" {
			marks = append(marks, mark{name: t.Metric + t.Op + shortSeconds(t.Value), y: t.Value})
		}
	}
	return marks
}

// thin joins neighbours until few enough points are left.
func thin(series []Point, most int) []Point {
	series = slices.Clone(series)
	for len(series) > most {
		series = halve(series)
	}
	return series
}

func (r *Result) latencyTable() htmlTable {
	t := htmlTable{Title: "Times", Head: []string{"", "p50", "p90", "p99", "p99.9", "max", "mean"}}
	for _, row := range []struct {
		name string
		q    Quantiles
	}{{"latency", r.Latency}, {"uncorrected", r.Uncorrected}, {"task bodies", r.TaskTime}, {"lag of sending", r.Lag}} {
		if row.q.Max == 0 && row.name != "latency" {
			continue
		}
		q := row.q
		t.Rows = append(t.Rows, htmlRow{"", []string{row.name, seconds(q.P50), seconds(q.P90), seconds(q.P99), seconds(q.P999), seconds(q.Max), seconds(q.Mean)}})
	}
	return t
}

func (r *Result) backpressureTable() htmlTable {
	b := r.Backpressure
	t := htmlTable{Title: "Backpressure", Head: []string{"what", "how much"}}
	for _, row := range [][]string{
		{"waited for room", percent(b.BlockedShare) + " of requests, " + seconds(b.BlockedSeconds) + " in all"},
		{"refused", count(b.Rejected)}, {"dropped", count(b.Dropped)}, {"held: max-inflight reached", count(b.Held)},
		{"fullest mailbox", fmt.Sprintf("%s, %d of %d", percent(b.FullestMailbox), b.DeepestMailbox, r.Load.Mailbox)},
		{"most in flight", count(uint64(max(b.MostInFlight, 0)))}, {"most tasks ready", count(uint64(max(b.MostReady, 0)))},
	} {
		t.Rows = append(t.Rows, htmlRow{"", row})
	}
	return t
}

func (r *Result) costTable() htmlTable {
	c := r.Cost
	t := htmlTable{Title: "Cost", Head: []string{"what", "how much"}}
	for _, row := range [][]string{
		{"CPU time a run", seconds(c.CPUSecondsPerOp)}, {"allocations a run", digits(c.AllocsPerOp) + ", " + digits(c.BytesPerOp) + " B"},
		{"cores busy", digits(c.CPUCores) + ", and " + digits(c.GeneratorCores) + " sending"},
		{"garbage collector", percent(c.GCShare) + " of the CPU time, " + count(c.GCCycles) + " cycles"},
	} {
		t.Rows = append(t.Rows, htmlRow{"", row})
	}
	return t
}

func (r *Result) facts() []fact {
	e := r.Environment
	facts := []fact{
		{"plan", r.PlanHash + ", seed " + strconv.FormatUint(r.Load.Seed, 10)},
		{"measured", r.StartedAt.Format("2006-01-02 15:04:05 MST") + ", " + seconds(r.Seconds)},
		{"requests", fmt.Sprintf("sent %s = done %s + failed %s + shed %s; unsent %s, warm-up %s", count(r.Sent), count(r.Done), count(r.Failed), count(r.Shed), count(r.Unsent), count(r.Warmup))},
		{"machine", strings.TrimSpace(fmt.Sprintf("%s %d cores, %s/%s", e.CPU, e.Cores, e.OS, e.Arch))},
		{"program", fmt.Sprintf("%s, %s, GOMAXPROCS %d", e.Version, e.Go, e.GOMAXPROCS)},
	}
	if r.FirstFailure != "" {
		facts = append(facts, fact{"first failure", r.FirstFailure})
	}
	if f := r.trustFigures(); f != "" {
		facts = append(facts, fact{"trust", strings.TrimPrefix(f, ": ")})
	}
	return facts
}

// WriteHTML writes the grid as one page that needs nothing else.
func (g *GridResult) WriteHTML(w io.Writer) error {
	p := page{Title: "Grid", Schema: GridSchema, Verdict: verdict{Class: "good", Word: "trusted"}}
	if n := g.Suspects(); n > 0 {
		p.Verdict = verdict{Class: "warn", Word: fmt.Sprintf("suspect: %d of %d cells", n, len(g.Cells))}
		for _, c := range g.Cells {
			for _, reason := range c.Result.Trust.Reasons {
				if len(p.Verdict.Reasons) < 3 {
					p.Verdict.Reasons = append(p.Verdict.Reasons, GridConfig{Axes: g.Axes}.title(c.Values)+": "+reason)
				}
			}
		}
	}
	if g.Interrupted {
		p.Verdict.Notes = append(p.Verdict.Notes, "interrupted: some cells are missing or were measured less often")
	}
	if bad := g.CheckAccounting(); bad != "" {
		p.Verdict.Class, p.Verdict.Word = "bad", "accounting broken: a defect of Ringmill"
	}
	if len(g.Cells) > 0 {
		first := g.Cells[0].Result
		p.Subtitle = first.Load.load()
		p.Facts = first.facts()
	}
	if g.Knee >= 0 {
		knee, best := g.Cells[g.Knee], g.Cells[g.Best]
		p.Tiles = []tile{
			{"knee: the smallest that is enough", g.Title(g.Knee), "p99 " + seconds(knee.P99) + ", " + perSecond(knee.Throughput)},
			{"lowest p99", g.Title(g.Best), "p99 " + seconds(best.P99) + ", " + perSecond(best.Throughput)},
		}
	}
	p.Heats = append(g.latencyHeats(), g.heats(heatFigure{"throughput", false, func(c Cell) float64 { return c.Throughput }, perSecond, nil})...)
	p.Heats = append(p.Heats, g.heats(heatFigure{"failed or shed", true, func(c Cell) float64 { return c.Errors }, percent, nil})...)
	if len(g.Cells) <= mostDetailed {
		p.Tables = []htmlTable{g.htmlTable()}
	} else {
		p.Facts = append(p.Facts, fact{"all cells", "there are too many for a small page; series.csv and result.json have them"})
	}
	return p.write(w)
}

// mostDetailed is how many cells are listed one by one, with their figures on hover:
// about 1 KB each, of the 250 KB that a page may have.
const mostDetailed = 200

// latencyHeats are the maps that answer the question: p99, and below it what share had no
// answer. The only one takes the whole width.
func (g *GridResult) latencyHeats() []heat {
	maps := g.heats(heatFigure{"p99, and the share that failed or was shed", true, func(c Cell) float64 { return c.P99 }, seconds, func(c Cell) string {
		if c.Errors == 0 {
			return ""
		}
		return percent(c.Errors)
	}})
	if len(maps) == 1 {
		maps[0].Wide = true
	}
	return maps
}

// leastSpread is the logarithm of how many times the best value the worst one must be to
// have the deepest colour: small differences must not look like large ones.
const leastSpread = math.Ln2

// A heatFigure is what a map shows.
type heatFigure struct {
	title   string
	lowGood bool
	of      func(Cell) float64
	format  func(float64) string
	note    func(Cell) string // below the figure; nil is none
}

// heats makes a map of the last two dimensions for each combination of the others.
// Bad values are the deeper ones.
func (g *GridResult) heats(m heatFigure) []heat {
	low, high := math.Inf(1), 0.0
	for _, c := range g.Cells {
		if v := m.of(c); v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	depth := func(v float64) int {
		if v <= 0 || high <= low {
			return 0
		}
		d := math.Log(v/low) / max(math.Log(high/low), leastSpread)
		if !m.lowGood {
			d = math.Log(high/v) / max(math.Log(high/low), leastSpread)
		}
		return int(math.Round(10 * d))
	}
	rows, columns := Axis{Name: "", Values: []string{""}}, g.Axes[len(g.Axes)-1]
	if n := len(g.Axes); n > 1 {
		rows = g.Axes[n-2]
	}
	groups, order := map[string]*heat{}, []string{}
	for i, c := range g.Cells {
		n := len(c.Values)
		group, row := "", ""
		if n > 1 {
			row = c.Values[n-2]
			group = GridConfig{Axes: g.Axes}.title(c.Values[:n-2])
		}
		h := groups[group]
		if h == nil {
			title := m.title
			if group != "" {
				title += ", " + group
			}
			h = &heat{Title: title, Rows: rows.Name, Columns: columns.Name, Head: columns.Values}
			for _, name := range rows.Values {
				h.Body = append(h.Body, heatRow{Name: name, Cells: make([]heatCell, len(columns.Values))})
			}
			groups[group] = h
			order = append(order, group)
		}
		at, col := slices.Index(rows.Values, row), slices.Index(columns.Values, c.Values[n-1])
		if at < 0 || col < 0 {
			continue // a file that was changed by hand
		}
		cell := heatCell{Text: m.format(m.of(c)), Title: g.Title(i) + ": p50 " + seconds(c.P50) + ", p99 " + seconds(c.P99) + ", " + perSecond(c.Throughput), Heat: depth(m.of(c))}
		switch {
		case len(g.Cells) > mostDetailed:
			cell.Title = ""
		case m.note != nil:
			cell.Note = m.note(c)
		}
		switch i {
		case g.Knee:
			cell.Class, cell.Title = "knee", cell.Title+" (knee)"
		case g.Best:
			cell.Class, cell.Title = "best", cell.Title+" (lowest p99)"
		}
		h.Body[at].Cells[col] = cell
	}
	out := []heat{}
	for _, name := range order {
		out = append(out, *groups[name])
	}
	return out
}

func (g *GridResult) htmlTable() htmlTable {
	t := htmlTable{Title: "All cells", Wide: true}
	for _, a := range g.Axes {
		t.Head = append(t.Head, a.Name)
	}
	t.Head = append(t.Head, "p50", "p99", "throughput", "failed or shed", "blocked", "fullest mailbox", "trust")
	for i, c := range g.Cells {
		class := ""
		if i == g.Knee {
			class = "good"
		}
		b := c.Result.Backpressure
		t.Rows = append(t.Rows, htmlRow{class, append(slices.Clone(c.Values), seconds(c.P50), seconds(c.P99), perSecond(c.Throughput), percent(c.Errors), percent(b.BlockedShare), percent(b.FullestMailbox), c.Result.Trust.Verdict)})
	}
	return t
}

// WriteHTML writes the search as one page that needs nothing else.
func (s *SearchResult) WriteHTML(w io.Writer) error {
	p := page{Title: "Search", Schema: SearchSchema, Verdict: verdict{Class: "warn", Word: "not confirmed"}}
	if r := s.Result; r != nil {
		p.Subtitle, p.Facts, p.Charts = r.Load.Title(), r.facts(), r.charts()
		p.Verdict = r.verdict()
		if s.Rate == 0 || !s.Confirmed {
			p.Verdict.Notes = append([]string{"the answer is not confirmed"}, p.Verdict.Notes...)
		}
	}
	answer := "none"
	if s.Rate > 0 {
		answer = perSecond(s.Rate)
	}
	p.Tiles = []tile{{"highest rate", answer, "with " + strings.Join(s.SLO, ", ")}, {"precision", percent(s.Precision), fmt.Sprintf("%d rates tried", len(s.Probes))}}
	probes := chart{title: "p99 by rate", logY: true, format: shortSeconds, formatX: func(v float64) string { return short(v) + "/s" }}
	kept, broken := line{name: "kept", class: "c1", dots: true}, line{name: "broken", class: "c2", dots: true}
	t := htmlTable{Title: "Rates tried", Wide: true, Head: []string{"rate", "", "p99", "throughput", "failed or shed", "measurements", "trust"}}
	for _, pr := range s.Probes {
		l, class, word := &broken, "bad", "broken"
		if pr.OK {
			l, class, word = &kept, "good", "kept"
		}
		if pr.Confirming {
			word += ", confirmation"
		}
		if pr.P99 > 0 {
			l.x, l.y = append(l.x, pr.Rate), append(l.y, pr.P99)
		}
		t.Rows = append(t.Rows, htmlRow{class, []string{perSecond(pr.Rate), word, seconds(pr.P99), perSecond(pr.Throughput), percent(pr.Errors), strconv.Itoa(pr.Tries), pr.Trust}})
	}
	probes.lines = []line{kept, broken}
	probes.scaleX = func(rate float64) float64 { return math.Log10(max(rate, lowestRate)) }
	if lo, hi, ok := ends(append(slices.Clone(kept.x), broken.x...)); ok {
		probes.ticksX = span{low: lo, high: hi, log: true}.ticks()
		if len(probes.ticksX) < 2 {
			probes.ticksX = []float64{lo, hi}
		}
	}
	if s.Result != nil {
		probes.marks = s.Result.marks()
	}
	p.Charts = append([]chart{probes}, p.Charts...)
	p.Tables = []htmlTable{t}
	if s.Result != nil {
		p.Tables = append(p.Tables, s.Result.latencyTable(), s.Result.backpressureTable(), s.Result.costTable())
	}
	return p.write(w)
}

// ends returns the lowest and the highest of some values; false if there are none.
func ends(v []float64) (low, high float64, ok bool) {
	if len(v) == 0 {
		return 0, 0, false
	}
	return slices.Min(v), slices.Max(v), true
}
