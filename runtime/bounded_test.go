package runtime_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// lateness is how late a timer may fire.
const lateness = time.Millisecond

// TestTimeoutContext: the context of a task with a Timeout keeps the contract of context.Context, whenever somebody first asks
// what: during the attempt, at its deadline, after its end.
func TestTimeoutContext(t *testing.T) {
	const timeout = time.Minute
	type key struct{}
	var kept context.Context
	for name, c := range map[string]struct {
		body       func(ctx context.Context) error // during the attempt
		runTimeout time.Duration
		err        error // of the context after the attempt
	}{
		"never asked": {body: func(context.Context) error { return nil }, err: context.Canceled},
		"asked for Err": {err: context.Canceled, body: func(ctx context.Context) error {
			return ctx.Err()
		}},
		"asked for Done": {err: context.Canceled, body: func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return errors.New("done before its deadline")
			default:
				return ctx.Err()
			}
		}},
		"deadline, by Done": {err: context.DeadlineExceeded, body: func(ctx context.Context) error {
			from := time.Now()
			<-ctx.Done()
			if took := time.Since(from); took < timeout || took > timeout+lateness {
				t.Errorf("done after %v", took)
			}
			return ctx.Err()
		}},
		"deadline, by Err": {err: context.DeadlineExceeded, body: func(ctx context.Context) error {
			<-time.After(timeout - 1)
			if err := ctx.Err(); err != nil {
				t.Error("before the deadline:", err)
			}
			<-time.After(1)
			return ctx.Err()
		}},
		"deadline, by a child": {err: context.DeadlineExceeded, body: func(ctx context.Context) error {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			<-child.Done()
			return context.Cause(child)
		}},
		"deadline, by AfterFunc": {err: context.DeadlineExceeded, body: func(ctx context.Context) error {
			called := make(chan struct{})
			context.AfterFunc(ctx, func() { close(called) })
			<-called
			return ctx.Err()
		}},
		"deadline of the run": {runTimeout: time.Second, err: context.Canceled, body: func(ctx context.Context) error {
			if at, ok := ctx.Deadline(); !ok || time.Until(at) > time.Second {
				t.Errorf("the deadline is %v, %t", at, ok)
			}
			<-ctx.Done()
			return ctx.Err()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := start(t, runtime.Config{})
				def := one(t, func(ctx context.Context, _ int) (int, error) {
					kept = ctx
					at, ok := ctx.Deadline()
					if left := time.Until(at); !ok || c.runTimeout == 0 && left != timeout {
						t.Errorf("the deadline is in %v, %t; want in %v", left, ok, timeout)
					}
					if ctx.Value(key{}) != "of the caller" {
						t.Error("the caller's values are lost")
					}
					if a := workflow.AttemptOf(ctx); a == nil || a.Number() != 1 {
						t.Error("the attempt is lost")
					}
					return 0, c.body(ctx)
				}, workflow.Timeout(timeout))
				var opts []runtime.RunOption
				if c.runTimeout > 0 {
					opts = append(opts, runtime.RunTimeout(c.runTimeout))
				}
				_, err := runtime.Execute(context.WithValue(t.Context(), key{}, "of the caller"), rt, def, 0, opts...)
				if (err == nil) != (c.err == context.Canceled && c.runTimeout == 0) {
					t.Error("the run ended with", err)
				}
				for range 2 {
					if err := kept.Err(); err != c.err {
						t.Errorf("after the attempt Err = %v, want %v", err, c.err)
					}
					select {
					case <-kept.Done():
					default:
						t.Error("after the attempt it is not done")
					}
					if c.runTimeout == 0 && context.Cause(kept) != c.err {
						t.Errorf("Cause = %v, want %v", context.Cause(kept), c.err)
					}
					child, cancel := context.WithCancel(kept)
					if child.Err() != c.err {
						t.Errorf("a child made after the attempt has Err %v", child.Err())
					}
					cancel()
					if kept.Value(key{}) != "of the caller" {
						t.Error("after the attempt the caller's values are lost")
					}
				}
			})
		})
	}
}

// TestOverstayed: a body that ignores the end of its context is given up CancelGrace after its deadline, never before and at
// most lateness after, whatever bounds the tasks before it on the same task actor had. Times are of a bubble, so
// the bound is exact; the timeouts are random, and most bodies return in time.
func TestOverstayed(t *testing.T) {
	const grace = 100 * time.Millisecond
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	rounds := 2000
	if testing.Short() {
		rounds = 300
	}
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{TaskActors: 1, CancelGrace: grace})
		given := 0
		for i := range rounds {
			timeout := time.Duration(1 + rng.Int64N(int64(1)<<rng.IntN(42))) // up to an hour, short ones as often as long ones
			stuck, takes := rng.IntN(4) == 0, time.Duration(rng.Int64N(int64(timeout)))
			release := make(chan struct{})
			def := one(t, func(context.Context, int) (int, error) {
				if stuck {
					<-release
				} else if i%2 == 0 {
					<-time.After(takes)
				}
				return 0, nil
			}, workflow.Timeout(timeout))
			from := time.Now()
			_, err := runtime.Execute(t.Context(), rt, def, 0)
			took := time.Since(from)
			close(release)
			synctest.Wait() // the body has returned
			switch {
			case !stuck && err != nil:
				t.Fatalf("round %d: a body that took %v of %v: %v", i, takes, timeout, err)
			case stuck && (err == nil || took < timeout+grace || took > timeout+grace+lateness):
				t.Fatalf("round %d: a stuck body with a timeout of %v was given up after %v, with %v", i, timeout, took, err)
			case stuck:
				given++
			}
		}
		if given == 0 {
			t.Error("no body was stuck: nothing was proved")
		}
	})
}

// TestBoundedReport: reports of tasks that have a timeout, a breaker or a retry policy hold no times that nobody has measured.
func TestBoundedReport(t *testing.T) {
	guard, err := breaker.New(breaker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, opt := range map[string]workflow.Option{
		"timeout": workflow.Timeout(time.Minute), "retry": workflow.Retry(retry.Exponential{}), "breaker": workflow.Breaker(guard),
	} {
		t.Run(name, func(t *testing.T) {
			rt := start(t, runtime.Config{})
			b := workflow.New[int]("three")
			body := func(_ context.Context, n int) (int, error) { return n, nil }
			last := workflow.Task(b, "a", body, b.Input(), opt)
			last = workflow.Task(b, "b", body, last, opt)
			def := build(t, b, workflow.Task(b, "c", body, last, opt))
			run, err := runtime.Start(t.Context(), rt, def, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := run.Result(within(t)); err != nil {
				t.Fatal(err)
			}
			for _, task := range run.Report().Tasks {
				if task.Run < 0 || task.Run > patience || task.Queue < 0 || task.Queue > patience {
					t.Errorf("%s: run %v, queue %v", task.Name, task.Run, task.Queue)
				}
			}
		})
	}
}

// TestOverstayedStress: while timers fire and bodies begin at the same moments, none that is stuck is forgotten: each run ends,
// though its body returns only after that.
func TestOverstayedStress(t *testing.T) {
	const actors = 8
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rt := start(t, runtime.Config{TaskActors: actors, CancelGrace: time.Millisecond})
	quick := func(context.Context, int) (int, error) { return 0, nil }
	rounds := 400
	if testing.Short() {
		rounds = 60
	}
	var wg sync.WaitGroup
	for i := range 2 * actors {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			for range rounds {
				release := make(chan struct{})
				b := workflow.New[int]("two")
				first := workflow.Task(b, "quick", quick, b.Input(), workflow.Timeout(time.Duration(2+rng.IntN(3))*time.Millisecond))
				body := quick
				if rng.IntN(4) == 0 {
					body = ignoring(release)
				}
				last := workflow.Task(b, "last", body, first, workflow.Timeout(time.Duration(1+rng.IntN(3000))*time.Microsecond))
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				_, err := runtime.Execute(ctx, rt, build(t, b, last), 0)
				cancel()
				close(release)
				if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == context.DeadlineExceeded {
					t.Error("a stuck body was forgotten:", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// brokenBreaker panics when it is told how an attempt ended.
type brokenBreaker struct{}

func (brokenBreaker) Allow() (uint64, error) { return 0, nil }
func (brokenBreaker) Done(uint64, error)     { panic("broken") }

// TestBreakerPanics: a breaker that panics when it is told of an attempt's end keeps no run from ending as its attempts did.
func TestBreakerPanics(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 1})
	guard := workflow.Breaker(brokenBreaker{})
	if out, err := runtime.Execute(within(t), rt, one(t, increment, guard), 1); out != 2 || err != nil {
		t.Errorf("%v, %v", out, err)
	}
	if _, err := runtime.Execute(within(t), rt, one(t, fails, guard), 1); !errors.Is(err, errCard) {
		t.Errorf("error = %v", err)
	}
	if out, err := runtime.Execute(within(t), rt, one(t, increment, guard, workflow.TaskTimeout(time.Minute)), 1); out != 2 || err != nil {
		t.Errorf("with a bound of the task: %v, %v", out, err)
	}
	if n := rt.Stats().Panics; n != 3 {
		t.Errorf("%d panics were counted, want 3", n)
	}
}

// slowBreaker allows attempts when it is released, and counts what it was told.
type slowBreaker struct {
	release chan struct{}
	told    atomic.Int64
}

func (b *slowBreaker) Allow() (uint64, error) { <-b.release; return 7, nil }
func (b *slowBreaker) Done(uint64, error)     { b.told.Add(1) }

// TestBreakerIsToldOfGivenUpAttempts: an attempt that is given up while it waits for its breaker gives the breaker's permission
// back all the same, once.
func TestBreakerIsToldOfGivenUpAttempts(t *testing.T) {
	for name, opts := range map[string][]workflow.Option{
		"bounded": {workflow.Timeout(time.Second)},
		"armed":   {workflow.Timeout(time.Second), workflow.TaskTimeout(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := start(t, runtime.Config{CancelGrace: time.Second})
				b := &slowBreaker{release: make(chan struct{})}
				def := one(t, func(context.Context, int) (int, error) { return 1, nil }, append(opts, workflow.Breaker(b))...)
				if _, err := runtime.Execute(within(t), rt, def, 0); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error = %v, want a timeout", err)
				}
				close(b.release)
				synctest.Wait()
				if n := b.told.Load(); n != 1 {
					t.Errorf("the breaker was told %d times, want 1", n)
				}
			})
		})
	}
}
