package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

type nameKey struct{}

// standIn is a context of this package beside one of the context package, with the same
// parent, deadline and cause, and a child and an AfterFunc of each.
type standIn struct {
	ours, theirs             context.Context
	cancelOurs, cancelTheirs func()
	children                 [2]context.Context
	calls                    [2]atomic.Int32
	stops                    [2]func() bool
	release                  [2]func()
}

// end ends both and what hangs on them.
func (s *standIn) end() {
	s.cancelOurs()
	s.cancelTheirs()
	for _, release := range s.release {
		if release != nil {
			release()
		}
	}
}

// pass lets time pass; somebody looks at the contexts all the while.
func (s *standIn) pass(d time.Duration) {
	for ; d > 0; d -= time.Millisecond {
		time.Sleep(time.Millisecond)
		_, _ = s.ours.Err(), s.theirs.Err()
	}
}

func newStandIn(w *scheduler.Wheel, parent context.Context, d time.Duration, cause error, family bool) *standIn {
	deadline := time.Now().Add(d)
	ours := w.WithDeadlineCause(parent, deadline, cause)
	theirs, cancel := context.WithDeadlineCause(parent, deadline, cause)
	s := &standIn{ours: ours, theirs: theirs, cancelOurs: ours.Cancel, cancelTheirs: cancel}
	if family {
		for i, ctx := range []context.Context{ours, theirs} {
			s.children[i], s.release[i] = context.WithCancel(context.WithValue(ctx, nameKey{}, "child"))
			s.stops[i] = context.AfterFunc(ctx, func() { s.calls[i].Add(1) })
		}
	}
	return s
}

// compare says how the two differ, as seen by whoever holds them.
func (s *standIn) compare(done bool) error {
	synctest.Wait() // AfterFunc and children are told by goroutines
	if ours, theirs := describe(s.ours, done), describe(s.theirs, done); ours != theirs {
		return fmt.Errorf("context %s; want %s", ours, theirs)
	}
	if s.children[0] == nil {
		return nil
	}
	if ours, theirs := describe(s.children[0], done), describe(s.children[1], done); ours != theirs {
		return fmt.Errorf("child %s; want %s", ours, theirs)
	}
	if ours, theirs := s.calls[0].Load(), s.calls[1].Load(); ours != theirs {
		return fmt.Errorf("AfterFunc called %d times; want %d", ours, theirs)
	}
	return nil
}

func describe(ctx context.Context, done bool) string {
	deadline, _ := ctx.Deadline()
	s := fmt.Sprintf("name %v, deadline %v, err %v, cause %v", ctx.Value(nameKey{}), deadline, ctx.Err(), context.Cause(ctx))
	if done {
		select {
		case <-ctx.Done():
			s += ", done"
		default:
		}
	}
	return s
}

// TestDeadlineContextAgainstStandard: whatever happens in whatever order to it and its
// parent, and whoever asks for what, it looks like a context of the context package. Between
// two steps more time passes than the granularity of the wheel.
func TestDeadlineContextAgainstStandard(t *testing.T) {
	sequences := 3000
	if testing.Short() {
		sequences = 300
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWheel(t, scheduler.WheelConfig{})
		for range sequences {
			seed := rand.Uint64()
			if err := compareWithStandard(w, rand.New(rand.NewPCG(seed, 0))); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	})
}

func compareWithStandard(w *scheduler.Wheel, rng *rand.Rand) error {
	parent, cancelParent := randomParent(w, rng)
	defer cancelParent(nil)
	var cause error
	if rng.IntN(2) == 0 {
		cause = errors.New("too slow")
	}
	s := newStandIn(w, parent, time.Duration(rng.IntN(8)-1)*10*time.Millisecond, cause, rng.IntN(2) == 0)
	defer s.end()
	done := rng.IntN(2) == 0
	s.pass(time.Millisecond)
	var steps []string
	for range 8 {
		if err := s.compare(done); err != nil {
			return fmt.Errorf("parent %v, steps %v: %w", parent, steps, err)
		}
		switch rng.IntN(6) {
		case 0:
			steps = append(steps, "cancel")
			s.cancelOurs()
			s.cancelTheirs()
		case 1:
			steps = append(steps, "cancel parent")
			cancelParent(errors.New("given up"))
		case 2:
			steps = append(steps, "ask for Done")
			done = true
		case 3:
			if s.stops[0] != nil {
				steps = append(steps, "stop AfterFunc")
				if ours, theirs := s.stops[0](), s.stops[1](); ours != theirs {
					return fmt.Errorf("steps %v: stop = %v; want %v", steps, ours, theirs)
				}
			}
		default:
			steps = append(steps, "wait")
			s.pass(time.Duration(rng.IntN(4)) * 10 * time.Millisecond)
		}
		s.pass(time.Millisecond) // so that a parent's cancellation is not at the same instant as the deadline
	}
	return nil
}

// randomParent returns a context of one of the kinds that matter, with a name.
func randomParent(w *scheduler.Wheel, rng *rand.Rand) (context.Context, context.CancelCauseFunc) {
	ctx := context.WithValue(context.Background(), nameKey{}, "parent")
	switch rng.IntN(4) {
	case 0: // never ends
		return ctx, func(error) {}
	case 1:
		return context.WithCancelCause(ctx)
	case 2: // ends by itself, sometimes sooner than its child
		ctx, cancel := context.WithCancelCause(ctx)
		ctx, stop := context.WithTimeoutCause(ctx, time.Duration(rng.IntN(8))*10*time.Millisecond+5*time.Millisecond, errors.New("parent too slow"))
		return ctx, func(cause error) { cancel(cause); stop() }
	default: // one of our own
		ctx, cancel := context.WithCancelCause(ctx)
		ours := w.WithTimeout(ctx, time.Duration(rng.IntN(8))*10*time.Millisecond+5*time.Millisecond)
		return ours, func(cause error) { cancel(cause); ours.Cancel() }
	}
}

// TestDeadlineContextDoneOnTime: Done is closed within one granularity after the deadline,
// never before, and Err agrees with it at every moment.
func TestDeadlineContextDoneOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWheel(t, scheduler.WheelConfig{})
		for i := range 100 {
			ctx := w.WithTimeout(context.Background(), time.Duration(i)*777*time.Microsecond)
			done := ctx.Done()
			deadline, _ := ctx.Deadline()
			if ctx.Err() == nil {
				<-done
			}
			if late := time.Since(deadline); late < 0 || late > w.Granularity() {
				t.Errorf("done %v late", late)
			}
			if ctx.Err() != context.DeadlineExceeded {
				t.Errorf("done with Err = %v", ctx.Err())
			}
			ctx.Release()
		}
	})
}

// TestDeadlineContextIsLazy: nothing is armed before somebody asks for Done or AfterFunc, and
// nothing stays armed or tied after the end.
func TestDeadlineContextIsLazy(t *testing.T) {
	w := newWheel(t, scheduler.WheelConfig{})
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	ctx := w.WithTimeout(parent, time.Hour)
	_, _ = ctx.Deadline()
	_, _ = ctx.Err(), ctx.Value(nameKey{})
	if n := w.Armed(); n != 0 {
		t.Errorf("%d timers armed before Done", n)
	}
	done := ctx.Done()
	if n := w.Armed(); n != 1 {
		t.Errorf("%d timers armed after Done; want 1", n)
	}
	if ctx.Done() != done {
		t.Error("two calls of Done return two channels")
	}
	ctx.Cancel()
	if n := w.Armed(); n != 0 {
		t.Errorf("%d timers armed after Cancel", n)
	}
	<-done

	near, cancelNear := context.WithTimeout(context.Background(), time.Minute)
	defer cancelNear()
	ctx = w.WithTimeout(near, time.Hour) // the parent keeps the deadline
	defer ctx.Release()
	_ = ctx.Done()
	if n := w.Armed(); n != 0 {
		t.Errorf("%d timers armed although the parent ends sooner", n)
	}
}

// TestDeadlineContextReuse: one whose Done channel is out stays cancelled for whoever holds it;
// one that nobody asked comes back as new.
func TestDeadlineContextReuse(t *testing.T) {
	w := newWheel(t, scheduler.WheelConfig{})
	kept := w.WithTimeout(context.Background(), time.Hour)
	_ = kept.Done()
	kept.Release()
	for i := range 100 {
		ctx := w.WithTimeout(context.WithValue(context.Background(), nameKey{}, i), time.Hour)
		if ctx == kept {
			t.Fatal("a context whose Done channel is out was used again")
		}
		if ctx.Err() != nil || ctx.Value(nameKey{}) != i || context.Cause(ctx) != nil {
			t.Fatalf("a new context has Err %v, value %v", ctx.Err(), ctx.Value(nameKey{}))
		}
		if i%2 == 0 { // ends before it is released
			ctx.Cancel()
			if ctx.Err() != context.Canceled || context.Cause(ctx) != context.Canceled {
				t.Fatalf("cancelled with Err %v", ctx.Err())
			}
		}
		ctx.Release()
	}
	if kept.Err() != context.Canceled {
		t.Errorf("released with Done out: Err = %v", kept.Err())
	}
	<-kept.Done()
}

// TestDeadlineContextAfterWheelStop: a deadline holds although the wheel is gone.
func TestDeadlineContextAfterWheelStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWheel(t, scheduler.WheelConfig{})
		if err := w.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		cause := errors.New("too slow")
		ctx := w.WithDeadlineCause(context.Background(), time.Now().Add(time.Second), cause)
		defer ctx.Release()
		<-ctx.Done()
		if ctx.Err() != context.DeadlineExceeded || context.Cause(ctx) != cause {
			t.Errorf("Err = %v, cause %v", ctx.Err(), context.Cause(ctx))
		}
	})
}

func TestDeadlineContextString(t *testing.T) {
	w := newWheel(t, scheduler.WheelConfig{})
	ctx := w.WithDeadline(context.Background(), time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	defer ctx.Release()
	if s := fmt.Sprint(ctx); s != "scheduler.DeadlineContext(2030-01-02T03:04:05Z)" {
		t.Errorf("String = %q", s)
	}
}

func TestDeadlineContextPanics(t *testing.T) {
	defer func() {
		if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "parent is nil") {
			t.Errorf("panic %v", v)
		}
	}()
	var none context.Context
	newWheel(t, scheduler.WheelConfig{}).WithTimeout(none, time.Second)
}

// TestDeadlineContextStress: of deadline, parent and owner, which race to end a context that many
// goroutines use, one wins: Err and Cause never change once set, Done is closed once, and
// every AfterFunc is called once or stopped.
func TestDeadlineContextStress(t *testing.T) {
	withProcs(t, func(t *testing.T) {
		repeat(t, func(t testing.TB) {
			w := newWheel(t, scheduler.WheelConfig{Granularity: 10 * time.Microsecond})
			rounds := 500
			if testing.Short() {
				rounds = 60
			}
			for range rounds {
				stressDeadlineContext(t, w)
			}
		})
	})
}

func stressDeadlineContext(t testing.TB, w *scheduler.Wheel) {
	t.Helper()
	parent, cancelParent := context.WithCancelCause(context.Background())
	given := errors.New("given up")
	ctx := w.WithTimeout(parent, rand.N(50*time.Microsecond))
	var wg sync.WaitGroup
	var called, stopped atomic.Int32
	const watchers = 3
	for range watchers {
		wg.Go(func() {
			fired := make(chan struct{})
			stop := context.AfterFunc(ctx, func() { called.Add(1); close(fired) })
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			if rand.IntN(2) == 0 && stop() {
				stopped.Add(1)
			} else {
				<-fired
			}
			<-child.Done()
			<-ctx.Done()
			err, cause := ctx.Err(), context.Cause(ctx)
			if child.Err() != err {
				t.Errorf("child ended by %v, parent by %v", child.Err(), err)
			}
			if ok := err == context.DeadlineExceeded && cause == err || err == context.Canceled && (cause == err || cause == given); !ok {
				t.Errorf("Err = %v, cause %v", err, cause)
			}
			if ctx.Err() != err || context.Cause(ctx) != cause {
				t.Errorf("ended by %v (%v), later by %v (%v)", err, cause, ctx.Err(), context.Cause(ctx))
			}
		})
	}
	switch rand.IntN(3) {
	case 0:
		wg.Go(func() { cancelParent(given) })
	case 1:
		wg.Go(ctx.Cancel)
	}
	wg.Wait()
	cancelParent(nil)
	ctx.Release()
	if n := called.Load() + stopped.Load(); n != watchers {
		t.Errorf("%d AfterFuncs called or stopped; want %d", n, watchers)
	}
}

func TestDeadlineContextDoesNotAllocate(t *testing.T) {
	w := newWheel(t, scheduler.WheelConfig{})
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := testing.AllocsPerRun(1000, func() {
		ctx := w.WithTimeout(parent, time.Hour)
		_ = ctx.Err()
		ctx.Release()
	})
	if n != 0 {
		t.Errorf("%v allocations for a context that nobody waits on", n)
	}
}

func ExampleWheel_WithTimeout() {
	w, err := scheduler.NewWheel(scheduler.WheelConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = w.Stop(context.Background()) }()

	quick := w.WithTimeout(context.Background(), time.Hour)
	fmt.Println("quick:", quick.Err())
	quick.Release() // nobody has asked for Done: this cost no timer and no channel

	slow := w.WithTimeout(context.Background(), time.Millisecond)
	<-slow.Done()
	fmt.Println("slow:", slow.Err())
	slow.Cancel()
	// Output:
	// quick: <nil>
	// slow: context deadline exceeded
}

// BenchmarkDeadlineContext makes a context with a timeout, uses it as a task body would, and
// ends it.
func BenchmarkDeadlineContext(b *testing.B) {
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	uses := []struct {
		name string
		use  func(context.Context)
	}{
		{"none", func(context.Context) {}},
		{"Err", func(ctx context.Context) { _ = ctx.Err() }},
		{"Done", func(ctx context.Context) { _ = ctx.Done() }},
	}
	for _, u := range uses {
		b.Run("impl=release/use="+u.name, func(b *testing.B) {
			b.ReportAllocs()
			w := newWheel(b, scheduler.WheelConfig{})
			for b.Loop() {
				ctx := w.WithTimeout(parent, time.Minute)
				u.use(ctx)
				ctx.Release()
			}
		})
		b.Run("impl=cancel/use="+u.name, func(b *testing.B) {
			b.ReportAllocs()
			w := newWheel(b, scheduler.WheelConfig{})
			for b.Loop() {
				ctx := w.WithTimeout(parent, time.Minute)
				u.use(ctx)
				ctx.Cancel()
			}
		})
		b.Run("impl=context/use="+u.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ctx, cancel := context.WithTimeout(parent, time.Minute)
				u.use(ctx)
				cancel()
			}
		})
	}
	b.Run("impl=release-deadline/use=none", func(b *testing.B) {
		b.ReportAllocs()
		w := newWheel(b, scheduler.WheelConfig{})
		deadline := time.Now().Add(time.Minute)
		for b.Loop() {
			w.WithDeadline(parent, deadline).Release()
		}
	})
}

// TestInitContext: a context in place, with and without a deadline of its own, answers as those of the context
// package do, also about the cause, whoever ends it.
func TestInitContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wheel := newWheel(t, scheduler.WheelConfig{})
		errWhy, errParent := errors.New("why"), errors.New("parent")
		for _, bounded := range []bool{false, true} {
			for _, watched := range []bool{false, true} {
				for who, want := range map[string]error{"owner": errWhy, "parent": errParent, "plain": context.Canceled} {
					parent, cancelParent := context.WithCancelCause(context.WithValue(context.Background(), nameKey{}, "value"))
					var c scheduler.DeadlineContext
					var deadline time.Time
					if bounded {
						deadline = time.Now().Add(time.Hour)
					}
					wheel.InitContext(&c, parent, deadline, nil)
					if at, ok := c.Deadline(); ok != bounded || !at.Equal(deadline) {
						t.Errorf("Deadline = %v, %v; want %v, %v", at, ok, deadline, bounded)
					}
					if watched {
						_ = c.Done()
					}
					child, cancelChild := context.WithCancel(&c)
					if c.Err() != nil || child.Err() != nil || c.Value(nameKey{}) != "value" {
						t.Errorf("a new context: %v, child %v, value %v", c.Err(), child.Err(), c.Value(nameKey{}))
					}
					switch who {
					case "owner":
						c.CancelCause(errWhy)
					case "parent":
						cancelParent(errParent)
					case "plain":
						c.CancelCause(nil)
					}
					cancelParent(errors.New("too late"))
					c.CancelCause(errors.New("too late"))
					<-c.Done()
					<-child.Done()
					if c.Err() != context.Canceled || context.Cause(&c) != want || context.Cause(child) != want {
						t.Errorf("bounded %v, watched %v, ended by %s: %v, cause %v, child's cause %v; want %v",
							bounded, watched, who, c.Err(), context.Cause(&c), context.Cause(child), want)
					}
					cancelChild()
				}
			}
		}
	})
}
