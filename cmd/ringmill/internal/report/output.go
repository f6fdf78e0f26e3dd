package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// maxOutputLines is how much of an output a terminal shows: what scrolls the
// summary far away helps nobody.
const maxOutputLines = 50

// WriteOutput prints the output of a run: text as it is, anything else as
// indented JSON. On a terminal a long one is cut.
func WriteOutput(w io.Writer, output json.RawMessage, style Style) {
	if len(output) == 0 || string(output) == "null" {
		return
	}
	fmt.Fprintln(w, style.heading("OUTPUT"))
	text := readable(output)
	if style.Width == 0 {
		fmt.Fprintln(w, text)
		return
	}
	lines := strings.Split(Clean(text), "\n")
	if left := len(lines) - maxOutputLines; left > 0 {
		lines = append(lines[:maxOutputLines], fmt.Sprintf("… %s; --json prints all", Plural(left, "more line")))
	}
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}

// readable returns the text of a JSON string, or any other value indented.
func readable(output json.RawMessage) string {
	var text string
	if json.Unmarshal(output, &text) == nil {
		return strings.TrimRight(text, "\n")
	}
	var b bytes.Buffer
	if json.Indent(&b, output, "", "  ") != nil {
		return string(output)
	}
	return b.String()
}
