package workflow

import (
	"fmt"
	"iter"
	"strings"
)

// didYouMean returns the candidate that name was most likely meant to be, as a
// cure that replaces the given one.
func didYouMean(name string, candidates iter.Seq[string], otherwise string) string {
	// A swap of two letters counts as two changes.
	best, bestDistance := "", min(max(1, len(name)/2), 3)+1
	for c := range candidates {
		d := distance(strings.ToLower(name), strings.ToLower(c), bestDistance)
		if d < bestDistance && d < max(len(name), len(c)) { // something is left of the name
			best, bestDistance = c, d
		}
	}
	if best == "" {
		return otherwise
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// distance is the number of bytes to insert, delete or replace to make a into
// b (Levenshtein), or any number >= limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
