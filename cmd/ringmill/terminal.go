package main

import (
	"os"

	"golang.org/x/term"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
)

// isTerminal reports whether f is one that understands control sequences.
func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// columns returns the width of a terminal now.
func columns(f *os.File) int {
	width, _ := size(f)
	return width
}

// size returns the width and the height of a terminal now.
func size(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// styleOf returns how to lay text out for f. NO_COLOR is https://no-color.org.
func styleOf(f *os.File) report.Style {
	if !isTerminal(f) {
		return report.Style{}
	}
	return report.Style{Width: columns(f), Color: os.Getenv("NO_COLOR") == ""}
}
