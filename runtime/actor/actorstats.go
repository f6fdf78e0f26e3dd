package actor

import (
	"reflect"
	"time"
)

// State is what an actor is doing.
type State string

const (
	StateIdle       State = "idle"        // it has nothing to do
	StateBusy       State = "busy"        // it handles a message or waits for a worker
	StateBackingOff State = "backing off" // its supervision will restart it
	StateStopping   State = "stopping"    // closed; it handles what it has accepted, or waits for its children
	StateStopped    State = "stopped"
)

// ActorStats is a snapshot of one actor; its numbers are read one after the other.
type ActorStats struct {
	Name     string `json:"name"`
	Type     string `json:"type"`     // of its messages
	State    State  `json:"state"`    //
	Busy     bool   `json:"busy"`     // it is on a worker or waits for one
	Blocking bool   `json:"blocking"` // see Config.Blocking
	Depth    int    `json:"depth"`    // messages in the mailbox
	Capacity int    `json:"capacity"` // room in the mailbox; with a Priority, of each level
	Handled  uint64 `json:"handled"`  // messages; a running slice of up to 64 is added at its end
	Dropped  uint64 `json:"dropped"`  // messages, by Config.Overflow
	Wait     Times  `json:"wait"`     // from Tell to the handler; empty without Config.Sample
	Service  Times  `json:"service"`  // in the handler; empty without Config.Sample
}

// Times sums up the durations of sampled messages.
type Times struct {
	Count uint64        `json:"count"`
	Mean  time.Duration `json:"mean_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Stats returns the actor's present state. It does not disturb the actor or its senders. The zero Ref is stopped.
func (r Ref[M]) Stats() ActorStats {
	if r.actor == nil {
		return ActorStats{Type: reflect.TypeFor[M]().String(), State: StateStopped}
	}
	return r.actor.stats()
}

// Name returns the actor's Config.Name.
func (r Ref[M]) Name() string {
	if r.actor == nil {
		return ""
	}
	return r.actor.name
}

// Stopped returns a channel that is closed once the actor has stopped.
func (r Ref[M]) Stopped() <-chan struct{} {
	if r.actor == nil {
		return closedChan
	}
	return r.actor.stoppedChan()
}

// Closed reports whether the actor has stopped or is stopping: Tell answers mailbox.ErrClosed.
func (r Ref[M]) Closed() bool {
	return r.actor == nil || r.actor.flags.Load()&flagClosed != 0 || r.actor.status.Load()&stateMask == stopped
}

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Actors returns the present state of all actors, the newest first. It copies the list
// under a lock that Spawn takes too, and does not disturb the message path.
func (s *System) Actors() []ActorStats {
	s.mu.Lock()
	cells := s.actors.all()
	s.mu.Unlock()
	all := make([]ActorStats, len(cells))
	for i, c := range cells {
		all[i] = c.self.stats()
	}
	return all
}

func (a *actor[M]) messageType() string { return reflect.TypeFor[M]().String() }

func (a *actor[M]) stats() ActorStats {
	status := a.status.Load()
	st := ActorStats{
		Name:     a.name,
		Type:     a.messageType(),
		State:    stateOf(status, a.flags.Load()),
		Busy:     status&stateMask == scheduled,
		Blocking: a.executor == a.system.blocking,
		Depth:    a.mailbox.Len(),
		Capacity: a.mailbox.Cap(),
		Handled:  status >> handledShift,
	}
	if o := a.observed; o != nil {
		st.Dropped = o.dropped.Load()
		if o.sampler != nil {
			st.Wait, st.Service = o.sampler.wait.times(), o.sampler.service.times()
		}
	}
	return st
}

func stateOf(status uint64, flags uint32) State {
	switch {
	case status&stateMask == stopped:
		return StateStopped
	case flags&flagClosed != 0:
		return StateStopping
	case status&stateMask == scheduled:
		return StateBusy
	case status&stateMask == suspended:
		return StateBackingOff
	}
	return StateIdle
}
