package actor

import "github.com/ringmill/ringmill/mailbox"

// Offer is Tell that leaves m with the caller when it is refused: m does not become a
// dead letter when the actor has stopped, for callers that know what else to do with it.
func (r Ref[M]) Offer(m M) error {
	if r.actor == nil {
		return mailbox.ErrClosed
	}
	return r.actor.offer(m, nil)
}
