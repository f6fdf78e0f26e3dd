package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	goruntime "runtime"
	"slices"
	"strings"
)

// results is the file of results: sections between markers, each written by one suite.
type results struct {
	sections map[string]string
}

const heading = `# Results

Written by ` + "`go run ./bench/results`" + `, one section a suite; do not edit. Absolute figures hold for the machine that is named with
them. Compare the sides of one row: they were measured in one run, interleaved.
`

var sectionMarks = regexp.MustCompile(`(?s)<!-- suite ([\w-]+) -->\n(.*?)<!-- end -->\n`)

func readResults(name string) (*results, error) {
	r := &results{sections: map[string]string{}}
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, m := range sectionMarks.FindAllStringSubmatch(string(data), -1) {
		r.sections[m[1]] = m[2]
	}
	return r, nil
}

func (r *results) replace(name, text string) { r.sections[name] = text }

// write orders the sections as the suites are; one whose suite is gone is dropped.
func (r *results) write(name string) error {
	var b strings.Builder
	b.WriteString(heading)
	for _, s := range suites {
		if text, ok := r.sections[s.name]; ok {
			fmt.Fprintf(&b, "\n<!-- suite %s -->\n%s<!-- end -->\n", s.name, text)
		}
	}
	return os.WriteFile(name, []byte(b.String()), 0o644)
}

// section writes what was measured.
func (m *measurement) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", m.name, m.about)
	fmt.Fprintf(&b, "%s, %s%s. Again: `go run ./bench/results -suite %s -count %d -benchtime %s`, which runs\n`go test -bench '%s' -benchtime %s` in `%s` %d times.\n\n",
		m.date.Format("2006-01-02 15:04"), m.machine, m.load, m.name, m.count, m.benchtime, m.bench, m.benchtime, m.dir, m.count)
	if m.tables != nil {
		m.tables(&b, m)
		return b.String()
	}
	m.writeTargets(&b)
	m.writeLosses(&b)
	fmt.Fprintf(&b, "<details><summary>benchstat</summary>\n\n```\n%s```\n</details>\n", m.table)
	return b.String()
}

func (m *measurement) writeTargets(b *strings.Builder) {
	if len(m.targets) == 0 {
		return
	}
	b.WriteString("Medians, with the least and the most in brackets. ")
	var factors, limits []target
	for _, t := range m.targets {
		if t.other == "" {
			limits = append(limits, t)
		} else {
			factors = append(factors, t)
		}
	}
	m.writeFactors(b, factors)
	m.writeLimits(b, limits)
	if most, measured := m.allocs(); measured {
		fmt.Fprintf(b, "\nMost allocations per operation on our side: %g.\n", most)
	}
	b.WriteString("\n")
}

// writeFactors lists the targets that another side sets.
func (m *measurement) writeFactors(b *strings.Builder, factors []target) {
	if len(factors) == 0 {
		b.WriteString("Figures are ns/op where no unit is named.\n")
		return
	}
	b.WriteString("A target is met if the factor of the medians is at least what is asked and theirs\n" +
		"differs from ours times that with p < 0.05 (Mann-Whitney U). Figures are ns/op where no unit is named.\n\n" +
		"| row | against | ours | theirs | factor | asked | p | |\n|---|---|---|---|---|---|---|---|\n")
	for _, t := range factors {
		ours, theirs := m.figures(t.row, m.ours, t.metric), m.figures(t.row, t.other, t.metric)
		if len(ours) == 0 || len(theirs) == 0 {
			fmt.Fprintf(b, "| %s | %s | | | | %.2f | | **not measured** |\n", t.label(), t.other, t.factor)
			continue
		}
		factor, p := median(theirs)/median(ours), significance(scaled(ours, t.factor), theirs)
		verdict := "met"
		switch {
		case factor < t.factor:
			verdict = "**missed**"
		case p >= significant:
			verdict = "**not shown**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %.2f | %.2f | %.3f | %s |\n", t.label(), t.other, spread(ours), spread(theirs), factor, t.factor, p, verdict)
	}
}

// writeLimits lists the targets that are absolute figures: of time for orientation, as it depends on the machine.
func (m *measurement) writeLimits(b *strings.Builder, limits []target) {
	if len(limits) == 0 {
		return
	}
	b.WriteString("\n| row | ours | asked at most | |\n|---|---|---|---|\n")
	for _, t := range limits {
		ours := m.figures(t.row, m.ours, t.metric)
		if len(ours) == 0 {
			fmt.Fprintf(b, "| %s | | %s | **not measured** |\n", t.label(), figure(t.atMost))
			continue
		}
		verdict := "met"
		if median(ours) > t.atMost {
			verdict = "**missed**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", t.label(), spread(ours), figure(t.atMost), verdict)
	}
}

// writeLosses lists the rows in which another side has the lower median.
func (m *measurement) writeLosses(b *strings.Builder) {
	if m.side == "" {
		return
	}
	type loss struct {
		row, side    string
		ours, theirs []float64
		factor       float64
	}
	var losses []loss
	for row, sides := range m.samples {
		ours := m.nanoseconds(row, m.ours)
		if len(ours) == 0 {
			continue
		}
		for side := range sides {
			if theirs := m.nanoseconds(row, side); median(theirs) < median(ours) {
				losses = append(losses, loss{row, side, ours, theirs, median(ours) / median(theirs)})
			}
		}
	}
	if len(losses) == 0 {
		b.WriteString("No other side has the lower median in any row.\n\n")
		return
	}
	slices.SortFunc(losses, func(a, b loss) int {
		return cmp.Or(cmp.Compare(b.factor, a.factor), strings.Compare(a.row, b.row), strings.Compare(a.side, b.side))
	})
	fmt.Fprintf(b, "Rows where another side has the lower median (%s is ours); with p of 0.05 and more the order is not shown:\n\n"+
		"| row | side | ours ns/op | theirs ns/op | slower by | p |\n|---|---|---|---|---|---|\n", m.ours)
	for _, l := range losses {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %.0f %% | %.3f |\n", l.row, l.side, spread(l.ours), spread(l.theirs), 100*(l.factor-1), significance(l.ours, l.theirs))
	}
	b.WriteString("\n")
}

var cpuLine = regexp.MustCompile(`(?m)^cpu: (.*)$`)

// machine describes where the benchmarks ran; go test's output names the processor.
func machine(out string) string {
	cpu := "unknown processor"
	if m := cpuLine.FindStringSubmatch(out); m != nil {
		cpu = strings.TrimSpace(m[1])
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", cpu, goruntime.NumCPU(), goruntime.GOOS, goruntime.GOARCH, goruntime.Version())
}
