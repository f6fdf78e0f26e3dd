// Package actorlist shows over HTTP what actors are doing now: how many messages wait for
// each, what it is at, how long messages wait and take.
//
//	mux.Handle("GET /debug/actors", actorlist.Handler(rt.Actors))
//
// The list comes from a function: Runtime.Actors has those of a runtime, actor.System.Actors
// those of a system, registry.Registry.Actors the named ones, which is a snapshot of one moment
// while actors come and go. A request costs the actors nothing; their list is copied once, in a
// time that grows with its length.
//
// Without parameters the answer is a table, those with the most waiting messages first; programs ask with
// ?format=json or an Accept header of application/json. Further parameters:
//
//	sort    depth (default), handled, wait, service (the longest first), or name
//	state   idle, busy, backing-off, stopping or stopped: those only
//	name    those whose name begins so
//	limit   how many are shown, 1 to 100,000; 1,000 if it is not given
//
// A parameter that cannot be meant is answered with status 400 and what is wanted. Wait and
// service times are there for actors that are sampled (actor.Config.Sample, runtime.Config.SampleActors).
//
// The package starts nothing and listens nowhere. The answer names actors and types of messages: serve it
// to operators only.
package actorlist
