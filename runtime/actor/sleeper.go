package actor

import (
	"context"
	"sync/atomic"
)

// A sleeper is a caller outside of all handlers that sleeps until an actor has done something: an Ask until the reply, a
// Forward or the actor's end, a Stop until the end. It sleeps on one channel for all of that: to receive from one costs less than
// half of a select, and who wakes it is followed by it on the same processor.
//
// A signal to look around may be in the channel when nothing waits for it any more. It means nothing but that: whoever receives it
// looks at what may have happened.
type sleeper struct {
	woken   chan signal // 2 places: one for replied, which comes once for each question, one for lookAround, see looking
	looking atomic.Bool // lookAround is in the channel, or about to be

	// Where it is listed; guarded by the mu of that cell.
	listed     bool
	prev, next *sleeper
}

type signal uint8

const (
	lookAround signal = iota // the actor has stopped, or an Ask was forwarded
	replied
)

func (s *sleeper) init() { s.woken = make(chan signal, 2) }

// look has the sleeper look around. It never blocks.
func (s *sleeper) look() {
	if s.looking.CompareAndSwap(false, true) {
		s.woken <- lookAround
	}
}

// received notes that sig has been taken out.
func (s *sleeper) received(sig signal) {
	if sig == lookAround {
		s.looking.Store(false)
	}
}

// sleep waits at c for a signal, until ctx ends. It is lookAround at once if c has stopped.
func (s *sleeper) sleep(ctx context.Context, c *cell) (sig signal, err error) {
	if !c.enlistSleeper(s) {
		return lookAround, nil
	}
	if done := ctx.Done(); done == nil { // spare the select
		sig = <-s.woken
		s.received(sig)
	} else {
		select {
		case sig = <-s.woken:
			s.received(sig)
		case <-done:
			err = ctx.Err()
		}
	}
	c.delistSleeper(s)
	return sig, err
}

// enlistSleeper has s woken when the actor has stopped; false: it has.
func (c *cell) enlistSleeper(s *sleeper) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end.Load() == ended {
		return false
	}
	s.listed = true
	s.prev, s.next = nil, c.sleepers
	if s.next != nil {
		s.next.prev = s
	}
	c.sleepers = s
	return true
}

func (c *cell) delistSleeper(s *sleeper) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !s.listed {
		return
	}
	s.listed = false
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		c.sleepers = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
}

// wakeSleepers is for the end. It needs mu.
func (c *cell) wakeSleepers() {
	for s := c.sleepers; s != nil; {
		next := s.next
		s.listed, s.prev, s.next = false, nil, nil
		s.look()
		s = next
	}
	c.sleepers = nil
}

// awaitEnd sleeps until the actor has stopped, and reports whether that came before the end of ctx.
func (c *cell) awaitEnd(ctx context.Context) bool {
	s := c.system.sleepers.Get().(*sleeper)
	defer c.system.sleepers.Put(s)
	for !c.hasStopped() {
		if _, err := s.sleep(ctx, c); err != nil {
			return c.hasStopped() // counts even if ctx has ended too
		}
	}
	return true
}
