package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// DeadlineContext is a context.Context with a deadline on a Wheel. It is made for code
// that gives everything it calls a timeout, most of which neither needs the timeout nor
// looks at it: the Done channel, the timer and the tie to the parent are made when
// somebody asks for Done or AfterFunc, and Err alone compares the deadline with the clock.
//
// It keeps the contract of context.Context and behaves as a context of
// context.WithDeadline does, context.Cause, context.AfterFunc and child contexts included,
// except that:
//
//   - Done is closed up to one granularity of the wheel after the deadline, and never
//     before; after the wheel was stopped a runtime timer closes it;
//   - if both the deadline and the parent's end have passed when somebody first looks, the
//     parent counts, whichever came first: an unasked context keeps no watch;
//   - when the parent ends, Err answers so at once, but Done is closed by a goroutine of
//     its own, as for every context that is not the context package's.
//
// Its owner must end it once, by Cancel or by Release. All other methods are safe for
// concurrent use and do not block. An ended one that was not pooled stays valid.
type DeadlineContext struct {
	parent   context.Context
	wheel    *Wheel
	deadline time.Time
	bounded  bool  // deadline counts; else there is none, or it is the parent's and the parent keeps it
	cause    error // what context.Cause answers after the deadline, nil for DeadlineExceeded

	ended atomic.Pointer[ending] // set once, under mu
	asked atomic.Bool            // for Done or AfterFunc: others may hold on to the context; set under mu
	done  atomic.Value           // chan struct{}, made under mu

	mu   sync.Mutex
	rare *watched // guarded by mu; made when first needed, which most contexts never are
}

// watched is what a context has that somebody has asked for Done, AfterFunc or, after its end, a value.
type watched struct {
	timer  Timer
	spare  ClockTimer           // in place of timer if the wheel was stopped
	untie  func() bool          // from the parent
	after  map[*func()]struct{} // of AfterFunc
	sealed context.Context      // the parent's values and the own cause; see Value
}

// rarely returns rare; mu is held.
func (c *DeadlineContext) rarely() *watched {
	if c.rare == nil {
		c.rare = new(watched)
	}
	return c.rare
}

// ending is why a context has ended.
type ending struct {
	err   error
	cause error // what context.Cause answers, nil for err
	own   bool  // by its deadline or its owner, not by its parent
}

var (
	endCancelled = &ending{err: context.Canceled, own: true}
	endExpired   = &ending{err: context.DeadlineExceeded, own: true}
)

// WithDeadline returns a context that ends at the deadline, with its parent, or by Cancel
// or Release. It does not block, and allocates only if no released context is at hand.
func (w *Wheel) WithDeadline(parent context.Context, deadline time.Time) *DeadlineContext {
	return w.WithDeadlineCause(parent, deadline, nil)
}

// WithTimeout is WithDeadline with a deadline of d from now.
func (w *Wheel) WithTimeout(parent context.Context, d time.Duration) *DeadlineContext {
	return w.WithDeadlineCause(parent, w.now().Add(d), nil)
}

// WithDeadlineCause is WithDeadline that sets what context.Cause answers if the deadline
// ends the context.
func (w *Wheel) WithDeadlineCause(parent context.Context, deadline time.Time, cause error) *DeadlineContext {
	if parent == nil {
		panic("scheduler: Wheel.WithDeadline: the parent is nil; want a context")
	}
	c, _ := w.contexts.Get().(*DeadlineContext)
	if c == nil {
		c = new(DeadlineContext)
	}
	w.InitContext(c, parent, deadline, cause)
	return c
}

// InitContext makes a new context of c, which is part of something else and must not be in use: as
// WithDeadlineCause does, but a zero deadline means none. Release must not be called on it. It does not
// allocate.
func (w *Wheel) InitContext(c *DeadlineContext, parent context.Context, deadline time.Time, cause error) {
	c.wheel, c.parent, c.cause = w, parent, cause
	c.deadline, c.bounded = deadline, !deadline.IsZero()
	if theirs, ok := parent.Deadline(); ok && (!c.bounded || w.clock == nil && !deadline.Before(theirs)) { // with a clock, theirs may be the real time's
		c.deadline, c.bounded = theirs, false
	}
}

// Cancel ends the context, unless it has ended. Whoever still holds it finds it cancelled
// for good.
func (c *DeadlineContext) Cancel() { c.end(endCancelled) }

// CancelCause is Cancel that sets what context.Cause answers; nil is as for Cancel.
func (c *DeadlineContext) CancelCause(cause error) {
	if cause == nil {
		c.end(endCancelled)
		return
	}
	if c.Err() == nil { // else the parent's end, which came first, is the cause
		c.end(&ending{err: context.Canceled, cause: cause, own: true})
	}
}

// Release is Cancel that gives the context back for reuse if nobody has asked for Done or
// AfterFunc. It is for owners who know that nobody holds the context any more: a child
// made by context.WithValue, or a goroutine that kept it, would find another's deadline
// and values in it later. If that is not known, call Cancel and leave it to the garbage
// collector. No method may be called after Release.
func (c *DeadlineContext) Release() {
	if c.asked.Load() {
		c.end(endCancelled)
		return
	}
	c.parent, c.cause, c.rare = nil, nil, nil // keeps nothing alive; a use from here on panics
	c.ended.Store(nil)
	c.wheel.contexts.Put(c)
}

// Deadline returns the own deadline or the parent's, whichever comes first.
func (c *DeadlineContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Done returns the channel that is closed when the context ends. The first call makes the
// channel and arms the timer; a context that was asked for it is not pooled.
func (c *DeadlineContext) Done() <-chan struct{} {
	if done, ok := c.done.Load().(chan struct{}); ok {
		return done
	}
	_ = c.Err() // ends the context if it is time, so that the channel comes closed
	c.mu.Lock()
	defer c.mu.Unlock()
	if done, ok := c.done.Load().(chan struct{}); ok {
		return done
	}
	done := make(chan struct{})
	c.done.Store(done)
	if c.ended.Load() != nil {
		close(done)
	}
	c.watch()
	return done
}

// Err returns nil until the context has ended, then context.DeadlineExceeded or
// context.Canceled, or what its parent answers.
func (c *DeadlineContext) Err() error {
	if e := c.ended.Load(); e != nil {
		return e.err
	}
	if err := c.parent.Err(); err != nil {
		return c.end(&ending{err: err}).err
	}
	// Once asked, the timer decides, and Err and Done agree without a look at the clock.
	if c.bounded && !c.asked.Load() && !c.wheel.now().Before(c.deadline) {
		return c.end(endExpired).err
	}
	return nil
}

// Value returns the parent's value.
func (c *DeadlineContext) Value(key any) any {
	if e := c.ended.Load(); e != nil && e.own {
		return c.seal(e).Value(key)
	}
	return c.parent.Value(key)
}

// AfterFunc calls f in a goroutine of its own when the context has ended, unless stop is
// called before and answers true. The context package finds this method: AfterFunc and
// child contexts of that package cost no waiting goroutine.
func (c *DeadlineContext) AfterFunc(f func()) (stop func() bool) {
	_ = c.Err()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch()
	if c.ended.Load() != nil {
		go f()
		return func() bool { return false }
	}
	key, x := &f, c.rarely()
	if x.after == nil {
		x.after = make(map[*func()]struct{})
	}
	x.after[key] = struct{}{}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, was := x.after[key]
		delete(x.after, key)
		return was
	}
}

// String describes the context without reading what other goroutines write.
func (c *DeadlineContext) String() string {
	return fmt.Sprintf("scheduler.DeadlineContext(%s)", c.deadline.Format(time.RFC3339Nano))
}

// watch makes the context end by itself. mu is held. The parent's lock is taken under it,
// as a child takes this one under its own: always towards the root.
func (c *DeadlineContext) watch() {
	if c.asked.Swap(true) || c.ended.Load() != nil {
		return
	}
	onEnd, x := c.settle, c.rarely()
	x.timer.Init(onEnd)
	if c.bounded && !c.wheel.StartAt(&x.timer, c.deadline) {
		x.spare = c.wheel.afterFunc(c.deadline, onEnd)
	}
	if c.parent.Done() != nil {
		x.untie = context.AfterFunc(c.parent, onEnd)
	}
}

// settle is called at the deadline or after the parent has ended.
func (c *DeadlineContext) settle() {
	if err := c.parent.Err(); err != nil {
		c.end(&ending{err: err})
		return
	}
	c.end(endExpired)
}

// end ends the context by e, or returns what has ended it before.
func (c *DeadlineContext) end(e *ending) *ending {
	c.mu.Lock()
	if first := c.ended.Load(); first != nil {
		c.mu.Unlock()
		return first
	}
	c.ended.Store(e) // to Err, before Done is closed
	if done, ok := c.done.Load().(chan struct{}); ok {
		close(done)
	}
	x, asked := c.rare, c.asked.Load()
	if x == nil { // nobody watches
		c.mu.Unlock()
		return e
	}
	after, untie, spare := x.after, x.untie, x.spare
	x.after, x.untie, x.spare = nil, nil, nil
	c.mu.Unlock()

	if asked && c.bounded { // else the timer was never armed
		x.timer.Stop()
	}
	if spare != nil {
		spare.Stop()
	}
	if untie != nil {
		untie()
	}
	for f := range after {
		go (*f)()
	}
	return e
}

// seal returns a context with the parent's values that has ended as this one did:
// context.Cause looks for the cause among the values, where it would find that of a
// parent that ended later.
func (c *DeadlineContext) seal(e *ending) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.rarely()
	if x.sealed == nil {
		cause := cmp.Or(e.cause, e.err)
		if e == endExpired && c.cause != nil {
			cause = c.cause
		}
		sealed, cancel := context.WithCancelCause(context.WithoutCancel(c.parent))
		cancel(cause)
		x.sealed = sealed
	}
	return x.sealed
}
