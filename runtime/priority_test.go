package runtime_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestPriority: what waits is taken by priority, 8:4:2:1, whether the run has it or the task, under both
// schedules; the least urgent moves too.
func TestPriority(t *testing.T) {
	levels := []workflow.Level{workflow.Critical, workflow.High, workflow.Normal, workflow.Low}
	for _, schedule := range []runtime.Schedule{runtime.ScheduleFIFO, runtime.ScheduleCriticalPath} {
		for _, ofTask := range []bool{false, true} {
			rt := start(t, runtime.Config{TaskActors: 1, WorkflowActors: 1, Schedule: schedule})
			gate, inside := make(chan struct{}), make(chan struct{})
			block := one(t, func(context.Context, int) (int, error) { close(inside); <-gate; return 0, nil })
			blocked, err := runtime.Start(context.Background(), rt, block, 0)
			if err != nil {
				t.Fatal(err)
			}
			<-inside
			var mu sync.Mutex
			var order []workflow.Level
			note := func(_ context.Context, level workflow.Level) (workflow.Level, error) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, level)
				return level, nil
			}
			var runs []*runtime.Run[workflow.Level]
			for range 40 {
				for i := range levels {
					level := levels[len(levels)-1-i] // the least urgent comes first
					b := workflow.New[workflow.Level]("level")
					opts, runOpts := []workflow.Option(nil), []runtime.RunOption{runtime.Priority(level)}
					if ofTask {
						opts, runOpts = []workflow.Option{workflow.Priority(level)}, []runtime.RunOption{runtime.Priority(workflow.Critical)}
					}
					def := build(t, b, workflow.Task(b, "note", note, b.Input(), opts...))
					run, err := runtime.Start(context.Background(), rt, def, level, runOpts...)
					if err != nil {
						t.Fatal(err)
					}
					runs = append(runs, run)
				}
			}
			eventually(t, "all wait", func() bool { s := rt.Stats(); return s.Ready+s.Queued == len(runs) })
			close(gate)
			for _, run := range runs {
				if _, err := run.Result(within(t)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := blocked.Result(within(t)); err != nil {
				t.Fatal(err)
			}
			count := map[workflow.Level]int{}
			for _, level := range order[:60] {
				count[level]++
			}
			// With critical-path order one attempt is handed out before the others come.
			if c := count[workflow.Critical]; c < 30 || c > 33 || count[workflow.High] < 15 || count[workflow.Normal] < 7 || count[workflow.Low] < 3 || count[workflow.Low] > 6 {
				t.Errorf("schedule %v, of the task %v: the first 60 are %v; want about 32, 16, 8, 4", schedule, ofTask, count)
			}
		}
	}
}

func TestPriorityUnknown(t *testing.T) {
	rt, def := start(t, runtime.Config{}), threeSteps(t)
	_, err := runtime.Execute(context.Background(), rt, def, 0, runtime.Priority(9))
	if err == nil || !strings.Contains(err.Error(), "Priority: Level(9) is unknown; want workflow.Critical, High, Normal or Low") {
		t.Errorf("error = %v", err)
	}
}
