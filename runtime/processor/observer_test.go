package processor_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// recorder writes events down, one line each, and threads its name through the
// contexts.
type recorder struct {
	name  string
	mu    sync.Mutex
	lines []string
}

type seen struct{}

func (r *recorder) add(ctx context.Context, what string, e *processor.Event) context.Context {
	trail, _ := ctx.Value(seen{}).(string)
	r.mu.Lock()
	defer r.mu.Unlock()
	line := fmt.Sprintf("%s %s%s", what, e.Task, trail)
	if e.Attempt > 0 {
		line += fmt.Sprintf(" #%d", e.Attempt)
	}
	if e.Status.Ended() {
		line += " " + e.Status.String()
	}
	r.lines = append(r.lines, line)
	return context.WithValue(ctx, seen{}, trail+">"+r.name)
}

func (r *recorder) RunStarted(ctx context.Context, e *processor.Event) context.Context {
	return r.add(ctx, "run", e)
}
func (r *recorder) RunEnded(ctx context.Context, e *processor.Event) { r.add(ctx, "run ended", e) }
func (r *recorder) AttemptStarted(ctx context.Context, e *processor.Event) context.Context {
	return r.add(ctx, "attempt", e)
}
func (r *recorder) AttemptEnded(ctx context.Context, e *processor.Event) {
	r.add(ctx, "attempt ended", e)
}
func (r *recorder) Noticed(e *processor.Event, n processor.Notice) {
	r.add(context.Background(), n.String(), e)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

func (r *recorder) count(prefix string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(r.lines), func(l string) bool { return !strings.HasPrefix(l, prefix) }))
}

func plan(t *testing.T, body func(context.Context, int) (int, error), opts ...workflow.Option) *workflow.Plan {
	t.Helper()
	b := workflow.New[int]("observed")
	def, err := workflow.Build(b, workflow.Task(b, "work", body, b.Input(), opts...))
	if err != nil {
		t.Fatal(err)
	}
	return def.Plan()
}

// TestObserver: every start has its end, in order, and the context that one
// observer returns reaches the next one, the body and the end.
func TestObserver(t *testing.T) {
	first, second := &recorder{name: "1"}, &recorder{name: "2"}
	p := start(t, processor.Config{Observer: processor.Observers(nil, first, nil, second)})
	calls, trail := 0, ""
	flaky := plan(t, func(ctx context.Context, _ int) (int, error) {
		trail, _ = ctx.Value(seen{}).(string)
		if calls++; calls == 1 {
			return 0, errors.New("not yet")
		}
		return 1, nil
	}, workflow.Retry(retry.Constant{}))
	r, err := p.Submit(context.Background(), flaky, 0, processor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	<-r.Done()
	if trail != ">1>2>1>2" {
		t.Errorf("the body saw the trail %q", trail)
	}
	want := strings.Join([]string{
		"run ", "attempt work>1>2 #1", "attempt ended work>1>2>1>2 #1 failed", "retry work #1 failed",
		"attempt work>1>2 #2", "attempt ended work>1>2>1>2 #2 succeeded", "run ended >1>2 succeeded",
	}, "\n")
	if got := first.text(); got != want {
		t.Errorf("the first observer saw\n%s\nwant\n%s", got, want)
	}
	if processor.Observers(nil, nil) != nil || processor.Observers(nil, first) != processor.Observer(first) {
		t.Error("Observers keeps nil, or wraps a single observer")
	}
}

// TestObserverNotices: leaked bodies, their return, and refusals are reported.
func TestObserverNotices(t *testing.T) {
	rec, release := &recorder{}, make(chan struct{})
	p := start(t, processor.Config{Observer: rec, CancelGrace: time.Millisecond, MaxRuns: 1, TaskActors: 1})
	stuck := plan(t, func(context.Context, int) (int, error) { <-release; return 0, nil }, workflow.Timeout(100*time.Millisecond)) // long enough to begin under load
	r, err := p.Submit(context.Background(), stuck, 0, processor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Submit(context.Background(), stuck, 0, processor.Options{}); !errors.Is(err, processor.ErrOverloaded) {
		t.Errorf("a second run: %v", err)
	}
	<-r.Done()
	close(release)
	for end := time.Now().Add(30 * time.Second); rec.count("returned") == 0 && time.Now().Before(end); {
		goruntime.Gosched()
	}
	for what, want := range map[string]int{"refused": 1, "leaked work #1": 1, "returned work #1": 1, "attempt ended": 1, "run ended": 1} {
		if got := rec.count(what); got != want {
			t.Errorf("%d × %q, want %d; all:\n%s", got, what, want, rec.text())
		}
	}
}

// TestSubmitChecksInput: a plan's own check refuses a run before it is admitted,
// also by panic.
func TestSubmitChecksInput(t *testing.T) {
	p := start(t, processor.Config{})
	checked := *plan(t, func(context.Context, int) (int, error) { return 0, nil })
	checked.CheckInput = func(in any) error {
		if in.(int) < 0 {
			return errors.New("negative")
		}
		return nil
	}
	for in, want := range map[any]string{-1: "workflow observed: input: negative", "text": "interface conversion"} {
		if _, err := p.Submit(context.Background(), &checked, in, processor.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("input %v: error = %v, want %q", in, err, want)
		}
	}
	if s := p.Stats(); s.Accepted != 0 || s.InFlight != 0 {
		t.Errorf("stats = %+v", s)
	}
}
