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
// A handler passes an Ask on, and the obligation to reply with it, by [Forward].
//
// A [Pool] is a group of actors behind one router, chosen by name ([Routers]): round robin,
// idle, least loaded, by hash of a key, or all.
//
// Inside a handler, [Context] gives more than Self: Stash and UnstashAll set messages
// aside and bring them back before newer ones, Become and Unbecome exchange the handler, After and Every tell the
// actor something later.
//
// [Watch] tells an actor that another has stopped. [Supervision] says how an actor
// goes on after a failure: it resumes, restarts after a back-off, or stops, alone or with
// its siblings. [SpawnChild] ties
// an actor's life to its parent's. [Subscribe] gives an actor the events of all others'
// lives.
//
// [Config] has what concerns one actor's mailbox and life: [Priority], an overflow policy,
// [Middleware], passivation, samples of waits. Ref.Close handles what was accepted and
// then stops, Ref.Stop waits for that until a deadline, [Ref.Kill] stops at once.
// [System.Actors] lists all actors with their state and depth; dead letters go to a hook, to
// subscribers ([SubscribeDeadLetters]) and to a list of the latest.
//
// Names are the business of package registry, tests that of package actortest.
//
// Handlers must not block, unless [Config.Blocking] puts the actor on the
// system's other executor, which is made for that. [SystemConfig.StallAfter] finds those
// that do all the same.
//
// What the package never does: it never blocks a sender but in TellWait and Ask,
// never drops an accepted message (it is handled or becomes a dead letter, counted
// and shown to OnDeadLetter), never runs a handler twice at the same time, never
// lets a panic out, never polls, and never logs.
package actor
