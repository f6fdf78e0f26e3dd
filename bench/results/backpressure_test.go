package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringmill/ringmill/loadgen"
)

// backpressureOutput is what go test -bench prints for two kinds, one policy, 2 x 2 sizes and three counts: 8 task actors
// are too few, a mailbox of 4 refuses, and 16 with 32 are enough. The kind chan is not measured with 16 and 8.
func backpressureOutput() string {
	var b strings.Builder
	for i := range 3 {
		for _, r := range []struct {
			kind         string
			capacity, of int
			p99, refused float64
		}{
			{"mpsc", 4, 8, 400e6, 20}, {"mpsc", 4, 32, 20e6, 5}, {"mpsc", 16, 8, 500e6, 15}, {"mpsc", 16, 32, 21e6, 0}, {"mpsc", 64, 32, 20e6, 0.01},
			{"chan", 4, 8, 410e6, 20}, {"chan", 4, 32, 22e6, 5}, {"chan", 16, 32, 40e6, 0}, {"chan", 64, 32, 22e6, 0},
		} {
			fmt.Fprintf(&b, "BenchmarkBackpressure/kind=%s/policy=idle/capacity=%d/task-actors=%d-2 \t 4000\t 250000 ns/op\t %g p99-ns\t %g refused-%%\t %d suspect\t 8 B/op\t 3 allocs/op\n",
				r.kind, r.capacity, r.of, r.p99*(1+float64(i)/100), r.refused, i/2)
		}
	}
	return b.String()
}

func TestBackpressure(t *testing.T) {
	m := &measurement{suite: suite{name: "backpressure", side: "kind", ours: "mpsc"}}
	if err := m.parse(backpressureOutput()); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	writeBackpressure(&b, m)
	for _, want := range []string{
		"9 of 27 measurements were suspect",
		"| mailbox | 8 task actors, mpsc | 8 task actors, chan | 32 task actors, mpsc | 32 task actors, chan |",
		"| 4 | 404 ms, 20 % | 414 ms, 20 % | 20.2 ms, 5 % | 22.2 ms, 5 % |",
		"| 16 | 505 ms, 15 % | not measured | **21.2 ms** | 40.4 ms |",
		"| 64 | not measured | not measured | 20.2 ms, 0.01 % | **22.2 ms** |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
	picture := plotBackpressure(m)
	checkXML(t, picture)
	for _, want := range []string{"mpsc, idle", "chan, idle", "21.2 ms", "5 % refused"} {
		if !bytes.Contains(picture, []byte(want)) {
			t.Errorf("the plot does not say %q", want)
		}
	}
	if n := bytes.Count(picture, []byte(`class="frame"`)); n != 2 {
		t.Errorf("%d frames, want one a table", n)
	}
}

func TestMailboxSize(t *testing.T) {
	cell := func(p99, errors float64, values ...string) loadgen.Cell {
		return loadgen.Cell{Values: values, P99: p99, Errors: errors, Throughput: 1, Result: &loadgen.Result{Trust: loadgen.Trust{Verdict: loadgen.Trusted}}}
	}
	g := &loadgen.GridResult{
		Axes:  []loadgen.Axis{{Name: "mailbox", Values: []string{"1", "16"}}, {Name: "task-actors", Values: []string{"8", "64"}}},
		Cells: []loadgen.Cell{cell(2, .05, "1", "8"), cell(.02, .04, "1", "64"), cell(2.5, 0, "16", "8"), cell(.0205, 0, "16", "64")},
		Knee:  3, Best: 3,
	}
	checkXML(t, mailboxSizePlot(g))
	text := mailboxSizeTable(g) + mailboxSizeWords(g)
	for _, want := range []string{
		"| mailbox \\ task actors | 8 | 64 |", "| 1 | 2 s, 5 % | 20 ms, 4 % |", "| 16 | 2.5 s | **20.5 ms** |",
		"a mailbox of 16 and 64 task actors", "every cell trusted",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	g.Cells[1].Result.Trust.Verdict = loadgen.Suspect
	if words := mailboxSizeWords(g); !strings.Contains(words, "1 of 4 cells are SUSPECT") {
		t.Errorf("%q does not say that a cell is suspect", words)
	}
}

// TestReadmeMark: the README has the place that mailbox-size writes to, and the command that is measured.
func TestReadmeMark(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", readme))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), readme)
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceInFile(copied, "mailbox-size", "new text\n"); err != nil {
		t.Fatal(err)
	}
	changed, err := os.ReadFile(copied)
	if err != nil || !strings.Contains(string(changed), "<!-- results mailbox-size -->\nnew text\n<!-- end -->\n") {
		t.Errorf("%v: the text is not between its marks", err)
	}
	if !strings.Contains(string(data), mailboxSizeCommand) {
		t.Errorf("the README does not show %q", mailboxSizeCommand)
	}
	if err := replaceInFile(copied, "other", ""); err == nil {
		t.Error("no error for a mark that is not there")
	}
}

func checkXML(t *testing.T, data []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
}
