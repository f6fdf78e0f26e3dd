package bench_test

import (
	"context"
	"os"
	goruntime "runtime"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// bytesInFlight starts runs of three tasks on 50 task actors, of which each is held up by the first task that it gets,
// measures what the process has taken for a run while all are in flight, and has them all end well.
func bytesInFlight(tb testing.TB, runs int) (perRun float64) {
	const taskActors = 50
	rt, err := runtime.New(runtime.Config{TaskActors: taskActors, MaxRuns: runs, MailboxCapacity: 1 + runs/runtime.DefaultWorkflowActors})
	if err != nil {
		tb.Fatal(err)
	}
	open := make(chan struct{})
	var ran atomic.Int64
	body := func(ctx context.Context, n int) (int, error) {
		if ran.Add(1) <= taskActors {
			<-open
		}
		return n + 1, nil
	}
	b := workflow.New[int]("three")
	one := workflow.Task(b, "one", body, b.Input())
	two := workflow.Task(b, "two", body, one)
	def, err := workflow.Build(b, workflow.Task(b, "three", body, two))
	if err != nil {
		tb.Fatal(err)
	}
	started := make([]*runtime.Run[int], runs)
	before := inUse()
	for i := range started {
		if started[i], err = runtime.Start(tb.Context(), rt, def, i); err != nil {
			tb.Fatalf("run %d: %v", i, err)
		}
	}
	if n := rt.Stats().InFlight; n != runs {
		tb.Fatalf("%d runs in flight, want %d", n, runs)
	}
	perRun = float64(inUse()-before) / float64(runs)
	close(open)
	for i, run := range started {
		if got, err := run.Result(tb.Context()); err != nil || got != i+3 {
			tb.Fatalf("run %d: %d, %v; want %d", i, got, err, i+3)
		}
	}
	if err := rt.Stop(context.Background()); err != nil {
		tb.Error(err)
	}
	if n := ran.Load(); n != int64(3*runs) {
		tb.Errorf("%d task bodies ran, want %d", n, 3*runs)
	}
	return perRun
}

// inUse is the memory of heap and stacks that is in use.
func inUse() uint64 {
	var m goruntime.MemStats
	goruntime.GC()
	goruntime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// TestRunsInFlight: runs in flight take at most 2 KB each, whether their workflow actor has taken them up or they wait in
// its mailbox, and all end well. With RINGMILL_STRESS 1,000,000, else fewer.
func TestRunsInFlight(t *testing.T) {
	runs := 50_000
	if os.Getenv("RINGMILL_STRESS") != "" {
		runs = 1_000_000
	}
	if perRun := bytesInFlight(t, runs); perRun > 2048 {
		t.Errorf("%.0f bytes a run with %d runs in flight, want at most 2048", perRun, runs)
	} else {
		t.Logf("%.0f bytes a run with %d runs in flight", perRun, runs)
	}
}
