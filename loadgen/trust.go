package loadgen

import (
	"fmt"
	goruntime "runtime"
)

// From which share on something spoils a measurement. Foreign CPU: 5 % of the
// machine move a p99 on two busy cores visibly. Steal as measured by eye on a
// rented machine. Memory and I/O pressure mean that the process itself stood still.
// GC above a quarter measures the collector more than the runtime.
const (
	mostLagShare   = 0.10
	mostForeignCPU = 0.05
	mostSteal      = 0.01
	mostCPUWait    = 0.50 // with foreign CPU only: the generator's own thread makes some
	mostMemoryWait = 0.01
	mostIOWait     = 0.10
	mostGCShare    = 0.25
	mostUnsent     = 0.01
)

// enoughSamples is how many requests must lie beyond a quoted percentile.
const enoughSamples = 10

// judge fills in the trust verdict.
func (r *Result) judge(before, after reading, percentiles []float64) {
	t := Trust{Verdict: Trusted, Reasons: []string{}, Notes: []string{}, GeneratorWait: r.Trust.GeneratorWait, GeneratorRank: r.Trust.GeneratorRank}
	suspect := func(format string, args ...any) {
		t.Verdict = Suspect
		t.Reasons = append(t.Reasons, fmt.Sprintf(format, args...))
	}
	disturbed := func(format string, args ...any) { // by something beside the load
		r.disturbed = true
		suspect(format, args...)
	}
	open := r.Load.Concurrency == 0
	if open && r.Latency.P99 > 0 {
		if t.LagShare = r.Lag.P99 / r.Latency.P99; t.LagShare > mostLagShare {
			suspect("the generator sent late: lag p99 %s is %.0f %% of the latency p99 %s (at most 10 %%)%s", seconds(r.Lag.P99), 100*t.LagShare, seconds(r.Latency.P99), t.whyLate())
		}
	}
	elapsed := after.at.Sub(before.at).Seconds()
	machine := elapsed * float64(goruntime.NumCPU())
	fraction := func(v, of float64) *float64 {
		v = min(max(v/of, 0), 1)
		return &v
	}
	if before.busy >= 0 && after.busy >= 0 && elapsed > 0 {
		t.ForeignCPU = fraction(after.busy-before.busy-(after.ownCPU-before.ownCPU).Seconds(), machine)
		t.Steal = fraction(after.steal-before.steal, machine)
		// The kernel counts in ticks of 10 ms: short runs know less.
		blur := 0.03 / elapsed
		if *t.ForeignCPU > mostForeignCPU+blur {
			disturbed("other processes used %.0f %% of the machine (at most 5 %%): measure when it is quiet", 100**t.ForeignCPU)
		}
		if *t.Steal > mostSteal+blur {
			disturbed("the host took %.1f %% of the machine away (at most 1 %%)", 100**t.Steal)
		}
	}
	waited := func(resource string) *float64 {
		b, ok := before.pressure[resource]
		a, still := after.pressure[resource]
		if !ok || !still || elapsed <= 0 {
			return nil
		}
		return fraction(a-b, elapsed)
	}
	t.CPUWait, t.MemoryWait, t.IOWait = waited("cpu"), waited("memory"), waited("io")
	if t.CPUWait != nil && t.ForeignCPU != nil && *t.CPUWait > mostCPUWait && *t.ForeignCPU > mostForeignCPU/2+0.03/elapsed {
		disturbed("threads of all processes waited for a core %.0f %% of the time while others used %.0f %% of the machine", 100**t.CPUWait, 100**t.ForeignCPU)
	}
	if t.MemoryWait != nil && *t.MemoryWait > mostMemoryWait {
		disturbed("memory is short: somebody waited for it %.1f %% of the time (at most 1 %%)", 100**t.MemoryWait)
	}
	if t.IOWait != nil && *t.IOWait > mostIOWait {
		disturbed("the disk is busy: somebody waited for it %.0f %% of the time (at most 10 %%)", 100**t.IOWait)
	}
	if r.Cost.GCShare > mostGCShare {
		suspect("the garbage collector took %.0f %% of the CPU time (at most 25 %%): raise GOGC", 100*r.Cost.GCShare)
	}
	if bad := r.CheckAccounting(); bad != "" {
		suspect("the accounting is broken: %s", bad)
	}
	if due := r.Sent + r.Unsent; due > 0 && float64(r.Unsent) > mostUnsent*float64(due) {
		suspect("%d of %d arrivals that were due could not be sent: the target is slower than the load, latencies are those of the others", r.Unsent, due)
	}
	if r.Done == 0 {
		suspect("no request was done")
	}
	for _, p := range percentiles {
		if beyond := float64(r.Done) * (1 - p/100); r.Done > 0 && beyond < enoughSamples-1e-6 {
			suspect("p%g has %.1f samples beyond it (at least %d): measure longer, %.0f requests or more", p, beyond, enoughSamples, enoughSamples/(1-p/100))
		}
	}
	if float64(r.Done)*(1-0.999) < enoughSamples-1e-6 {
		t.Notes = append(t.Notes, fmt.Sprintf("p99.9 rests on fewer than %d samples", enoughSamples))
	}
	if r.Environment.Race {
		suspect("the program was built with the race detector")
	}
	if open && r.Environment.Pacer != "thread" && r.Environment.Pacer != "" {
		t.Notes = append(t.Notes, "arrivals were timed by "+r.Environment.Pacer+", which is less precise than on Linux")
	}
	if !open {
		t.Notes = append(t.Notes, "closed loop: a slow answer delays the next request, so latencies leave out what waiting callers would have felt")
	}
	if t.ForeignCPU == nil {
		t.Notes = append(t.Notes, "what other processes used is unknown here")
	}
	if r.Interrupted {
		t.Notes = append(t.Notes, "the run was interrupted")
	}
	r.Trust = t
}

// whyLate says what a late generator's thread waited for.
func (t Trust) whyLate() string {
	if t.GeneratorWait == nil {
		return ""
	}
	text := fmt.Sprintf("; its thread waited for a core %.1f %% of the time", 100**t.GeneratorWait)
	if (t.GeneratorRank == rankSlice || t.GeneratorRank == rankEqual) && goruntime.NumCPU() > 1 {
		text += ", since it may not go first (needs CAP_SYS_NICE or RLIMIT_RTPRIO)"
	}
	return text
}
