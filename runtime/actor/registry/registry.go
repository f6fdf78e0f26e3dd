package registry

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/Workiva/go-datastructures/trie/ctrie"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/runtime/actor"
)

var (
	// ErrTaken reports a Spawn under a name whose actor is there.
	ErrTaken = errors.New("registry: the name is taken: look it up, or use GetOrSpawn")

	// ErrUnknown reports a Lookup of a name that no actor has.
	ErrUnknown = errors.New("registry: no actor has this name")

	// ErrStopped reports that the system has begun to stop, so that nothing can be spawned.
	ErrStopped = errors.New("registry: the system is stopping")

	// ErrBadName reports an empty or too long name.
	ErrBadName = errors.New("registry: a name has 1 to 1,024 bytes")
)

// MaxName is the greatest length of a name, in bytes.
const MaxName = 1024

// A TypeError reports that the actor of a name takes other messages.
type TypeError struct {
	Name      string
	Is, Asked string // types of messages
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("registry: %q takes messages of type %s, not %s", e.Name, e.Is, e.Asked)
}

// Registry keeps the named actors of a system. All its methods and functions are safe for
// concurrent use, inside handlers too; none waits for an actor.
type Registry struct {
	system *actor.System
	names  *ctrie.Ctrie // of entry; changed with mu held, read without

	mu sync.Mutex // a ctrie has no insert-if-absent; never held while user code runs
}

// entry is an actor as the registry sees it: an actor.Ref[M].
type entry interface {
	Stats() actor.ActorStats
	Closed() bool
}

// New returns an empty registry for the actors of sys. There may be several.
func New(sys *actor.System) *Registry {
	return &Registry{system: sys, names: ctrie.New(nil)}
}

// Spawn is actor.Spawn under a name of its own, which is the actor's Config.Name too. It is
// ErrTaken while an actor of that name is there, ErrBadName, or ErrStopped. It panics as actor.Spawn does.
func Spawn[M any](r *Registry, name string, handler func(*actor.Context[M], M) error, cfg actor.Config) (actor.Ref[M], error) {
	return spawn(r, name, cfg, func(cfg actor.Config) actor.Ref[M] { return actor.Spawn(r.system, handler, cfg) })
}

// SpawnFunc is Spawn as actor.SpawnFunc is actor.Spawn.
func SpawnFunc[M any](r *Registry, name string, newHandler func() func(*actor.Context[M], M) error, cfg actor.Config) (actor.Ref[M], error) {
	return spawn(r, name, cfg, func(cfg actor.Config) actor.Ref[M] { return actor.SpawnFunc(r.system, newHandler, cfg) })
}

func spawn[M any](r *Registry, name string, cfg actor.Config, start func(actor.Config) actor.Ref[M]) (none actor.Ref[M], err error) {
	if err := check(name); err != nil {
		return none, err
	}
	if r.taken(name) {
		return none, fmt.Errorf("%w: %q", ErrTaken, name)
	}
	ref, other := enter(r, name, cfg, start)
	switch {
	case other != nil:
		return none, fmt.Errorf("%w: %q", ErrTaken, name)
	case ref.Closed() && stopping(ref):
		return none, ErrStopped
	}
	return ref, nil
}

// Lookup returns the actor of that name. It is ErrUnknown or a *TypeError. The actor may
// be stopping by the time it is told something.
func Lookup[M any](r *Registry, name string) (none actor.Ref[M], err error) {
	found, ok := r.names.Lookup([]byte(name))
	if !ok {
		return none, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	return typed[M](name, found.(entry))
}

// GetOrSpawn returns the actor of that name, or spawns it if there is none that takes
// messages: none has been spawned, or it has been passivated, has failed for good or is
// stopping. So two actors of one name may exist for a moment, of which the older only finishes
// what it has accepted. Of callers at the same time all get the same actor; newHandler may
// have been called by each of them, and an actor that lost is closed without a message.
//
// Between GetOrSpawn and a Tell the actor may be passivated; Tell answers
// mailbox.ErrClosed then, and the caller does both again, as Tell of this package does.
//
// It is a *TypeError, ErrBadName or ErrStopped.
func GetOrSpawn[M any](r *Registry, name string, newHandler func() func(*actor.Context[M], M) error, cfg actor.Config) (none actor.Ref[M], err error) {
	if err := check(name); err != nil {
		return none, err
	}
	if found, ok := r.names.Lookup([]byte(name)); ok && !found.(entry).Closed() {
		return typed[M](name, found.(entry))
	}
	ref, other := enter(r, name, cfg, func(cfg actor.Config) actor.Ref[M] { return actor.SpawnFunc(r.system, newHandler, cfg) })
	switch {
	case other != nil:
		return typed[M](name, other)
	case ref.Closed() && stopping(ref):
		return none, ErrStopped
	}
	return ref, nil
}

// Actors returns the state of all named actors of one moment, by name. The moment's list is
// made in constant time; the states are read one after the other.
func (r *Registry) Actors() []actor.ActorStats {
	var all []actor.ActorStats
	for e := range r.names.ReadOnlySnapshot().Iterator(nil) {
		all = append(all, e.Value.(entry).Stats())
	}
	slices.SortFunc(all, func(a, b actor.ActorStats) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Len returns the number of names.
func (r *Registry) Len() int { return int(r.names.ReadOnlySnapshot().Size()) }

func check(name string) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("%w: this one has %d", ErrBadName, len(name))
	}
	return nil
}

func (r *Registry) taken(name string) bool {
	found, ok := r.names.Lookup([]byte(name))
	return ok && !found.(entry).Closed()
}

// enter spawns an actor and enters it under its name, unless another one was faster: then
// that is the answer, and the own one is closed.
//
// The actor may stop before it is entered. Whoever comes second of the two, enter or
// leave, sees what the other has done: enter looks at stopped with mu held.
func enter[M any](r *Registry, name string, cfg actor.Config, start func(actor.Config) actor.Ref[M]) (ref actor.Ref[M], other entry) {
	cfg.Name = name
	var own entry // guarded by r.mu
	stopped := false
	onStop := cfg.OnStop
	cfg.OnStop = func() {
		r.mu.Lock()
		stopped = true
		if own != nil {
			r.remove(name, own)
		}
		r.mu.Unlock()
		if onStop != nil {
			onStop()
		}
	}
	ref = start(cfg)
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.names.Lookup([]byte(name)); ok && !found.(entry).Closed() {
		ref.Close()
		return ref, found.(entry)
	}
	if !stopped && !ref.Closed() {
		own = ref
		r.names.Insert([]byte(name), own)
	}
	return ref, nil
}

// remove needs mu. The name may belong to a successor by now.
func (r *Registry) remove(name string, own entry) {
	if found, ok := r.names.Lookup([]byte(name)); ok && found.(entry) == own {
		r.names.Remove([]byte(name))
	}
}

func typed[M any](name string, found entry) (actor.Ref[M], error) {
	ref, ok := found.(actor.Ref[M])
	if !ok {
		return ref, &TypeError{Name: name, Is: found.Stats().Type, Asked: reflect.TypeFor[M]().String()}
	}
	return ref, nil
}

// stopping reports whether the actor never lived, as on a system that stops.
func stopping[M any](ref actor.Ref[M]) bool { return ref.Stats().State == actor.StateStopped }

// tellAttempts bounds how often Tell finds the actor gone that it has just been given.
const tellAttempts = 16

// Tell is GetOrSpawn and Tell, again when the actor has been passivated in between. It is
// mailbox.ErrFull, what GetOrSpawn answers, or mailbox.ErrClosed if the actor always stops at once.
func Tell[M any](r *Registry, name string, m M, newHandler func() func(*actor.Context[M], M) error, cfg actor.Config) error {
	for range tellAttempts {
		ref, err := GetOrSpawn(r, name, newHandler, cfg)
		if err != nil {
			return err
		}
		if err = ref.Offer(m); err != mailbox.ErrClosed {
			return err
		}
	}
	return mailbox.ErrClosed
}
