package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/breaker"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// breakerLog notes the breakers that have opened and closed.
type breakerLog struct {
	hostile // the other methods, whose panics are contained
	mu      sync.Mutex
	log     []string
}

func (l *breakerLog) Noticed(e *runtime.Event, n runtime.Notice) {
	if n == runtime.NoticeBreakerOpened || n == runtime.NoticeBreakerClosed {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.log = append(l.log, e.Workflow+"/"+e.Task+" "+n.String())
	}
}

func (l *breakerLog) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.log)
}

// stuckKind is a workflow of one task whose body waits for release, whatever its context says.
func stuckKind(t *testing.T, name string, release <-chan struct{}, opts ...workflow.Option) *workflow.Definition[int, int] {
	b := workflow.New[int](name)
	return build(t, b, workflow.Task(b, "work", ignoring(release), b.Input(), append(opts, workflow.Timeout(time.Millisecond))...))
}

// leak has bodies of stuck leak until there are n.
func leak(t *testing.T, rt *runtime.Runtime, stuck *workflow.Definition[int, int], n int) {
	t.Helper()
	for rt.Stats().Leaked < n { // the millisecond may pass before the body begins
		if _, err := runtime.Execute(within(t), rt, stuck, 0); err == nil || errors.Is(err, breaker.ErrOpen) {
			t.Fatalf("a stuck task ended with %v", err)
		}
	}
}

// TestSpentLeakBudgetOpensBreakers: when as many bodies have leaked as there are task actors, the kinds of task that
// they belong to are refused, with an error that says so, also if their workflow was built anew. Others go on. Each
// body that returns gives its part back.
func TestSpentLeakBudgetOpensBreakers(t *testing.T) {
	const actors = 3
	var notices breakerLog
	rt := start(t, runtime.Config{TaskActors: actors, CancelGrace: time.Millisecond, Observer: &notices})
	var releases [3]chan struct{}
	for i := range releases {
		releases[i] = make(chan struct{})
	}
	a, b := stuckKind(t, "a", releases[0]), stuckKind(t, "b", releases[1])
	leak(t, rt, a, 2)
	if s := rt.Stats(); s.LeakBreakers != 0 {
		t.Errorf("%d breakers are open with 2 of 3 leaked", s.LeakBreakers)
	}
	leak(t, rt, b, 3)
	eventually(t, "both breakers to open", func() bool { return len(notices.lines()) == 2 })
	if got := notices.lines(); !slices.Contains(got, "a/work breaker_opened") || !slices.Contains(got, "b/work breaker_opened") {
		t.Errorf("notices %q", got)
	}
	open := make(chan struct{})
	close(open) // these would return at once, were they let in
	_, err := runtime.Execute(within(t), rt, stuckKind(t, "a", open), 0)
	refusal, ok := errors.AsType[*runtime.LeakError](err)
	if want := (runtime.LeakError{Workflow: "a", Task: "work", Leaked: 2, Total: 3, Budget: 3}); !ok || *refusal != want || !errors.Is(err, breaker.ErrOpen) {
		t.Fatalf("%v (%+v), want %+v", err, refusal, want)
	}
	if !strings.Contains(err.Error(), "the breaker of task work in workflow a is open: 2 of its bodies") {
		t.Errorf("error = %v", err)
	}
	if s := rt.Stats(); s.LeakBreakers != 2 || s.LeakRefusals != 1 {
		t.Errorf("%d breakers, %d refusals; want 2 and 1", s.LeakBreakers, s.LeakRefusals)
	}
	for i := range 20 { // other kinds go on, on the replacements
		if got, err := runtime.Execute(within(t), rt, threeSteps(t), i); got != i+3 || err != nil {
			t.Fatalf("a run beside it = %d, %v", got, err)
		}
	}
	close(releases[1]) // b's body
	eventually(t, "both breakers to close", func() bool { return rt.Stats().LeakBreakers == 0 && len(notices.lines()) == 4 })
	if _, err := runtime.Execute(within(t), rt, stuckKind(t, "a", open), 0); errors.Is(err, breaker.ErrOpen) {
		t.Errorf("a is refused although a part of the budget is free: %v", err)
	}
	close(releases[0])
	eventually(t, "all bodies to return", func() bool { s := rt.Stats(); return s.Leaked == 0 && s.IdleTaskActors == actors })
}

// TestLeakBreakerOfALateKind: a kind that leaks while the budget is spent is refused from then on, until its own body returns.
func TestLeakBreakerOfALateKind(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 2, CancelGrace: time.Millisecond})
	first, late := make(chan struct{}), make(chan struct{})
	leak(t, rt, stuckKind(t, "first", first), 2)
	kind := stuckKind(t, "late", late)
	leak(t, rt, kind, 3)
	eventually(t, "its breaker to open", func() bool { return rt.Stats().LeakBreakers == 2 })
	if _, err := runtime.Execute(within(t), rt, kind, 0); !errors.Is(err, breaker.ErrOpen) {
		t.Errorf("error = %v, want breaker.ErrOpen", err)
	}
	close(late)
	eventually(t, "its breaker to close", func() bool { return rt.Stats().LeakBreakers == 1 })
	if _, err := runtime.Execute(within(t), rt, kind, 0); errors.Is(err, breaker.ErrOpen) {
		t.Errorf("it is refused although its body has returned: %v", err)
	}
	close(first)
	eventually(t, "all bodies to return", func() bool { return rt.Stats().Leaked == 0 && rt.Stats().LeakBreakers == 0 })
}

// TestRefusedAttemptIsRetried: a task with retries survives an open breaker, if a body returns in time.
func TestRefusedAttemptIsRetried(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 1, CancelGrace: time.Millisecond})
	release := make(chan struct{})
	leak(t, rt, stuckKind(t, "one", release), 1)
	refused := false
	b := workflow.New[int]("one")
	work := workflow.Task(b, "work", func(context.Context, int) (int, error) { return 7, nil }, b.Input(),
		workflow.Retry(retry.Constant{Wait: time.Millisecond, MaxAttempts: 10_000, If: func(err error) bool {
			if errors.Is(err, breaker.ErrOpen) && !refused {
				refused = true
				close(release)
			}
			return true
		}}))
	if got, err := runtime.Execute(within(t), rt, build(t, b, work), 0); got != 7 || err != nil || !refused {
		t.Errorf("= %d, %v, refused: %v", got, err, refused)
	}
	eventually(t, "the body to return", func() bool { return rt.Stats().Leaked == 0 })
}

// TestCompensationIsNotRefused: what a run owes is done even while the breaker of its task is open.
func TestCompensationIsNotRefused(t *testing.T) {
	rt := start(t, runtime.Config{TaskActors: 2, CancelGrace: time.Millisecond})
	waits, fail, release := make(chan struct{}), make(chan struct{}), make(chan struct{})
	undone := 0
	b := workflow.New[int]("one")
	work := workflow.Task(b, "work", func(context.Context, int) (int, error) { return 7, nil }, b.Input(),
		workflow.Compensate(func(context.Context, int) error { undone++; return nil }))
	last := workflow.Task(b, "last", func(context.Context, int) (int, error) {
		close(waits)
		<-fail
		return 0, errCard
	}, work)
	run, err := runtime.Start(context.Background(), rt, build(t, b, last), 0)
	if err != nil {
		t.Fatal(err)
	}
	<-waits
	leak(t, rt, stuckKind(t, "one", release), 2)
	if s := rt.Stats(); s.LeakBreakers != 1 {
		t.Errorf("%d breakers are open, want 1", s.LeakBreakers)
	}
	close(fail)
	if _, err := run.Result(within(t)); !errors.Is(err, errCard) || errors.Is(err, breaker.ErrOpen) {
		t.Errorf("error = %v", err)
	}
	if undone != 1 {
		t.Errorf("the compensation was called %d times, want 1", undone)
	}
	close(release)
	eventually(t, "all bodies to return", func() bool { return rt.Stats().Leaked == 0 })
}
