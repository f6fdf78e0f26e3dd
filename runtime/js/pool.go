package js

import (
	"container/list"
	"context"
	"sync"
)

// A slot is a place for a guest. It is empty until its first use, and while its
// guest is being replaced it is in no list.
type slot struct{ guest *guest }

// A pool hands out slots together with a turn on the processor. Waiters are
// served in order, those that already have a slot first.
//
// Invariants, under mu:
//
//	I1  turns + slots at work <= parallel; len(idle) + slots handed out or in replacement = instances
//	I2  waiting is non-empty only if idle is empty or no turn is free
//	I3  waiting.Len() <= queue
type pool struct {
	mu      sync.Mutex
	idle    []*slot // a stack: the guest used last is the one in the processor's cache
	turns   int
	waiting list.List // *waiter, for a slot and a turn
	back    list.List // *waiter, for a turn only
	queue   int
	closed  bool
	gone    chan struct{} // closed with closed
	out     int           // slots not in idle
	empty   chan struct{} // closed once the pool is closed and out is 0
}

type waiter struct {
	granted chan *slot // capacity 1, so that granting never blocks
	place   *list.Element
}

func newPool(instances, parallel, queue int) *pool {
	p := &pool{turns: parallel, queue: queue, gone: make(chan struct{}), empty: make(chan struct{})}
	for range instances {
		p.idle = append(p.idle, new(slot))
	}
	return p
}

// acquire returns a slot and takes a turn; it waits in line for both. The error is
// ErrSaturated, ErrClosed or the context's.
func (p *pool) acquire(ctx context.Context) (*slot, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if len(p.idle) > 0 && p.turns > 0 {
		s := p.take()
		p.mu.Unlock()
		return s, nil
	}
	if p.waiting.Len() >= p.queue {
		p.mu.Unlock()
		return nil, ErrSaturated
	}
	w := &waiter{granted: make(chan *slot, 1)}
	w.place = p.waiting.PushBack(w)
	p.mu.Unlock()

	var err error
	select {
	case s := <-w.granted:
		return s, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-p.gone:
		err = ErrClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case s := <-w.granted: // granted meanwhile: pass it on
		p.put(s)
		p.turns++
		p.serve()
	default:
		p.waiting.Remove(w.place)
	}
	return nil, err
}

// try is acquire without waiting: nil means that it would wait or fail.
func (p *pool) try() *slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) == 0 || p.turns == 0 {
		return nil
	}
	return p.take()
}

// take removes the slot that was used last. The caller holds mu.
func (p *pool) take() *slot {
	s := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	p.turns--
	p.out++
	return s
}

func (p *pool) put(s *slot) {
	p.idle = append(p.idle, s)
	p.out--
	if p.closed && p.out == 0 {
		close(p.empty)
	}
}

// release gives a slot and its turn back.
func (p *pool) release(s *slot) {
	p.mu.Lock()
	p.put(s)
	p.turns++
	p.serve()
	p.mu.Unlock()
}

// yield gives the turn back and keeps the slot.
func (p *pool) yield() {
	p.mu.Lock()
	p.turns++
	p.serve()
	p.mu.Unlock()
}

// restock gives a slot back whose turn was given back before.
func (p *pool) restock(s *slot) {
	p.mu.Lock()
	p.put(s)
	p.serve()
	p.mu.Unlock()
}

// resume takes a turn again. Its wait is bounded by what the guests at work have
// left of their time; it does not end with a context, so that a slot always has
// its turn when it is released.
func (p *pool) resume() {
	p.mu.Lock()
	if p.turns > 0 {
		p.turns--
		p.mu.Unlock()
		return
	}
	w := &waiter{granted: make(chan *slot, 1)}
	w.place = p.back.PushBack(w)
	p.mu.Unlock()
	<-w.granted
}

// serve hands out what is free. The caller holds mu.
func (p *pool) serve() {
	for p.turns > 0 {
		if first := p.back.Front(); first != nil {
			p.turns--
			p.back.Remove(first).(*waiter).granted <- nil
			continue
		}
		first := p.waiting.Front()
		if first == nil || len(p.idle) == 0 || p.closed {
			return
		}
		p.waiting.Remove(first).(*waiter).granted <- p.take()
	}
}

// waitingNow is the number of calls that wait for a slot.
func (p *pool) waitingNow() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting.Len()
}

// close refuses everything from now on and returns what is closed once all slots
// are back.
func (p *pool) close() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		close(p.gone)
		if p.out == 0 {
			close(p.empty)
		}
	}
	return p.empty
}
