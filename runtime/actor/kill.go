package actor

// Kill closes the mailbox and makes dead letters, with ErrKilled, of what is in it and in
// those of the actor's children, at once: nothing more is handled but the message that
// a handler may be working on. Then OnStop is called and the actor has stopped. It
// returns at once and may be used anywhere, inside handlers too; Stop waits for the end.
// Notices of watches and timers are not delivered any more.
func (r Ref[M]) Kill() {
	if r.actor != nil {
		r.actor.abandonAs(flagAbandon | flagKilled)
	}
}

// abandonedBecause is the reason of the dead letters of an abandoned actor.
func (c *cell) abandonedBecause() error {
	switch {
	case c.supervisor != nil && c.supervisor.gaveUp:
		return ErrGaveUp
	case c.flags.Load()&flagKilled != 0:
		return ErrKilled
	}
	return ErrAbandoned
}
