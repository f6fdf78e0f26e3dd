package runtime_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	_ "github.com/ringmill/ringmill/mailbox/workiva" // registers itself
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// ants starts two goroutines for its default pool when it is linked.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// patience bounds every wait of these tests; only a defect reaches it.
const patience = 30 * time.Second

// within returns a context that ends long after a test should have.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// start returns a runtime that is stopped, without an error, and whose counts
// are checked when the test ends.
func start(t testing.TB, cfg runtime.Config) *runtime.Runtime {
	t.Helper()
	rt, err := runtime.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := rt.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
		checkCounts(t, rt)
	})
	return rt
}

// checkCounts holds the law of conservation: after Stop every accepted run has
// ended in exactly one way, and nothing is left anywhere.
func checkCounts(t testing.TB, rt *runtime.Runtime) {
	t.Helper()
	s := rt.Stats()
	if s.Accepted != s.Succeeded+s.Failed+s.Cancelled {
		t.Errorf("accepted %d != succeeded %d + failed %d + cancelled %d", s.Accepted, s.Succeeded, s.Failed, s.Cancelled)
	}
	if s.InFlight != 0 || s.Ready != 0 || s.Queued != 0 || s.DeadLetters != 0 {
		t.Errorf("after Stop: in flight %d, ready %d, queued %d, dead letters %d; want 0", s.InFlight, s.Ready, s.Queued, s.DeadLetters)
	}
	for i, w := range s.Workflows {
		if w.Runs != 0 || w.MailboxLen != 0 {
			t.Errorf("after Stop: workflow actor %d has %d runs and %d messages", i, w.Runs, w.MailboxLen)
		}
	}
}

// build compiles a workflow or ends the test.
func build[I, O any](t testing.TB, b *workflow.Builder[I], out workflow.Step[O]) *workflow.Definition[I, O] {
	t.Helper()
	def, err := workflow.Build(b, out)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// one returns a workflow of the single task "work".
func one[A, B any](t testing.TB, f func(context.Context, A) (B, error), opts ...workflow.Option) *workflow.Definition[A, B] {
	t.Helper()
	b := workflow.New[A]("one")
	return build(t, b, workflow.Task(b, "work", f, b.Input(), opts...))
}

// taskError returns the *TaskError in err or ends the test.
func taskError(t testing.TB, err error) *workflow.TaskError {
	t.Helper()
	te, ok := errors.AsType[*workflow.TaskError](err)
	if !ok {
		t.Fatalf("error = %v (%T), want a *workflow.TaskError", err, err)
	}
	return te
}

// eventually waits until cond holds, yielding in between.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); {
		if time.Now().After(end) {
			t.Fatalf("timed out: %s", what)
		}
		goruntime.Gosched()
	}
}
