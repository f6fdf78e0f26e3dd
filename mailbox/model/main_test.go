package main

import "testing"

// TestParse: a search without an error counts only if it was complete; one that stopped at an error counts.
func TestParse(t *testing.T) {
	const (
		stopped = "Warning: Search not completed\n"
		clean   = "State-vector 60 byte, depth reached 99, errors: 0\n    1234 states, stored\n"
		failed  = "State-vector 60 byte, depth reached 99, errors: 1\n      56 states, stored\n"
	)
	tests := map[string]struct {
		out           string
		states, found string // empty: an error
	}{
		"complete":           {clean, "1234", "0"},
		"error":              {stopped + failed, "56", "1"},
		"stopped":            {stopped + clean, "", ""},
		"too deep":           {"error: max search depth too small\n" + clean, "", ""},
		"no memory":          {"pan: out of memory\n" + clean, "", ""},
		"no states":          {"errors: 0\n", "", ""},
		"no count of errors": {"1234 states, stored\n", "", ""},
	}
	for name, tt := range tests {
		states, found, err := parse([]byte(tt.out))
		if states != tt.states || found != tt.found || (err != nil) != (tt.found == "") {
			t.Errorf("%s: parse = %q, %q, %v, want %q, %q", name, states, found, err, tt.states, tt.found)
		}
	}
}
