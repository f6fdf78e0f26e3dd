package workflow

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringmill/ringmill/runtime/workflow/internal/layered"
)

// The measures of a drawing, in pixels. The font is monospaced, so that the width
// of a name is known: 0.6 of its size a character.
const (
	svgFont      = 13
	svgCharacter = 0.602 * svgFont
	svgPadding   = 12
	svgHeight    = 34
	svgMargin    = 16
	svgNameLimit = 36 // characters of a name that are shown
)

// WriteSVG writes the plan as a drawing, in columns from left to right. A task that is
// executed once for each item of a list is drawn as a stack, a workflow as a task
// with a double frame, one that a condition can skip with a dashed frame; a
// pointer over a task shows what is set for it. The error is w's.
func WriteSVG(w io.Writer, p *Plan) error {
	widths := make([]float64, len(p.Tasks))
	var edges [][2]int32
	for i := range p.Tasks {
		widths[i] = float64(utf8.RuneCountInString(shownName(p.Tasks[i].Name)))*svgCharacter + 2*svgPadding
		for _, s := range p.Tasks[i].Succs {
			edges = append(edges, [2]int32{int32(i), s})
		}
	}
	d := layered.Layout(len(p.Tasks), edges, layered.Config{Height: svgHeight, Widths: widths, ColumnGap: 56, RowGap: 18, EdgeGap: 12})
	out := bufio.NewWriter(w)
	width, height := d.Width+2*svgMargin, d.Height+2*svgMargin
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(out, "<title>%s</title>\n", xmlText(p.Name))
	out.WriteString(`<style>
.page{fill:#ffffff}
.edge{fill:none;stroke:#8a94a6;stroke-width:1.4}
.head{fill:#8a94a6}
.task{fill:#eef3fb;stroke:#4a6fa5;stroke-width:1.4}
.maybe{stroke-dasharray:5 3}
text{font:` + fmt.Sprint(svgFont) + `px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#1d2733;text-anchor:middle}
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0.5 L8 4 L0 7.5 z"/></marker></defs>
`)
	fmt.Fprintf(out, `<rect class="page" width="%.0f" height="%.0f"/>`+"\n", width, height)
	fmt.Fprintf(out, "<g transform=\"translate(%d %d)\">\n", svgMargin, svgMargin)
	for _, path := range d.Edges {
		writeSVGEdge(out, path)
	}
	for i := range p.Tasks {
		writeSVGTask(out, &p.Tasks[i], d.Nodes[i], widths[i])
	}
	out.WriteString("</g>\n</svg>\n")
	return out.Flush()
}

// writeSVGEdge draws curves that are level where they begin and end.
func writeSVGEdge(out *bufio.Writer, path []layered.Point) {
	fmt.Fprintf(out, `<path class="edge" marker-end="url(#head)" d="M%.1f %.1f`, path[0].X, path[0].Y)
	for k := 1; k < len(path); k++ {
		a, b := path[k-1], path[k]
		if a.Y == b.Y {
			fmt.Fprintf(out, " H%.1f", b.X)
			continue
		}
		middle := (a.X + b.X) / 2
		fmt.Fprintf(out, " C%.1f %.1f %.1f %.1f %.1f %.1f", middle, a.Y, middle, b.Y, b.X, b.Y)
	}
	out.WriteString("\"/>\n")
}

func writeSVGTask(out *bufio.Writer, t *TaskPlan, at layered.Point, width float64) {
	class := "task"
	if t.When != nil {
		class += " maybe"
	}
	left, top := at.X-width/2, at.Y-float64(svgHeight)/2
	box := func(dx, dy, inset float64) {
		fmt.Fprintf(out, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="6"/>`,
			class, left+dx+inset, top+dy+inset, width-2*inset, svgHeight-2*inset)
	}
	fmt.Fprintf(out, "<g><title>%s</title>", xmlText(describeTask(t)))
	if t.Expand != nil {
		box(6, -6, 0)
		box(3, -3, 0)
	}
	box(0, 0, 0)
	if t.Sub != nil {
		box(0, 0, 3)
	}
	fmt.Fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" dy=\"0.36em\">%s</text></g>\n", at.X, at.Y, xmlText(shownName(t.Name)))
}

// describeTask tells what is set for a task, one thing a line.
func describeTask(t *TaskPlan) string {
	lines := []string{t.Name}
	say := func(set bool, format string, args ...any) {
		if set {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	say(t.Expand != nil, "for each item of a list")
	say(t.Limit > 0, "at most %d items at once", t.Limit)
	if t.Sub != nil {
		say(true, "workflow %s, %d tasks", t.Sub.Name, len(t.Sub.Tasks))
	}
	say(t.When != nil, "under a condition")
	say(t.Trigger != AllSucceeded, "trigger %s", t.Trigger)
	say(t.MayFail, "may fail")
	say(t.Level != 0, "priority %s", t.Level)
	say(t.Timeout > 0, "timeout %s", t.Timeout)
	say(t.TaskTimeout > 0, "task timeout %s", t.TaskTimeout)
	say(t.Retry != nil, "retries")
	say(t.Repeat != nil, "repeats")
	say(t.Cache != nil, "cached")
	say(t.Compensate != nil || t.CompensateItem != nil, "compensated")
	say(t.Weight > 0, "took %s", t.Weight.Round(time.Millisecond))
	return strings.Join(lines, "\n")
}

// shownName is a name as far as there is room.
func shownName(name string) string {
	runes := []rune(name)
	if len(runes) <= svgNameLimit {
		return name
	}
	half := (svgNameLimit - 1) / 2
	return string(runes[:svgNameLimit-1-half]) + "…" + string(runes[len(runes)-half:])
}

func xmlText(s string) string {
	var b strings.Builder
	// Writing into memory cannot fail; what XML cannot hold is replaced.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
