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
// Its errors are those of Tell (then nothing was sent), ErrNoReply if the actor has
// stopped without a reply, one that wraps ctx.Err(), and inside a handler
// ErrInHandler. A handler is recognised by ctx, if that comes from
// Context.Context; else only after the message was sent. A handler that wants an
// answer tells a message with its own Ref in it, and has the answer told to that.
func Ask[M, T any](ctx context.Context, ref Ref[M], build func(ReplyTo[T]) M) (T, error) {
	var none T
	a := ref.actor
	if a == nil {
		return none, mailbox.ErrClosed
	}
	if inHandler(ctx) {
		return none, ErrInHandler
	}
	pool := replyPool[T](a.system)
	slot := pool.Get().(*replySlot[T])
	generation := slot.generation.Load()
	defer pool.Put(slot)
	if err := ref.Tell(build(ReplyTo[T]{slot: slot, generation: generation})); err != nil {
		slot.answer(generation) // what build may have kept is void
		return none, err
	}
	var ended error
	// While the actor is at work there is time to see whether this is a handler.
	if scheduler.OnWorker() {
		ended = ErrInHandler
	} else if ended = slot.await(ctx, &a.cell, generation); ended == nil {
		return slot.take(), nil
	}
	if !slot.answer(generation) { // a Reply was faster and is about to wake
		<-slot.woken
		return slot.take(), nil
	}
	return none, ended
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
	s.woken <- struct{}{} // publishes value; never blocks: there is one answer, and the Ask takes it out
	return nil
}

// replySlot is what an Ask and its Reply share. Slots are used again and a ReplyTo
// may outlive its Ask, so each Ask has a generation of its own: it lasts until
// somebody moves it on. That is either the first Reply, which then owns value until
// it wakes the asker, or the asker, when it does not want a reply any more.
type replySlot[T any] struct {
	generation atomic.Uint64
	value      T
	woken      chan struct{}
	moved      chan struct{}            // holds a token when handover is to be looked at
	handover   atomic.Pointer[handover] // by the latest Forward
}

// answer ends the generation; it reports true to one caller only.
func (s *replySlot[T]) answer(generation uint64) bool {
	return s.generation.CompareAndSwap(generation, generation+1)
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
		return &replySlot[T]{woken: make(chan struct{}, 1), moved: make(chan struct{}, 1)}
	}})
	return p.(*sync.Pool)
}
