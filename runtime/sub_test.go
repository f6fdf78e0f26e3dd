package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestSub: a workflow as a task, three deep, needs no task actor of its own, so one is enough for any number.
func TestSub(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 1, WorkflowActors: 2, MailboxCapacity: 1})
	def := threeSteps(t) // + 3
	for range 2 {
		b := workflow.New[int]("deeper")
		first := workflow.Sub(b, "first", def, b.Input())
		def = build(t, b, workflow.Sub(b, "second", def, first))
	}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if out, err := runtime.Execute(within(t), rt, def, i); out != i+12 || err != nil {
				t.Errorf("%d: %v, %v; want %d", i, out, err, i+12)
			}
		})
	}
	wg.Wait()
	if s := rt.Stats(); s.Accepted != 200*7 || s.Succeeded != 200*7 {
		t.Errorf("%d runs accepted, %d succeeded; want 1,400: each has two runs below it, which have two each", s.Accepted, s.Succeeded)
	}
}

// TestSubFails: the failure of a workflow that is a task is that task's, names both, and can be tried again.
func TestSubFails(t *testing.T) {
	rt := start(t, runtime.Config{})
	var calls atomic.Int64
	inner := one(t, func(_ context.Context, n int) (int, error) {
		if calls.Add(1) < 3 || n < 0 {
			return 0, errCard
		}
		return n, nil
	})
	b := workflow.New[int]("outer")
	def := build(t, b, workflow.Sub(b, "sub", inner, b.Input(), workflow.Retry(retry.Constant{MaxAttempts: 3})))
	if out, err := runtime.Execute(within(t), rt, def, 5); out != 5 || err != nil {
		t.Errorf("at the third attempt: %v, %v; want 5", out, err)
	}
	_, err := runtime.Execute(within(t), rt, def, -1, runtime.ID("r-7"))
	te := taskError(t, err)
	if te.Workflow != "outer" || te.Task != "sub" || te.Attempt != 3 || !errors.Is(err, errCard) ||
		!strings.Contains(err.Error(), "workflow one, run r-7/sub, task work") {
		t.Errorf("error = %v; want both tasks named", err)
	}
}

// TestSubEndsWithItsRun: cancelling, timing out and stopping reach the bodies of workflows below, which are waited for.
func TestSubEndsWithItsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{CancelGrace: time.Second})
		var inside, left atomic.Int64
		inner := one(t, func(ctx context.Context, n int) (int, error) {
			inside.Add(1)
			defer left.Add(1)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		b := workflow.New[int]("outer")
		workflow.Sub(b, "a", inner, b.Input())
		workflow.MapSub(b, "b", inner, workflow.Task(b, "list", func(context.Context, int) ([]int, error) { return make([]int, 5), nil }, b.Input()), workflow.Limit(3))
		def := build(t, b, b.Input())
		run, err := runtime.Start(context.Background(), rt, def, 1)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if inside.Load() != 4 {
			t.Errorf("%d bodies run; want 4", inside.Load())
		}
		run.Cancel()
		if _, err := run.Result(within(t)); !errors.Is(err, context.Canceled) || left.Load() != 4 {
			t.Errorf("cancelled: %v with %d of 4 bodies returned", err, left.Load())
		}

		b = workflow.New[int]("timed")
		def = build(t, b, workflow.Sub(b, "a", inner, b.Input(), workflow.Timeout(time.Minute)))
		began := time.Now()
		_, err = runtime.Execute(within(t), rt, def, 1)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Minute {
			// within's own deadline is 30 s: the caller loses its patience first
			t.Errorf("caller's deadline: %v after %v", err, time.Since(began))
		}
		began = time.Now()
		_, err = runtime.Execute(context.Background(), rt, def, 1)
		if te := taskError(t, err); !errors.Is(te, context.DeadlineExceeded) || time.Since(began) > time.Minute+time.Second {
			t.Errorf("timeout of the task: %v after %v", err, time.Since(began))
		}
		if s := rt.Stats(); s.Accepted != s.Succeeded+s.Failed+s.Cancelled || s.Leaked != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestMapSub: items are runs of a workflow, in order, with their own retries; a bad input is the item's failure.
func TestMapSub(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 4})
	var tried sync.Map
	inner := one(t, func(_ context.Context, n int) (string, error) {
		if _, again := tried.LoadOrStore(n, true); !again && n%3 == 0 {
			panic("first attempt")
		}
		return fmt.Sprint(n), nil
	})
	b := workflow.New[[]int]("outer")
	def := build(t, b, workflow.MapSub(b, "each", inner, b.Input(), workflow.Limit(7), workflow.Retry(retry.Constant{MaxAttempts: 2})))
	in := make([]int, 300)
	for i := range in {
		in[i] = i
	}
	out, err := runtime.Execute(within(t), rt, def, in)
	if err != nil || len(out) != len(in) {
		t.Fatalf("%d results, %v", len(out), err)
	}
	for i, s := range out {
		if s != fmt.Sprint(i) {
			t.Fatalf("result %d is %q", i, s)
		}
	}
	if s := rt.Stats(); s.Accepted != 1+300+100 || s.Failed != 100 {
		t.Errorf("%d runs accepted, %d failed; want 401 and 100", s.Accepted, s.Failed)
	}
}
