package actor_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// An actor that nobody tells anything goes, and an event says so.
func ExampleConfig_passivateAfter() {
	sys := exampleSystem(actor.SystemConfig{})
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil },
		actor.Config{Name: "session", PassivateAfter: 2 * time.Millisecond})
	<-ref.Stopped()
	fmt.Println(ref.Tell(1) == mailbox.ErrClosed, sys.Stats().Passivated)
	_ = sys.Stop(context.Background())
	// Output: true 1
}

// Only the latest measurements matter: a full mailbox drops the oldest.
func ExampleConfig_overflow() {
	sys := exampleSystem(actor.SystemConfig{})
	entered, release := make(chan struct{}, 4), make(chan struct{})
	ref := actor.Spawn(sys, func(_ *actor.Context[int], m int) error {
		entered <- struct{}{}
		<-release
		fmt.Println(m)
		return nil
	}, actor.Config{Blocking: true, MailboxCapacity: 2, Overflow: mailbox.DropOldest})
	_ = ref.Tell(1)
	<-entered
	for m := 2; m <= 5; m++ {
		_ = ref.Tell(m)
	}
	fmt.Println("dropped", ref.Stats().Dropped)
	close(release)
	_ = sys.Stop(context.Background())
	// Output:
	// dropped 2
	// 1
	// 4
	// 5
}

// One failure, and all that belong together begin anew.
func ExampleSupervision_allForOne() {
	sys := exampleSystem(actor.SystemConfig{})
	together := &actor.Supervision{AllForOne: true, Backoff: time.Millisecond}
	restarted := make(chan string, 2)
	child := func(name string, c *actor.Context[string]) actor.Ref[string] {
		first := true
		return actor.SpawnChildFunc(c, func() func(*actor.Context[string], string) error {
			if !first {
				restarted <- name
			}
			first = false
			return func(*actor.Context[string], string) error { return fmt.Errorf("%s failed", name) }
		}, actor.Config{Name: name, Supervision: together})
	}
	parent := actor.Spawn(sys, func(c *actor.Context[string], _ string) error {
		child("reader", c)
		return child("writer", c).TellFrom(c, "fail")
	}, actor.Config{})
	_ = parent.Tell("start")
	<-restarted
	<-restarted
	_ = sys.Stop(context.Background())
	fmt.Println(sys.Stats().Restarts, "restarts")
	// Output: 2 restarts
}

// Kill leaves nothing to be handled; Close and Stop handle everything first.
func ExampleRef_Kill() {
	sys := exampleSystem(actor.SystemConfig{KeepDeadLetters: 10})
	entered, release := make(chan struct{}, 1), make(chan struct{})
	ref := actor.Spawn(sys, func(*actor.Context[string], string) error {
		entered <- struct{}{}
		<-release
		return nil
	}, actor.Config{Name: "worker", Blocking: true})
	_ = ref.Tell("first")
	<-entered
	_ = ref.Tell("second")
	ref.Kill()
	close(release)
	<-ref.Stopped()
	for _, d := range sys.DeadLetters() {
		fmt.Println(d.Actor, d.Message, d.Reason)
	}
	_ = sys.Stop(context.Background())
	// Output: worker second actor: not handled before Kill
}

func ExampleSubscribeDeadLetters() {
	sys := exampleSystem(actor.SystemConfig{})
	done := make(chan struct{})
	clerk := actor.Spawn(sys, func(_ *actor.Context[string], m string) error {
		fmt.Println(m)
		close(done)
		return nil
	}, actor.Config{})
	actor.SubscribeDeadLetters(sys, clerk, func(d actor.DeadLetter) (string, bool) {
		return fmt.Sprintf("%v for %s came too late", d.Message, d.Actor), true
	})
	gone := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{Name: "Ada"})
	_ = gone.Stop(context.Background())
	_ = gone.Tell(7)
	<-done
	_ = sys.Stop(context.Background())
	// Output: 7 for Ada came too late
}

// What an actor is doing, how much waits there, and how long it waits.
func ExampleSystem_Actors() {
	sys := exampleSystem(actor.SystemConfig{Sample: true})
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{Name: "counter", MailboxCapacity: 100})
	_ = ref.Tell(1)
	for _, a := range sys.Actors() {
		fmt.Println(a.Name, a.Type, a.Capacity)
	}
	_ = ref.Stop(context.Background())
	st := ref.Stats()
	fmt.Println(st.State, st.Handled, st.Wait.Count, st.Service.Count)
	_ = sys.Stop(context.Background())
	// Output:
	// counter int 100
	// stopped 1 1 1
}

// A handler that blocks where it must not is found out.
func ExampleStall() {
	stalls := make(chan actor.Stall, 1)
	sys := exampleSystem(actor.SystemConfig{StallAfter: time.Millisecond, OnStall: func(s actor.Stall) { stalls <- s }})
	release := make(chan struct{})
	ref := actor.Spawn(sys, func(*actor.Context[string], string) error {
		<-release // it should have Config.Blocking
		return nil
	}, actor.Config{Name: "culprit"})
	_ = ref.Tell("go")
	s := <-stalls
	fmt.Println(s.Actor, s.Message, s.Held >= time.Millisecond, len(s.Stack) > 0)
	close(release)
	_ = sys.Stop(context.Background())
	// Output: culprit string true true
}

// A router by name: here, to whoever has nothing to do.
func ExampleRouters() {
	sys := exampleSystem(actor.SystemConfig{})
	fmt.Println(actor.Routers())
	pool := actor.NewPool(sys, 4, func() func(*actor.Context[string], string) error {
		return func(_ *actor.Context[string], m string) error {
			fmt.Println(m)
			return nil
		}
	}, actor.PoolConfig{Router: actor.RouterIdle})
	_ = pool.Tell("work")
	_ = sys.Stop(context.Background())
	// Output:
	// [broadcast hash idle least-loaded round-robin]
	// work
}
