// Package actortest helps to test actors.
//
// A [Probe] is an actor that keeps what it is told, for the test to expect it one by one:
//
//	probe := actortest.NewProbe[Reply](t, sys)
//	_ = ref.Tell(Request{ReplyTo: probe.Ref()})
//	reply := probe.Expect(time.Second)
//	probe.ExpectNone(10 * time.Millisecond)
//
// # Time
//
// There are two ways to let the time of Context.After, Every, passivation and back-offs pass at the test's
// will. Inside a bubble of testing/synctest everything works as it is, NewSystem called in
// the bubble: time.Sleep, Expect and ExpectNone take no real time, and
// synctest.Wait waits until every actor is idle or blocked. Outside one, for tests that cannot be in a bubble
// because they do input or output, SystemConfig.Clock takes a [Clock], whose time passes in Advance only.
//
// Nothing in the package sleeps or polls.
package actortest
