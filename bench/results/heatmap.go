package main

import (
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// heatmap is a picture of one table or of several beside each other: deeper is worse, on a logarithmic scale that all tables
// share. It follows the reader's light or dark theme.
type heatmap struct {
	title, note   string
	rows, columns string // what the axes are
	tables        [][]heatTable
}

type heatTable struct {
	title         string
	rows, columns []string
	cells         [][]heatCell // by row
}

type heatCell struct {
	value        float64 // decides the colour; not positive: none
	text, detail string
	bad          bool // the detail is a warning
	framed       bool
}

// The sizes of a heat map in pixels.
const (
	heatCellWidth, heatCellHeight = 98, 36
	heatLeft, heatTop             = 64, 46 // the labels of a table
	heatGap                       = 18
	heatHead, heatFoot            = 64, 16 // of the picture
)

const heatStyle = `
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1a1a19; font-variant-numeric: tabular-nums; }
.page { fill: #fff; } .title { font-size: 17px; font-weight: 600; } .name { font-size: 13px; font-weight: 600; }
.soft { fill: #5c5b57; } .detail { font-size: 10.5px; fill: #5c5b57; } .bad { font-size: 10.5px; fill: #b3261e; }
.heat { fill: #c8511b; } .none { fill: none; stroke: #c9c8c2; } .frame { fill: none; stroke: #17713c; stroke-width: 3; }
@media (prefers-color-scheme: dark) {
text { fill: #f1f0ec; } .page { fill: #1d1d1b; } .soft, .detail { fill: #b5b4ad; } .bad { fill: #ffaba4; }
.heat { fill: #ee8350; } .none { stroke: #4a4944; } .frame { stroke: #5fc588; }
}
`

// svg draws the map.
func (h heatmap) svg() []byte {
	low, high := math.Inf(1), 0.0
	width, height := 0, heatHead
	for _, line := range h.tables {
		w, tall := 0, 0
		for _, t := range line {
			w += t.width() + heatGap
			tall = max(tall, t.height())
			for _, row := range t.cells {
				for _, c := range row {
					if c.value > 0 {
						low, high = min(low, c.value), max(high, c.value)
					}
				}
			}
		}
		width, height = max(width, w+heatGap), height+tall+heatGap
	}
	height += heatFoot
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s"><style>%s</style>`,
		width, height, width, height, html.EscapeString(h.title), heatStyle)
	fmt.Fprintf(&b, `<rect class="page" width="%d" height="%d" rx="8"/><text class="title" x="%d" y="30">%s</text><text class="soft" x="%d" y="50">%s</text>`,
		width, height, heatGap, html.EscapeString(h.title), heatGap, html.EscapeString(h.note))
	y := heatHead
	for _, line := range h.tables {
		x, tall := heatGap, 0
		for _, t := range line {
			t.draw(&b, h, x, y, low, high)
			x += t.width() + heatGap
			tall = max(tall, t.height())
		}
		y += tall + heatGap
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func (t heatTable) width() int  { return heatLeft + heatCellWidth*len(t.columns) }
func (t heatTable) height() int { return heatTop + heatCellHeight*len(t.rows) }

func (t heatTable) draw(b *strings.Builder, h heatmap, x, y int, low, high float64) {
	fmt.Fprintf(b, `<text class="name" x="%d" y="%d">%s</text><text class="soft" x="%d" y="%d">%s \ %s</text>`,
		x, y+14, html.EscapeString(t.title), x+len(t.title)*8+10, y+14, html.EscapeString(h.rows), html.EscapeString(h.columns))
	for i, name := range t.columns {
		fmt.Fprintf(b, `<text class="soft" text-anchor="middle" x="%d" y="%d">%s</text>`, x+heatLeft+i*heatCellWidth+heatCellWidth/2, y+heatTop-8, html.EscapeString(name))
	}
	for r, name := range t.rows {
		top := y + heatTop + r*heatCellHeight
		fmt.Fprintf(b, `<text class="soft" text-anchor="end" x="%d" y="%d">%s</text>`, x+heatLeft-10, top+heatCellHeight/2+4, html.EscapeString(name))
		for c, cell := range t.cells[r] {
			t.drawCell(b, cell, x+heatLeft+c*heatCellWidth, top, low, high)
		}
	}
}

func (t heatTable) drawCell(b *strings.Builder, c heatCell, x, y int, low, high float64) {
	box := fmt.Sprintf(`x="%d" y="%d" width="%d" height="%d" rx="5"`, x+1, y+1, heatCellWidth-2, heatCellHeight-2)
	if c.value <= 0 {
		fmt.Fprintf(b, `<rect class="none" %s/>`, box)
	} else {
		depth := math.Log(c.value/low) / max(math.Log(high/low), math.Ln2) // what is less than twice as much must not look like more
		fmt.Fprintf(b, `<rect class="heat" fill-opacity="%.2f" %s/>`, .05+.6*depth, box)
	}
	if c.framed {
		fmt.Fprintf(b, `<rect class="frame" x="%d" y="%d" width="%d" height="%d" rx="5"/>`, x+2, y+2, heatCellWidth-4, heatCellHeight-4)
	}
	class, at := "detail", y+heatCellHeight/2+4
	if c.bad {
		class = "bad"
	}
	if c.detail != "" {
		at -= 6
		fmt.Fprintf(b, `<text class="%s" text-anchor="middle" x="%d" y="%d">%s</text>`, class, x+heatCellWidth/2, at+14, html.EscapeString(c.detail))
	}
	fmt.Fprintf(b, `<text text-anchor="middle" x="%d" y="%d">%s</text>`, x+heatCellWidth/2, at, html.EscapeString(c.text))
}

// writePlot puts a picture where the results look for it.
func writePlot(name string, svg []byte) error {
	if err := os.MkdirAll(plotsDir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(plotsDir, name+".svg"), svg, 0o644)
}
