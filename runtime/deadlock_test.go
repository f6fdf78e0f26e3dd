package runtime_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestDeadlockHunt executes workflows with a fan-out of 1,000 where every mailbox has one place, from more callers than there is room for,
// and lets every eighth run fail so that it compensates what it has done: whatever is full, nobody waits for ever. 10,000 runs with
// RINGMILL_STRESS, a few otherwise.
func TestDeadlockHunt(t *testing.T) {
	const wide = 1000
	runs := 40
	if os.Getenv("RINGMILL_STRESS") != "" {
		runs = 10_000
	}
	for _, cfg := range []runtime.Config{
		{WorkflowActors: 1, TaskActors: 1, MailboxCapacity: 1, MaxRuns: 3},
		{WorkflowActors: 3, TaskActors: 4, MailboxCapacity: 1, MaxRuns: 16, Policy: "round-robin"},
		{WorkflowActors: 2, TaskActors: 8, MailboxCapacity: 1, Schedule: runtime.ScheduleCriticalPath},
	} {
		rt := start(t, cfg)
		var undone atomic.Int64
		b := workflow.New[int]("wide")
		root := workflow.Task(b, "root", increment, b.Input(), workflow.Compensate(func(context.Context, int) error { undone.Add(1); return nil }))
		leaves := make([]workflow.Node, wide)
		for i := range leaves {
			leaves[i] = workflow.Task(b, strconv.Itoa(i), increment, root)
		}
		def := build(t, b, workflow.Task(b, "sink", func(_ context.Context, n int) (int, error) {
			if n%8 == 0 {
				return 0, errCard
			}
			return n, nil
		}, b.Input(), workflow.After(leaves...)))
		var next, failed atomic.Int64
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				for n := next.Add(1); n <= int64(runs/3+1); n = next.Add(1) {
					_, err := runtime.Execute(context.Background(), rt, def, int(n))
					switch {
					case errors.Is(err, errCard):
						failed.Add(1)
					case err != nil:
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if undone.Load() != failed.Load() || failed.Load() == 0 {
			t.Errorf("%d runs failed, %d were compensated", failed.Load(), undone.Load())
		}
	}
}
