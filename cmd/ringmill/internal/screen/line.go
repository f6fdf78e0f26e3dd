package screen

import (
	"strings"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/columns"
)

// Line joins the parts of a progress line with a bar between the first and the
// others, to fit into width columns: the bar goes first, then the end of the text.
// done is the fraction that the bar shows, 0 to 1. Width 0 is no terminal: no
// bar, and nothing is left out.
func Line(width int, done float64, name string, parts ...string) string {
	const gap = "  "
	text := strings.Join(parts, gap)
	if width <= 0 {
		return name + gap + text
	}
	width-- // writing the last column would wrap on some terminals
	if room := width - columns.Of(name+gap+gap+text); room >= minBar {
		return name + gap + bar(min(room, maxBar), done) + gap + text
	}
	return columns.Head(name+gap+text, width)
}

// How wide a bar may be; below 10 columns it says less than the numbers.
const (
	minBar = 10
	maxBar = 40
)

func bar(width int, done float64) string {
	full := int(min(max(done, 0), 1) * float64(width))
	return strings.Repeat("━", full) + strings.Repeat("─", width-full)
}
