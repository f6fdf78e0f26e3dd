package runtime_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// onGoroutine returns what names the calling goroutine in a stack trace.
func onGoroutine() string {
	buf := make([]byte, 64)
	return strings.Fields(string(buf[:goruntime.Stack(buf, false)]))[1]
}

// inlineFan is a root, width leaves and an end; their tasks have the options, and each calls body with its name.
func inlineFan(t testing.TB, width int, body func(name string) error, opts func(name string) []workflow.Option) *workflow.Definition[int, int] {
	b := workflow.New[int]("fan")
	task := func(name string, after ...workflow.Node) workflow.Step[int] {
		f := func(context.Context, int) (int, error) { return 0, body(name) }
		return workflow.Task(b, name, f, b.Input(), append(opts(name), workflow.After(after...))...)
	}
	root := task("root")
	leaves := make([]workflow.Node, width)
	for i := range leaves {
		leaves[i] = task(fmt.Sprint("leaf", i), root)
	}
	return build(t, b, task("end", leaves...))
}

// TestCallerExecutesInline: the caller of Execute executes the Inline tasks of its own run, each once and in order, on its
// own goroutine; a run that was started executes none of them on its caller. All attempts are counted, and all credits
// come back (see start).
func TestCallerExecutesInline(t *testing.T) {
	const width = 40
	rt := start(t, runtime.Config{})
	var mu sync.Mutex
	var where []string
	var order []string
	def := inlineFan(t, width, func(name string) error {
		mu.Lock()
		defer mu.Unlock()
		where, order = append(where, onGoroutine()), append(order, name)
		return nil
	}, func(string) []workflow.Option { return []workflow.Option{workflow.Inline()} })
	if _, err := runtime.Execute(t.Context(), rt, def, 0); err != nil {
		t.Fatal(err)
	}
	if len(order) != width+2 || order[0] != "root" || order[width+1] != "end" {
		t.Errorf("order %v; want root, %d leaves, end", order, width)
	}
	for i, g := range where {
		if g != onGoroutine() {
			t.Errorf("%s ran on another goroutine than its caller", order[i])
		}
	}
	if n := rt.Stats().AttemptsStarted; n != width+2 {
		t.Errorf("%d attempts started; want %d", n, width+2)
	}
	where = nil
	run, err := runtime.Start(t.Context(), rt, def, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Result(within(t)); err != nil {
		t.Fatal(err)
	}
	for _, g := range where {
		if g == onGoroutine() {
			t.Error("a task of a run that was started ran on the goroutine of its caller")
		}
	}
}

// TestCallerLeavesTheRest: of a run with tasks of both sorts the caller executes the Inline ones that it comes to, and
// never another.
func TestCallerLeavesTheRest(t *testing.T) {
	rt := start(t, runtime.Config{})
	me := onGoroutine()
	var ran, wrong atomic.Int32
	inline := func(name string) bool { return name == "root" || strings.HasSuffix(name, "1") }
	def := inlineFan(t, 30, func(name string) error {
		if ran.Add(1); !inline(name) && onGoroutine() == me {
			wrong.Add(1)
		}
		return nil
	}, func(name string) []workflow.Option {
		if inline(name) {
			return []workflow.Option{workflow.Inline()}
		}
		return nil
	})
	for range 100 {
		ran.Store(0)
		if _, err := runtime.Execute(t.Context(), rt, def, 0); err != nil || ran.Load() != 32 {
			t.Fatalf("%d tasks ran, %v; want 32", ran.Load(), err)
		}
	}
	if n := wrong.Load(); n > 0 {
		t.Errorf("%d tasks that are not Inline ran on the caller", n)
	}
}

// TestCallerInlineFailure: an Inline task that fails on its caller fails the run as it does anywhere, and the others of
// the run do not start.
func TestCallerInlineFailure(t *testing.T) {
	rt := start(t, runtime.Config{})
	broken := errors.New("broken")
	for _, at := range []string{"root", "leaf0", "leaf7", "end"} {
		for _, how := range []string{"error", "panic"} {
			def := inlineFan(t, 10, func(name string) error {
				switch {
				case name != at:
					return nil
				case how == "panic":
					panic(broken)
				}
				return broken
			}, func(string) []workflow.Option { return []workflow.Option{workflow.Inline()} })
			_, err := runtime.Execute(t.Context(), rt, def, 0)
			if te := taskError(t, err); te.Task != at || how == "error" && !errors.Is(err, broken) {
				t.Errorf("%s at %s: %v", how, at, err)
			}
		}
	}
}

// TestCallerInlineGoexit: a body that calls runtime.Goexit on its caller's goroutine ends that, as every function does
// that the caller calls, while the run fails and nothing of the engine is lost.
func TestCallerInlineGoexit(t *testing.T) {
	rt := start(t, runtime.Config{})
	for _, at := range []string{"root", "leaf3", "end"} {
		def := inlineFan(t, 10, func(name string) error {
			if name == at {
				goruntime.Goexit()
			}
			return nil
		}, func(string) []workflow.Option { return []workflow.Option{workflow.Inline()} })
		returned := false
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = runtime.Execute(t.Context(), rt, def, 0)
			returned = true
		})
		wg.Wait()
		if returned {
			t.Errorf("Execute returned although the body at %s ended its goroutine", at)
		}
	}
	eventually(t, "the runs fail", func() bool { s := rt.Stats(); return s.Failed == 3 && s.InFlight == 0 })
	if got, err := runtime.Execute(t.Context(), rt, threeSteps(t), 1); got != 4 || err != nil {
		t.Errorf("afterwards: %d, %v; want 4", got, err)
	}
}

// TestCallerInlineOverstays: an Inline body on its caller that ignores its deadline is waited for, and counts as timed out;
// it is never given up, since its goroutine is the caller's.
func TestCallerInlineOverstays(t *testing.T) {
	rt := start(t, runtime.Config{CancelGrace: time.Millisecond})
	def := one(t, func(ctx context.Context, _ int) (int, error) {
		<-ctx.Done()
		<-time.After(20 * time.Millisecond) // far beyond CancelGrace
		return 0, nil
	}, workflow.Inline(), workflow.Timeout(time.Millisecond))
	_, err := runtime.Execute(t.Context(), rt, def, 0)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v; want a timeout", err)
	}
	if n := rt.Stats().Leaked; n != 0 {
		t.Errorf("%d bodies leaked; want 0", n)
	}
}

// TestStopAgainstCallers: callers that begin their runs themselves while Stop cancels what is in flight are all answered.
func TestStopAgainstCallers(t *testing.T) {
	for _, opts := range [][]workflow.Option{nil, {workflow.Inline()}} {
		rt, err := runtime.New(runtime.Config{TaskActors: 2})
		if err != nil {
			t.Fatal(err)
		}
		def := one(t, func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, append(opts, workflow.Timeout(time.Hour))...)
		quick := one(t, func(context.Context, int) (int, error) { return 0, nil }, opts...)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				for {
					var err error
					if i == 0 && opts == nil { // an Inline body that waits would be for its caller to end
						_, err = runtime.Execute(context.Background(), rt, def, 0)
					} else {
						_, err = runtime.Execute(context.Background(), rt, quick, 0)
					}
					if errors.Is(err, runtime.ErrStopped) {
						return
					}
				}
			})
		}
		eventually(t, "runs", func() bool { return rt.Stats().Succeeded > 100 })
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		_ = rt.Stop(ctx)
		cancel()
		wg.Wait()
		if s := rt.Stats(); s.InFlight != 0 || s.Accepted != s.Succeeded+s.Failed+s.Cancelled {
			t.Errorf("after Stop: %+v", s)
		}
	}
}
