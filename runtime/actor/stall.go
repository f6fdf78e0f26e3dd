package actor

import (
	"time"

	"github.com/ringmill/ringmill/scheduler"
)

// A Stall is a handler of a non-blocking actor that holds its worker for too long, so that
// strangers wait for it. Such an actor belongs on the other executor: Config.Blocking.
type Stall struct {
	Actor   string        // name
	Message string        // type of the actor's messages
	Held    time.Duration // so far; it may go on
	Stack   []byte        // of the worker's goroutine at this moment; nil if it was not found
}

// stalled makes a Stall of what an executor has found.
func (s *System) stalled(e scheduler.Stall) {
	s.stalls.Add(1)
	if s.config.OnStall == nil {
		return
	}
	stall := Stall{Held: e.Held, Stack: e.Stack}
	if a, ok := e.Activation.(interface{ describe() (name, message string) }); ok {
		stall.Actor, stall.Message = a.describe()
	}
	defer s.containHook()
	s.config.OnStall(stall)
}

func (a *actor[M]) describe() (name, message string) { return a.name, a.messageType() }
