package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const output = `goos: linux
cpu: Test CPU @ 1GHz
BenchmarkSend/impl=ours/size=8-2  	 100	 10.0 ns/op	 0 B/op	 0 allocs/op
BenchmarkSend/impl=chan/size=8-2  	 100	 30.0 ns/op	 0 B/op	 0 allocs/op
BenchmarkSend/impl=ours/size=9-2  	 100	 50.0 ns/op	 8 B/op	 2 allocs/op
BenchmarkSend/impl=chan/size=9-2  	 100	 40.0 ns/op	 0 B/op	 0 allocs/op
BenchmarkSend/impl=ours/size=8-2  	 100	 20.0 ns/op	 0 B/op	 0 allocs/op
BenchmarkSend/impl=chan/size=8-2  	 100	 30.0 ns/op	 0 B/op	 0 allocs/op
`

func TestSection(t *testing.T) {
	m := &measurement{
		suite: suite{name: "test", side: "impl", ours: "ours", targets: []target{
			{"Send/size=8", "chan", 2}, {"Send/size=8", "chan", 2.1}, {"Send/size=8", "absent", 1},
		}},
		machine: machine(output),
		table:   "the table\n",
	}
	if err := m.parse(output); err != nil {
		t.Fatal(err)
	}
	text := m.section()
	for _, want := range []string{
		"Test CPU @ 1GHz",
		"| Send/size=8 | chan | 15.0 | 30.0 | 2.00 | 2.00 | met |",
		"| Send/size=8 | chan | 15.0 | 30.0 | 2.00 | 2.10 | **missed** |",
		"| Send/size=8 | absent | 15.0 | 0.0 | 0.00 | 1.00 | **missed** |",
		"Allocations per message on our side: 2.",
		"| Send/size=9 | chan | 50.0 | 40.0 | 25 % |",
		"the table",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the section lacks %q:\n%s", want, text)
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
