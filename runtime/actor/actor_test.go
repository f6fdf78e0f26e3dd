package actor_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

func newSystem(t testing.TB, cfg actor.SystemConfig) *actor.System {
	t.Helper()
	sys, err := actor.NewSystem(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Stop(context.Background()); err != nil {
			t.Errorf("System.Stop: %v", err)
		}
	})
	return sys
}

func TestTellIsHandledInOrder(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	var got []int
	done := make(chan struct{})
	ref := actor.Spawn(sys, func(_ *actor.Context[int], n int) error {
		got = append(got, n)
		if n == 999 {
			close(done)
		}
		return nil
	}, actor.Config{Name: "order"})
	for i := range 1000 {
		if err := ref.Tell(i); err != nil {
			t.Fatal(err)
		}
	}
	<-done
	for i, n := range got {
		if n != i {
			t.Fatalf("got[%d] = %d", i, n)
		}
	}
}

func TestPingPong(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		sys := newSystem(t, actor.SystemConfig{})
		done := make(chan struct{})
		pong := actor.Spawn(sys, func(c *actor.Context[ball], b ball) error {
			return b.back.TellFrom(c, b)
		}, actor.Config{Blocking: blocking})
		ping := actor.Spawn(sys, func(c *actor.Context[ball], b ball) error {
			if b.left == 0 {
				close(done)
				return nil
			}
			return pong.TellFrom(c, ball{left: b.left - 1, back: c.Self()})
		}, actor.Config{MailboxCapacity: 1})
		if err := ping.Tell(ball{left: 10_000}); err != nil {
			t.Fatal(err)
		}
		<-done
	}
}

type ball struct {
	left int
	back actor.Ref[ball]
}

func TestStopDrains(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	release := make(chan struct{})
	handled, stopped := 0, false
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
		<-release
		handled++
		return nil
	}, actor.Config{Blocking: true, MailboxCapacity: 1000, OnStop: func() { stopped = true }})
	for i := range 1000 {
		if err := ref.Tell(i); err != nil {
			t.Fatal(err)
		}
	}
	ref.Close()
	close(release)
	if err := ref.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if handled != 1000 || !stopped {
		t.Errorf("handled %d of 1000, OnStop called: %v", handled, stopped)
	}
	if err := ref.Tell(1); err != mailbox.ErrClosed {
		t.Errorf("Tell after Stop = %v, want ErrClosed", err)
	}
	if got := sys.Stats(); got.Handled != 1000 || got.DeadLetters != 1 || got.Actors != 0 {
		t.Errorf("Stats = %+v", got)
	}
}

func TestFailuresDoNotStopAnActor(t *testing.T) {
	var mu sync.Mutex
	var failures []actor.Failure
	sys := newSystem(t, actor.SystemConfig{OnFailure: func(f actor.Failure) {
		mu.Lock()
		defer mu.Unlock()
		failures = append(failures, f)
	}})
	oops := errors.New("oops")
	handled := 0
	ref := actor.Spawn(sys, func(_ *actor.Context[string], m string) error {
		handled++
		switch m {
		case "panic":
			panic(oops)
		case "error":
			return oops
		}
		return nil
	}, actor.Config{Name: "fragile"})
	for _, m := range []string{"ok", "panic", "error", "ok"} {
		if err := ref.Tell(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := ref.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if handled != 4 || len(failures) != 2 {
		t.Fatalf("handled %d of 4, %d failures of 2", handled, len(failures))
	}
	var p *actor.PanicError
	if f := failures[0]; f.Message != "panic" || !errors.As(f.Err, &p) || !errors.Is(f.Err, oops) || len(p.Stack) == 0 {
		t.Errorf("failure of the panic = %+v", f)
	}
	if f := failures[1]; f.Actor != "fragile" || f.Message != "error" || f.Err != oops {
		t.Errorf("failure of the error = %+v", f)
	}
	if got := sys.Stats(); got.Failures != 1 || got.Panics != 1 {
		t.Errorf("Stats = %+v", got)
	}
}

func TestHandlersMustNotWait(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	idle := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{})
	errs := make(chan error, 5)
	self := actor.Spawn(sys, func(c *actor.Context[int], n int) error {
		if n > 0 {
			return nil
		}
		_ = c.Self().Tell(1) // fills its mailbox
		errs <- c.Self().TellWait(context.Background(), 2)
		errs <- idle.TellWait(c.Context(), 1)
		errs <- idle.Stop(c.Context())
		errs <- c.Self().Stop(context.Background())
		errs <- sys.Stop(context.Background())
		return nil
	}, actor.Config{MailboxCapacity: 1})
	if err := self.Tell(0); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := <-errs; err != actor.ErrInHandler {
			t.Errorf("got %v, want ErrInHandler", err)
		}
	}
}

func TestContextStop(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	handled, told := 0, make(chan struct{})
	ref := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
		if handled == 0 {
			defer close(told)
			if err := c.Self().TellFrom(c, 1); err != nil {
				t.Errorf("TellFrom to itself: %v", err)
			}
			c.Stop()
			if err := c.Self().TellFrom(c, 2); err != mailbox.ErrClosed {
				t.Errorf("TellFrom after Stop = %v, want ErrClosed", err)
			}
		}
		handled++
		return nil
	}, actor.Config{})
	if err := ref.Tell(0); err != nil {
		t.Fatal(err)
	}
	<-told
	if err := ref.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if handled != 2 {
		t.Errorf("handled %d messages, want the 2 accepted before Stop", handled)
	}
}

// TestFullMailbox: at its capacity, and not before, a mailbox refuses.
func TestFullMailbox(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	entered, release := make(chan struct{}, 8), make(chan struct{})
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
		entered <- struct{}{}
		<-release
		return nil
	}, actor.Config{MailboxCapacity: 2, Blocking: true})
	tell := func(want error) {
		t.Helper()
		if err := ref.Tell(0); err != want {
			t.Fatalf("Tell = %v, want %v", err, want)
		}
	}
	tell(nil)
	<-entered
	tell(nil)
	tell(nil)
	tell(mailbox.ErrFull)
	close(release)
}

func TestSpawnOnStoppedSystem(t *testing.T) {
	var letters []actor.DeadLetter
	sys, err := actor.NewSystem(actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) { letters = append(letters, d) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := sys.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	ref := actor.Spawn(sys, func(*actor.Context[string], string) error { return nil }, actor.Config{Name: "late"})
	ref.Signal()
	for _, err := range []error{ref.Tell("a"), ref.TellWait(context.Background(), "c")} {
		if err != mailbox.ErrClosed {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
	if err := ref.Stop(context.Background()); err != nil {
		t.Errorf("Stop = %v", err)
	}
	if len(letters) != 2 || letters[0] != (actor.DeadLetter{Actor: "late", Message: "a", Reason: mailbox.ErrClosed}) {
		t.Errorf("dead letters %+v", letters)
	}
	if got := sys.Stats(); got.DeadLetters != 2 || got.Actors != 0 {
		t.Errorf("Stats = %+v", got)
	}
}

func TestZeroRef(t *testing.T) {
	var ref actor.Ref[int]
	ref.Signal()
	ref.Close()
	for _, err := range []error{ref.Tell(1), ref.TellFrom(nil, 1), ref.TellWait(context.Background(), 1)} {
		if err != mailbox.ErrClosed {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
	if err := ref.Stop(context.Background()); err != nil {
		t.Errorf("Stop = %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	tests := []struct {
		cfg  actor.SystemConfig
		want string
	}{
		{actor.SystemConfig{Workers: -1}, "actor: Workers is -1; want 1 to 65536"},
		{actor.SystemConfig{BlockingWorkers: 70_000}, "actor: BlockingWorkers is 70000; want 1 to 65536"},
		{actor.SystemConfig{MailboxCapacity: -5}, "actor: MailboxCapacity is -5; want 1 to"},
	}
	for _, test := range tests {
		if _, err := actor.NewSystem(test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("NewSystem(%+v) = %v, want %q", test.cfg, err, test.want)
		}
	}
}

func TestSpawnPanicsOnMistakes(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	handler := func(*actor.Context[int], int) error { return nil }
	for want, spawn := range map[string]func(){
		`actor: Spawn("a"): handler is nil`:        func() { actor.Spawn[int](sys, nil, actor.Config{Name: "a"}) },
		`actor: SpawnFunc("a"): newHandler is nil`: func() { actor.SpawnFunc[int](sys, nil, actor.Config{Name: "a"}) },
		`actor: Spawn("a"): MailboxCapacity is -1; want 1 to 1073741824, or 0 for the system's, 1024`: func() {
			actor.Spawn(sys, handler, actor.Config{Name: "a", MailboxCapacity: -1})
		},
		`actor: Spawn("a"): mailbox: unknown kind "heap"; want one of`: func() {
			actor.Spawn(sys, handler, actor.Config{Name: "a", MailboxKind: "heap"})
		},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			spawn()
		}()
	}
}

// TestGoexitDoesNotLoseTheActor: a handler that ends its goroutine costs the worker, not
// the messages behind.
func TestGoexitDoesNotLoseTheActor(t *testing.T) {
	failures := make(chan actor.Failure, 3)
	sys := newSystem(t, actor.SystemConfig{Workers: 1, OnFailure: func(f actor.Failure) { failures <- f }})
	handled, signalled := 0, 0
	ref := actor.Spawn(sys, func(_ *actor.Context[int], n int) error {
		handled++
		if n == 1 {
			goruntime.Goexit()
		}
		return nil
	}, actor.Config{
		OnSignal: func() { signalled++; goruntime.Goexit() },
		OnStop:   func() { goruntime.Goexit() },
	})
	for i := range 4 {
		if err := ref.Tell(i); err != nil {
			t.Fatal(err)
		}
	}
	ref.Signal()
	if err := ref.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if handled != 4 || signalled != 1 {
		t.Errorf("handled %d of 4 messages, %d of 1 signals", handled, signalled)
	}
	for range 3 {
		if f := <-failures; f.Err != actor.ErrGoexit {
			t.Errorf("failure %+v, want ErrGoexit", f)
		}
	}
}

// TestHooksThatPanic: no hook of the user's can stop an actor.
func TestHooksThatPanic(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{
		OnFailure:    func(actor.Failure) { panic("OnFailure") },
		OnDeadLetter: func(actor.DeadLetter) { panic("OnDeadLetter") },
	})
	handled := 0
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error {
		handled++
		panic("handler")
	}, actor.Config{OnSignal: func() { panic("OnSignal") }, OnStop: func() { panic("OnStop") }})
	ref.Signal()
	for range 3 {
		if err := ref.Tell(0); err != nil {
			t.Fatal(err)
		}
	}
	if err := ref.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := ref.Tell(0); err != mailbox.ErrClosed {
		t.Errorf("Tell = %v, want ErrClosed", err)
	}
	// 3 handlers, OnSignal and OnStop, OnFailure for each of these, OnDeadLetter.
	if got := sys.Stats(); handled != 3 || got.Panics != 11 || got.DeadLetters != 1 {
		t.Errorf("handled %d of 3, %+v", handled, got)
	}
}

func TestStatsCountWhatIsHandled(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	noop := func(*actor.Context[int], int) error { return nil }
	live, gone := actor.Spawn(sys, noop, actor.Config{}), actor.Spawn(sys, noop, actor.Config{})
	for range 100 {
		for _, ref := range []actor.Ref[int]{live, gone} {
			if err := ref.Tell(0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := gone.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	for sys.Stats().Handled != 200 { // the live one's count is shown when it falls idle
		goruntime.Gosched()
	}
	if got := sys.Stats().Actors; got != 1 {
		t.Errorf("Actors = %d, want 1", got)
	}
}
