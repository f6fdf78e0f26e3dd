package actor

// TellAssist is Tell by a caller that is about to wait for what the actor does
// with m: if the actor is idle, a slice of its work, m first, runs on the calling
// goroutine before TellAssist returns, which saves waking a worker. It never
// waits for the actor; when that is at work already, or has more to do than one
// slice, the executor sees to the rest. It must not be used inside a handler, nor
// for an actor with Config.Blocking.
func (r Ref[M]) TellAssist(m M) error {
	a := r.actor
	if a == nil {
		return r.Tell(m)
	}
	if err := a.mailbox.TryEnqueue(m); err != nil {
		return a.refused(m, err)
	}
	if a.claim() && a.Run(nil) {
		a.executor.Schedule(a)
	}
	return nil
}
