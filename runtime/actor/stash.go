package actor

// handler is what an actor calls for a message.
type handler[M any] = func(*Context[M], M) error

// maxBecome bounds the handlers on top of one another.
const maxBecome = 64

// extra is what most actors never need, apart from it to keep them small. It belongs
// to the actor's side.
//
// An unstashed message is handled before those in the mailbox. So while there are
// any, flagUnstashed is raised and nothing is taken out of the mailbox, but for the one
// message that the slice may have had in its hand when the flag rose, which becomes
// the last of them. So at most StashCapacity + 1 wait there.
type extra[M any] struct {
	stashCapacity int
	stash         []M // set aside, the oldest first
	pending       []M // unstashed, the oldest first
	base          handler[M]
	stack         []handler[M] // what Become has replaced, base first
	wrap          func(handler[M]) handler[M]
}

func (x *extra[M]) unstashed() bool { return len(x.pending) > 0 }

// extras returns extra, made if necessary.
func (a *actor[M]) extras() *extra[M] {
	if a.extra == nil {
		a.extra = &extra[M]{stashCapacity: a.mailbox.Cap(), base: a.handler}
	}
	return a.extra
}

// Stash sets m aside until UnstashAll, which is for a message that the actor cannot
// handle yet. It is ErrStashFull when Config.StashCapacity messages are there already;
// m is then the handler's to deal with.
//
// A restart unstashes everything: the new handler sees it before newer messages. What
// is still in the stash when the actor stops becomes dead letters with ErrStashed.
func (c *Context[M]) Stash(m M) error {
	x := c.actor.extras()
	if len(x.stash) >= x.stashCapacity {
		return ErrStashFull
	}
	x.stash = append(x.stash, m)
	return nil
}

// UnstashAll has the stash handled again, in the order in which it was delivered, before
// anything that is in the mailbox. It begins when the handler has returned. Each delivery counts as handled.
func (c *Context[M]) UnstashAll() {
	if a := c.actor; a.extra != nil {
		a.unstashAll()
	}
}

func (a *actor[M]) unstashAll() {
	x := a.extra
	if len(x.stash) == 0 {
		return
	}
	// What is still pending was delivered to the mailbox after what is in the stash.
	x.pending, x.stash = append(x.stash, x.pending...), nil
	a.flags.Or(flagUnstashed)
}

// Stashed returns the number of messages in the stash.
func (c *Context[M]) Stashed() int {
	if c.actor.extra == nil {
		return 0
	}
	return len(c.actor.extra.stash)
}

// Become has handler called from the next message on, until Unbecome. Middleware goes
// around it as around the first one. A restart goes back to the handler that the actor
// was spawned with, or to a new one of SpawnFunc. It is ErrBecomeDepth, and changes
// nothing, on top of 64 others. A nil handler panics.
func (c *Context[M]) Become(handler func(*Context[M], M) error) error {
	if handler == nil {
		panic("actor: Become: handler is nil")
	}
	a := c.actor
	x := a.extras()
	if len(x.stack) >= maxBecome {
		return ErrBecomeDepth
	}
	x.stack = append(x.stack, a.handler)
	if x.wrap != nil {
		handler = x.wrap(handler)
	}
	a.handler = handler
	return nil
}

// Unbecome goes back to the handler before the last Become. It reports false, and
// changes nothing, if there is none.
func (c *Context[M]) Unbecome() bool {
	a := c.actor
	if a.extra == nil || len(a.extra.stack) == 0 {
		return false
	}
	x := a.extra
	last := len(x.stack) - 1
	a.handler, x.stack[last] = x.stack[last], nil
	x.stack = x.stack[:last]
	return true
}

// handleLater ends the slice, so that the next one begins with what is unstashed.
func (a *actor[M]) handleLater(message M) (again bool) {
	a.extra.pending = append(a.extra.pending, message)
	a.status.Store(scheduled | a.handled<<handledShift)
	return true
}

// redeliver is a slice of unstashed messages only.
func (a *actor[M]) redeliver(message *M, b *budget) (again bool) {
	x := a.extra
	for x.unstashed() {
		*message = x.pending[0]
		var zero M
		x.pending[0] = zero // keeps nothing alive
		if x.pending = x.pending[1:]; !x.unstashed() {
			x.pending = nil
			a.flags.And(^uint32(flagUnstashed))
		}
		if a.flags.Load()&flagAbandon != 0 {
			a.attend(flagAbandon, *message)
		} else if a.handle(message) {
			return a.carryOut()
		}
		if b.spent() {
			break
		}
	}
	a.status.Store(scheduled | a.handled<<handledShift)
	return true
}

// restartExtra follows the making of a new handler.
func (a *actor[M]) restartExtra() {
	x := a.extra
	if a.newHandler != nil {
		x.base = a.handler
		if x.wrap != nil {
			x.base = x.wrap(a.handler)
		}
	}
	a.handler, x.stack = x.base, nil
	a.unstashAll()
}

// endStash makes dead letters of the stash of an actor that stops.
func (a *actor[M]) endStash() {
	if a.extra == nil {
		return
	}
	stash := a.extra.stash
	a.extra.stash = nil
	reason := ErrStashed
	if a.flags.Load()&flagAbandon != 0 {
		reason = a.abandonedBecause()
	}
	for _, m := range stash {
		a.deadLetter(m, reason)
	}
}
