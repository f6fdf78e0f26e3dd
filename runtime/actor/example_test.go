package actor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// exampleSystem is NewSystem without the error that a valid configuration never gives.
func exampleSystem(cfg actor.SystemConfig) *actor.System {
	sys, err := actor.NewSystem(cfg)
	if err != nil {
		panic(err)
	}
	return sys
}

func Example() {
	sys, err := actor.NewSystem(actor.SystemConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	total := 0
	counter := actor.Spawn(sys, func(_ *actor.Context[int], n int) error {
		total += n // no lock: one message at a time
		return nil
	}, actor.Config{Name: "counter"})
	for n := range 5 {
		if err := counter.Tell(n); err != nil {
			fmt.Println(err)
		}
	}
	if err := sys.Stop(context.Background()); err != nil { // handles what was accepted
		fmt.Println(err)
	}
	fmt.Println(total)
	// Output: 10
}

// An actor answers another by TellFrom; the two may have different message types.
func ExampleRef_TellFrom() {
	sys := exampleSystem(actor.SystemConfig{})
	done := make(chan struct{})
	printer := actor.Spawn(sys, func(_ *actor.Context[string], line string) error {
		fmt.Println(line)
		close(done)
		return nil
	}, actor.Config{})
	square := actor.Spawn(sys, func(c *actor.Context[int], n int) error {
		return printer.TellFrom(c, fmt.Sprintf("%d squared is %d", n, n*n))
	}, actor.Config{})
	_ = square.Tell(7)
	<-done
	_ = sys.Stop(context.Background())
	// Output: 7 squared is 49
}

// Full is an answer: Tell gives it at once, TellWait waits for room within its context.
func ExampleRef_TellWait() {
	sys := exampleSystem(actor.SystemConfig{})
	entered, release := make(chan struct{}, 3), make(chan struct{})
	slow := actor.Spawn(sys, func(*actor.Context[int], int) error {
		entered <- struct{}{}
		<-release
		return nil
	}, actor.Config{Name: "slow", MailboxCapacity: 1, Blocking: true})
	_ = slow.Tell(1)
	<-entered
	_ = slow.Tell(2)
	fmt.Println(slow.Tell(3) == mailbox.ErrFull)

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(errors.Is(slow.TellWait(ctx, 3), context.DeadlineExceeded))

	close(release)
	fmt.Println(slow.TellWait(context.Background(), 3))
	_ = sys.Stop(context.Background())
	// Output:
	// true
	// true
	// <nil>
}

// Signals coalesce and need no room.
func ExampleRef_Signal() {
	sys := exampleSystem(actor.SystemConfig{})
	done := make(chan struct{}, 1)
	ref := actor.Spawn(sys, func(*actor.Context[int], int) error { return nil }, actor.Config{
		OnSignal: func() { done <- struct{}{} },
	})
	ref.Signal()
	<-done
	fmt.Println("attended to")
	_ = sys.Stop(context.Background())
	// Output: attended to
}

// What an actor did not get to before the deadline of its Stop comes back.
func ExampleDeadLetter() {
	letters := make(chan actor.DeadLetter, 1)
	sys := exampleSystem(actor.SystemConfig{OnDeadLetter: func(d actor.DeadLetter) { letters <- d }})
	entered, release := make(chan struct{}, 1), make(chan struct{})
	ref := actor.Spawn(sys, func(*actor.Context[string], string) error {
		entered <- struct{}{}
		<-release
		return nil
	}, actor.Config{Name: "mailer", Blocking: true})
	_ = ref.Tell("first")
	<-entered
	_ = ref.Tell("second")

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(ref.Stop(ctx))
	close(release)
	letter := <-letters
	fmt.Printf("%s: %v: %v\n", letter.Actor, letter.Message, letter.Reason)
	_ = sys.Stop(context.Background())
	// Output:
	// actor: "mailer": the deadline of Stop came with 1 messages left, which become dead letters: context deadline exceeded
	// mailer: second: actor: not handled before the deadline of Stop
}

// Errors and panics of a handler are reported, and the actor goes on.
func ExampleFailure() {
	sys := exampleSystem(actor.SystemConfig{OnFailure: func(f actor.Failure) {
		fmt.Printf("%s failed on %v: %v\n", f.Actor, f.Message, f.Err)
	}})
	div := actor.Spawn(sys, func(_ *actor.Context[int], n int) error {
		fmt.Println(12 / n)
		return nil
	}, actor.Config{Name: "divider"})
	for _, n := range []int{0, 3} {
		_ = div.Tell(n)
	}
	_ = sys.Stop(context.Background())
	// Output:
	// divider failed on 0: panic: runtime error: integer divide by zero
	// 4
}

// Stop handles what has been accepted, within ctx; what it could not handle by then comes back as dead letters.
func ExampleRef_Stop() {
	sys := exampleSystem(actor.SystemConfig{KeepDeadLetters: 10})
	entered, release := make(chan struct{}, 1), make(chan struct{})
	handle := func(_ *actor.Context[int], m int) error {
		if m == 1 {
			entered <- struct{}{}
			<-release
		}
		fmt.Println("handled", m)
		return nil
	}
	patient := actor.Spawn(sys, handle, actor.Config{})
	for m := range 3 {
		_ = patient.Tell(10 * m)
	}
	fmt.Println(patient.Stop(context.Background()))

	hasty := actor.Spawn(sys, handle, actor.Config{Name: "hasty", Blocking: true})
	for m := range 3 {
		_ = hasty.Tell(1 + m)
	}
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(hasty.Stop(ctx))
	close(release)
	_ = sys.Stop(context.Background())
	for _, d := range sys.DeadLetters() {
		fmt.Println(d.Message, d.Reason)
	}
	// Output:
	// handled 0
	// handled 10
	// handled 20
	// <nil>
	// actor: "hasty": the deadline of Stop came with 2 messages left, which become dead letters: context deadline exceeded
	// handled 1
	// 2 actor: not handled before the deadline of Stop
	// 3 actor: not handled before the deadline of Stop
}
