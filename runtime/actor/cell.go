package actor

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/scheduler"
)

// The states of an actor, in the low bits of cell.status.
const (
	idle      = 0 // nothing to do; whoever has something for it moves it to scheduled
	scheduled = 1 // on the executor: waiting there or running
	stopped   = 2 // for good
	suspended = 3 // backing off before a restart; only cell.resume ends that

	stateMask    = 3
	handledShift = 2 // the rest of the word counts handled messages
)

// Requests to an actor, in cell.flags.
const (
	flagSignal    = 1 << iota // OnSignal is to be called
	flagClosed                // the mailbox is closed: stop when it is drained
	flagAbandon               // make dead letters of what is left
	flagWaiting               // waiters is not empty
	flagNotice                // the message of a watch is to be handled
	flagEscalated             // a child's failure is to be dealt with
	flagChildren              // there are children: stop them before stopping
	flagUnstashed             // there are messages to be handled before those in the mailbox
	flagSibling               // an all-for-one sibling's verdict is to be shared
	flagPassivate             // stop unless there is something to do
	flagKilled                // the dead letters' reason is ErrKilled
	flagLetters               // it is told about dead letters
	flagHurry                 // a reply has woken an asker: let it have the processor
)

// flagsDue are the requests that the actor attends to before its next message.
const flagsDue = flagSignal | flagNotice | flagEscalated | flagUnstashed | flagSibling | flagPassivate

// cell is what an actor has regardless of its message type.
//
// Dispatch protocol. Whoever gives the actor something (a message, a flag)
// publishes it first and then loads status; if that is idle it moves it to
// scheduled by CAS and puts the actor on its executor. The actor, when it
// has nothing to do, stores idle first and then looks for messages and flags
// again; if there is something it tries the same CAS. Both are publish-then-look,
// and atomics are sequentially consistent, so one of the two sees the other and
// exactly one wins the CAS: no wake-up is lost and no actor is queued twice.
//
// Ownership. From the CAS to scheduled until the store of idle the actor's
// side (handled, slow, onStop, inHook, supervisor, marked, the mailbox's consumer end, the Context) belongs to
// the goroutine that runs it; the executor carries it from one to the next. After
// the store of idle that goroutine touches nothing but status, flags and the
// mailbox's shared end.
type cell struct {
	// What a message touches, in one cache line: with many actors each line is a miss.
	status     atomic.Uint64 // state | handled<<handledShift, stored by the running side
	flags      atomic.Uint32
	slow       bool // see budget
	inHook     bool // in OnSignal or OnStop
	inline     bool // see Config.Inline
	executor   *scheduler.Executor
	self       activation
	handled    uint64      // messages the handler has been given
	supervisor *supervisor // nil: resume after failures
	system     *System

	name     string
	onSignal func()
	onStop   func()          // nil once it has been called
	marked   context.Context // see handlerContext

	parent     *cell // nil unless spawned by SpawnChild
	prev, next *cell // in System.actors

	mu       sync.Mutex
	end      atomic.Uint32 // see notEnded; written with mu held
	done     chan struct{} // made for the first caller of Stopped, closed at the end
	sleepers *sleeper      // callers that are to be woken at the end
	rare     *rare         // made when first needed
}

// How far an actor has come in ending, in cell.end.
const (
	notEnded uint32 = iota
	ending          // it takes no more watches and tells those who watch it
	ended           // nothing of it is left
)

// rare is what most actors never need; it is kept apart to keep them small. cell.mu guards it.
type rare struct {
	waiters  waiterList
	watchers map[*watch]struct{} // who is to be told when this actor stops
	watching map[*watch]struct{} // what this actor is to be told
	fired    []*watch            // what it is to be told now

	children  map[*cell]struct{}
	escalated []error  // failures of children that are to be dealt with
	shared    sentence // what an all-for-one sibling has been sentenced to

	timers     map[*Timer]struct{} // those that may still fire
	passivator *passivator
}

// rarely returns rare; mu is held.
func (c *cell) rarely() *rare {
	if c.rare == nil {
		c.rare = new(rare)
	}
	return c.rare
}

// activation is the typed actor as its cell sees it.
type activation interface {
	scheduler.Activation
	closeMailbox()
	readyToFinish() bool
	queued() int
	stats() ActorStats
	endStash()
}

// claim moves the actor from idle to scheduled; the caller who is told true must
// put it on the executor.
func (c *cell) claim() bool {
	for {
		s := c.status.Load()
		if s&stateMask != idle {
			return false
		}
		if c.status.CompareAndSwap(s, s|scheduled) {
			return true
		}
	}
}

// schedule puts the actor on its executor unless it is there already.
func (c *cell) schedule() {
	if c.claim() {
		c.executor.Schedule(c.self)
	}
}

// scheduleFrom is schedule for a handler that runs on w, which may be nil.
func (c *cell) scheduleFrom(w *scheduler.Worker) {
	if !c.claim() {
		return
	}
	if w != nil && w.Executor() == c.executor {
		w.Schedule(c.self)
		return
	}
	c.executor.Schedule(c.self)
}

// close ends acceptance; the actor stops once it has drained its mailbox.
func (c *cell) close() {
	c.self.closeMailbox()
	c.request(flagClosed)
	c.resume()
	c.wakeIfWaiting()
}

// abandon makes the actor turn what is left in its mailbox into dead letters.
// The flag comes first: nothing more is handled once the mailbox is closed.
func (c *cell) abandon() { c.abandonAs(flagAbandon) }

func (c *cell) abandonAs(flags uint32) {
	was := c.flags.Or(flags)
	c.close()
	if was&flagChildren != 0 {
		c.closeChildren() // the actor itself may be in its handler for long; it closes those that it spawns there
	}
	if was&flagAbandon == 0 {
		c.schedule()
	}
}

func (c *cell) signal() { c.request(flagSignal) }

// request sets a flag. If it was set already, whoever set it sees to the rest.
func (c *cell) request(flag uint32) {
	if c.flags.Or(flag)&flag == 0 {
		c.schedule()
	}
}

// hurry has the worker let the asker go first that a reply has woken.
func (c *cell) hurry(w *scheduler.Worker) {
	if c.flags.Load()&flagHurry != 0 {
		c.flags.And(^uint32(flagHurry))
		w.Hurry()
	}
}

// stoppedChan returns a channel that is closed once the actor has stopped.
func (c *cell) stoppedChan() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.end.Load() == ended {
			close(c.done)
		}
	}
	return c.done
}

// finish is the actor's last act: its mailbox is drained.
func (c *cell) finish() {
	c.self.endStash()  // its dead letters' reason may be the supervisor's
	c.supervisor = nil // nothing that fails from here on brings it back
	if onStop := c.onStop; onStop != nil {
		c.onStop = nil
		c.runHook(onStop)
	}
	c.system.publish(c, Stopped, nil)
	c.status.Store(stopped | c.handled<<handledShift)
	c.system.remove(c)
	c.leave()
}

// leave tells everybody who is to know that the actor has stopped.
func (c *cell) leave() {
	c.mu.Lock()
	if c.rare == nil && c.parent == nil { // nobody to tell but those who wait for the end
		defer c.mu.Unlock()
		c.endNow()
		return
	}
	c.end.Store(ending)
	for c.wakeFirst() { // close may not have come to it yet
	}
	left := c.rare
	c.rare = nil
	c.mu.Unlock()

	if left != nil {
		left.endTimers(c)
		left.endWatches()
	}
	if c.parent != nil {
		c.parent.childGone(c)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.endNow()
}

// endNow needs mu.
func (c *cell) endNow() {
	c.end.Store(ended) // publishes all that the actor has done to hasStopped
	c.wakeSleepers()
	if c.done != nil {
		close(c.done)
	}
}

// runHook calls OnSignal or OnStop behind a panic barrier of its own. A Goexit goes
// on to the barrier of actor.Run.
func (c *cell) runHook(hook func()) {
	c.inHook = true
	defer func() {
		if value := recover(); value != nil {
			c.inHook = false
			c.panicked(value, nil)
		}
	}()
	hook()
	c.inHook = false
}

// panicked reports what ended a handler early, a panic's value or nil for Goexit, and
// answers as fail does.
func (c *cell) panicked(value, message any) (verdict bool) {
	err := ErrGoexit
	if value != nil {
		err = newPanicError(value)
	}
	c.system.panics.Add(1)
	return c.fail(Failure{Actor: c.name, Message: message, Err: err})
}
