package loadgen

import (
	"context"
	"time"
)

// CanonName is the fixed workload that gives two numbers, to be compared between
// machines and versions. It changes only with its name.
const CanonName = "canon/1"

// CanonDuration is how long it takes.
const CanonDuration = 15 * time.Second

// The parts of canon/1: a third of the time at full speed, two thirds at a rate
// that every machine keeps.
const (
	canonWorkflow = "chain:3"
	canonClients  = 64
	canonRate     = 10_000
	canonSeed     = 1
)

// Canon holds the two numbers.
type Canon struct {
	Name       string  `json:"name"`
	Throughput float64 `json:"throughput"`  // runs a second, 64 callers that wait for their answer
	P99        float64 `json:"p99_seconds"` // at 10,000 runs a second, Poisson arrivals
	Shortened  bool    `json:"shortened"`   // it did not take its 15 s: compare with nothing
}

// RunCanon runs canon/1: workflows of three tasks in a row that do nothing, on a
// runtime with its defaults. The result is that of the second part, the open loop.
// total is CanonDuration, or less to try it out. Of more only Live and Thresholds
// are used; the thresholds are those of the second part.
func RunCanon(ctx context.Context, total time.Duration, more Config) (*Result, error) {
	fast, err := Run(ctx, Config{
		Concurrency: canonClients, Duration: total / 3, Warmup: total / 15, Seed: canonSeed,
		Workload: Workload{Workflow: canonWorkflow}, Live: more.Live,
	})
	if err != nil {
		return nil, err
	}
	r := fast
	if !fast.Interrupted && fast.CheckAccounting() == "" {
		r, err = Run(ctx, Config{
			Rate: canonRate, Arrivals: Arrivals{Kind: ArrivalsPoisson}, Duration: total - total/3, Warmup: total / 15, Seed: canonSeed,
			Workload: Workload{Workflow: canonWorkflow}, Live: more.Live, Thresholds: more.Thresholds,
		})
		if err != nil {
			return nil, err
		}
	}
	r.Canon = &Canon{Name: CanonName, Throughput: fast.Throughput, P99: r.Latency.P99, Shortened: total != CanonDuration}
	for _, reason := range fast.Trust.Reasons {
		if r != fast {
			r.Trust.Verdict = Suspect
			r.Trust.Reasons = append(r.Trust.Reasons, "at full speed: "+reason)
		}
	}
	return r, nil
}
