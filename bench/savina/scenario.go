package savina

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

// Scenario is one question with its two sides. A side does Run.N units of work, waits until all of it is done, and fails
// Run.TB if something came out wrong.
type Scenario struct {
	Name     string // of the benchmark, parameters as key=value
	Unit     string // what ns/op counts
	Small    int    // N enough for a test of both sides
	Ringmill func(*Run)
	Channel  func(*Run)
}

// Run is one execution of a side.
type Run struct {
	testing.TB
	N int
}

// Begin ends the set-up: what came before is not measured.
func (r *Run) Begin() {
	if b, ok := r.TB.(*testing.B); ok {
		b.ReportAllocs()
		b.ResetTimer()
	}
}

// End begins the tear-down.
func (r *Run) End() {
	if b, ok := r.TB.(*testing.B); ok {
		b.StopTimer()
	}
}

// Metric reports a figure besides ns/op.
func (r *Run) Metric(value float64, unit string) {
	if b, ok := r.TB.(*testing.B); ok {
		b.ReportMetric(value, unit)
	}
}

// Must fails the run if err is not nil.
func (r *Run) Must(err error) {
	if err != nil {
		r.Helper()
		r.Fatal(err)
	}
}

// percentiles reports p50-ns and p99-ns.
func (r *Run) percentiles(samples []time.Duration) {
	slices.Sort(samples)
	r.Metric(float64(samples[len(samples)/2]), "p50-ns")
	r.Metric(float64(samples[len(samples)*99/100]), "p99-ns")
}

// isTest reports whether nothing is measured.
func (r *Run) isTest() bool {
	_, measured := r.TB.(*testing.B)
	return !measured
}

// Few is n in a benchmark and at most 1,000 in a test.
func (r *Run) Few(n int) int {
	if r.isTest() {
		return min(n, 1000)
	}
	return n
}

// system returns a system that is stopped after the run.
func (r *Run) system() *actor.System {
	sys, err := actor.NewSystem(actor.SystemConfig{})
	r.Must(err)
	r.Cleanup(func() { r.Must(sys.Stop(context.Background())) })
	return sys
}

// capacity is that of every mailbox and channel, where the scenario does not say otherwise.
const capacity = 1024

// Scenarios returns all of them.
func Scenarios() []Scenario {
	return slices.Concat(pingPong, counting, flooded, forkJoin, create, threadRing, big, chameneos, skynet, producers,
		roundRobin, ask, underLoad, quiet, memory, idle, executor, choose)
}
