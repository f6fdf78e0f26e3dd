// Command results runs benchmark suites and writes what came out into bench/RESULTS.md: the machine, the commands, benchstat's
// tables, the targets, and the rows that another implementation wins.
//
//	go run ./bench/results [-suite name,...] [-count 10] [-benchtime 100ms]
//
// It runs from the root of the module. Counts are interleaved: each one goes once through all benchmarks of a suite, so a
// slow minute of the machine hits all sides alike. A run replaces the sections of its suites and keeps the others.
// New suites are added in suites.go.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

const resultsFile = "bench/RESULTS.md"

func main() {
	names := flag.String("suite", "", "comma-separated suites to run; all if empty")
	count := flag.Int("count", 10, "interleaved counts of each benchmark")
	benchtime := flag.String("benchtime", "100ms", "time of one benchmark in one count")
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
		m, err := measure(s, count, benchtime)
		if err != nil {
			return fmt.Errorf("suite %s: %w", s.name, err)
		}
		file.replace(s.name, m.section())
		if err := file.write(resultsFile); err != nil {
			return err
		}
	}
	return nil
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
