package bench_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestBenchmarks runs every benchmark of this package once, with one operation each, so that none rots. They run in a process
// of their own: the same program, asked for benchmarks. Those of actors are left out: savina.TestScenarios plays each of
// them with few units.
func TestBenchmarks(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: a thousand rows")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=.", "-test.skip=^BenchmarkActor$", "-test.benchtime=1x", "-test.cpu=2")
	out, err := cmd.CombinedOutput()
	text := string(out)
	if err != nil || strings.Contains(text, "--- FAIL") {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, name := range []string{"Backpressure", "MailboxThroughput", "Workflow"} { // it did run them
		if !strings.Contains(text, "Benchmark"+name+"/") {
			t.Errorf("no Benchmark%s in\n%s", name, text)
		}
	}
}
