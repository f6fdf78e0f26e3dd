package limit

import (
	"container/list"
	"fmt"
	"sync"
)

// MaxConcurrency is the largest bound of a Concurrency.
const MaxConcurrency = 1 << 20

// A Concurrency hands out a number of places for each key, first come, first
// served. It is safe for concurrent use; its lock is never held while other code
// runs. A key takes memory only while somebody holds or waits for a place of it.
// Make one with [NewConcurrency].
//
// Invariants, for each key:
//
//	I1  0 <= taken <= places
//	I2  somebody waits only if taken == places
//	I3  granted is called once for each waiter that is not cancelled, never for
//	    one that is
type Concurrency struct {
	places int

	mu   sync.Mutex
	keys map[string]*slot
}

// A slot is one key's places.
type slot struct {
	taken   int
	waiting list.List // of *Waiter
}

// A Waiter is somebody who waits for a place.
type Waiter struct {
	slot    *slot
	key     string
	granted func()
	element *list.Element // nil once it left the queue
}

// NewConcurrency returns a limit with so many places for each key, 1 to
// MaxConcurrency.
func NewConcurrency(places int) (*Concurrency, error) {
	if places < 1 || places > MaxConcurrency {
		return nil, fmt.Errorf("concurrency limit: places is %d; want 1 to %d", places, MaxConcurrency)
	}
	return &Concurrency{places: places, keys: make(map[string]*slot)}, nil
}

// Acquire takes a place of key and reports true. If all are taken it queues the
// caller and reports false: granted is then called once, on the goroutine of
// whoever gives a place back, when a place is the caller's. It must be quick and must not
// block.
func (c *Concurrency) Acquire(key string, granted func()) (waiter any, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.keys[key]
	if s == nil {
		s = new(slot)
		c.keys[key] = s
	}
	if s.taken < c.places {
		s.taken++
		return nil, true
	}
	w := &Waiter{slot: s, key: key, granted: granted}
	w.element = s.waiting.PushBack(w)
	return w, false
}

// Cancel takes a waiter, as Acquire returned it, out of the queue. It reports
// false if the place is the waiter's already: granted was called or is about to be.
func (c *Concurrency) Cancel(waiter any) bool {
	w, ok := waiter.(*Waiter)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.element == nil {
		return false
	}
	w.slot.waiting.Remove(w.element)
	w.element = nil
	return true
}

// Release gives a place of key back, to whoever waits for it longest.
func (c *Concurrency) Release(key string) {
	if w := c.release(key); w != nil {
		w.granted()
	}
}

// release returns the waiter that has the place now.
func (c *Concurrency) release(key string) *Waiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.keys[key]
	if s == nil {
		panic(fmt.Sprintf("limit: a place of %q was given back that nobody holds", key))
	}
	if front := s.waiting.Front(); front != nil {
		w := s.waiting.Remove(front).(*Waiter)
		w.element = nil
		return w
	}
	if s.taken--; s.taken == 0 {
		delete(c.keys, key)
	}
	return nil
}

// Held returns how many places of key are taken, and how many wait for one.
func (c *Concurrency) Held(key string) (taken, waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.keys[key]; s != nil {
		return s.taken, s.waiting.Len()
	}
	return 0, 0
}
