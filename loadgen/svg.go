package loadgen

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// A chart is drawn as inline SVG. Its box is small so that its text can still be
// read when a phone shows it at the width of its screen.
type chart struct {
	title   string // also what a screen reader says
	lines   []line
	marks   []mark // horizontal lines, such as an objective
	logY    bool
	format  func(float64) string // of values of y
	formatX func(float64) string
	ticksX  []float64 // positions of labels; nil: chosen
	scaleX  func(float64) float64
}

// A line is a series. Class is one of the page's colours.
type line struct {
	name, class string
	x, y        []float64
	dots        bool // points instead of a line
	area        bool
}

type mark struct {
	name string
	y    float64
	ref  bool // no bound, something to compare with
}

// The box and its margins.
const (
	chartWidth, chartHeight = 460.0, 250.0
	chartLeft, chartRight   = 52.0, 12.0
	chartTop, chartBottom   = 12.0, 24.0
)

// span is an axis: values from low to high on pixels from a to b.
type span struct {
	low, high, a, b float64
	log             bool
}

func (s span) at(v float64) float64 {
	v = min(max(v, s.low), s.high)
	low, high := s.low, s.high
	if s.log {
		v, low, high = math.Log(v), math.Log(low), math.Log(high)
	}
	if high == low {
		return s.a
	}
	return s.a + (v-low)/(high-low)*(s.b-s.a)
}

// mostSteps is how many steps an axis has at most.
const mostSteps = 6

// ticks are three to seven round values.
func (s span) ticks() []float64 {
	var out []float64
	if s.log {
		steps := []float64{1, 2, 5}
		if s.high/s.low > 1e2 {
			steps = []float64{1}
		}
		for d := math.Pow(10, math.Floor(math.Log10(s.low))); d <= s.high; d *= 10 {
			for _, k := range steps {
				if v := d * k; v >= s.low*0.999 && v <= s.high*1.001 {
					out = append(out, v)
				}
			}
		}
		return out
	}
	raw := (s.high - s.low) / mostSteps
	if raw <= 0 {
		return []float64{s.low}
	}
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, k := range []float64{1, 2, 2.5, 5, 10} {
		if step*k >= raw {
			step *= k
			break
		}
	}
	for v := math.Ceil(s.low/step) * step; v <= s.high+step/1000; v += step {
		out = append(out, v)
	}
	return out
}

// SVG draws the chart; "" if there is nothing to draw.
func (c chart) SVG() template.HTML {
	x, y, ok := c.axes()
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, chartWidth, chartHeight, template.HTMLEscapeString(c.title))
	for _, t := range y.ticks() {
		at := y.at(t)
		fmt.Fprintf(&b, `<line class="rule" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text class="tick" text-anchor="end" x="%g" y="%.1f">%s</text>`,
			chartLeft, chartWidth-chartRight, at, at, chartLeft-5, at+3.5, template.HTMLEscapeString(c.format(t)))
	}
	ticks := c.ticksX
	if ticks == nil {
		ticks = x.ticks()
	}
	for _, t := range ticks {
		at := x.at(c.scale(t))
		anchor := "middle"
		if at > chartWidth-chartRight-12 {
			anchor = "end"
		}
		fmt.Fprintf(&b, `<text class="tick" text-anchor="%s" x="%.1f" y="%g">%s</text>`, anchor, at, chartHeight-8, template.HTMLEscapeString(c.formatX(t)))
	}
	for _, l := range c.lines {
		c.draw(&b, l, x, y)
	}
	for _, m := range c.marks {
		at, name := y.at(m.y), m.name
		switch {
		case m.y > y.high:
			name += " (above)"
		case m.y < y.low:
			name += " (below)"
		}
		label := at - 4
		if label < chartTop+8 {
			label = at + 11
		}
		class, text := "mark", "marked"
		if m.ref {
			class, text = "ref", "reffed"
		}
		fmt.Fprintf(&b, `<line class="%s" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text class="%s" text-anchor="end" x="%g" y="%.1f">%s</text>`,
			class, chartLeft, chartWidth-chartRight, at, at, text, chartWidth-chartRight, label, template.HTMLEscapeString(name))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) // every text in it was escaped above
}

func (c chart) scale(v float64) float64 {
	if c.scaleX != nil {
		return c.scaleX(v)
	}
	return v
}

// axes finds the ranges of both axes; false if there are no points.
func (c chart) axes() (x, y span, ok bool) {
	x = span{low: math.Inf(1), high: math.Inf(-1), a: chartLeft, b: chartWidth - chartRight}
	y = span{low: math.Inf(1), high: math.Inf(-1), a: chartHeight - chartBottom, b: chartTop, log: c.logY}
	for _, l := range c.lines {
		for i := range l.x {
			x.low, x.high = min(x.low, c.scale(l.x[i])), max(x.high, c.scale(l.x[i]))
			if !c.logY || l.y[i] > 0 {
				y.low, y.high = min(y.low, l.y[i]), max(y.high, l.y[i])
			}
		}
	}
	if math.IsInf(x.low, 0) || math.IsInf(y.low, 0) || x.high <= x.low {
		return x, y, false
	}
	if c.logY {
		y.low, y.high = y.low/1.25, y.high*1.25
		for _, m := range c.marks { // an objective that is near belongs into the picture
			if m.y > y.high && m.y < y.high*10 {
				y.high = m.y * 1.1
			}
		}
	} else {
		y.low, y.high = 0, max(y.high*1.1, 1)
	}
	return x, y, true
}

func (c chart) draw(b *strings.Builder, l line, x, y span) {
	if len(l.x) == 0 {
		return
	}
	if !l.dots {
		var path strings.Builder
		for i := range l.x {
			command := 'L'
			if i == 0 {
				command = 'M'
			}
			fmt.Fprintf(&path, "%c%.1f %.1f", command, x.at(c.scale(l.x[i])), y.at(max(l.y[i], y.low)))
		}
		if l.area {
			fmt.Fprintf(b, `<path class="area %s" d="%sL%.1f %.1fL%.1f %.1fZ"/>`, l.class, path.String(),
				x.at(c.scale(l.x[len(l.x)-1])), y.a, x.at(c.scale(l.x[0])), y.a)
		}
		fmt.Fprintf(b, `<path class="line %s" d="%s"/>`, l.class, path.String())
	}
	for i := range l.x {
		class := "hit"
		if l.dots || len(l.x) == 1 {
			class = "dot"
		}
		fmt.Fprintf(b, `<circle class="%s %s" cx="%.1f" cy="%.1f" r="4"><title>%s %s at %s</title></circle>`, class, l.class,
			x.at(c.scale(l.x[i])), y.at(max(l.y[i], y.low)), template.HTMLEscapeString(l.name), template.HTMLEscapeString(c.format(l.y[i])), template.HTMLEscapeString(c.formatX(l.x[i])))
	}
}

// Legend names the lines.
func (c chart) Legend() template.HTML {
	var b strings.Builder
	for _, l := range c.lines {
		if len(l.x) > 0 {
			fmt.Fprintf(&b, `<span class="key %s"><i></i>%s</span>`, l.class, template.HTMLEscapeString(l.name))
		}
	}
	return template.HTML(b.String()) // every text in it was escaped above
}

// short prints a number without needless digits: 1.5k, 20k, 3M.
func short(v float64) string {
	unit := ""
	switch {
	case v >= 1e6:
		v, unit = v/1e6, "M"
	case v >= 1e3:
		v, unit = v/1e3, "k"
	}
	return strconv.FormatFloat(v, 'g', 3, 64) + unit
}

// shortSeconds prints a time without needless digits: 1ms, 250µs.
func shortSeconds(v float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}} {
		if v >= u.size*0.9995 {
			return strconv.FormatFloat(v/u.size, 'g', 3, 64) + u.name
		}
	}
	return strconv.FormatFloat(v*1e9, 'f', 0, 64) + "ns"
}

// nines is the axis of a percentile curve: as much room for 99 to 99.9 as for 90 to
// 99.
func nines(percentile float64) float64 { return -math.Log10(max(1-percentile/100, 1e-7)) }
