package js

import (
	"regexp"
	"strconv"
	"strings"
)

// A lineMap turns a position in what the engine got into the author's; ok is false
// where the author wrote nothing. A nil lineMap is the identity.
type lineMap func(line, column int) (int, int, bool)

// shiftedLines is the lineMap of a source behind one line of our own.
func shiftedLines(line, column int) (int, int, bool) { return line - 1, column, line > 1 }

// frame matches the position at the end of a stack's line.
var frame = regexp.MustCompile(`^(\s*at .*?\(?)` + guestFile + `:(\d+):(\d+)\)?$`)

// locate puts the author's names and positions into an error.
func (s *Script) locate(e *Error) *Error {
	e.Script = s.source.Name
	var kept []string
	for line := range strings.Lines(e.Stack) {
		line = strings.TrimRight(line, "\r\n")
		match := frame.FindStringSubmatch(line)
		if match == nil {
			continue // the prelude's or the engine's own
		}
		row, _ := strconv.Atoi(match[2])
		column, _ := strconv.Atoi(match[3])
		if s.lines != nil {
			var ok bool
			if row, column, ok = s.lines(row, column); !ok {
				continue
			}
		}
		if e.Line == 0 {
			e.Line, e.Column = row, column
		}
		text := match[1] + s.source.Name + ":" + strconv.Itoa(row) + ":" + strconv.Itoa(column)
		if strings.Contains(match[1], "(") {
			text += ")"
		}
		kept = append(kept, strings.TrimSpace(text))
	}
	e.Stack = strings.Join(kept, "\n")
	return e
}
