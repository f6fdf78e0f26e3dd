package actor

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
)

// Ask sends ref the message that build makes around a ReplyTo and waits for the
// reply, within ctx. In the steady state it does not allocate, beyond what build
// does.
//
// An idle actor with Config.Inline handles the message on the calling goroutine, which
// saves waking a worker and waiting for it. An Ask that is answered so is answered also
// inside a handler.
//
// Its errors are those of Tell (then nothing was sent; a reply by OnDeadLetter comes in place of the error), ErrNoReply if the actor has
// stopped without a reply, one that wraps ctx.Err(), and inside a handler
// ErrInHandler; that comes after the message was sent only if the actor has Config.Inline and is busy, and
// ctx does not come from Context.Context. A handler that wants
// an answer tells a message with its own Ref in it, and has the answer told to that.
func Ask[M, T any](ctx context.Context, ref Ref[M], build func(ReplyTo[T]) M) (T, error) {
	a := ref.actor
	if a == nil {
		var none T
		return none, mailbox.ErrClosed
	}
	if inHandler(ctx) || !a.inline && scheduler.OnWorker() {
		var none T
		return none, ErrInHandler
	}
	pool := replyPool[T](a.system)
	slot := pool.Get().(*replySlot[T])
	v, err := askWith(ctx, a, slot, build)
	if slot.asked.Load() != nil {
		slot.asked.Store(nil) // the slot must not keep the actor alive
	}
	if slot.handover.Load() != nil {
		slot.handover.Store(nil)
	}
	pool.Put(slot) // not deferred: after a panic or Goexit a reply may still be on its way to the slot
	return v, err
}

// askWith is Ask with its slot.
func askWith[M, T any](ctx context.Context, a *actor[M], slot *replySlot[T], build func(ReplyTo[T]) M) (v T, err error) {
	generation := slot.generation.Load()
	message := build(ReplyTo[T]{slot: slot, generation: generation})
	if a.inline {
		err = a.tellInline(message, &slot.generation, generation)
	} else {
		if a.executor.Busy() { // a worker that goes on would keep the processor from the asker
			slot.asked.Store(&a.cell)
		}
		err = a.tellAwaited(message)
	}
	switch {
	case err != nil:
	case slot.answered():
		return slot.take(), nil
	case a.inline && scheduler.OnWorker():
		err = ErrInHandler
	default:
		if err = slot.await(ctx, &a.cell, generation); err == nil {
			return slot.take(), nil
		}
	}
	// Also after an error of Tell somebody may have replied: OnDeadLetter, or whoever build gave the ReplyTo to.
	if !slot.answer(generation) { // a Reply was faster and is about to wake
		for sig := range slot.woken {
			if slot.received(sig); sig == replied {
				break
			}
		}
		return slot.take(), nil
	}
	return v, err
}

// tellAwaited is Tell of a message that somebody will wait for.
func (a *actor[M]) tellAwaited(m M) error {
	if err := a.mailbox.TryEnqueue(m); err != nil {
		return a.refused(m, err)
	}
	if a.claim() {
		a.executor.ScheduleAwaited(a)
	}
	return nil
}

// ReplyTo is where the reply to one Ask goes. It may be copied, kept and passed on
// to other actors and goroutines; whoever calls Reply first answers.
type ReplyTo[T any] struct {
	slot       *replySlot[T]
	generation uint64
}

// Reply answers the Ask. It may be called from anywhere, never blocks and never
// allocates. It is ErrNotAsking if the Ask has been answered already or has ended
// without; v is then not delivered.
func (r ReplyTo[T]) Reply(v T) error {
	s := r.slot
	if s == nil || !s.answer(r.generation) {
		return ErrNotAsking
	}
	s.value = v
	if asked := s.asked.Load(); asked != nil {
		asked.flags.Or(flagHurry) // this may be its handler, and the asker next on its processor
	}
	s.woken <- replied // publishes value; never blocks: there is one answer, and the Ask takes it out
	return nil
}

// replySlot is what an Ask and its Reply share. Slots are used again and a ReplyTo
// may outlive its Ask, so each Ask has a generation of its own: it lasts until
// somebody moves it on. That is either the first Reply, which then owns value until
// it wakes the asker, or the asker, when it does not want a reply any more.
type replySlot[T any] struct {
	sleeper
	generation atomic.Uint64
	value      T
	asked      atomic.Pointer[cell]     // the actor asked, if its worker is to yield after the reply
	handover   atomic.Pointer[handover] // by the latest Forward
}

// answer ends the generation; it reports true to one caller only.
func (s *replySlot[T]) answer(generation uint64) bool {
	return s.generation.CompareAndSwap(generation, generation+1)
}

// answered reports whether the asker has been woken by the reply already.
func (s *replySlot[T]) answered() bool {
	for {
		select {
		case sig := <-s.woken:
			if s.received(sig); sig == replied {
				return true
			}
		default:
			return false
		}
	}
}

func (s *replySlot[T]) take() T {
	var zero T
	v := s.value
	s.value = zero // the slot must not keep v alive
	return v
}

// replyPool returns the system's pool of *replySlot[T]. A system keeps its own, by
// reflect.Type, because a channel must not leave the synctest bubble it was made in.
func replyPool[T any](s *System) *sync.Pool {
	key := reflect.TypeFor[T]()
	if p, ok := s.replyPools.Load(key); ok {
		return p.(*sync.Pool)
	}
	p, _ := s.replyPools.LoadOrStore(key, &sync.Pool{New: func() any {
		slot := new(replySlot[T])
		slot.init()
		return slot
	}})
	return p.(*sync.Pool)
}
