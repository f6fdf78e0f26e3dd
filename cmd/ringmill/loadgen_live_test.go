package main_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	main "github.com/ringmill/ringmill/cmd/ringmill"
	"github.com/ringmill/ringmill/loadgen"
)

// A screen is a terminal that knows what the live view writes: text, carriage return, new
// line, and the sequences K, J and A. wrapped counts lines that were too long for it, and
// beyond how often the cursor would have left it at the top.
type screen struct {
	width, height   int
	lines           []string // all that were ever shown, the last height of them are visible
	row             int
	wrapped, beyond int
}

func (s *screen) write(t *testing.T, text string) {
	t.Helper()
	at := func() {
		for len(s.lines) <= s.row {
			s.lines = append(s.lines, "")
		}
	}
	at()
	for text != "" {
		switch {
		case text[0] == '\r':
			text = text[1:]
		case text[0] == '\n':
			s.row++
			at()
			text = text[1:]
		case strings.HasPrefix(text, "\x1b["):
			end := strings.IndexAny(text, "KJA")
			n := 0
			for _, digit := range text[2:end] {
				n = 10*n + int(digit-'0')
			}
			switch text[end] {
			case 'J':
				s.lines = s.lines[:s.row+1]
				s.lines[s.row] = ""
			case 'A':
				s.row -= n
				if s.row < max(0, len(s.lines)-s.height) {
					s.beyond++
				}
			}
			text = text[end+1:]
		default:
			end := strings.IndexAny(text, "\r\n\x1b")
			if end < 0 {
				end = len(text)
			}
			s.lines[s.row] = text[:end]
			if utf8.RuneCountInString(text[:end]) >= s.width {
				s.wrapped++
			}
			text = text[end:]
		}
	}
}

// TestLoadgenLive: the block never wraps and never moves the cursor off the terminal,
// however small that is, and at the end only the lines that stay are there.
func TestLoadgenLive(t *testing.T) {
	s := loadgen.Snapshot{Elapsed: 3 * time.Second, Duration: 10 * time.Second, Rate: 123456, Sent: 370368, Done: 370000}
	for _, size := range [][2]int{{100, 30}, {80, 6}, {20, 5}, {12, 3}, {2, 2}} {
		term := &screen{width: size[0], height: size[1]}
		term.write(t, main.LiveDraws(s, size[0], size[1], "x"))
		if term.wrapped > 0 || term.beyond > 0 {
			t.Errorf("%v: %d lines wrapped, %d times above the terminal", size, term.wrapped, term.beyond)
		}
		if got := strings.TrimRight(strings.Join(term.lines, "|"), "|"); got != "x" {
			t.Errorf("%v: in the end there is %q, want x", size, got)
		}
	}
	if out := main.LiveDraws(s, 100, 30, "x"); !strings.Contains(out, "123,456/s") || strings.Count(out, "\n") != 16 {
		t.Errorf("want three blocks of five lines and one that stays: %q", out)
	}
	s.Duration = 2 * time.Second / 3
	if out := main.LiveDraws(s, 100, 30, "x"); !strings.Contains(out, "  3.0s of 667ms draining") {
		t.Errorf("no rounded duration in %q", out)
	}
}
