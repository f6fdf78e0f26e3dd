package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/limit"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// soakFor is how long the soak lasts: RINGMILL_STRESS, else a moment.
func soakFor(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv("RINGMILL_STRESS")
	if s == "" {
		return 500 * time.Millisecond
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatalf("RINGMILL_STRESS: %q is not a duration; want something like 10m", s)
	}
	return d
}

// moody returns a body that mostly succeeds and otherwise does one of the things
// that user code does. No body outlives release.
func moody(seed *atomic.Uint64, release <-chan struct{}) func(context.Context, int) (int, error) {
	return func(ctx context.Context, n int) (int, error) {
		switch rand.New(rand.NewPCG(seed.Add(1), 7)).IntN(200) {
		case 0, 1:
			return 0, errCard
		case 2:
			panic("soak")
		case 3:
			<-ctx.Done() // its timeout, or the run's end
			return 0, ctx.Err()
		case 4:
			select { // ignores its context for longer than CancelGrace
			case <-release:
			case <-time.After(5 * time.Millisecond):
			}
		case 5:
			goruntime.Goexit()
		case 6, 7, 8, 9:
			goruntime.Gosched()
		}
		return n + 1, nil
	}
}

// soakGraph is a workflow with everything in it: a chain, a fan, a Map, retries, timeouts, branches, failures that
// it survives, priorities, and tasks that share a cache, a breaker and limits with those of other runs.
func soakGraph(t *testing.T, body func(context.Context, int) (int, error)) *workflow.Definition[int, int] {
	t.Helper()
	undo := []workflow.Option{ // failures come back as part of the run's error
		workflow.Compensate(func(ctx context.Context, n int) error { _, err := body(ctx, n); return err }),
		workflow.CompensateRetry(retry.Exponential{MaxAttempts: 2, Base: time.Microsecond, Max: time.Millisecond}),
	}
	again := workflow.Retry(retry.Exponential{MaxAttempts: 3, Base: time.Microsecond, Max: time.Millisecond, Jitter: 1})
	bound := workflow.Timeout(2 * time.Millisecond)
	b := workflow.New[int]("soak", workflow.CompensateTimeout(2*time.Millisecond))
	head := workflow.Task(b, "head", body, b.Input(), append(undo, again, bound)...)
	link := workflow.Task(b, "link", body, head, append(undo, bound)...)
	var leaves []workflow.Node
	for i := range 8 {
		leaves = append(leaves, workflow.Task(b, fmt.Sprintf("leaf-%d", i), body, link, again, bound))
	}
	list := workflow.Task(b, "list", func(_ context.Context, n int) ([]int, error) { return make([]int, n%16), nil }, link)
	items := workflow.Map(b, "items", body, list, workflow.Limit(3), again, bound, workflow.TaskTimeout(time.Second),
		workflow.CompensateItem(func(ctx context.Context, n int) error { _, err := body(ctx, n); return err }))
	shared := newShared(t)
	leaves = append(leaves,
		workflow.Task(b, "inline", func(_ context.Context, n int) (int, error) { return n, nil }, head, workflow.Inline()),
		workflow.Task(b, "urgent", body, head, workflow.Priority(workflow.Critical), bound),
		workflow.Task(b, "low", body, head, workflow.Priority(workflow.Low), again, bound))
	branch := workflow.Task(b, "branch", body, head, workflow.When(head, func(n int) bool { return n%3 != 0 }), workflow.MayFail(), bound)
	below := workflow.Task(b, "below", body, branch, workflow.MayFail(), bound)
	cached := workflow.Task(b, "cached", body, head, workflow.CacheBy(head, time.Millisecond, func(n int) string { return fmt.Sprint(n % 4) }), workflow.MayFail(), again, bound)
	placed := workflow.Task(b, "placed", body, cached, workflow.ConcurrencyBy(head, shared.places, func(n int) string { return fmt.Sprint(n % 2) }),
		workflow.TriggerOn(workflow.AllDone), workflow.MayFail(), workflow.TaskTimeout(5*time.Millisecond))
	braked := workflow.Task(b, "braked", body, head, workflow.Breaker(shared.breaker), workflow.RateLimit(shared.rate), workflow.MayFail(), again, bound)
	loop := workflow.Repeat(b, "loop", body, head, func(n int) bool { return n%5 == 0 }, 6, workflow.MayFail(), again, bound)
	kept := workflow.MapResults(b, "kept", body, list, workflow.Limit(5), again, bound, workflow.RateLimit(shared.rate))
	leaves = append(leaves, workflow.Task(b, "join", func(_ context.Context, n int) (int, error) { return n, nil }, b.Input(),
		workflow.After(branch, below, cached, placed, braked, loop, kept), workflow.TriggerOn(workflow.AllDone)))
	sum := workflow.Task(b, "sum", func(_ context.Context, xs []int) (int, error) { return len(xs), nil }, items, workflow.After(leaves...))
	return build(t, b, workflow.Task(b, "tail", body, sum, workflow.TaskTimeout(3*time.Millisecond)))
}

// shared is what the tasks of all runs of one soak share.
type shared struct {
	places  *limit.Concurrency
	breaker *breaker.Breaker
	rate    *limit.Rate
}

func newShared(t *testing.T) (s shared) {
	t.Helper()
	var err [3]error
	s.places, err[0] = limit.NewConcurrency(3)
	s.breaker, err[1] = breaker.New(breaker.Config{OpenFor: 3 * time.Millisecond})
	s.rate, err[2] = limit.NewRate(limit.RateConfig{PerSecond: 20_000, Burst: 10, MaxWait: time.Millisecond})
	if err := errors.Join(err[:]...); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSoak runs moody workflows from many callers, some of whom lose patience,
// under every overflow policy: each run ends in one way, callers and counters
// agree, memory stays flat and nothing is left.
func TestSoak(t *testing.T) {
	overflows := []runtime.Overflow{runtime.OverflowDefault, runtime.OverflowFail, runtime.OverflowDropNewest, runtime.OverflowDropOldest}
	seed := new(atomic.Uint64)
	seed.Store(uint64(time.Now().UnixNano()))
	t.Logf("seed %d", seed.Load())
	for i, overflow := range overflows {
		cfg := runtime.Config{
			WorkflowActors: 1 + 2*i, TaskActors: 4 + 8*i, MailboxCapacity: 1 + i, MaxRuns: 40,
			CancelGrace: time.Millisecond, RetainedRuns: 1000, Overflow: overflow, Policy: []string{"idle", "round-robin", "least-loaded", "hash"}[i], Schedule: runtime.Schedule(i % 2), Observer: &balance{t: t},
		}
		if i%2 == 0 {
			cfg.Observer = nil // so that runs use the memory of others again
		}
		if i == 3 {
			cfg.TaskActorsMin, cfg.TaskActorsMax = 1, 2*cfg.TaskActors
		}
		t.Run(fmt.Sprintf("overflow=%d", overflow), func(t *testing.T) { soak(t, cfg, seed, soakFor(t)/time.Duration(len(overflows))) })
	}
}

func soak(t *testing.T, cfg runtime.Config, seed *atomic.Uint64, lasts time.Duration) {
	release := make(chan struct{})
	rt, err := runtime.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	def := soakGraph(t, moody(seed, release))
	var succeeded, failed, cancelled, refused, shed atomic.Uint64
	var executed outcomes
	var atHalf uint64
	end := time.Now().Add(lasts)
	ctx, cancel := context.WithTimeout(context.Background(), lasts+patience) // one for all: a test keeps what each call of within makes
	defer cancel()
	var wg sync.WaitGroup
	for caller := range 16 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed.Load(), uint64(caller)))
			for time.Now().Before(end) {
				if caller == 0 && atHalf == 0 && time.Until(end) < lasts/2 {
					atHalf = liveBytes()
				}
				if caller%2 == 1 {
					executeImpatiently(ctx, t, rt, def, rng, &executed)
					continue
				}
				opts := []runtime.RunOption{runtime.Priority(workflow.Level(rng.IntN(5)))}
				in, named := rng.IntN(100), rng.IntN(4) == 0
				if named {
					opts = append(opts, runtime.ID(fmt.Sprintf("%d-%x", caller, rng.Uint64())))
				}
				run, err := runtime.Start(context.Background(), rt, def, in, opts...)
				if errors.Is(err, runtime.ErrOverloaded) {
					refused.Add(1)
					goruntime.Gosched()
					continue
				}
				if err != nil {
					t.Errorf("Start: %v", err)
					return
				}
				if rng.IntN(20) == 0 {
					run.Cancel()
				}
				_, err = run.Result(ctx)
				if named && !errors.Is(err, runtime.ErrOverloaded) {
					again, err := runtime.Start(context.Background(), rt, def, in, opts...)
					if err != nil || again.Status() != run.Status() {
						t.Errorf("the same id again: %v; the run %v", err, run.Status())
					}
				}
				switch status := run.Status(); {
				case status == workflow.StatusCancelled && errors.Is(err, runtime.ErrOverloaded):
					shed.Add(1)
				case status == workflow.StatusCancelled && errors.Is(err, context.Canceled):
					cancelled.Add(1)
				case status == workflow.StatusFailed && err != nil:
					taskError(t, err)
					failed.Add(1)
				case status == workflow.StatusSucceeded && err == nil:
					succeeded.Add(1)
				default:
					var open []string
					for _, task := range run.Report().Tasks {
						if !task.Status.Ended() {
							open = append(open, task.Name+" is "+task.Status.String())
						}
					}
					t.Errorf("status %v, error %v; %v", status, err, open)
					return
				}
			}
		})
	}
	wg.Wait()
	close(release)
	if err := rt.Stop(within(t)); err != nil {
		t.Errorf("Stop: %v", err)
	}
	checkCounts(t, rt)
	s := rt.Stats()
	succeeded.Add(executed.succeeded.Load())
	failed.Add(executed.failed.Load())
	shed.Add(executed.shed.Load())
	if s.Succeeded != succeeded.Load() || s.Failed != failed.Load() || s.RunsBound.Shed+s.MailboxBound.Shed != shed.Load() || s.Leaked != 0 {
		t.Errorf("the callers saw %d succeeded, %d failed, %d shed; stats %+v", succeeded.Load(), failed.Load(), shed.Load(), s)
	}
	t.Logf("%d succeeded, %d failed, %d cancelled, %d shed, %d refused; %d retries, %d panics, %d timeouts",
		succeeded.Load(), failed.Load(), cancelled.Load(), shed.Load(), refused.Load(), s.Retries, s.Panics, s.Timeouts)
	t.Logf("%d compensations, %d in vain, %d runs joined, %d kept; %d cache hits", s.Compensations, s.NotCompensated, s.JoinedRuns, s.RetainedRuns, s.Cache.Hits)
	const enough = 200 // runs, after which neither can be missing by chance
	if s.Accepted > enough && (s.Compensations == 0 || s.JoinedRuns == 0) {
		t.Error("the soak has compensated nothing, or joined no run")
	}
	if now := liveBytes(); lasts > time.Minute && now > 2*atHalf+(16<<20) {
		t.Errorf("%d MiB live at half time, %d at the end", atHalf>>20, now>>20)
	}
}

// outcomes counts how calls of Execute ended.
type outcomes struct{ succeeded, failed, shed atomic.Uint64 }

// executeImpatiently executes a run as a caller does that may lose its patience.
func executeImpatiently(patient context.Context, t *testing.T, rt *runtime.Runtime, def *workflow.Definition[int, int], rng *rand.Rand, o *outcomes) {
	ctx, cancel := patient, context.CancelFunc(func() {})
	if rng.IntN(10) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rng.IntN(2000))*time.Microsecond)
	}
	defer cancel()
	_, err := runtime.Execute(ctx, rt, def, rng.IntN(100))
	switch _, ofTask := errors.AsType[*workflow.TaskError](err); {
	case err == nil:
		o.succeeded.Add(1)
	case ofTask:
		o.failed.Add(1)
	case errors.Is(err, runtime.ErrOverloaded):
		if _, ended := errors.AsType[*runtime.RunError](err); ended && ctx.Err() == nil {
			o.shed.Add(1)
		}
		goruntime.Gosched()
	case !errors.Is(err, ctx.Err()) || ctx.Err() == nil:
		t.Errorf("Execute: %v (%T)", err, err)
	}
}

// balance is an observer that holds that every start has its end, and that what a
// run did ended before the run.
type balance struct {
	t    *testing.T
	open sync.Map // run id -> *atomic.Int64, attempts under way
}

func (b *balance) RunStarted(ctx context.Context, e *runtime.Event) context.Context {
	b.open.Store(e.RunID, new(atomic.Int64))
	return ctx
}

func (b *balance) RunEnded(_ context.Context, e *runtime.Event) {
	if n, ok := b.open.LoadAndDelete(e.RunID); !ok || n.(*atomic.Int64).Load() != 0 {
		b.t.Errorf("run %s ended: started %v, %v attempts under way", e.RunID, ok, n)
	}
}

func (b *balance) AttemptStarted(ctx context.Context, e *runtime.Event) context.Context {
	b.attempts(e, 1)
	return ctx
}

func (b *balance) AttemptEnded(_ context.Context, e *runtime.Event) { b.attempts(e, -1) }

func (b *balance) attempts(e *runtime.Event, delta int64) {
	if n, ok := b.open.Load(e.RunID); ok {
		n.(*atomic.Int64).Add(delta)
	} else {
		b.t.Errorf("an attempt of %s outside of its run: %+v", e.RunID, *e)
	}
}

func (b *balance) Noticed(*runtime.Event, runtime.Notice) {}

// liveBytes is the heap after a collection.
func liveBytes() uint64 {
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return m.HeapAlloc
}
