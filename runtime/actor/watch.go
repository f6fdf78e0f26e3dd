package actor

import "sync/atomic"

// Watch has message told to watcher once watched has stopped, or at once if it
// already has. When Stop of watched has returned, the message is on its way. The message needs no room in the mailbox and is never refused; it
// comes before messages that wait there. It is not delivered if the watcher
// stops first.
//
// cancel ends the watch; it may be called any number of times, from anywhere. A
// message that is already on its way is still delivered.
//
// It may be used inside handlers: actor.Watch(c.Self(), other, message).
func Watch[M, W any](watcher Ref[M], watched Ref[W], message M) (cancel func()) {
	w := &watch{message: message}
	if watcher.actor == nil {
		return func() {}
	}
	w.watcher = &watcher.actor.cell
	if watched.actor == nil {
		w.fire()
		return func() {}
	}
	w.watched = &watched.actor.cell
	if !w.watched.addWatcher(w) {
		w.fire()
	} else if !w.watcher.addWatching(w) {
		w.cancel()
	}
	return w.cancel
}

// watch ties two actors together. The one who sets ended may fire or drop it; the
// locks of the two actors are never held at the same time.
type watch struct {
	watched *cell
	watcher *cell
	message any // of the watcher's message type
	ended   atomic.Bool
	timer   *Timer // the timer whose message it is, instead of a watch; else nil
}

// addWatcher enters w at the watched actor, unless that has stopped.
func (c *cell) addWatcher(w *watch) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end.Load() != notEnded {
		return false
	}
	r := c.rarely()
	if r.watchers == nil {
		r.watchers = make(map[*watch]struct{})
	}
	r.watchers[w] = struct{}{}
	return true
}

// addWatching enters w at the watcher, unless that has stopped. It may have been
// fired since addWatcher: then there is nothing to enter.
func (c *cell) addWatching(w *watch) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end.Load() != notEnded {
		return false
	}
	if !w.ended.Load() {
		r := c.rarely()
		if r.watching == nil {
			r.watching = make(map[*watch]struct{})
		}
		r.watching[w] = struct{}{}
	}
	return true
}

// fire has the message told.
func (w *watch) fire() {
	if !w.ended.CompareAndSwap(false, true) {
		return
	}
	c := w.watcher
	c.mu.Lock()
	if c.end.Load() != notEnded {
		c.mu.Unlock()
		return
	}
	r := c.rarely()
	delete(r.watching, w)
	r.fired = append(r.fired, w) // bounded by the watches there were
	c.flags.Or(flagNotice)
	c.mu.Unlock()
	c.schedule()
}

// cancel drops the watch at both ends.
func (w *watch) cancel() {
	if !w.ended.CompareAndSwap(false, true) {
		return
	}
	w.watcher.mu.Lock()
	if r := w.watcher.rare; r != nil {
		delete(r.watching, w)
	}
	w.watcher.mu.Unlock()
	w.watched.mu.Lock()
	if r := w.watched.rare; r != nil {
		delete(r.watchers, w)
	}
	w.watched.mu.Unlock()
}

// takeFired takes the oldest watch or timer that has fired, and lowers the flag with the last.
func (c *cell) takeFired() *watch {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.rare != nil && len(c.rare.fired) > 0 {
		w := c.rare.fired[0]
		c.rare.fired[0] = nil
		c.rare.fired = c.rare.fired[1:]
		if len(c.rare.fired) == 0 {
			c.rare.fired = nil
			c.flags.And(^uint32(flagNotice))
		}
		if w.timer == nil || w.timer.taken() {
			return w
		}
	}
	return nil
}

// endWatches ends the watches of an actor that has stopped.
func (r *rare) endWatches() {
	for w := range r.watching {
		w.cancel()
	}
	for w := range r.watchers {
		w.fire()
	}
}
