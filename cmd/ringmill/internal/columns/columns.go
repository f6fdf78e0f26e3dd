// Package columns measures and cuts text in the columns that it takes on a
// terminal: a Chinese, Japanese or Korean character takes two, an accent that
// combines with the letter before it none.
//
// It counts a few sequences, such as a family drawn as one picture, wider than
// some terminals show them, never narrower: a row that is thought to fit does.
package columns

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// pictured asks for the character before it as a picture, two columns wide.
const pictured = '\uFE0F'

// Of returns how many columns s takes.
func Of(s string) int {
	n := 0
	for _, r := range s {
		n += ofRune(r)
	}
	return n
}

func ofRune(r rune) int {
	switch {
	case r < 0x300: // the first combining character
		return 1
	case r == pictured:
		return 1 // beside the one of the character before
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Head returns the longest beginning of s that takes at most n columns.
func Head(s string, n int) string {
	for i, r := range s {
		if n -= ofRune(r); n < 0 {
			return s[:i]
		}
	}
	return s
}

// Tail returns the longest end of s that takes at most n columns.
func Tail(s string, n int) string {
	at := len(s)
	for at > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:at])
		if n -= ofRune(r); n < 0 { // what combines with r goes with it
			return strings.TrimLeftFunc(s[at:], func(r rune) bool { return ofRune(r) == 0 })
		}
		at -= size
	}
	return s
}
