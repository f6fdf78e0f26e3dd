package actor_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

// Until it is connected the actor sets everything aside.
func ExampleContext_Stash() {
	sys := exampleSystem(actor.SystemConfig{})
	connected := func(_ *actor.Context[string], m string) error {
		fmt.Println("send", m)
		return nil
	}
	client := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
		if m != "connected" {
			return c.Stash(m)
		}
		c.UnstashAll()
		return c.Become(connected)
	}, actor.Config{StashCapacity: 100})
	for _, m := range []string{"a", "b", "connected", "c"} {
		_ = client.Tell(m)
	}
	_ = sys.Stop(context.Background())
	// Output:
	// send a
	// send b
	// send c
}

func ExampleContext_Become() {
	sys := exampleSystem(actor.SystemConfig{})
	angry := func(c *actor.Context[string], m string) error {
		fmt.Println("no", m)
		if m == "sorry" {
			c.Unbecome()
		}
		return nil
	}
	ref := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
		fmt.Println("yes", m)
		if m == "insult" {
			return c.Become(angry)
		}
		return nil
	}, actor.Config{})
	for _, m := range []string{"hello", "insult", "please", "sorry", "thanks"} {
		_ = ref.Tell(m)
	}
	_ = sys.Stop(context.Background())
	// Output:
	// yes hello
	// yes insult
	// no please
	// no sorry
	// yes thanks
}

// A message to oneself, later; here, a limit on how long to wait for something.
func ExampleContext_After() {
	sys := exampleSystem(actor.SystemConfig{})
	done := make(chan struct{})
	ref := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
		if m == "start" {
			c.After(5*time.Millisecond, "timeout")
			return nil
		}
		fmt.Println(m)
		close(done)
		return nil
	}, actor.Config{})
	_ = ref.Tell("start")
	<-done
	_ = sys.Stop(context.Background())
	// Output: timeout
}

func ExampleContext_Every() {
	sys := exampleSystem(actor.SystemConfig{})
	done := make(chan struct{})
	var beat *actor.Timer
	n := 0
	ref := actor.Spawn(sys, func(c *actor.Context[string], m string) error {
		if m == "start" {
			beat = c.Every(time.Millisecond, "beat")
			return nil
		}
		n++
		fmt.Println(m, n)
		if n == 3 {
			beat.Stop() // exact: there is no fourth
			close(done)
		}
		return nil
	}, actor.Config{})
	_ = ref.Tell("start")
	<-done
	_ = sys.Stop(context.Background())
	// Output:
	// beat 1
	// beat 2
	// beat 3
}

// The clerk passes on what it cannot answer; the asker hears from the expert.
func ExampleForward() {
	type question struct {
		text  string
		reply actor.ReplyTo[string]
	}
	sys := exampleSystem(actor.SystemConfig{})
	expert := actor.Spawn(sys, func(_ *actor.Context[question], q question) error {
		return q.reply.Reply("the expert says 42")
	}, actor.Config{})
	clerk := actor.Spawn(sys, func(c *actor.Context[question], q question) error {
		return actor.Forward(c, expert, q.reply, q)
	}, actor.Config{})
	fmt.Println(actor.Ask(context.Background(), clerk, func(r actor.ReplyTo[string]) question {
		return question{"the answer?", r}
	}))
	_ = sys.Stop(context.Background())
	// Output: the expert says 42 <nil>
}

// A Middleware of messages of one type sees them; one made by Around goes with any actor.
func ExampleMiddleware() {
	shout := actor.Wrap(func(next func(*actor.Context[string], string) error) func(*actor.Context[string], string) error {
		return func(c *actor.Context[string], m string) error { return next(c, m+"!") }
	})
	trace := actor.Around(func(name string, next func() error) error {
		fmt.Println(name, "begins")
		err := next()
		fmt.Println(name, "ends:", err)
		return err
	})
	sys := exampleSystem(actor.SystemConfig{Middleware: []actor.Middleware{trace}})
	ref := actor.Spawn(sys, func(_ *actor.Context[string], m string) error {
		fmt.Println(m)
		return nil
	}, actor.Config{Name: "speaker", Middleware: []actor.Middleware{shout}})
	_ = ref.Tell("hello")
	_ = sys.Stop(context.Background())
	// Output:
	// speaker begins
	// hello!
	// speaker ends: <nil>
}

// The urgent message overtakes those that wait.
func ExamplePriorityBy() {
	sys := exampleSystem(actor.SystemConfig{})
	entered, release := make(chan struct{}, 3), make(chan struct{})
	ref := actor.Spawn(sys, func(_ *actor.Context[string], m string) error {
		entered <- struct{}{}
		<-release
		fmt.Println(m)
		return nil
	}, actor.Config{Blocking: true, Priority: actor.PriorityBy(func(m string) mailbox.Level {
		if m == "fire" {
			return mailbox.Urgent
		}
		return mailbox.Normal
	})})
	_ = ref.Tell("first")
	<-entered
	_ = ref.Tell("second")
	_ = ref.Tell("fire")
	close(release)
	_ = sys.Stop(context.Background())
	// Output:
	// first
	// fire
	// second
}
