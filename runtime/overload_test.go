package runtime_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// full returns a runtime of MaxRuns 2 whose one task actor is taken, and the
// function that frees it. The second run waits for the task actor.
func full(t *testing.T, overflow runtime.Overflow) (rt *runtime.Runtime, def *workflow.Definition[int, int], runs []*runtime.Run[int], free func()) {
	t.Helper()
	rt = start(t, runtime.Config{WorkflowActors: 1, TaskActors: 1, MaxRuns: 2, Overflow: overflow})
	gate, busy := make(chan struct{}), make(chan struct{}, 1)
	def = one(t, func(_ context.Context, n int) (int, error) {
		if n == 0 {
			busy <- struct{}{}
			<-gate
		}
		return n, nil
	})
	for i := range 2 {
		run, err := runtime.Start(context.Background(), rt, def, i)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run)
		if i == 0 {
			<-busy
		}
	}
	free = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(free) // before start's Stop
	return rt, def, runs, free
}

func wantOverloaded(t *testing.T, err error, bound string, limit int) {
	t.Helper()
	oe, ok := errors.AsType[*runtime.OverloadError](err)
	if !ok || !errors.Is(err, runtime.ErrOverloaded) || oe.Bound != bound || oe.Limit != limit {
		t.Errorf("error = %v, want ErrOverloaded by %s %d", err, bound, limit)
	}
}

// TestOverflowDefault: at the bound Start fails at once and Execute waits.
func TestOverflowDefault(t *testing.T) {
	rt, def, _, free := full(t, runtime.OverflowDefault)
	_, err := runtime.Start(context.Background(), rt, def, 2)
	wantOverloaded(t, err, "MaxRuns", 2)

	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err = runtime.Execute(ctx, rt, def, 2)
	wantOverloaded(t, err, "MaxRuns", 2)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want the context's too", err)
	}
	_, err = runtime.Execute(context.Background(), rt, def, 2, runtime.RunTimeout(200*time.Millisecond))
	if re, ok := errors.AsType[*runtime.RunError](err); !ok || re.Status != workflow.StatusFailed || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want RunTimeout's", err)
	}

	done := make(chan error, 1)
	go func() {
		got, err := runtime.Execute(context.Background(), rt, def, 5)
		if err == nil && got != 5 {
			err = errors.New("wrong result")
		}
		done <- err
	}()
	eventually(t, "the third caller to wait", func() bool { return rt.Stats().RunsBound.Waited == 3 })
	free()
	if err := <-done; err != nil {
		t.Error(err)
	}
	s := rt.Stats()
	if b := s.RunsBound; b.Refused != 3 || b.WaitedTime <= 0 || b.Shed != 0 || s.MailboxBound != (runtime.BoundStats{}) {
		t.Errorf("runs %+v, mailboxes %+v; want 3 refused: Start, and two that waited in vain", b, s.MailboxBound)
	}
}

// TestOverflowWait and Fail override what Start and Execute do.
func TestOverflowWaitAndFail(t *testing.T) {
	rt, def, _, free := full(t, runtime.OverflowFail)
	_, err := runtime.Execute(context.Background(), rt, def, 2)
	wantOverloaded(t, err, "MaxRuns", 2)
	free()

	rt, def, _, free = full(t, runtime.OverflowWait)
	done := make(chan error, 1)
	go func() {
		run, err := runtime.Start(context.Background(), rt, def, 5)
		if err == nil {
			_, err = run.Result(context.Background())
		}
		done <- err
	}()
	eventually(t, "Start to wait", func() bool { return rt.Stats().RunsBound.Waited == 1 })
	free()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestOverflowDropNewest: the new run has ended with ErrOverloaded; the others
// are untouched.
func TestOverflowDropNewest(t *testing.T) {
	rt, def, runs, free := full(t, runtime.OverflowDropNewest)
	run, err := runtime.Start(context.Background(), rt, def, 2)
	if err != nil {
		t.Fatal(err)
	}
	_, err = run.Result(within(t))
	wantOverloaded(t, err, "MaxRuns", 2)
	if run.Status() != workflow.StatusCancelled {
		t.Errorf("status %v", run.Status())
	}
	free()
	for i, r := range runs {
		if got, err := r.Result(within(t)); got != i || err != nil {
			t.Errorf("run %d = %d, %v", i, got, err)
		}
	}
	if s := rt.Stats(); s.RunsBound.Shed != 1 || s.Accepted != 2 {
		t.Errorf("stats = %+v", s)
	}
}

// TestOverflowDropOldest: the oldest run that has not begun makes room; one that
// has begun does not.
func TestOverflowDropOldest(t *testing.T) {
	rt, def, runs, free := full(t, runtime.OverflowDropOldest)
	third, err := runtime.Start(context.Background(), rt, def, 2)
	if err != nil {
		t.Fatal(err)
	}
	_, err = runs[1].Result(within(t))
	wantOverloaded(t, err, "MaxRuns", 2)
	fourth, err := runtime.Start(context.Background(), rt, def, 3)
	if err != nil {
		t.Fatal(err)
	}
	_, err = third.Result(within(t))
	wantOverloaded(t, err, "MaxRuns", 2)
	free()
	if got, err := runs[0].Result(within(t)); got != 0 || err != nil {
		t.Errorf("the run that had begun = %d, %v", got, err)
	}
	if got, err := fourth.Result(within(t)); got != 3 || err != nil {
		t.Errorf("the newest run = %d, %v", got, err)
	}
	if s := rt.Stats(); s.RunsBound.Shed != 2 || s.Accepted != 4 || s.Cancelled != 2 {
		t.Errorf("stats = %+v", s)
	}
}

// TestOverflowDropOldestAllBegun: with nothing to shed the new run is shed.
func TestOverflowDropOldestAllBegun(t *testing.T) {
	rt := start(t, runtime.Config{MaxRuns: 1, Overflow: runtime.OverflowDropOldest})
	running := make(chan struct{})
	def := one(t, func(ctx context.Context, _ int) (int, error) { close(running); <-ctx.Done(); return 0, ctx.Err() })
	first, err := runtime.Start(context.Background(), rt, def, 0)
	if err != nil {
		t.Fatal(err)
	}
	<-running
	second, err := runtime.Start(context.Background(), rt, def, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = second.Result(within(t))
	wantOverloaded(t, err, "MaxRuns", 1)
	if first.Status() != workflow.StatusRunning {
		t.Errorf("the first run is %v", first.Status())
	}
	first.Cancel()
	<-first.Done()
}

// TestOverflowStress: under a flood of callers, whatever the policy, the bound
// holds, every run ends in one way and the counts agree.
func TestOverflowStress(t *testing.T) {
	for name, overflow := range map[string]runtime.Overflow{
		"default": runtime.OverflowDefault, "wait": runtime.OverflowWait, "fail": runtime.OverflowFail,
		"drop-newest": runtime.OverflowDropNewest, "drop-oldest": runtime.OverflowDropOldest,
	} {
		t.Run(name, func(t *testing.T) {
			rt := start(t, runtime.Config{WorkflowActors: 2, TaskActors: 2, MailboxCapacity: 2, MaxRuns: 7, Overflow: overflow})
			def := threeSteps(t)
			var mu sync.Mutex
			var ok, overloaded uint64
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					for i := range iterations(t, 200, 1000) {
						run, err := runtime.Start(within(t), rt, def, i)
						if err == nil {
							var got int
							if got, err = run.Result(within(t)); err == nil && got != i+3 {
								t.Errorf("result %d, want %d", got, i+3)
							}
						}
						mu.Lock()
						switch {
						case err == nil:
							ok++
						case errors.Is(err, runtime.ErrOverloaded):
							overloaded++
						default:
							t.Errorf("error = %v", err)
						}
						mu.Unlock()
						if n := rt.Stats().InFlight; n > 7 {
							t.Errorf("%d runs in flight, MaxRuns 7", n)
						}
					}
				})
			}
			wg.Wait()
			s := rt.Stats()
			lost := s.RunsBound.Refused + s.RunsBound.Shed + s.MailboxBound.Refused + s.MailboxBound.Shed
			if s.Succeeded != ok || lost != overloaded {
				t.Errorf("succeeded %d, refused or shed %d; by the callers' count %d and %d", s.Succeeded, lost, ok, overloaded)
			}
		})
	}
}

// TestWaitingBesideFreeMailbox: callers that wait for a mailbox are all called, also when those before them need no
// place in it, since a run of theirs begins on its caller's goroutine.
func TestWaitingBesideFreeMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{WorkflowActors: 1, TaskActors: 1, MailboxCapacity: 1, MaxRuns: 16, Overflow: runtime.OverflowWait})
		gate := make(chan struct{})
		b := workflow.New[int]("mailed")
		mailed := build(t, b, workflow.Task(b, "work", increment, b.Input(), workflow.When(b.Input(), func(int) bool { <-gate; return true })))
		direct := one(t, increment)
		var ended atomic.Int32
		execute := func(def *workflow.Definition[int, int]) {
			go func() {
				if _, err := runtime.Execute(within(t), rt, def, 1); err == nil {
					ended.Add(1)
				}
			}()
			synctest.Wait()
		}
		execute(mailed) // its condition keeps the workflow actor
		execute(mailed) // the one place of the mailbox
		for range 4 {
			execute(direct)
		}
		if waited := rt.Stats().MailboxBound.Waited; waited != 4 {
			t.Fatalf("%d callers wait for the mailbox, want 4", waited)
		}
		close(gate)
		synctest.Wait()
		if n := ended.Load(); n != 6 {
			t.Errorf("%d of 6 runs have ended while the mailbox is free", n)
		}
	})
}
