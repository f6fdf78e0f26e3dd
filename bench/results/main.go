// Command results runs benchmark suites and writes what came out into bench/RESULTS.md: the machine and how busy it was, the
// commands, benchstat's tables, the targets, and the rows that another implementation wins.
//
//	go run ./bench/results [-suite name,...] [-count n] [-benchtime 100ms]
//
// It runs from the root of the module. Counts are interleaved: each one goes once through all benchmarks of a suite, so a
// slow minute of the machine hits all sides alike. A run replaces the sections of its suites and keeps the others.
// Plots go to bench/plots. New suites are added in suites.go.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

const resultsFile = "bench/RESULTS.md"

func main() {
	names := flag.String("suite", "", "comma-separated suites to run; all if empty")
	count := flag.Int("count", 0, "interleaved counts of each benchmark; 0: the suite's own, 10 for most")
	benchtime := flag.String("benchtime", "", "time of one benchmark in one count; empty: the suite's own, 100ms for most")
	flag.Parse()
	if err := run(*names, *count, *benchtime); err != nil {
		fmt.Fprintln(os.Stderr, "results:", err)
		os.Exit(1)
	}
}

func run(names string, count int, benchtime string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	file, err := readResults(resultsFile)
	if err != nil {
		return err
	}
	for _, s := range chosen {
		text, err := s.section(count, benchtime)
		if err != nil {
			return fmt.Errorf("suite %s: %w", s.name, err)
		}
		file.replace(s.name, text)
		if err := file.write(resultsFile); err != nil {
			return err
		}
	}
	return nil
}

// section measures the suite, or computes what is not measured, and returns its section of the results.
func (s suite) section(count int, benchtime string) (string, error) {
	if s.compute != nil {
		return s.compute(s)
	}
	if _, err := os.Stat("runtime/js/engine.wasm"); s.tags == "jsengine" && err != nil {
		return "", fmt.Errorf("suite %s: the JavaScript engine was not fetched: run make js-engine, which needs npm, or name the other suites", s.name)
	}
	m, err := measure(s, cmp.Or(count, s.count, 10), cmp.Or(benchtime, s.benchtime, "100ms"))
	if err != nil {
		return "", err
	}
	if s.plot != nil {
		if err := writePlot(s.name, s.plot(m)); err != nil {
			return "", err
		}
	}
	return m.section(), nil
}

func choose(names string) ([]suite, error) {
	if names == "" {
		return suites, nil
	}
	var chosen []suite
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(suites, func(s suite) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-suite: there is no suite %q; they are in bench/results/suites.go", name)
		}
		chosen = append(chosen, suites[i])
	}
	return chosen, nil
}
