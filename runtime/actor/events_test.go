package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
)

func all(e actor.Event) (actor.Event, bool) { return e, true }

func ExampleSubscribe() {
	sys := exampleSystem(actor.SystemConfig{})
	done := make(chan struct{})
	reporter := actor.Spawn(sys, func(_ *actor.Context[string], line string) error {
		fmt.Println(line)
		if line == "worker stopped" {
			close(done)
		}
		return nil
	}, actor.Config{Name: "reporter"})
	actor.Subscribe(sys, reporter, func(e actor.Event) (string, bool) {
		return fmt.Sprint(e.Actor, " ", e.Kind), true
	})
	worker := actor.Spawn(sys, func(c *actor.Context[int], _ int) error {
		c.Stop()
		return errors.New("no more")
	}, actor.Config{Name: "worker"})
	_ = worker.Tell(1)
	<-done
	_ = sys.Stop(context.Background())
	// Output:
	// worker spawned
	// worker failed
	// worker stopped
}

// TestEventsOfALife: every step of a supervised actor's life is told, in order.
func TestEventsOfALife(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	events := make(chan actor.Event, 100)
	subscriber := actor.Spawn(sys, func(_ *actor.Context[actor.Event], e actor.Event) error {
		events <- e
		return errOops // its own failures are not told to it
	}, actor.Config{})
	actor.Subscribe(sys, subscriber, all)
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error { return errOops }, actor.Config{
		Name:        "short-lived",
		Supervision: &actor.Supervision{MaxRestarts: 1, Backoff: time.Microsecond},
	})
	for range 2 {
		if err := ref.Tell(0); err != nil {
			t.Fatal(err)
		}
	}
	want := []actor.Event{
		{Kind: actor.Spawned, Actor: "short-lived"},
		{Kind: actor.Failed, Actor: "short-lived", Err: errOops},
		{Kind: actor.Restarted, Actor: "short-lived"},
		{Kind: actor.Failed, Actor: "short-lived", Err: errOops},
		{Kind: actor.GaveUp, Actor: "short-lived", Err: errOops},
		{Kind: actor.Stopped, Actor: "short-lived"},
	}
	var got []actor.Event
	for range want {
		select {
		case e := <-events:
			got = append(got, e)
		case <-within(t).Done():
			t.Fatalf("got only %v", got)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestSubscriptionEnds: with cancel and with the subscriber; a full one and one whose convert
// panics hurt nobody.
func TestSubscriptionEnds(t *testing.T) {
	sys := newSystem(t, actor.SystemConfig{})
	spawn := func(n int) {
		for range n {
			actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{})
		}
	}
	told := 0
	count := func(*actor.Context[actor.Event], actor.Event) error { told++; return nil }
	ref := actor.Spawn(sys, count, actor.Config{})
	cancel := actor.Subscribe(sys, ref, all)
	spawn(3)
	cancel()
	cancel()
	spawn(3)
	if err := ref.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	if told != 3 {
		t.Errorf("told %d events, want 3", told)
	}

	actor.Subscribe(sys, ref, all) // stopped
	actor.Subscribe(sys, actor.Ref[actor.Event]{}, all)()
	spawn(1)
	if got := sys.Stats().DeadLetters; got != 0 {
		t.Errorf("%d dead letters of events", got)
	}

	entered, release := make(chan struct{}, 10), make(chan struct{})
	full := actor.Spawn(sys, func(*actor.Context[actor.Event], actor.Event) error {
		entered <- struct{}{}
		<-release
		return nil
	}, actor.Config{MailboxCapacity: 1, Blocking: true})
	actor.Subscribe(sys, full, all)
	spawn(1)
	<-entered
	spawn(5) // one waits, four are dropped
	if got := sys.Stats().DroppedEvents; got != 4 {
		t.Errorf("%d dropped events, want 4", got)
	}
	close(release)

	actor.Subscribe(sys, full, func(actor.Event) (actor.Event, bool) { panic("convert") })
	spawn(1)
	if got := sys.Stats().Panics; got != 1 {
		t.Errorf("%d panics, want the one of convert", got)
	}
}

func TestEventKindString(t *testing.T) {
	var got []string
	for k := range actor.Passivated + 2 {
		got = append(got, k.String())
	}
	if want := []string{"spawned", "failed", "restarted", "gave up", "stopped", "passivated", "unknown"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
