package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestID: calls with one id, at the same time and later, share one run and its outcome, well or not.
func TestID(t *testing.T) {
	rt := start(t, runtime.Config{})
	var calls atomic.Int64
	inside, release := make(chan struct{}, 1), make(chan struct{})
	def := one(t, func(_ context.Context, n int) (int, error) {
		calls.Add(1)
		inside <- struct{}{}
		<-release
		if n < 0 {
			return 0, errCard
		}
		return n * 2, nil
	})
	for _, n := range []int{7, -1} {
		calls.Store(0)
		release = make(chan struct{})
		id := runtime.ID(fmt.Sprint("o", n))
		check := func(out int, err error) {
			if n > 0 && (out != 14 || err != nil) || n < 0 && !errors.Is(err, errCard) {
				t.Errorf("%d: %v, %v", n, out, err)
			}
		}
		first, err := runtime.Start(context.Background(), rt, def, n, id)
		if err != nil {
			t.Fatal(err)
		}
		<-inside
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				if i%2 == 0 {
					check(runtime.Execute(within(t), rt, def, n, id))
					return
				}
				run, err := runtime.Start(context.Background(), rt, def, n, id)
				if err != nil || run.ID() != first.ID() {
					t.Errorf("Start: %v", err)
					return
				}
				check(run.Result(within(t)))
			})
		}
		close(release)
		wg.Wait()
		check(runtime.Execute(within(t), rt, def, n, id)) // it has ended
		if calls.Load() != 1 {
			t.Errorf("%d executions", calls.Load())
		}
	}
	if s := rt.Stats(); s.Accepted != 2 || s.JoinedRuns != 82 || s.RetainedRuns != 2 {
		t.Errorf("accepted %d, joined %d, kept %d", s.Accepted, s.JoinedRuns, s.RetainedRuns)
	}
}

// TestIDRace: of callers that come at once with a new id one starts the run.
func TestIDRace(t *testing.T) {
	for _, cfg := range []runtime.Config{{}, {MaxRuns: 1, MailboxCapacity: 1, WorkflowActors: 1}} {
		rt := start(t, cfg)
		var calls atomic.Int64
		def := one(t, func(_ context.Context, n int) (int, error) { calls.Add(1); return n, nil })
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for i := range 200 {
					if out, err := runtime.Execute(within(t), rt, def, i, runtime.ID(fmt.Sprint(i))); out != i || err != nil {
						t.Errorf("%v, %v", out, err)
					}
				}
			})
		}
		wg.Wait()
		if s := rt.Stats(); calls.Load() != 200 || s.Accepted != 200 || s.JoinedRuns != 15*200 {
			t.Errorf("%d executions; stats %+v", calls.Load(), s)
		}
	}
}

// TestIDConflict: another workflow, type or input under the same id is an error that says what differs.
func TestIDConflict(t *testing.T) {
	rt := start(t, runtime.Config{})
	id := runtime.ID("o-1")
	def := one(t, increment)
	again := one(t, increment) // the same workflow, defined anew
	for _, d := range []*workflow.Definition[int, int]{def, again} {
		if out, err := runtime.Execute(within(t), rt, d, 1, id); out != 2 || err != nil {
			t.Errorf("%v, %v", out, err)
		}
	}
	conflict := func(err error, want string) {
		t.Helper()
		if !errors.Is(err, runtime.ErrIDConflict) || !strings.Contains(err.Error(), `"o-1" is a run of workflow one with `+want) {
			t.Errorf("error = %v; want %s", err, want)
		}
	}
	_, err := runtime.Execute(within(t), rt, def, 2, id)
	conflict(err, "another input")
	_, err = runtime.Start(context.Background(), rt, one(t, func(context.Context, int) (string, error) { return "", nil }), 1, id)
	conflict(err, "another input")
	b := workflow.New[int]("other")
	other := build(t, b, workflow.Task(b, "x", increment, b.Input()))
	_, err = runtime.Execute(within(t), rt, other, 1, id)
	conflict(err, "tasks of its own")

	file, err := workflow.ParseYAML([]byte(`{"tasks": {"a": {"go": "Echo", "with": "${{ input }}"}}}`), workflow.Funcs(map[string]workflow.Func{
		"Echo": func(_ context.Context, in json.RawMessage) (any, error) { return in, nil }}))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{`{"a": 1}`, `{"a":1}`} {
		if out, err := runtime.Execute(within(t), rt, file, json.RawMessage(in), runtime.ID("json")); err != nil || string(out) != `{"a":{"a": 1}}` {
			t.Errorf("%s, %v", out, err)
		}
	}
	if _, err := runtime.Execute(within(t), rt, def, 1, runtime.ID(strings.Repeat("x", runtime.MaxIDBytes+1))); err == nil || !strings.Contains(err.Error(), "hash it") {
		t.Errorf("error = %v", err)
	}
	funcs := one(t, func(_ context.Context, f func() int) (int, error) { return f(), nil })
	_, err = runtime.Execute(within(t), rt, funcs, func() int { return 3 }, runtime.ID("f"))
	_, err2 := runtime.Start(within(t), rt, funcs, func() int { return 3 }, runtime.ID("f"))
	for _, err := range []error{err, err2} {
		if err == nil || !strings.Contains(err.Error(), "func() int holds a func: keep that out of the input, pass a pointer to it, or leave the id out") {
			t.Errorf("an input that cannot be compared: %v", err)
		}
	}
	if out, err := runtime.Execute(within(t), rt, funcs, func() int { return 3 }); out != 3 || err != nil {
		t.Errorf("without an id: %v, %v", out, err)
	}
	type call struct{ f func() int }
	pointers := one(t, func(_ context.Context, c *call) (int, error) { return c.f(), nil })
	three, four := &call{func() int { return 3 }}, &call{func() int { return 4 }}
	for range 2 {
		if out, err := runtime.Execute(within(t), rt, pointers, three, runtime.ID("p")); out != 3 || err != nil {
			t.Errorf("%v, %v", out, err)
		}
	}
	if _, err := runtime.Execute(within(t), rt, pointers, four, runtime.ID("p")); !errors.Is(err, runtime.ErrIDConflict) {
		t.Errorf("another pointer: %v", err)
	}
}

// TestIDRetention: a run is kept for its time, and no more of them than are allowed; nothing is left of others.
func TestIDRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{RunRetention: time.Minute, RetainedRuns: 10})
		var calls atomic.Int64
		def := one(t, func(_ context.Context, n int) (int, error) { return int(calls.Add(1)), nil })
		do := func(id int) int {
			out, err := runtime.Execute(context.Background(), rt, def, 0, runtime.ID(fmt.Sprint(id)))
			if err != nil {
				t.Error(err)
			}
			return out
		}
		kept := func(want int) {
			t.Helper()
			synctest.Wait()
			if n := rt.Stats().RetainedRuns; n != want {
				t.Errorf("%d runs kept; want %d", n, want)
			}
		}
		first := do(1)
		time.Sleep(59 * time.Second)
		if do(1) != first {
			t.Error("forgotten too early")
		}
		do(2)
		time.Sleep(2 * time.Second)
		kept(1)
		if do(1) == first {
			t.Error("kept too long")
		}
		for id := range 1000 {
			do(id)
		}
		kept(10)
		if before := calls.Load(); do(999) != int(before) {
			t.Error("the latest one is forgotten")
		}
		time.Sleep(time.Hour)
		kept(0)
		b := workflow.New[int]("large")
		for i := range 200 {
			workflow.Task(b, fmt.Sprint(i), increment, b.Input())
		}
		large := build(t, b, b.Input())
		if _, err := runtime.Execute(context.Background(), rt, large, 0, runtime.ID("large")); err != nil {
			t.Error(err)
		}
		kept(0) // 200 tasks count as more than 10 runs
	})
}

// TestIDRefused: the id of a run that was not admitted is free; who joins a caller that waits for room waits with it, or is told.
func TestIDRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{MaxRuns: 1})
		release := make(chan struct{})
		def := one(t, func(_ context.Context, n int) (int, error) { <-release; return n, nil })
		if _, err := runtime.Start(context.Background(), rt, def, 1); err != nil {
			t.Fatal(err)
		}
		id := runtime.ID("late")
		for range 2 {
			if _, err := runtime.Start(context.Background(), rt, def, 2, id); !errors.Is(err, runtime.ErrOverloaded) {
				t.Errorf("Start: %v", err)
			}
		}
		impatient, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := runtime.Execute(impatient, rt, def, 2, id); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the first: %v", err)
			}
		})
		synctest.Wait()
		for range 3 {
			wg.Go(func() {
				if out, err := runtime.Execute(context.Background(), rt, def, 2, id); out != 2 || err != nil {
					t.Errorf("one that waits: %v, %v", out, err)
				}
			})
		}
		synctest.Wait()
		if _, err := runtime.Start(context.Background(), rt, def, 2, id); !errors.Is(err, runtime.ErrOverloaded) {
			t.Errorf("Start beside one that waits: %v", err)
		}
		time.Sleep(time.Hour) // the first has lost its patience, another one waits in its place
		close(release)
		wg.Wait()
		if s := rt.Stats(); s.Accepted != 2 || s.JoinedRuns != 2 {
			t.Errorf("accepted %d, joined %d", s.Accepted, s.JoinedRuns)
		}
	})
}

// TestIDAfterWait: a run that had to wait for room is there for those who do not wait, as soon as it has been admitted.
func TestIDAfterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{MaxRuns: 1})
		release := make(chan struct{})
		def := one(t, func(_ context.Context, n int) (int, error) { <-release; return n, nil })
		if _, err := runtime.Start(context.Background(), rt, def, 1); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if out, err := runtime.Execute(context.Background(), rt, def, 2, runtime.ID("x")); out != 2 || err != nil {
				t.Errorf("the first: %v, %v", out, err)
			}
		})
		synctest.Wait()
		close(release)
		wg.Wait()
		for range 64 {
			if _, err := runtime.Start(context.Background(), rt, def, 2, runtime.ID("x")); err != nil {
				t.Fatalf("Start of a run that has ended: %v", err)
			}
		}
	})
}

// TestIDShed: a run that was shed was none.
func TestIDShed(t *testing.T) {
	for _, overflow := range []runtime.Overflow{runtime.OverflowDropNewest, runtime.OverflowDropOldest} {
		rt := start(t, runtime.Config{MaxRuns: 1, WorkflowActors: 1, TaskActors: 1, Overflow: overflow})
		inside, release := make(chan struct{}), make(chan struct{})
		def := one(t, func(_ context.Context, n int) (int, error) {
			if n == 0 {
				close(inside)
				<-release
			}
			return n, nil
		})
		busy, err := runtime.Start(context.Background(), rt, def, 0, runtime.ID("busy"))
		if err != nil {
			t.Fatal(err)
		}
		<-inside
		shed, err := runtime.Start(context.Background(), rt, def, 1, runtime.ID("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := shed.Result(within(t)); !errors.Is(err, runtime.ErrOverloaded) {
			t.Errorf("error = %v", err)
		}
		close(release)
		if _, err := busy.Result(within(t)); err != nil {
			t.Error(err)
		}
		if out, err := runtime.Execute(within(t), rt, def, 1, runtime.ID("x")); out != 1 || err != nil {
			t.Errorf("%v, %v", out, err)
		}
	}
}

// TestIDJoinedExecute: the end of a joined caller's context is its own; that of the first cancels the run for all.
func TestIDJoinedExecute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := start(t, runtime.Config{})
		def := one(t, func(ctx context.Context, n int) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
		execute := func(patience time.Duration) error {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_, err := runtime.Execute(ctx, rt, def, 1, runtime.ID("x"))
			return err
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := execute(time.Hour); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the first: %v", err)
			}
		})
		synctest.Wait()
		if err := execute(time.Minute); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waiting for run x, which another call started") {
			t.Errorf("joined: %v", err)
		}
		if s := rt.Stats(); s.InFlight != 1 {
			t.Error("the run was cancelled by one who had joined it")
		}
		wg.Wait()
		if err := execute(time.Minute); !errors.Is(err, context.DeadlineExceeded) || rt.Stats().Accepted != 1 {
			t.Errorf("after its end: %v", err)
		}
	})
}

// endedContext is done, which it says when it is asked the second time.
type endedContext struct {
	context.Context
	asked atomic.Int64
}

func (c *endedContext) Err() error {
	if c.asked.Add(1) == 1 {
		return nil
	}
	return context.Canceled
}

func (*endedContext) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

// TestIDJoinedLate: of a run that has ended, a caller whose context ends at the same moment has the outcome.
func TestIDJoinedLate(t *testing.T) {
	rt := start(t, runtime.Config{})
	run, err := runtime.Start(t.Context(), rt, one(t, increment), 1, runtime.ID("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Result(within(t)); err != nil {
		t.Fatal(err)
	}
	for range 64 { // a select would take either
		if out, err := runtime.Execute(&endedContext{Context: t.Context()}, rt, one(t, increment), 1, runtime.ID("x")); out != 2 || err != nil {
			t.Fatalf("%v, %v", out, err)
		}
	}
}

// refusals counts the notices of runs that were refused.
type refusals struct {
	hostile
	ids chan string
}

func (r refusals) Noticed(e *runtime.Event, n runtime.Notice) {
	if n == runtime.NoticeRefused && e.Workflow == "one" && errors.Is(e.Err, runtime.ErrOverloaded) {
		r.ids <- e.RunID
	}
}

// TestIDRefusedNotice: a caller that is refused because another one of the same id waits for room is a refusal like any other.
func TestIDRefusedNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := refusals{ids: make(chan string, 8)}
		rt := start(t, runtime.Config{MaxRuns: 1, Observer: seen})
		release := make(chan struct{})
		def := one(t, func(_ context.Context, n int) (int, error) { <-release; return n, nil })
		if _, err := runtime.Start(t.Context(), rt, def, 1); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := runtime.Execute(context.Background(), rt, def, 2, runtime.ID("x")); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if _, err := runtime.Start(t.Context(), rt, def, 2, runtime.ID("x")); !errors.Is(err, runtime.ErrOverloaded) {
			t.Errorf("Start beside one that waits: %v", err)
		}
		select {
		case id := <-seen.ids:
			if id != "x" {
				t.Errorf("run %q was refused", id)
			}
		default:
			t.Error("nobody was told of the refusal")
		}
		close(release)
		wg.Wait()
	})
}

// TestIdempotencyKeysDiffer: no two pieces of a run's work have the same key, whatever its tasks are called.
func TestIdempotencyKeysDiffer(t *testing.T) {
	rt := start(t, runtime.Config{})
	var mu sync.Mutex
	seen := map[string]int{}
	note := func(ctx context.Context, n int) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		seen[workflow.IdempotencyKey(ctx)]++
		return n, nil
	}
	undo := func(ctx context.Context, _ int) error { _, err := note(ctx, 0); return err }
	in := workflow.New[int]("inner")
	a := workflow.Task(in, "compensate", note, in.Input())
	inner := build(t, in, workflow.Task(in, "undone-1", note, a))

	b := workflow.New[int]("outer")
	var after []workflow.Node
	list := workflow.Task(b, "list", func(context.Context, int) ([]int, error) { return []int{1, 2}, nil }, b.Input())
	after = append(after, workflow.Map(b, "a", note, list, workflow.CompensateItem(undo)))
	for _, name := range []string{"a/0", "a/1", "a%2F1", "a/1/compensate", "s/compensate", "s/undone-1", "compensate"} {
		after = append(after, workflow.Task(b, name, note, b.Input(), workflow.Compensate(undo)))
	}
	after = append(after, workflow.Sub(b, "s", inner, b.Input(), workflow.Compensate(undo)))
	last := workflow.Task(b, "last", func(context.Context, int) (int, error) { return 0, errCard }, b.Input(), workflow.After(after...))
	if _, err := runtime.Execute(within(t), rt, build(t, b, last), 1, runtime.ID("r")); !errors.Is(err, errCard) {
		t.Fatal(err)
	}
	const bodies, compensations = 2 + 7 + 2, 2 + 7 + 1
	if len(seen) != bodies+compensations {
		t.Errorf("%d keys, want %d: %v", len(seen), bodies+compensations, seen)
	}
	for _, key := range []string{"r/a/1", "r/a/1/compensate", "r/a%2F1", "r/s/%63ompensate", "r/s/compensate"} {
		if seen[key] != 1 {
			t.Errorf("%q stands for %d pieces of work", key, seen[key])
		}
	}
}

// TestIdempotencyKeysOfNumbers: a task that is called like a number has a key of its own also in a sub-workflow that is repeated.
func TestIdempotencyKeysOfNumbers(t *testing.T) {
	rt := start(t, runtime.Config{})
	var mu sync.Mutex
	seen := map[string]int{}
	file, err := workflow.ParseYAML([]byte(`{"tasks": {"s": {"workflow": {"tasks": {"1": {"foreach": [7], "go": "Note"}, "0": {"go": "Note"}}},
		"repeat": {"until": "${{ iteration == 1 }}", "max": 3}}}}`), workflow.Funcs(map[string]workflow.Func{
		"Note": func(ctx context.Context, _ json.RawMessage) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			seen[workflow.IdempotencyKey(ctx)]++
			return 0, nil
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.Execute(within(t), rt, file, json.RawMessage("null"), runtime.ID("r")); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 4 {
		t.Errorf("%d keys for 4 pieces of work: %v", len(seen), seen)
	}
}

// TestIdempotencyKeysOfNestedCompensations: the compensation of a sub-workflow's task has the key of that task before its last part.
func TestIdempotencyKeysOfNestedCompensations(t *testing.T) {
	rt := start(t, runtime.Config{})
	var mu sync.Mutex
	seen := map[string]int{}
	note := func(ctx context.Context, n int) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		seen[workflow.IdempotencyKey(ctx)]++
		return n, nil
	}
	undo := func(ctx context.Context, _ int) error { _, err := note(ctx, 0); return err }
	in := workflow.New[int]("inner")
	inner := build(t, in, workflow.Task(in, "x/y", note, in.Input(), workflow.Compensate(undo)))
	b := workflow.New[int]("outer")
	s := workflow.Sub(b, "s/1", inner, b.Input())
	other := workflow.Task(b, "s/1/x/y", note, b.Input(), workflow.Compensate(undo))
	last := workflow.Task(b, "last", func(context.Context, int) (int, error) { return 0, errCard }, b.Input(), workflow.After(s, other))
	run, err := runtime.Start(within(t), rt, build(t, b, last), 1, runtime.ID("r"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Result(within(t)); !errors.Is(err, errCard) {
		t.Fatal(err)
	}
	want := map[string]int{"r/s%2F1/x%2Fy": 1, "r/s%2F1/x%2Fy/compensate": 1, "r/s%2F1%2Fx%2Fy": 1, "r/s%2F1%2Fx%2Fy/compensate": 1}
	if !maps.Equal(seen, want) {
		t.Errorf("keys %v, want %v", seen, want)
	}
	for _, c := range run.Report().Compensations {
		if c.Task != "s/1/x/y" {
			t.Errorf("the report calls it %q", c.Task)
		}
	}
}
