// Package actor gives typed actors: a function and its private state, run for one
// message at a time, fed through a bounded lock-free mailbox.
//
//	sys, err := actor.NewSystem(actor.SystemConfig{})
//	counter := actor.Spawn(sys, func(c *actor.Context[int], n int) error {
//		total += n
//		return nil
//	}, actor.Config{Name: "counter"})
//	err = counter.Tell(1)
//	err = sys.Stop(ctx)
//
// How to choose among the ways to send:
//
//   - [Ref.Tell] from anywhere: never blocks, answers mailbox.ErrFull or ErrClosed.
//   - [Ref.TellFrom] inside a handler: the same, and faster.
//   - [Ref.TellWait] outside handlers: waits for room within its context.
//   - [Ask] outside handlers: sends and waits for the reply. [Config.Inline] makes it cheaper than a channel.
//   - [Ref.Signal] when only the fact matters and not how often: never refused.
//
// A [Pool] is a group of actors behind one router: round robin, by key, or all.
//
// [Watch] tells an actor that another has stopped. [Supervision] says how an actor
// goes on after a failure: it resumes, restarts after a back-off, or stops. [SpawnChild] ties
// an actor's life to its parent's. [Subscribe] gives an actor the events of all others'
// lives.
//
// Handlers must not block, unless [Config.Blocking] puts the actor on the
// system's other executor, which is made for that.
//
// What the package never does: it never blocks a sender but in TellWait and Ask,
// never drops an accepted message (it is handled or becomes a dead letter, counted
// and shown to OnDeadLetter), never runs a handler twice at the same time, never
// lets a panic out, never polls, and never logs.
package actor
