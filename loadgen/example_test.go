package loadgen_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ringmill/ringmill/loadgen"
	"github.com/ringmill/ringmill/runtime"
)

// Send 2,000 workflows a second for a moment and look at what came of them.
func ExampleRun() {
	objective, err := loadgen.ParseThreshold("throughput>100")
	if err != nil {
		panic(err)
	}
	r, err := loadgen.Run(context.Background(), loadgen.Config{
		Rate:       2000,
		Arrivals:   loadgen.Arrivals{Kind: loadgen.ArrivalsPoisson},
		Requests:   500,
		Workload:   loadgen.Workload{Workflow: "chain:3"},
		Runtime:    runtime.Config{TaskActors: 8, MailboxCapacity: 64},
		Thresholds: []loadgen.Threshold{objective},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Sent, r.Sent == r.Done+r.Failed+r.Shed, r.OK())
	// Output: 500 true true
}

// Measure a function of your own in the place of a workflow.
func ExampleTargetFunc() {
	target := loadgen.TargetFunc(func(_ context.Context, r *loadgen.Request) error {
		if r.Index == 7 {
			return fmt.Errorf("request %d failed", r.Index)
		}
		return nil
	})
	r, err := loadgen.Run(context.Background(), loadgen.Config{Concurrency: 4, Requests: 100, Duration: time.Minute, Target: target})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Done, r.Failed)
	// Output: 99 1
}
