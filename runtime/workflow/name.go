package workflow

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds names, which go into every log line, span and table. The
// longest task id among the recorded workflows has 91 bytes.
const maxName = 256

const nameCure = "give it a printable name of 1 to 256 bytes without surrounding spaces"

// badName says what is wrong with a name, or nothing.
func badName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("is %d bytes long, limit %d", len(name), maxName)
	case !utf8.ValidString(name):
		return fmt.Sprintf("%q is not valid UTF-8", name)
	case strings.TrimSpace(name) != name:
		return fmt.Sprintf("%q begins or ends with a space", name)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Sprintf("%q holds a character that cannot be printed", name)
	}
	return ""
}
