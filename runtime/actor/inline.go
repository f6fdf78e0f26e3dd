package actor

import (
	"sync/atomic"

	"github.com/ringmill/ringmill/scheduler"
)

// tellInline is Tell by an Ask, of the given generation, of an actor with Config.Inline: if m is all that the actor has to do,
// it is handled before tellInline returns.
func (a *actor[M]) tellInline(m M, present *atomic.Uint64, generation uint64) error {
	if err := a.mailbox.TryEnqueue(m); err != nil {
		return a.refused(m, err)
	}
	if !a.claim() {
		return nil
	}
	// The consumer's side is ours now: a single message is m, unless a worker has been faster with m and its answer is
	// there (or will be: a handler may answer later). What others have sent is not for this goroutine, which may
	// hold locks that their handling needs.
	if present.Load() != generation || a.mailbox.Len() != 1 || scheduler.RunInline((*inlineSlice[M])(a)) {
		a.executor.Schedule(a)
	}
	return nil
}

// inlineSlice is the actor as RunInline sees it: one message is its slice, and it leaves everything else to the executor.
type inlineSlice[M any] actor[M]

// Run is actor.Run for one message.
func (s *inlineSlice[M]) Run(*scheduler.Worker) (again bool) {
	a := (*actor[M])(s)
	var message M
	returned := false
	defer func() {
		if !returned {
			again = a.recovered(recover(), message)
		}
	}()
	again = true
	if !a.sentenced() && a.flags.Load()&^flagChildren == 0 {
		var ok bool
		if message, ok = a.mailbox.TryDequeue(); ok {
			a.context.worker = nil
			if a.handle(&message) {
				again = a.carryOut()
			} else {
				again = a.rest()
			}
		}
	}
	returned = true
	return again
}
