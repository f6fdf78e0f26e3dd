package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// output is what go test -bench prints for five counts: in size=8 the channel takes thrice as long, in size=9 it is faster,
// and in size=10 the figures of the two sides lie among each other.
func output() string {
	var b strings.Builder
	b.WriteString("goos: linux\ncpu: Test CPU @ 1GHz\n")
	for i := range 5 {
		for _, r := range []struct {
			side string
			size int
			ns   float64
		}{
			{"ours", 8, 10 + float64(i)}, {"chan", 8, 36 + float64(i)},
			{"ours", 9, 50 + float64(i)}, {"chan", 9, 40 + float64(i)},
			{"ours", 10, 20 + 10*float64(i)}, {"chan", 10, 22 + 11*float64(i)},
		} {
			fmt.Fprintf(&b, "BenchmarkSend/impl=%s/size=%d-2  \t 100\t %.1f ns/op\t %.1f p50-ns\t 8 B/op\t %d allocs/op\n", r.side, r.size, r.ns, r.ns/2, r.size%2)
		}
	}
	return b.String()
}

func TestSection(t *testing.T) {
	m := &measurement{
		suite: suite{name: "test", side: "impl", ours: "ours", targets: []target{
			{row: "Send/size=8", other: "chan", factor: 2}, {row: "Send/size=8", other: "chan", factor: 3.1},
			{row: "Send/size=8", other: "chan", factor: 3.2}, {row: "Send/size=10", other: "chan", factor: 1.05},
			{row: "Send/size=8", other: "absent", factor: 1}, {row: "Send/size=8", other: "chan", factor: 2, metric: "p50-ns"},
			{row: "Send/size=9", metric: "allocs/op", atMost: 1}, {row: "Send/size=9", metric: "allocs/op", atMost: 0.5}, {row: "absent", atMost: 1},
		}},
		machine: machine(output()),
		load:    loads("0.50", "1.20"),
		table:   "the table\n",
	}
	if err := m.parse(output()); err != nil {
		t.Fatal(err)
	}
	text := m.section()
	for _, want := range []string{
		"Test CPU @ 1GHz",
		"load average 0.50 before and 1.20 after.",
		"| Send/size=8 | chan | 12.0 (10.0..14.0) | 38.0 (36.0..40.0) | 3.17 | 2.00 | 0.008 | met |",
		"| Send/size=8 | chan | 12.0 (10.0..14.0) | 38.0 (36.0..40.0) | 3.17 | 3.10 | 1.000 | **not shown** |",
		"| Send/size=8 | chan | 12.0 (10.0..14.0) | 38.0 (36.0..40.0) | 3.17 | 3.20 | 1.000 | **missed** |",
		"| Send/size=10 | chan | 40.0 (20.0..60.0) | 44.0 (22.0..66.0) | 1.10 | 1.05 | 0.690 | **not shown** |",
		"| Send/size=8 | absent | | | | 1.00 | | **not measured** |",
		"| Send/size=8, p50-ns | chan | 6.00 (5.00..7.00) | 19.0 (18.0..20.0) | 3.17 | 2.00 | 0.008 | met |",
		"| Send/size=9, allocs/op | 1.00 (1.00..1.00) | 1.00 | met |",
		"| Send/size=9, allocs/op | 1.00 (1.00..1.00) | 0.50 | **missed** |",
		"| absent | | 1.00 | **not measured** |",
		"Most allocations per operation on our side: 1.",
		"| Send/size=9 | chan | 52.0 (50.0..54.0) | 42.0 (40.0..44.0) | 24 % | 0.008 |",
		"the table",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the section lacks %q:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "| met |"); n != 3 {
		t.Errorf("%d rows are met, want 3", n)
	}
}

// TestSectionOfLimits: targets that are figures alone make no table of comparisons, and what was not counted is not said to
// be 0.
func TestSectionOfLimits(t *testing.T) {
	m := &measurement{suite: suite{name: "test", targets: []target{{row: "Idle/kind=ours", metric: "B/mailbox", atMost: 256}}}}
	if err := m.parse("BenchmarkIdle/kind=ours-2 \t 1\t 70 ns/op\t 192.0 B/mailbox\n"); err != nil {
		t.Fatal(err)
	}
	text := m.section()
	if want := "| row | ours | asked at most | |\n|---|---|---|---|\n| Idle/kind=ours, B/mailbox | 192 (192..192) | 256 | met |\n\n<details>"; !strings.Contains(text, want) {
		t.Errorf("the section lacks %q:\n%s", want, text)
	}
	for _, not := range []string{"| against |", "factor", "allocations"} {
		if strings.Contains(text, not) {
			t.Errorf("the section has %q:\n%s", not, text)
		}
	}
}

func TestLoads(t *testing.T) {
	if text := loads("", "0.10"); text != "" {
		t.Errorf("a system without load averages has %q", text)
	}
}

func TestFigure(t *testing.T) {
	for want, v := range map[string]float64{"0.00": 0, "0.0011": 0.00109, "1.23": 1.234, "12.3": 12.34, "1234": 1234.4} {
		if got := figure(v); got != want {
			t.Errorf("figure(%v) = %q, want %q", v, got, want)
		}
	}
}

// TestPolicies: the table has a line for each distribution and load, and the waits of every policy.
func TestPolicies(t *testing.T) {
	m := &measurement{suite: suite{side: "policy", ours: "idle", tables: writePolicies}}
	err := m.parse("BenchmarkPolicyWait/dist=pareto/load=80/policy=idle-2 \t 1\t 70 ns/op\t 0.5 mean-wait\t 2.5 p99-wait\t 10.25 p99.9-wait\n" +
		"BenchmarkPolicyWait/dist=pareto/load=80/policy=hash-2 \t 1\t 70 ns/op\t 4 mean-wait\t 25 p99-wait\t 100 p99.9-wait\n")
	if err != nil {
		t.Fatal(err)
	}
	want := "| task times | load | idle | hash |\n|---|---|---|---|\n| pareto | 80 % | 0.50 / 2.50 / 10.2 | 4.00 / 25.0 / 100 |\n"
	if text := m.section(); !strings.Contains(text, want) {
		t.Errorf("the section lacks %q:\n%s", want, text)
	}
}

// TestSizing: the Sizer follows the steps, and the plot is an image of them.
func TestSizing(t *testing.T) {
	p, steps, err := stepResponse()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		busy := int(s.rate * sizingService.Seconds())
		if s.least < busy || s.most > 2*busy+10 || s.settled > 2*time.Second {
			t.Errorf("%+v with %d members at work", s, busy)
		}
	}
	plot, err := drawSizing(p.Decisions)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "step response", "mean wait, ms"} {
		if !bytes.Contains(plot, []byte(want)) {
			t.Errorf("the plot lacks %q", want)
		}
	}
}

func TestParseRefusesEmptyOutput(t *testing.T) {
	m := &measurement{suite: suite{bench: "Nothing"}}
	if err := m.parse("PASS\n"); err == nil || !strings.Contains(err.Error(), "Nothing") {
		t.Errorf("parse of no result = %v", err)
	}
}

// TestFile: a run replaces the sections of its suites and keeps the others.
func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "RESULTS.md")
	for _, step := range []struct{ suite, text string }{
		{suites[1].name, "second\n"}, {suites[0].name, "first\n"}, {suites[1].name, "second again\n"},
	} {
		r, err := readResults(name)
		if err != nil {
			t.Fatal(err)
		}
		r.replace(step.suite, step.text)
		if err := r.write(name); err != nil {
			t.Fatal(err)
		}
	}
	r, err := readResults(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.sections) != 2 || r.sections[suites[0].name] != "first\n" || r.sections[suites[1].name] != "second again\n" {
		t.Errorf("sections %q", r.sections)
	}
}

func TestChoose(t *testing.T) {
	if all, err := choose(""); err != nil || len(all) != len(suites) {
		t.Errorf("choose of nothing = %d suites, %v", len(all), err)
	}
	if _, err := choose("mailbox-idle,nonsense"); err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Errorf("choose of an unknown suite: %v", err)
	}
}
