package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/columns"
)

// Duration prints d with three digits, wide enough to tell and short enough for
// a column: 12.3µs, 1.50s, 2m03s.
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Duration(-d)
	case d == 0:
		return "0s"
	case d < time.Microsecond:
		return strconv.FormatInt(int64(d), 10) + "ns"
	case d < 999_500*time.Nanosecond:
		return digits(float64(d)/1e3) + "µs"
	case d < 999_500*time.Microsecond:
		return digits(float64(d)/1e6) + "ms"
	case d < 59_950*time.Millisecond:
		return digits(d.Seconds()) + "s"
	case d < time.Hour-time.Second/2:
		s := int(d.Round(time.Second).Seconds())
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	m := int(d.Round(time.Minute).Minutes())
	return fmt.Sprintf("%dh%02dm", m/60, m%60)
}

// digits prints 1 <= x < 1000 with three digits.
func digits(x float64) string {
	switch {
	case x < 9.995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case x < 99.95:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// Number prints n with commas: 1,234,567.
func Number[T int | int64 | uint64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Plural prints a number with its noun: 1 task, 2 tasks.
func Plural[T int | int64 | uint64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}

// Fit shortens s to at most width columns by leaving out its middle, where long
// names of one workflow differ least.
func Fit(s string, width int) string {
	if columns.Of(s) <= width {
		return s
	}
	if width < 2 {
		return strings.Repeat("…", max(width, 0))
	}
	tail := (width - 1) / 2
	return columns.Head(s, width-1-tail) + "…" + columns.Tail(s, tail)
}

// Clean replaces what could garble a terminal: control characters other than
// line breaks and tabs, as a failed program's standard error may hold.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// pad appends spaces up to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-columns.Of(s), 0))
}

// padLeft puts spaces before s up to width columns.
func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(width-columns.Of(s), 0)) + s
}

// indent puts prefix before every line of s but the first.
func indent(s, prefix string) string { return strings.ReplaceAll(s, "\n", "\n"+prefix) }
