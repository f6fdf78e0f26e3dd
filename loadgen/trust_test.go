package loadgen_test

import (
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/ringmill/ringmill/loadgen"
)

// TestTrust: each thing that spoils a measurement makes it suspect by itself, and says
// so; just below its bound it does not.
func TestTrust(t *testing.T) {
	machine := 10 * float64(goruntime.NumCPU()) // seconds of all cores in the 10 s of the run
	good := func() (*loadgen.Result, loadgen.Interval) {
		r := &loadgen.Result{Sent: 100_000, Done: 100_000}
		r.Latency.P99, r.Lag.P99 = 1e-3, 0.09e-3
		r.Cost.GCShare = .2
		r.Environment.Pacer = "thread"
		return r, loadgen.Interval{Elapsed: 10, Busy: machine/2 + .04*machine, Own: machine / 2, Steal: .009 * machine, CPUWait: 9, MemoryWait: .05, IOWait: .5}
	}
	for _, test := range []struct {
		name   string
		change func(r *loadgen.Result, i *loadgen.Interval)
		want   string // the only reason; empty is trusted
	}{
		{"nothing", func(_ *loadgen.Result, i *loadgen.Interval) { i.CPUWait = 0 }, ""},
		{"lag", func(r *loadgen.Result, i *loadgen.Interval) { r.Lag.P99, i.CPUWait = .11e-3, 0 }, "the generator sent late: lag p99 110µs is 11 % of the latency p99 1.00ms"},
		{"lag, and why", func(r *loadgen.Result, i *loadgen.Interval) {
			wait := .25
			r.Lag.P99, i.CPUWait, r.Trust.GeneratorWait, r.Trust.GeneratorRank = .11e-3, 0, &wait, "first"
		}, "(at most 10 %); its thread waited for a core 25.0 % of the time"},
		{"lag of a closed loop", func(r *loadgen.Result, i *loadgen.Interval) { r.Lag.P99, r.Load.Concurrency, i.CPUWait = 1, 5, 0 }, ""},
		{"foreign CPU", func(_ *loadgen.Result, i *loadgen.Interval) { i.Own -= .02 * machine; i.CPUWait = 0 }, "other processes used 6 % of the machine (at most 5 %)"},
		{"steal", func(_ *loadgen.Result, i *loadgen.Interval) { i.Steal, i.CPUWait = .02*machine, 0 }, "the host took 2.0 % of the machine away"},
		{"CPU pressure with others", func(*loadgen.Result, *loadgen.Interval) {}, "threads of all processes waited for a core 90 % of the time while others used 4 %"},
		{"CPU pressure by itself", func(_ *loadgen.Result, i *loadgen.Interval) { i.Busy = i.Own }, ""},
		{"memory pressure", func(_ *loadgen.Result, i *loadgen.Interval) { i.MemoryWait, i.CPUWait = .2, 0 }, "memory is short: somebody waited for it 2.0 % of the time"},
		{"I/O pressure", func(_ *loadgen.Result, i *loadgen.Interval) { i.IOWait, i.CPUWait = 1.1, 0 }, "the disk is busy: somebody waited for it 11 % of the time"},
		{"collector", func(r *loadgen.Result, i *loadgen.Interval) { r.Cost.GCShare, i.CPUWait = .26, 0 }, "the garbage collector took 26 % of the CPU time"},
		{"books", func(r *loadgen.Result, i *loadgen.Interval) { r.Sent++; i.CPUWait = 0 }, "the accounting is broken: sent 100001 is not done 100000"},
		{"unsent", func(r *loadgen.Result, i *loadgen.Interval) { r.Unsent, i.CPUWait = 1100, 0 }, "1100 of 101100 arrivals that were due could not be sent"},
		{"few samples", func(r *loadgen.Result, i *loadgen.Interval) { r.Sent, r.Done, i.CPUWait = 900, 900, 0 }, "p99 has 9.0 samples beyond it (at least 10): measure longer, 1000 requests"},
		{"no samples", func(r *loadgen.Result, i *loadgen.Interval) { r.Failed, r.Done, i.CPUWait = r.Done, 0, 0 }, "no request was done"},
		{"the machine tells nothing", func(_ *loadgen.Result, i *loadgen.Interval) { i.Unknown = true }, ""},
	} {
		r, i := good()
		test.change(r, &i)
		trust := loadgen.Judge(r, i, 50, 99)
		verdict := loadgen.Trusted
		if test.want != "" {
			verdict = loadgen.Suspect
		}
		if trust.Verdict != verdict || len(trust.Reasons) > 1 || test.want != "" && !strings.Contains(strings.Join(trust.Reasons, "; "), test.want) {
			t.Errorf("%s: %s %q, want %s %q", test.name, trust.Verdict, trust.Reasons, verdict, test.want)
		}
		if test.name == "the machine tells nothing" && !strings.Contains(strings.Join(trust.Notes, "; "), "what other processes used is unknown") {
			t.Errorf("notes %q do not say that nothing is known", trust.Notes)
		}
	}
}
