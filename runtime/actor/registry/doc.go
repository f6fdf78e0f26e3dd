// Package registry keeps actors by name, for programs that know a name where they have no
// actor.Ref: an account, a session, a device.
//
//	names := registry.New(sys)
//	ref, err := registry.Spawn(names, "counter", handler, actor.Config{})        // unique: ErrTaken
//	ref, err = registry.Lookup[int](names, "counter")                            // ErrUnknown, *TypeError
//	ref, err = registry.GetOrSpawn(names, "account-7", newHandler, actor.Config{ // made on demand, and again
//		PassivateAfter: time.Minute,                                             // after it was passivated
//	})
//	for _, a := range names.Actors() { ... }                                     // one moment's names
//
// Only actors spawned here are registered. A name is given up when its actor stops, for
// whatever reason, and by GetOrSpawn and Spawn as soon as the actor takes no more messages.
//
// The names are in a ctrie: looking one up takes no lock, and a listing is a snapshot made in
// constant time, consistent while actors come and go. None of it is on the path of a message; keep the
// Ref where messages are many. It is a package of its own so that programs which
// need no names do not link the ctrie.
package registry
