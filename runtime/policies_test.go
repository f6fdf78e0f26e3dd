package runtime_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/limit"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestCacheSharesExecutions: of runs that want the same result at once one executes the task; later ones, also
// of other callers, are told the result until its time is over, and the report says so. A failure is not kept.
func TestCacheSharesExecutions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{})
		var executed atomic.Int64
		fails := new(atomic.Bool)
		fails.Store(true)
		b := workflow.New[int]("cached")
		slow := workflow.Task(b, "slow", func(_ context.Context, n int) (int, error) {
			executed.Add(1)
			<-time.After(time.Second)
			if n == 13 && fails.CompareAndSwap(true, false) {
				return 0, errCard
			}
			return n * n, nil
		}, b.Input(), workflow.Cache(time.Minute))
		def := build(t, b, slow)
		begin := func(n int) *runtime.Run[int] {
			run, err := runtime.Start(context.Background(), rt, def, n)
			if err != nil {
				t.Fatal(err)
			}
			return run
		}
		var runs []*runtime.Run[int]
		for i := range 100 {
			runs = append(runs, begin(i%4))
		}
		cached := 0
		for i, run := range runs {
			if out, err := run.Result(within(t)); err != nil || out != (i%4)*(i%4) {
				t.Fatalf("run %d = %v, %v", i, out, err)
			}
			if run.Report().Tasks[0].Cached {
				cached++
			}
		}
		if executed.Load() != 4 || cached != 96 {
			t.Errorf("%d executions and %d shared results; want 4 and 96", executed.Load(), cached)
		}
		if s := rt.Stats().Cache; s.Misses != 4 || s.Hits+s.Shared != 96 {
			t.Errorf("stats %+v; want 4 misses, 96 hits and shared", s)
		}
		if out, err := begin(3).Result(within(t)); out != 9 || err != nil || executed.Load() != 4 {
			t.Errorf("within a minute: %v, %v, %d executions; want 9 and no new one", out, err, executed.Load())
		}
		<-time.After(2 * time.Minute)
		if out, err := begin(3).Result(within(t)); out != 9 || err != nil || executed.Load() != 5 {
			t.Errorf("after two minutes: %v, %v, %d executions; want a new one", out, err, executed.Load())
		}
		failed := 0 // whichever of the two leads
		for _, run := range []*runtime.Run[int]{begin(13), begin(13)} {
			switch out, err := run.Result(within(t)); {
			case errors.Is(err, errCard):
				failed++
			case err != nil || out != 169:
				t.Errorf("after the leader's failure the follower has %v, %v; want 169 by an execution of its own", out, err)
			}
		}
		if failed != 1 {
			t.Errorf("%d runs failed; want the leader's", failed)
		}
	})
}

// TestConcurrencyBoundsTasks: over all runs no more tasks of a key are under way than the limit has places, each
// key on its own, and a run that is cancelled while its task waits gives nobody's place away.
func TestConcurrencyBoundsTasks(t *testing.T) {
	rt := start(t, runtime.Config{})
	places, err := limit.NewConcurrency(2)
	if err != nil {
		t.Fatal(err)
	}
	var inside [3]atomic.Int64
	b := workflow.New[int]("bounded")
	def := build(t, b, workflow.Task(b, "work", func(_ context.Context, n int) (int, error) {
		if now := inside[n%3].Add(1); now > 2 {
			t.Errorf("%d tasks of key %d at once; want at most 2", now, n%3)
		}
		defer inside[n%3].Add(-1)
		if n%7 == 0 {
			return 0, errCard
		}
		return n, nil
	}, b.Input(), workflow.ConcurrencyBy(b.Input(), places, func(n int) string { return fmt.Sprint(n % 3) }), workflow.MayFail()))
	var runs []*runtime.Run[int]
	for i := range 2000 {
		run, err := runtime.Start(context.Background(), rt, def, i)
		if err != nil {
			t.Fatal(err)
		}
		if runs = append(runs, run); i%5 == 0 {
			run.Cancel()
		}
	}
	for _, run := range runs {
		_, _ = run.Result(within(t))
	}
	for key := range 3 {
		if taken, waiting := places.Held(fmt.Sprint(key)); taken != 0 || waiting != 0 {
			t.Errorf("key %d: %d places taken and %d waiting after all have ended", key, taken, waiting)
		}
	}
}

// TestRateLimitSpreadsAttempts: attempts, retries included, begin no faster than the limit lets them, without a
// goroutine or task actor that waits.
func TestRateLimitSpreadsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{TaskActors: 1})
		rate, err := limit.NewRate(limit.RateConfig{PerSecond: 10, MaxWait: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var attempts atomic.Int64
		def := one(t, func(ctx context.Context, n int) (int, error) {
			if attempts.Add(1); workflow.AttemptOf(ctx).Number() == 1 {
				return 0, errCard
			}
			return n, nil
		}, workflow.RateLimit(rate), workflow.Retry(retry.Constant{MaxAttempts: 2}))
		var runs []*runtime.Run[int]
		for i := range 20 {
			run, err := runtime.Start(context.Background(), rt, def, i)
			if err != nil {
				t.Fatal(err)
			}
			runs = append(runs, run)
		}
		for _, run := range runs {
			if _, err := run.Result(within(t)); err != nil {
				t.Fatal(err)
			}
		}
		least := time.Duration(attempts.Load()-1) * 100 * time.Millisecond
		if took := time.Since(began); took < least || took > least+time.Second {
			t.Errorf("%d attempts took %v; want about %v", attempts.Load(), took, least)
		}
	})
}

// TestBreakerStopsAttempts: when a resource fails, attempts are refused without being run until it is tried again.
func TestBreakerStopsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{})
		down, err := breaker.New(breaker.Config{Name: "db", Failures: 3, OpenFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		var ran atomic.Int64
		broken := new(atomic.Bool)
		broken.Store(true)
		def := one(t, func(_ context.Context, n int) (int, error) {
			ran.Add(1)
			if broken.Load() {
				panic("down")
			}
			return n, nil
		}, workflow.Breaker(down))
		for i := range 10 {
			_, err := runtime.Execute(within(t), rt, def, i)
			if te := taskError(t, err); errors.Is(te, breaker.ErrOpen) != (i >= 3) {
				t.Errorf("call %d: %v; want the breaker to open after 3 failures", i, err)
			}
		}
		broken.Store(false)
		<-time.After(time.Minute)
		if out, err := runtime.Execute(within(t), rt, def, 5); out != 5 || err != nil || ran.Load() != 4 {
			t.Errorf("after a minute: %v, %v, %d bodies ran; want 5 and 4", out, err, ran.Load())
		}
	})
}

// TestRepeat: a task is executed until its condition holds, each iteration with retries of its own, and fails when
// it does not come to that.
func TestRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{})
		var keys []string
		failed := map[int]bool{}
		b := workflow.New[int]("doubled")
		double := func(ctx context.Context, n int) (int, error) {
			keys = append(keys, workflow.IdempotencyKey(ctx))
			if !failed[n] {
				failed[n] = true
				return 0, errCard
			}
			return 2 * n, nil
		}
		loop := workflow.Repeat(b, "loop", double, b.Input(), func(n int) bool { return n >= 100 }, 6,
			workflow.RepeatWait(time.Second), workflow.Retry(retry.Constant{MaxAttempts: 2}))
		def := build(t, b, loop)
		began := time.Now()
		out, err := runtime.Execute(within(t), rt, def, 7, runtime.ID("r"))
		if took := time.Since(began); out != 112 || err != nil || took < 3*time.Second || took > 4*time.Second {
			t.Errorf("7 doubled until 100 = %v, %v after %v; want 112 after 3 s of waits", out, err, took)
		}
		want := "[r/loop r/loop r/loop/1 r/loop/1 r/loop/2 r/loop/2 r/loop/3 r/loop/3]"
		if got := fmt.Sprint(keys); got != want {
			t.Errorf("idempotency keys %s\nwant             %s", got, want)
		}
		_, err = runtime.Execute(within(t), rt, def, 1)
		if te := taskError(t, err); !errors.Is(te, workflow.ErrRepeatLimit) {
			t.Errorf("1 doubled six times: %v; want ErrRepeatLimit", err)
		}
	})
}

// TestMapResultsKeepErrors: an item that fails does not fail the Map, whose result has the error at its place.
func TestMapResultsKeepErrors(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 3})
	b := workflow.New[[]int]("results")
	kept := workflow.MapResults(b, "halve", func(_ context.Context, n int) (int, error) {
		switch n % 4 {
		case 1:
			return 0, errCard
		case 3:
			panic("odd")
		}
		return n / 2, nil
	}, b.Input(), workflow.Limit(2))
	def := build(t, b, kept)
	in := make([]int, 100)
	for i := range in {
		in[i] = i
	}
	out, err := runtime.Execute(within(t), rt, def, in)
	if err != nil || len(out) != len(in) {
		t.Fatalf("%d results, %v", len(out), err)
	}
	for i, r := range out {
		_, panicked := errors.AsType[*workflow.PanicError](r.Err)
		if r.OK() != (i%2 == 0) || r.OK() && r.Value != i/2 || errors.Is(r.Err, errCard) != (i%4 == 1) || panicked != (i%4 == 3) {
			t.Errorf("item %d: %+v", i, r)
		}
	}
}

// TestHeartbeat: an attempt that gives no sign of life for too long is cancelled and timed out and tried again, one
// that does may take as long as it likes.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{})
		def := one(t, func(ctx context.Context, n int) (int, error) {
			if workflow.AttemptOf(ctx).Number() == 1 && n > 0 {
				<-ctx.Done()
				return 0, fmt.Errorf("stopped: %w", context.Cause(ctx))
			}
			for range 10 {
				<-time.After(800 * time.Millisecond)
				workflow.Heartbeat(ctx)
			}
			return n, ctx.Err()
		}, workflow.HeartbeatTimeout(time.Second), workflow.Retry(retry.Constant{MaxAttempts: 2}))
		began := time.Now()
		if out, err := runtime.Execute(within(t), rt, def, 0); out != 0 || err != nil || time.Since(began) != 8*time.Second {
			t.Errorf("with signs of life: %v, %v after %v; want 0 after 8 s", out, err, time.Since(began))
		}
		began = time.Now()
		out, err := runtime.Execute(within(t), rt, def, 1)
		if took := time.Since(began); out != 1 || err != nil || took < 9*time.Second || took > 9*time.Second+10*time.Millisecond {
			t.Errorf("silent at first: %v, %v after %v; want 1 after 9 s", out, err, took)
		}
		silent := one(t, func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, workflow.HeartbeatTimeout(time.Second))
		_, err = runtime.Execute(within(t), rt, silent, 1)
		if te := taskError(t, err); !errors.Is(te, context.DeadlineExceeded) || te.Err.Error() != "heartbeat timed out after 1s: context canceled" {
			t.Errorf("silent: %v; want the heartbeat's timeout", err)
		}
		if s := rt.Stats(); s.Timeouts != 2 || s.Leaked != 0 {
			t.Errorf("%d timeouts, %d leaked; want 2 and 0", s.Timeouts, s.Leaked)
		}
	})
}

// TestHeartbeatIgnored: a silent body that does not return either is given up.
func TestHeartbeatIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{CancelGrace: time.Second})
		release := make(chan struct{})
		stuck := one(t, func(context.Context, int) (int, error) { <-release; return 0, nil }, workflow.HeartbeatTimeout(time.Second))
		began := time.Now()
		_, err := runtime.Execute(within(t), rt, stuck, 1)
		if te := taskError(t, err); !errors.Is(te, context.DeadlineExceeded) || rt.Stats().Leaked != 1 || time.Since(began) > 2*time.Second+10*time.Millisecond {
			t.Errorf("%v after %v, %d leaked; want a timeout after 2 s and 1", err, time.Since(began), rt.Stats().Leaked)
		}
		close(release)
		synctest.Wait()
	})
}

// TestDroppedAttemptOutlivesItsRun: a task that times out while it waits for a task actor does not disturb the run, nor
// later runs of the definition, which use memory again: its attempt is still in the queue when the run has ended.
func TestDroppedAttemptOutlivesItsRun(t *testing.T) {
	for _, schedule := range []runtime.Schedule{runtime.ScheduleFIFO, runtime.ScheduleCriticalPath} {
		synctest.Test(t, func(t *testing.T) {
			rt := start(t, runtime.Config{WorkflowActors: 1, TaskActors: 1, Schedule: schedule})
			var late atomic.Int64
			b := workflow.New[int]("dropped")
			workflow.Task(b, "slow", func(context.Context, int) (int, error) { <-time.After(200 * time.Millisecond); return 0, nil }, b.Input(),
				workflow.Priority(workflow.Critical))
			workflow.Task(b, "late", func(context.Context, int) (int, error) { late.Add(1); return 0, nil }, b.Input(),
				workflow.TaskTimeout(50*time.Millisecond), workflow.MayFail())
			def := build(t, b, b.Input())
			for round := range 3 {
				var wg sync.WaitGroup
				for i := range 4 {
					wg.Go(func() {
						if out, err := runtime.Execute(within(t), rt, def, i); out != i || err != nil {
							t.Errorf("round %d: %v, %v; want %d", round, out, err, i)
						}
					})
				}
				wg.Wait()
			}
			if s := rt.Stats(); s.Defects != 0 || late.Load() > 11 {
				t.Errorf("%d defects; the late task ran %d times", s.Defects, late.Load())
			}
		})
	}
}

// TestMapBeyondItsRate: items that the rate limit refuses unrun fail one by one, those that it lets through do not.
func TestMapBeyondItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{})
		rate, err := limit.NewRate(limit.RateConfig{PerSecond: 10, MaxWait: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		var ran atomic.Int64
		body := func(_ context.Context, n int) (int, error) { ran.Add(1); return n, nil }
		b := workflow.New[[]int]("kept")
		kept := workflow.MapResults(b, "items", body, b.Input(), workflow.RateLimit(rate))
		out, err := runtime.Execute(within(t), rt, build(t, b, kept), make([]int, 5000))
		good := 0
		for i, r := range out {
			if r.OK() {
				good++
			} else if !errors.Is(r.Err, limit.ErrRate) {
				t.Fatalf("item %d: %+v; want ErrRate", i, r)
			}
		}
		if err != nil || len(out) != 5000 || good != int(ran.Load()) || good < 10 || good > 12 {
			t.Errorf("%d results, %d good, %d ran, %v; want some 11 of 5000", len(out), good, ran.Load(), err)
		}
		<-time.After(time.Minute)
		b = workflow.New[[]int]("failing")
		items := workflow.Map(b, "items", body, b.Input(), workflow.RateLimit(rate), workflow.MayFail())
		run, err := runtime.Start(context.Background(), rt, build(t, b, items), make([]int, 5000))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Result(within(t)); err != nil || run.Report().Tasks[0].Status != workflow.StatusFailed {
			t.Errorf("a Map that may fail: %v, %v; want it failed and the run not", err, run.Report().Tasks[0].Status)
		}
	})
}

// exitingPolicy is a retry policy that ends the goroutine that asks it.
type exitingPolicy struct{}

func (exitingPolicy) Next(int, time.Duration, error) (time.Duration, bool) {
	goruntime.Goexit()
	return 0, false
}

// TestItemWhosePolicyExits: a Map fails when the policy of an item ends its goroutine, and so does the run, which can
// also be one that goes on.
func TestItemWhosePolicyExits(t *testing.T) {
	rt := start(t, runtime.Config{})
	for _, opts := range [][]workflow.Option{nil, {workflow.MayFail()}} {
		b := workflow.New[[]int]("exits")
		items := workflow.Map(b, "items", func(context.Context, int) (int, error) { return 0, errCard }, b.Input(),
			append(opts, workflow.Retry(exitingPolicy{}), workflow.Limit(3))...)
		run, err := runtime.Start(context.Background(), rt, build(t, b, items), make([]int, 20))
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.Result(within(t))
		if status := run.Report().Tasks[0].Status; status != workflow.StatusFailed || (err == nil) != (opts != nil) {
			t.Errorf("may fail %v: %v, the Map is %v", opts != nil, err, status)
		}
	}
}

// exitingRate ends the goroutine that asks it for a second place.
type exitingRate struct{ asked atomic.Int64 }

func (r *exitingRate) Reserve() (time.Duration, error) {
	if r.asked.Add(1) == 2 {
		goruntime.Goexit()
	}
	return 0, nil
}

// TestOrderThatExits: user code that ends the goroutine while an order is carried out takes neither other orders nor the
// run along.
func TestOrderThatExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{WorkflowActors: 1})
		for _, opts := range [][]workflow.Option{nil, {workflow.MayFail()}} {
			var others []*runtime.Run[int]
			again := workflow.Retry(retry.Constant{MaxAttempts: 2, Wait: time.Second})
			failing := func(ctx context.Context, n int) (int, error) {
				if workflow.AttemptOf(ctx).Number() == 1 {
					return 0, errCard
				}
				return n, nil
			}
			bad := one(t, failing, append(opts, again, workflow.RateLimit(new(exitingRate)))...)
			good := one(t, failing, again)
			run, err := runtime.Start(context.Background(), rt, bad, 1)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 10 {
				other, err := runtime.Start(context.Background(), rt, good, i)
				if err != nil {
					t.Fatal(err)
				}
				others = append(others, other)
			}
			_, err = run.Result(within(t))
			if (err == nil) != (opts != nil) {
				t.Errorf("may fail %v: %v", opts != nil, err)
			}
			for i, other := range others {
				if out, err := other.Result(within(t)); out != i || err != nil {
					t.Errorf("another run: %v, %v; want %d", out, err, i)
				}
			}
		}
	})
}

// TestBreakerLearnsOfHungCalls: a body that is given up counts as a failure at once, also as the trial of a half-open
// breaker, and its late return counts for nothing.
func TestBreakerLearnsOfHungCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{CancelGrace: time.Second})
		down, err := breaker.New(breaker.Config{Failures: 1, OpenFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		release, hangs := make(chan struct{}), new(atomic.Bool)
		hangs.Store(true)
		def := one(t, func(_ context.Context, n int) (int, error) {
			if hangs.Load() {
				<-release
			}
			return n, nil
		}, workflow.Breaker(down), workflow.Timeout(time.Second))
		for range 2 { // the first opens it, the second is the trial
			if _, err := runtime.Execute(within(t), rt, def, 1); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a call that hangs: %v", err)
			}
			if down.State() != breaker.Open {
				t.Errorf("after a call that hangs the breaker is %v; want open", down.State())
			}
			<-time.After(time.Minute)
		}
		hangs.Store(false)
		close(release)
		synctest.Wait()
		if out, err := runtime.Execute(within(t), rt, def, 7); out != 7 || err != nil || down.State() != breaker.Closed {
			t.Errorf("after the last trial: %v, %v, %v; want 7 and closed", out, err, down.State())
		}
	})
}
