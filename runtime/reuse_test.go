package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestKeptContexts: what bodies keep of their contexts stays that of their own run, whatever runs come after it: it is cancelled,
// has the values of its caller, and tells the same key. So does what is made of it later.
func TestKeptContexts(t *testing.T) {
	type caller struct{}
	type kept struct {
		ctx   context.Context
		key   string
		input int
	}
	rt := start(t, runtime.Config{TaskActors: 2})
	var mu sync.Mutex
	var all []kept
	keep := func(ctx context.Context, n int) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, kept{ctx, workflow.AttemptOf(ctx).IdempotencyKey(), ctx.Value(caller{}).(int)})
		return n, ctx.Err()
	}
	b := workflow.New[int]("kept")
	step := b.Input()
	for i := range 6 { // more than have their contexts together with the run's
		var opts []workflow.Option
		if i%2 == 1 {
			opts = append(opts, workflow.Inline())
		}
		step = workflow.Task(b, fmt.Sprint("task", i), keep, step, opts...)
	}
	def := build(t, b, step)
	const callers, runs = 4, 50
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range runs {
				n := c*runs + i
				if got, err := runtime.Execute(context.WithValue(context.Background(), caller{}, n), rt, def, n); got != n || err != nil {
					t.Errorf("%d, %v; want %d", got, err, n)
				}
			}
		})
	}
	wg.Wait()
	if len(all) != callers*runs*6 {
		t.Fatalf("%d bodies ran; want %d", len(all), callers*runs*6)
	}
	keys := make(map[string]bool)
	for i, k := range all {
		if keys[k.key] {
			t.Errorf("two bodies had the key %s", k.key)
		}
		keys[k.key] = true
		if got := workflow.AttemptOf(k.ctx).IdempotencyKey(); got != k.key {
			t.Errorf("the key became %s; want %s", got, k.key)
		}
		if got := k.ctx.Value(caller{}); got != k.input {
			t.Errorf("%s: the value became %v; want %d", k.key, got, k.input)
		}
		if i%2 == 0 { // the others are asked for Done first
			if err := k.ctx.Err(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: Err = %v", k.key, err)
			}
		}
		select {
		case <-k.ctx.Done():
		default:
			t.Errorf("%s: not done", k.key)
		}
		if cause := context.Cause(k.ctx); !errors.Is(cause, context.Canceled) {
			t.Errorf("%s: cause %v", k.key, cause)
		}
		child, cancel := context.WithTimeout(k.ctx, time.Hour)
		if err := child.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a child that was made later: Err = %v", k.key, err)
		}
		cancel()
	}
}

// TestRunsDoNotMix: callers execute workflows of all sorts one after the other, some of which fail, are cancelled, time out or leave
// goroutines behind that use their contexts, and each gets the outcome of its own run.
func TestRunsDoNotMix(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 4, WorkflowActors: 2, MailboxCapacity: 8, MaxRuns: 64, Overflow: runtime.OverflowWait})
	double := func(_ context.Context, n int) (int, error) { return 2 * n, nil }
	var left sync.WaitGroup
	chain := func(name string, tasks int, f func(context.Context, int) (int, error), opts ...workflow.Option) *workflow.Definition[int, int] {
		b := workflow.New[int](name)
		step := b.Input()
		for i := range tasks {
			step = workflow.Task(b, fmt.Sprint("task", i), f, step, opts...)
		}
		return build(t, b, step)
	}
	fan := func(width int, opts ...workflow.Option) *workflow.Definition[int, int] {
		b := workflow.New[int]("fan")
		add := func(_ context.Context, a, b int) (int, error) { return a + b, nil }
		sum := workflow.Task(b, "leaf", double, b.Input(), opts...)
		for i := range width - 1 {
			leaf := workflow.Task(b, fmt.Sprint("leaf", i), double, b.Input(), opts...)
			sum = workflow.Task2(b, fmt.Sprint("sum", i), add, sum, leaf, opts...)
		}
		return build(t, b, sum)
	}
	broken := errors.New("broken")
	defs := []struct {
		def    *workflow.Definition[int, int]
		factor int
		err    error
	}{
		{chain("one", 1, double), 2, nil},
		{chain("three", 3, double), 8, nil},
		{chain("inline", 3, double, workflow.Inline()), 8, nil},
		{chain("nine", 9, double), 512, nil},
		{fan(5), 10, nil},
		{fan(40), 80, nil},
		{fan(40, workflow.Inline()), 80, nil},
		{chain("bounded", 3, double, workflow.Timeout(time.Hour)), 8, nil},
		{chain("retried", 2, func(ctx context.Context, n int) (int, error) {
			if workflow.AttemptOf(ctx).Number() == 1 && n%2 == 0 {
				return 0, errors.New("not yet")
			}
			return double(ctx, n)
		}, workflow.Retry(retry.Constant{})), 4, nil},
		{chain("failing", 2, func(context.Context, int) (int, error) { return 0, broken }), 0, broken},
		{chain("asking", 2, func(ctx context.Context, n int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }), 0, context.Canceled},
		{chain("leaving", 2, func(ctx context.Context, n int) (int, error) {
			left.Go(func() {
				key := workflow.AttemptOf(ctx).IdempotencyKey()
				<-ctx.Done()
				if again := workflow.AttemptOf(ctx).IdempotencyKey(); again != key {
					t.Errorf("the key %s became %s", key, again)
				}
			})
			return double(ctx, n)
		}), 4, nil},
	}
	runs := 2000
	if testing.Short() {
		runs = 200
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	for c := range uint64(8) {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, c))
			for range runs {
				d, n := defs[rnd.IntN(len(defs))], rnd.IntN(1000)
				ctx, cancel := context.WithCancel(context.Background())
				stop := func() {}
				if errors.Is(d.err, context.Canceled) || rnd.IntN(10) == 0 { // at any moment of the run, or after it
					timer := time.AfterFunc(time.Duration(rnd.IntN(50))*time.Microsecond, cancel)
					stop = func() { timer.Stop() }
				}
				got, err := runtime.Execute(ctx, rt, d.def, n)
				switch {
				case err == nil && d.err == nil && got != n*d.factor:
					t.Errorf("%s of %d: %d; want %d", d.def.Plan().Name, n, got, n*d.factor)
				case err == nil && d.err != nil:
					t.Errorf("%s: no error; want %v", d.def.Plan().Name, d.err)
				case err != nil && !errors.Is(err, d.err) && ctx.Err() == nil:
					t.Errorf("%s: %v; want %v", d.def.Plan().Name, err, d.err)
				}
				stop()
				cancel()
			}
		})
	}
	wg.Wait()
	left.Wait()
}

// TestOneWorkflowTwoRuntimes: what a runtime that measures its tasks leaves in the memory of their workflow's runs does not get into
// the reports of one that does not.
func TestOneWorkflowTwoRuntimes(t *testing.T) {
	b := workflow.New[int]("shared")
	double := func(_ context.Context, n int) (int, error) { return 2 * n, nil }
	def := build(t, b, workflow.Task(b, "second", double, workflow.Task(b, "first", double, b.Input()), workflow.Retry(retry.Constant{})))
	measures := start(t, runtime.Config{TaskActors: 1, TaskActorsMin: 1, TaskActorsMax: 2})
	plain := start(t, runtime.Config{TaskActors: 1})
	for range 100 {
		began := time.Now()
		if _, err := runtime.Execute(t.Context(), measures, def, 1); err != nil {
			t.Fatal(err)
		}
		run, err := runtime.Start(t.Context(), plain, def, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Result(within(t)); err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		for _, task := range run.Report().Tasks {
			if task.Queue < 0 || task.Queue > took {
				t.Fatalf("%s waited for %v; the whole took %v", task.Name, task.Queue, took)
			}
		}
	}
}

// startObserver calls f for each run that begins.
type startObserver struct{ f func() }

func (o startObserver) RunStarted(ctx context.Context, _ *runtime.Event) context.Context {
	o.f()
	return ctx
}
func (startObserver) RunEnded(context.Context, *runtime.Event) {}
func (startObserver) AttemptStarted(ctx context.Context, _ *runtime.Event) context.Context {
	return ctx
}
func (startObserver) AttemptEnded(context.Context, *runtime.Event) {}
func (startObserver) Noticed(*runtime.Event, runtime.Notice)       {}

// TestStartUnderTheObserversLock: who starts runs under a lock that its observer takes, too, gets the run.
func TestStartUnderTheObserversLock(t *testing.T) {
	var table sync.Mutex
	rt := start(t, runtime.Config{Observer: startObserver{func() { table.Lock(); defer table.Unlock() }}})
	def := one(t, func(_ context.Context, n int) (int, error) { return n, nil })
	started := make(chan *runtime.Run[int], 1)
	go func() {
		table.Lock()
		defer table.Unlock()
		run, err := runtime.Start(context.Background(), rt, def, 1)
		if err != nil {
			t.Error(err)
		}
		started <- run
	}()
	select {
	case run := <-started:
		if got, err := run.Result(within(t)); got != 1 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	case <-within(t).Done():
		t.Fatal("Start has not returned")
	}
}

// TestObserverExits: an observer that ends the goroutine that it is called on, which it must not, costs a run and nothing else.
func TestObserverExits(t *testing.T) {
	var exits atomic.Bool
	exits.Store(true)
	rt := start(t, runtime.Config{Observer: startObserver{func() {
		if exits.Swap(false) {
			goruntime.Goexit()
		}
	}}})
	def := one(t, func(_ context.Context, n int) (int, error) { return n, nil })
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = runtime.Execute(context.Background(), rt, def, 1) })
	wg.Wait()
	eventually(t, "the run is cancelled", func() bool { return rt.Stats().Cancelled == 1 })
	if got, err := runtime.Execute(context.Background(), rt, def, 2); got != 2 || err != nil {
		t.Errorf("afterwards: %d, %v", got, err)
	}
}

// TestEndedContextsCause: a context that has ended before says why.
func TestEndedContextsCause(t *testing.T) {
	rt := start(t, runtime.Config{})
	why := errors.New("the client has gone")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	_, err := runtime.Execute(ctx, rt, one(t, func(_ context.Context, n int) (int, error) { return n, nil }), 1)
	if !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v; want both %v and %v", err, why, context.Canceled)
	}
}
