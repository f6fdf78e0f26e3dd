package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// measurement is what a suite gave.
type measurement struct {
	suite
	count     int
	benchtime string
	date      time.Time
	machine   string
	load      string // of the machine, before and after; empty if not known
	table     string // benchstat's
	samples   map[string]map[string][]sample
}

// sample is one line of go test -bench. Samples are kept by row, the benchmark's name without the side, and side.
type sample struct {
	nanoseconds float64
	metrics     map[string]float64 // by unit, the other figures
}

// measure builds the suite's package and runs it count times, once through all benchmarks each time.
func measure(s suite, count int, benchtime string) (*measurement, error) {
	dir, err := os.MkdirTemp("", "ringmill-results-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary, raw := filepath.Join(dir, "bench.test"), filepath.Join(dir, "raw.txt")
	if _, err := command(s.dir, "go", "test", "-c", "-tags="+s.tags, "-o", binary, "."); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	before := loadAverage()
	for i := range count {
		fmt.Fprintf(os.Stderr, "%s %d/%d\n", s.name, i+1, count)
		o, err := command(s.dir, binary, "-test.run", "^$", "-test.bench", s.bench, "-test.benchtime", benchtime)
		if err != nil {
			return nil, err
		}
		out.Write(o)
	}
	if err := os.WriteFile(raw, out.Bytes(), 0o600); err != nil {
		return nil, err
	}
	m := &measurement{suite: s, count: count, benchtime: benchtime, date: time.Now(), machine: machine(out.String()), load: loads(before, loadAverage())}
	if err := m.parse(out.String()); err != nil {
		return nil, err
	}
	if m.tables != nil {
		return m, nil
	}
	table, err := command(".", m.benchstat(raw)...)
	m.table = string(table)
	return m, err
}

// benchstat returns the command that compares the sides, ours first: benchstat takes the first as the base.
func (m *measurement) benchstat(raw string) []string {
	argv := []string{"go", "tool", "-modfile=.ci/tools.mod", "benchstat"}
	if m.side != "" {
		argv = append(argv, "-col", fmt.Sprintf("/%s@(%s)", m.side, strings.Join(m.sides(), " ")))
	}
	return append(argv, "measured="+raw)
}

// sides returns the sides that were measured, ours first.
func (m *measurement) sides() []string {
	others := map[string]bool{}
	for _, sides := range m.samples {
		for side := range sides {
			others[side] = true
		}
	}
	delete(others, m.ours)
	return append([]string{m.ours}, slices.Sorted(maps.Keys(others))...)
}

func command(dir string, argv ...string) ([]byte, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", strings.Join(argv, " "), err, out, stderr.Bytes())
	}
	return out, nil
}

// benchLine matches a result: the name without "Benchmark", the -GOMAXPROCS suffix, ns/op.
var benchLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(\S+) ns/op(.*)$`)

// metricField matches a further value of a result with its unit.
var metricField = regexp.MustCompile(`(\S+) (\S+)`)

func (m *measurement) parse(out string) error {
	m.samples = map[string]map[string][]sample{}
	for _, line := range benchLine.FindAllStringSubmatch(out, -1) {
		row, side := m.split(line[1])
		ns, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			return fmt.Errorf("%q: %w", line[0], err)
		}
		s := sample{nanoseconds: ns, metrics: map[string]float64{}}
		for _, f := range metricField.FindAllStringSubmatch(line[3], -1) {
			if s.metrics[f[2]], err = strconv.ParseFloat(f[1], 64); err != nil {
				return fmt.Errorf("%q: %w", line[0], err)
			}
		}
		if m.samples[row] == nil {
			m.samples[row] = map[string][]sample{}
		}
		m.samples[row][side] = append(m.samples[row][side], s)
	}
	if len(m.samples) == 0 {
		return fmt.Errorf("-bench %q matches nothing", m.bench)
	}
	return nil
}

// split takes the side out of a benchmark's name.
func (m *measurement) split(name string) (row, side string) {
	if m.side == "" {
		return name, ""
	}
	parts := strings.Split(name, "/")
	for i, p := range parts {
		if value, ok := strings.CutPrefix(p, m.side+"="); ok {
			return strings.Join(slices.Delete(parts, i, i+1), "/"), value
		}
	}
	return name, ""
}

// nanoseconds returns the ns/op of a side in a row, sorted.
func (m *measurement) nanoseconds(row, side string) []float64 {
	var ns []float64
	for _, s := range m.samples[row][side] {
		ns = append(ns, s.nanoseconds)
	}
	slices.Sort(ns)
	return ns
}

// figures is nanoseconds for a metric of another unit; "" is ns/op.
func (m *measurement) figures(row, side, metric string) []float64 {
	if metric == "" {
		return m.nanoseconds(row, side)
	}
	var values []float64
	for _, s := range m.samples[row][side] {
		if v, ok := s.metrics[metric]; ok {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values
}

// allocs returns the most allocations per message that our side had in any sample, and whether any counts them.
func (m *measurement) allocs() (most float64, measured bool) {
	for row := range m.samples {
		if counts := m.figures(row, m.ours, "allocs/op"); len(counts) > 0 {
			most, measured = max(most, counts[len(counts)-1]), true
		}
	}
	return most, measured
}
