package actor_test

import (
	"context"
	"errors"
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
	errs := make(chan error, 4)
	full := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{MailboxCapacity: 1})
	self := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
		_ = c.Self().Tell(0) // fills its mailbox
		errs <- c.Self().TellWait(context.Background(), 1)
		errs <- full.TellWait(c.Context(), 1)
		errs <- c.Self().Stop(context.Background())
		errs <- sys.Stop(context.Background())
		c.Stop()
		return nil
	}, actor.Config{MailboxCapacity: 1})
	if err := self.Tell(1); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if err := <-errs; err != actor.ErrInHandler {
			t.Errorf("got %v, want ErrInHandler", err)
		}
	}
	// The second message finds the mailbox closed only after it was handled.
	for range 4 {
		<-errs
	}
	if err := self.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}
