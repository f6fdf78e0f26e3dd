package report

import "github.com/ringmill/ringmill/runtime/workflow"

// A Style says for what medium text is laid out. The zero Style is a pipe: no
// colours, and names are never shortened.
type Style struct {
	Width int  // of the terminal, in columns; 0 is no terminal
	Color bool // ANSI colours
}

// pipeWidth is how wide a timeline is where no terminal limits it.
const pipeWidth = 100

const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

func (s Style) paint(color, text string) string {
	if !s.Color || color == "" || text == "" {
		return text
	}
	return color + text + reset
}

// heading paints the title of a section.
func (s Style) heading(text string) string { return s.paint(bold, text) }

// color is that of a status: good, bad, or neither.
func color(status workflow.Status) string {
	switch status {
	case workflow.StatusSucceeded:
		return green
	case workflow.StatusFailed, workflow.StatusTimedOut:
		return red
	}
	return yellow
}
