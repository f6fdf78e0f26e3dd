package actor

import (
	"context"
	"fmt"
)

// Forward tells to a message with the ReplyTo of an Ask and hands the obligation to reply
// over with it. The asker notices nothing: to answers it directly, and if to stops without
// a reply, instead of the actor that was asked, the Ask ends with ErrNoReply. It may be
// forwarded again.
//
// c is the Context of the handler that has the ReplyTo; m is usually the message that it was
// given, or one of to's type with the same ReplyTo in it. (A message without a ReplyTo
// needs no more than TellFrom: who sent it is not a part of it unless it says so.) Forward answers as
// TellFrom does; after an error the obligation stays where it was. It never blocks, and
// allocates once.
func Forward[M, T any](c Sender, to Ref[M], reply ReplyTo[T], m M) error {
	if err := to.TellFrom(c, m); err != nil {
		return err
	}
	s := reply.slot
	if s == nil || to.actor == nil || s.generation.Load() != reply.generation {
		return nil // nobody asks, or the answer is there already
	}
	h := &handover{generation: reply.generation, to: &to.actor.cell}
	for old := s.handover.Load(); !s.handover.CompareAndSwap(old, h); old = s.handover.Load() { // before the asker is woken to look at it
		if old != nil && old.generation > h.generation {
			return nil // the Ask is over, and another one has the slot
		}
	}
	s.look()
	return nil
}

// handover says who owes the reply to an Ask. One of an earlier generation means nothing.
type handover struct {
	generation uint64
	to         *cell
}

// await returns nil when the reply is there, else what came before. c is the actor asked.
func (s *replySlot[T]) await(ctx context.Context, c *cell, generation uint64) error {
	for {
		if h := s.handover.Load(); h != nil && h.generation == generation {
			c = h.to
		}
		sig, err := s.sleep(ctx, c)
		switch {
		case err == nil && sig == replied:
			return nil
		case err != nil:
		case !c.hasStopped():
			continue // forwarded, or a signal that an earlier Ask has left
		default:
			// The handover comes before the end of the one who made it.
			if h := s.handover.Load(); h != nil && h.generation == generation && h.to != c {
				continue
			}
			err = ErrNoReply
		}
		return fmt.Errorf("actor: %q: waiting for the reply: %w", c.name, err)
	}
}
