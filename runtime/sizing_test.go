package runtime_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime"
)

// resizes is an observer that keeps the decisions about the number of task actors.
type resizes struct {
	mu        sync.Mutex
	decisions []runtime.SizeDecision
}

func (*resizes) RunStarted(ctx context.Context, _ *runtime.Event) context.Context     { return ctx }
func (*resizes) RunEnded(context.Context, *runtime.Event)                             {}
func (*resizes) AttemptStarted(ctx context.Context, _ *runtime.Event) context.Context { return ctx }
func (*resizes) AttemptEnded(context.Context, *runtime.Event)                         {}
func (r *resizes) Noticed(e *runtime.Event, n runtime.Notice) {
	if n == runtime.NoticeResized {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.decisions = append(r.decisions, *e.Resize)
	}
}

// TestTaskActorsFollowTheLoad: under load the number of task actors grows to what arrivals and service time
// need, later it falls to the least, each step is told to the observer, and then nothing ticks any more.
func TestTaskActorsFollowTheLoad(t *testing.T) {
	const perSecond, service = 400, 50 * time.Millisecond // 20 busy on average, 29 by the square-root rule
	for _, policy := range []string{"idle", "round-robin", "least-loaded", "hash"} {
		t.Run(policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := new(resizes)
				rt := start(t, runtime.Config{TaskActors: 4, TaskActorsMin: 2, TaskActorsMax: 64, Observer: seen, Policy: policy})
				def := one(t, func(context.Context, int) (int, error) {
					<-time.After(service)
					return 0, nil
				})
				arrivals := time.NewTicker(time.Second / perSecond)
				var runs []*runtime.Run[int]
				for range 5 * perSecond {
					<-arrivals.C
					run, err := runtime.Start(context.Background(), rt, def, 0)
					if err != nil {
						t.Fatal(err)
					}
					runs = append(runs, run)
				}
				arrivals.Stop()
				if n := rt.Stats().TaskActors; n < 20 || policy == "idle" && n > 40 {
					t.Errorf("%d task actors under load; want 20 to 40", n)
				}
				for _, run := range runs {
					if _, err := run.Result(within(t)); err != nil {
						t.Fatal(err)
					}
				}
				<-time.After(20 * time.Second)
				s := rt.Stats()
				seen.mu.Lock()
				defer seen.mu.Unlock()
				if s.TaskActors != 2 || s.IdleTaskActors != 2 || s.Resizes != uint64(len(seen.decisions)) || s.Resizes < 3 {
					t.Errorf("without load: %d task actors, %d idle, %d resizes, %d told; want 2, 2, at least 3, all",
						s.TaskActors, s.IdleTaskActors, s.Resizes, len(seen.decisions))
				}
				from := 4
				for _, d := range seen.decisions {
					if d.From != from || d.To == d.From || d.To < 2 || d.To > 64 {
						t.Errorf("decision %v does not go on from %d within 2 to 64", d, from)
					}
					from = d.To
				}
			})
		})
	}
}

// TestSizingConfig: wrong bounds are errors that name the field, the value and what is allowed.
func TestSizingConfig(t *testing.T) {
	for _, c := range []struct {
		cfg  runtime.Config
		want string
	}{
		{runtime.Config{TaskActorsMin: 5}, "Config.TaskActorsMax: 0 with a TaskActorsMin of 5; want the largest number"},
		{runtime.Config{TaskActorsMin: 5, TaskActorsMax: 4}, "Config.TaskActorsMin: 5 is above TaskActorsMax, which is 4"},
		{runtime.Config{TaskActors: 9, TaskActorsMax: 4}, "Config.TaskActors: 9 is outside TaskActorsMin and TaskActorsMax, 1 to 4"},
		{runtime.Config{TaskActorsMax: -1}, "Config.TaskActorsMax: -1 is out of range"},
		{runtime.Config{TaskActorsMax: 1 << 20}, "Config.TaskActorsMax: 1048576 is out of range"},
	} {
		if _, err := runtime.New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q", c.cfg, err, c.want)
		}
	}
	rt := start(t, runtime.Config{TaskActorsMax: 8})
	if c := rt.Config(); c.TaskActorsMin != 1 || c.TaskActors != 8 {
		t.Errorf("defaults: %d at the start, at least %d; want 8 and 1", c.TaskActors, c.TaskActorsMin)
	}
}
