package main_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// loadgen calls `ringmill loadgen` in a folder of its own, which it returns.
func runLoadgen(t *testing.T, args ...string) (result, string) {
	t.Helper()
	cmd := command(t, append([]string{"loadgen"}, args...)...)
	return finish(t, cmd), cmd.Dir
}

// short is a load that takes a moment.
func short(args ...string) []string {
	return append([]string{"run", "--rate", "4k", "--duration", "300ms", "--live", "off"}, args...)
}

// TestLoadgenExitCodes provokes every exit code but 130 and 6.
func TestLoadgenExitCodes(t *testing.T) {
	for _, test := range []struct {
		name   string
		code   int
		args   []string
		stderr string // is part of standard error
		stdout string
	}{
		{"ok", 0, short("--threshold", "throughput>1"), "", "ok     throughput>1"},
		{"could not run", 1, short("--task-actors", "65536", "--workflow-actors", "65536"), "are too many together", ""},
		{"broken threshold", 3, short("--threshold", "p50<1ns"), "threshold broken: p50<1ns", "FAILED p50<1ns"},
		{"abort", 3, []string{"run", "--rate", "1k", "--duration", "1h", "--live", "off", "--threshold", "p50<1ns:abort@100ms"}, "threshold broken", "ABORTED by the threshold p50<1ns:abort@100ms"},
		{"suspect", 5, []string{"run", "--rate", "100", "--duration", "200ms", "--live", "off", "--strict"}, "the measurement is suspect", "SUSPECT: do not quote these figures."},
		{"search without an answer", 3, []string{"search", "--slo", "p50<1ns", "--duration", "100ms", "--work", "sleep:300ms", "--live", "off"}, "threshold broken: p50<1ns", "no rate of 1 a second or more keeps"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _ := runLoadgen(t, test.args...)
			if r.code != test.code || !strings.Contains(r.stderr, test.stderr) || !strings.Contains(r.stdout, test.stdout) {
				t.Errorf("exit code %d, standard error %q, standard output\n%s\nwant %d, %q, %q", r.code, r.stderr, r.stdout, test.code, test.stderr, test.stdout)
			}
		})
	}
}

// TestLoadgenUsage: whatever the user got wrong ends with 2, before anything runs.
func TestLoadgenUsage(t *testing.T) {
	for _, test := range []struct {
		args string
		want string
	}{
		{"frob", `unknown command "frob": want one of compare, grid, report, run, search: see 'ringmill loadgen --help'`},
		{"serch", "did you mean search? want one of compare, "},
		{"run --task-actors 5", "no load given; want --rate"},
		{"run --rate fast", `--rate: "fast" is not a rate; want a number a second`},
		{"run --rate 1k --concurrency 4", "--concurrency: 4 clients and a plan of arrivals exclude each other"},
		{"run --rate 1k --stages 0:1k", "--stages: they exclude --rate"},
		{"run --rate 1k --duration -1s", "--duration: -1s is out of range; want more than 0"},
		{"run --rate 1k --duration 5", `--duration: "5" is not a duration; want one such as 500ms`},
		{"run --rate 1k --seed -1", `--seed: "-1" is no seed; want a whole number`},
		{"run --rate 1k --warmup 20s", "--warmup: 20s is out of range"},
		{"run --rate 1k --workflow chain:0", `--workflow: "chain:0": want chain:N`},
		{"run --rate 1k --workflow gone.yaml", "--workflow: gone.yaml: no such file or directory: check the path"},
		{"run --rate 1k --time-scale 2", "--time-scale: it is for a workflow from a file"},
		{"run --rate 1k --work gamma:1", `--work: "gamma:1" is unknown; want 0, 2us, exp:50us`},
		{"run --rate 1k --mailbox-kind list", `--mailbox-kind: "list" is unknown; want chan, mpsc, mutex, workiva`},
		{"run --rate 1k --overflow spill", `--overflow: "spill" is unknown; want default, wait, fail`},
		{"run --rate 1k --threshold p99=5ms", `--threshold: "p99=5ms" is no threshold`},
		{"run --rate 1k --pprof cpu", "need a folder: add -o DIR"},
		{"run --rate 1k --pprof disk -o x", `--pprof: "disk" is unknown`},
		{"run --rate 1k -o /dev/null/x", "-o: mkdir /dev/null: not a directory: choose a folder"},
		{"run --arrivals trace:gone", "--arrivals: gone: no such file or directory"},
		{"run x", `unexpected argument "x"`},
		{"search", "no objective given; want --slo"},
		{"search --slo p99<5ms --precision 90%", "--precision: 90% is out of range"},
		{"grid --rate 1k", "no dimension given; want --grid"},
		{"grid --rate 1k --grid colour=red", `"colour" is unknown; want one of concurrency`},
		{"grid --rate 1k --grid mailbox=0", `mailbox: "0" is out of range`},
		{"grid --rate 1k --grid mailbox=1 --grid mailbox=2", "mailbox is there twice"},
		{"grid --grid rate=1k,2k --grid concurrency=1,2", "--grid: rate and concurrency exclude each other"},
		{"grid --grid mailbox=1,2", "no load given; want --rate"},
		{"compare a.json", "1 file given: want two, 'ringmill loadgen compare OLD NEW [flags]'"},
		{"compare . .", ".: this folder has no result.json: give a folder that -o of a measurement wrote, or a file"},
		{"report .", ".: this folder has no result.json"},
		{"compare gone.json gone.json", "gone.json: no such file"},
		{"report gone.json", "gone.json: no such file"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			r, _ := runLoadgen(t, strings.Fields(test.args)...)
			if r.code != 2 || !strings.Contains(r.stderr, test.want) || r.stdout != "" {
				t.Errorf("exit code %d, standard error %q, standard output %q; want 2 and %q", r.code, r.stderr, r.stdout, test.want)
			}
		})
	}
}

// TestLoadgenOutputs: -o writes every file, and what is in them can be used.
func TestLoadgenOutputs(t *testing.T) {
	r, dir := runLoadgen(t, short("-o", "out", "--format", "json", "--pprof", "cpu,heap,mutex,block", "--trace", "50ms", "--repeat", "2")...)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	for _, name := range []string{"result.json", "report.html", "bench.txt", "series.csv", "latency.hlog", "cpu.pprof", "heap.pprof", "mutex.pprof", "block.pprof", "trace.out"} {
		if info, err := os.Stat(filepath.Join(dir, "out", name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	var printed struct {
		Schema   string  `json:"schema"`
		Sent     int     `json:"sent"`
		PlanHash string  `json:"plan_hash"`
		Samples  []any   `json:"samples"`
		Rate     float64 `json:"throughput"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &printed); err != nil || printed.Schema != "ringmill.loadgen.run/1" || printed.Sent != 1200 || len(printed.Samples) != 2 {
		t.Errorf("%+v, %v", printed, err)
	}
	again, _ := runLoadgen(t, short("--format", "json")...)
	if !strings.Contains(again.stdout, `"plan_hash": "`+printed.PlanHash+`"`) {
		t.Errorf("the same flags and seed have another plan hash than %s", printed.PlanHash)
	}
	bench, _ := runLoadgen(t, "grid", "--rate", "2k", "--duration", "200ms", "--count", "1", "--live", "off", "--grid", "mailbox=1,64", "--grid", "mailbox-kind=mpsc,chan,workiva", "--format", "bench")
	if n := strings.Count(bench.stdout, "\nBenchmarkLoadgen/"); bench.code != 0 || n != 6 {
		t.Errorf("%d benchmark lines, want 6: exit code %d\n%s%s", n, bench.code, bench.stdout, bench.stderr)
	}
}

// TestLoadgenCompare: exit code 4 for a regression, 6 for broken books, 2 for other
// loads. The new result is the old one, made up to be slower.
func TestLoadgenCompare(t *testing.T) {
	_, dir := runLoadgen(t, short("-o", ".", "--repeat", "5")...)
	data, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	change := func(name string, f func(m map[string]any)) string {
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		f(m)
		out, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, out, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	scale := func(factor float64) func(map[string]any) {
		return func(m map[string]any) {
			for _, s := range m["samples"].([]any) {
				for key, v := range s.(map[string]any) {
					switch key {
					case "throughput":
					case "foreign_cpu": // a busy machine would make the times worth nothing
						s.(map[string]any)[key] = 0
					default:
						s.(map[string]any)[key] = v.(float64) * factor
					}
				}
			}
		}
	}
	old := change("result.json", scale(1))
	slow := change("slow.json", scale(100))
	other := change("other.json", func(m map[string]any) { m["plan_hash"] = "0000000000000000" })
	lost := change("lost.json", func(m map[string]any) { m["done"] = m["done"].(float64) - 1 })
	for _, test := range []struct {
		name string
		code int
		args []string
		want string
	}{
		{"same", 0, []string{"compare", old, old, "--fail-on", "regression"}, "no regression"},
		{"folder", 0, []string{"compare", dir, old}, "no regression"},
		{"slow", 4, []string{"compare", old, slow, "--fail-on", "regression"}, "REGRESSION"},
		{"slow, only told", 0, []string{"compare", old, slow}, "REGRESSION"},
		{"fast", 0, []string{"compare", slow, old, "--fail-on", "regression", "--format", "json"}, `"regression": false`},
		{"other load", 2, []string{"compare", old, other}, "different loads"},
		{"broken books", 6, []string{"compare", old, lost}, "the accounting is broken"},
		{"report of broken books", 6, []string{"report", lost, "-o", filepath.Join(dir, "r.html")}, "the accounting is broken"},
		{"report", 0, []string{"report", old, "-o", "-"}, "</html>"},
		{"report of a folder", 0, []string{"report", dir, "-o", "-"}, "</html>"},
	} {
		r, _ := runLoadgen(t, test.args...)
		if r.code != test.code || !strings.Contains(r.stdout+r.stderr, test.want) {
			t.Errorf("%s: exit code %d, want %d and %q\n%s%s", test.name, r.code, test.code, test.want, r.stdout, r.stderr)
		}
	}
}

// TestLoadgenTime: a series of measurements begins by saying how long it takes.
func TestLoadgenTime(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"grid --rate 1k --duration 100ms --count 1 --grid mailbox=2", "1 cell: 1 measurement of 100ms, about 100ms\n"},
		{"search --slo p50<1ns --duration 100ms --work sleep:300ms --confirm 1s", "this takes about 6.05s, at most 56.6s (longer if requests take seconds)\n"},
	} {
		if r, _ := runLoadgen(t, strings.Fields(test.args)...); !strings.HasPrefix(r.stderr, test.want) {
			t.Errorf("%s: standard error %q, want it to begin with %q", test.args, r.stderr, test.want)
		}
	}
}

// TestLoadgenInterrupted: a signal ends the run with 130 and all outputs written.
func TestLoadgenInterrupted(t *testing.T) {
	cmd := command(t, "loadgen", "run", "--rate", "2k", "--duration", "1h", "--live", "plain", "-o", "out")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout strings.Builder
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() || !strings.Contains(lines.Text(), "p99") {
		t.Fatalf("no line of progress: %q", lines.Text())
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for lines.Scan() {
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(stdout.String(), "INTERRUPTED") || time.Since(begin) > 20*time.Second {
		t.Errorf("exit code %d after %v\n%s", code, time.Since(begin), stdout.String())
	}
	for _, name := range []string{"result.json", "report.html", "bench.txt", "series.csv", "latency.hlog"} {
		if info, err := os.Stat(filepath.Join(cmd.Dir, "out", name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// TestLoadgenCanon: without flags that shape the load there are two numbers.
func TestLoadgenCanon(t *testing.T) {
	r, _ := runLoadgen(t, "run", "--duration", "600ms", "--live", "off")
	if r.code != 0 || !strings.Contains(r.stdout, "canon/1  ") || !strings.Contains(r.stdout, "at full speed   p99 ") || !strings.Contains(r.stdout, "shortened") {
		t.Errorf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
