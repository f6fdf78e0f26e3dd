package actor

import "context"

// waiter is one TellWait that waits for room.
type waiter struct {
	woken      chan struct{} // holds one wake-up
	prev, next *waiter
	listed     bool
}

// waiterList is first in, first out. cell.mu guards it. It is kin to waitlist in the package mailbox, whose senders are not
// woken to try again but served by the consumer.
type waiterList struct{ first, last *waiter }

func (l *waiterList) add(w *waiter) {
	w.listed = true
	w.prev, w.next = l.last, nil
	if l.last != nil {
		l.last.next = w
	} else {
		l.first = w
	}
	l.last = w
}

func (l *waiterList) remove(w *waiter) {
	w.listed = false
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		l.last = w.prev
	}
}

// waitForRoom calls try until it answers something other than full. It sleeps in
// between, until the actor has taken a message out or has been closed.
//
// No wake-up is lost: the waiter enters the list and raises flagWaiting before it
// tries, the actor takes a message out before it loads the flag. Each message
// taken out wakes one waiter; one that turns out not to need its wake-up passes it
// on. So a waiter sleeps only while the mailbox is full or a wake-up is on its way.
func (c *cell) waitForRoom(ctx context.Context, try func() (full bool, err error)) error {
	w := &waiter{woken: make(chan struct{}, 1)}
	for {
		c.enlist(w)
		if full, err := try(); !full {
			c.delist(w)
			return err
		}
		select {
		case <-w.woken:
		case <-ctx.Done():
			c.delist(w)
			return ctx.Err()
		}
	}
}

func (c *cell) enlist(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rarely().waiters.add(w)
	c.flags.Or(flagWaiting)
}

// delist takes w out. If it has been woken meanwhile the next one is woken in its stead.
func (c *cell) delist(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !w.listed {
		c.wakeFirst()
		return
	}
	c.rarely().waiters.remove(w)
	c.lowerWaiting()
}

// wakeWaiter is called by the actor when it has taken a message out.
func (c *cell) wakeWaiter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakeFirst()
}

// wakeIfWaiting wakes all after the mailbox was closed. A waiter raises the flag before it tries: either the flag is seen
// here or the end of the mailbox there.
func (c *cell) wakeIfWaiting() {
	if c.flags.Load()&flagWaiting != 0 {
		c.wakeAllWaiters()
	}
}

func (c *cell) wakeAllWaiters() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.wakeFirst() {
	}
}

// wakeFirst wakes the one who waits longest, if there is one. It needs mu.
func (c *cell) wakeFirst() bool {
	if c.rare == nil || c.rare.waiters.first == nil {
		return false
	}
	w := c.rare.waiters.first
	c.rare.waiters.remove(w)
	c.lowerWaiting()
	w.woken <- struct{}{} // never blocks: one wake-up for each time it is listed, and it is read before the next
	return true
}

// lowerWaiting needs mu.
func (c *cell) lowerWaiting() {
	if c.rare.waiters.first == nil {
		c.flags.And(^uint32(flagWaiting))
	}
}
