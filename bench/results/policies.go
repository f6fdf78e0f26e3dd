package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// writePolicies writes the waits that BenchmarkPolicyWait reports: a line for each distribution of task times and load, and
// mean / p99 / p99.9 of each policy.
func writePolicies(b *strings.Builder, m *measurement) {
	policies := m.sides()
	fmt.Fprintf(b, "| task times | load | %s |\n|---|---|%s\n", strings.Join(policies, " | "), strings.Repeat("---|", len(policies)))
	for _, row := range slices.Sorted(maps.Keys(m.samples)) {
		dist, load := parameter(row, "dist"), parameter(row, "load")
		fmt.Fprintf(b, "| %s | %s %% |", dist, load)
		for _, policy := range policies {
			samples := m.samples[row][policy]
			if len(samples) == 0 {
				b.WriteString(" not measured |")
				continue
			}
			waits := samples[0].metrics // every sample is the same
			fmt.Fprintf(b, " %s / %s / %s |", figure(waits["mean-wait"]), figure(waits["p99-wait"]), figure(waits["p99.9-wait"]))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// parameter returns the value of a key in a benchmark's name.
func parameter(name, key string) string {
	for part := range strings.SplitSeq(name, "/") {
		if value, ok := strings.CutPrefix(part, key+"="); ok {
			return value
		}
	}
	return ""
}
