package actor

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
)

// An EventKind says what has happened in an actor's life.
type EventKind uint8

const (
	Spawned    EventKind = iota // the actor has been spawned
	Failed                      // its handler or a hook has failed; Err says how
	Restarted                   // its supervision has made a new handler
	GaveUp                      // its supervision is stopping it; Err is the last failure
	Stopped                     // it has stopped: everything is handled, OnStop has returned
	Passivated                  // it is stopping because it had nothing to do for Config.PassivateAfter
)

func (k EventKind) String() string {
	switch k {
	case Spawned:
		return "spawned"
	case Failed:
		return "failed"
	case Restarted:
		return "restarted"
	case GaveUp:
		return "gave up"
	case Stopped:
		return "stopped"
	case Passivated:
		return "passivated"
	}
	return "unknown"
}

// An Event is something that has happened in an actor's life.
type Event struct {
	Kind  EventKind
	Actor string // name
	Err   error  // for Failed and GaveUp
}

// Subscribe has the events of all actors of sys told to subscriber, except its own.
// convert makes the message, or reports false for events that do not matter; it is
// called wherever the event comes up and must not block. An event that finds the
// subscriber's mailbox full is dropped and counted in Stats.DroppedEvents.
//
// The subscription ends with cancel or with the subscriber. The events of one actor
// come in order. While nobody subscribes an event costs one load.
func Subscribe[M any](sys *System, subscriber Ref[M], convert func(Event) (M, bool)) (cancel func()) {
	a := subscriber.actor
	if a == nil {
		return func() {}
	}
	s := &subscription{subscriber: &a.cell, tell: func(e Event) error {
		m, ok := convert(e)
		if !ok {
			return nil
		}
		return a.offer(m, nil)
	}}
	sys.events.add(s)
	return func() { sys.events.remove(s) }
}

type subscription struct {
	subscriber *cell
	tell       func(Event) error // nil, mailbox.ErrFull, mailbox.ErrClosed
}

// eventStream is the list of subscriptions, replaced as a whole.
type eventStream struct {
	mu            sync.Mutex                      // held by who replaces it
	subscriptions atomic.Pointer[[]*subscription] // nil when there are none
	dropped       atomic.Uint64
}

func (s *eventStream) active() bool { return s.subscriptions.Load() != nil }

func (s *eventStream) add(sub *subscription) {
	s.replace(func(subs []*subscription) []*subscription { return append(subs, sub) })
}

func (s *eventStream) remove(sub *subscription) {
	s.replace(func(subs []*subscription) []*subscription {
		return slices.DeleteFunc(subs, func(x *subscription) bool { return x == sub })
	})
}

func (s *eventStream) replace(change func([]*subscription) []*subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var subs []*subscription
	if old := s.subscriptions.Load(); old != nil {
		subs = slices.Clone(*old)
	}
	if subs = change(subs); len(subs) == 0 {
		s.subscriptions.Store(nil)
		return
	}
	s.subscriptions.Store(&subs)
}

// publish tells the subscribers about an event of c.
func (s *System) publish(c *cell, kind EventKind, err error) {
	subs := s.events.subscriptions.Load()
	if subs == nil {
		return
	}
	e := Event{Kind: kind, Actor: c.name, Err: err}
	for _, sub := range *subs {
		if sub.subscriber != c {
			s.tellEvent(sub, e)
		}
	}
}

func (s *System) tellEvent(sub *subscription, e Event) {
	defer s.containHook() // convert is the user's
	switch sub.tell(e) {
	case mailbox.ErrFull:
		s.events.dropped.Add(1)
	case mailbox.ErrClosed:
		s.events.remove(sub)
	}
}
