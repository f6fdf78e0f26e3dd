package actor

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
)

// Config says how one actor works. The zero value is valid.
type Config struct {
	// Name appears in dead letters, failures and errors. It need not be unique.
	// Defaults to "".
	Name string

	// MailboxCapacity is the number of messages that may wait, exactly, 1 to
	// mailbox.MaxCapacity. Defaults to SystemConfig.MailboxCapacity.
	MailboxCapacity int

	// MailboxKind is the kind of mailbox, a name that mailbox.NewKind knows, for
	// comparisons; it panics at Spawn if it does not. Kinds other than "mpsc"
	// are slower, and may lock or even spin. Defaults to "mpsc".
	MailboxKind string

	// Blocking says that the handler may block (it runs user code, does input
	// or output): the actor runs on the system's blocking executor. Defaults to
	// false.
	Blocking bool

	// Inline says that the handler and the hooks are short, never wait and never
	// call Goexit: an Ask that finds the actor idle then runs the handler for its
	// message on the asking goroutine, at less than half the cost. What breaks
	// the promise breaks the asker: one that waits holds it beyond the end of its
	// ctx, a Goexit ends its goroutine. It cannot be combined with Blocking.
	// Defaults to false.
	Inline bool

	// Overflow says what happens to a message that finds the mailbox full:
	// mailbox.Fail answers ErrFull; mailbox.DropNewest drops that message and
	// mailbox.DropOldest the one that has waited longest, and Tell answers nil. What
	// is dropped becomes a dead letter with ErrOverflow and is counted in
	// Stats.Dropped and ActorStats.Dropped. mailbox.Wait is not for actors: use
	// TellWait. With DropOldest taking a message out costs a lock, and there can be no
	// Priority. Defaults to mailbox.Fail.
	Overflow mailbox.Overflow

	// Priority, made by PriorityBy, gives each message its level; see
	// mailbox.Priority for the order. Each of the four levels has MailboxCapacity.
	// Defaults to none: all messages are alike.
	Priority Priority

	// StashCapacity bounds Context.Stash, in messages, 1 to mailbox.MaxCapacity.
	// Defaults to MailboxCapacity. A stash takes memory when it is used.
	StashCapacity int

	// Middleware goes around the handler, the first outermost, inside that of the
	// system; see Middleware. Defaults to none, which costs nothing.
	Middleware []Middleware

	// PassivateAfter stops the actor, as Ref.Close does, when it has had no message
	// for that long: not sooner, and at most a quarter later, plus 1 ms. Messages of
	// timers and watches count, signals do not. An actor with children, or with
	// messages in its stash, stays. Its Ref answers mailbox.ErrClosed then, and an
	// Event tells of it. 0 means never; the least is 1 ms. Defaults to 0.
	PassivateAfter time.Duration

	// Sample switches on ActorStats.Wait and Service, measured for one message in 64.
	// It costs a counter that the senders share, two looks at the clock in 64 messages
	// and 8 bytes a place in the mailbox; it allocates nothing. Defaults to
	// SystemConfig.Sample.
	Sample bool

	// Supervision says what happens after a failure. Defaults to nil: the actor
	// goes on with its next message.
	Supervision *Supervision

	// OnSignal is called on the actor, like a handler, after Ref.Signal.
	// Defaults to nil: signals are ignored.
	OnSignal func()

	// OnStop is called once, on the actor, when its mailbox is closed and
	// drained; nothing runs on the actor afterwards. Defaults to nil.
	OnStop func()
}

// actor is a cell with a mailbox and a handler for messages of type M.
type actor[M any] struct {
	// What a message touches lies in the mailbox's three lines and the first one of cell.
	mailbox  inbox[M]
	handler  func(*Context[M], M) error // belongs to the actor's side, as the end of the mailbox that lies before it
	context  Context[M]
	observed *observed // set at spawn; nil without Overflow and Sample

	cell
	newHandler func() func(*Context[M], M) error // nil: a restart keeps the handler
	extra      *extra[M]                         // belongs to the actor's side; nil until something needs it
}

// Spawn starts an actor that calls handler for one message at a time, in the
// order in which they were accepted. An error or panic of the handler is counted
// and reported to OnFailure; Config.Supervision says how the actor goes on.
//
// On a system that has begun to stop it returns the Ref of a stopped actor. It
// panics if handler is nil or a number of the configuration is out of range.
func Spawn[M any](sys *System, handler func(*Context[M], M) error, cfg Config) Ref[M] {
	if handler == nil {
		panic(fmt.Sprintf("actor: Spawn(%q): handler is nil", cfg.Name))
	}
	return spawn(sys, nil, handler, nil, &cfg)
}

// SpawnFunc is Spawn for a handler that is made anew at each restart, with the state
// that it closes over: newHandler is called here for the first one, and on the actor
// for the others.
func SpawnFunc[M any](sys *System, newHandler func() func(*Context[M], M) error, cfg Config) Ref[M] {
	if newHandler == nil {
		panic(fmt.Sprintf("actor: SpawnFunc(%q): newHandler is nil", cfg.Name))
	}
	return spawn(sys, nil, newHandler(), newHandler, &cfg)
}

// spawn starts an actor; without newHandler a restart keeps the handler.
func spawn[M any](sys *System, parent *cell, handler func(*Context[M], M) error,
	newHandler func() func(*Context[M], M) error, cfg *Config) Ref[M] {
	if cfg.Inline && cfg.Blocking {
		panic(fmt.Sprintf("actor: Spawn(%q): Config.Inline and Config.Blocking exclude each other", cfg.Name))
	}
	supervisor, err := newSupervisor(cfg.Supervision)
	if err != nil {
		panic(fmt.Sprintf("actor: Spawn(%q): %v", cfg.Name, err))
	}
	if cfg.MailboxCapacity == 0 {
		cfg.MailboxCapacity = sys.config.MailboxCapacity
	}
	if cfg.MailboxCapacity < 1 || cfg.MailboxCapacity > mailbox.MaxCapacity {
		panic(fmt.Sprintf("actor: Spawn(%q): MailboxCapacity is %d; want 1 to %d, or 0 for the system's, %d",
			cfg.Name, cfg.MailboxCapacity, mailbox.MaxCapacity, sys.config.MailboxCapacity))
	}
	a := &actor[M]{
		cell: cell{
			system:     sys,
			executor:   sys.Executor(cfg.Blocking),
			name:       cfg.Name,
			parent:     parent,
			supervisor: supervisor,
			inline:     cfg.Inline,
			onSignal:   cfg.OnSignal,
			onStop:     cfg.OnStop,
		},
		handler:    handler,
		newHandler: newHandler,
	}
	if err := a.mailbox.init(cfg.MailboxKind, cfg.MailboxCapacity); err != nil {
		panic(fmt.Sprintf("actor: Spawn(%q): %v", cfg.Name, err))
	}
	a.self = a
	a.context.actor = a
	if cfg.furnished() || len(sys.config.Middleware) > 0 || sys.config.Sample {
		if err := a.furnish(*cfg); err != nil {
			panic(fmt.Sprintf("actor: Spawn(%q): %v", cfg.Name, err))
		}
	}
	if parent != nil {
		parent.addChild(&a.cell) // before anybody can stop it
	}
	if sys.add(&a.cell) {
		sys.publish(&a.cell, Spawned, nil)
		if cfg.PassivateAfter > 0 {
			a.passivateAfter(cfg.PassivateAfter)
		}
		return Ref[M]{actor: a}
	}
	a.mailbox.Close()
	a.status.Store(stopped)
	a.leave()
	return Ref[M]{actor: a}
}

// Run works through a slice of the mailbox; only the executor calls it. Its
// deferred call is the panic barrier for the whole slice: the message at fault is
// reported and the ones behind it stay where they are.
func (a *actor[M]) Run(w *scheduler.Worker) (again bool) {
	var message M // the one in the handler
	returned := false
	defer func() {
		if !returned {
			again = a.recovered(recover(), message)
		}
	}()
	a.context.worker = w
	if a.slow {
		a.context.worker = nil // what a slow handler tells others should not wait for it in the LIFO slot
	}
	if a.sentenced() {
		a.restart()
	}
	if f := a.flags.Load(); f&flagsDue != 0 {
		a.attendDue(f, &message)
	}
	if a.sentenced() {
		again = a.carryOut()
	} else {
		again = a.slice(&message, w)
	}
	returned = true
	return again
}

// slice handles messages until none is ready or the budget is spent.
func (a *actor[M]) slice(message *M, w *scheduler.Worker) (again bool) {
	b := newBudget(&a.cell)
	if a.extra != nil && a.extra.unstashed() {
		return a.redeliver(message, &b)
	}
	for {
		var ok bool
		if *message, ok = a.mailbox.TryDequeue(); !ok {
			a.hurry(w)
			return a.rest()
		}
		if f := a.flags.Load(); f&(flagWaiting|flagAbandon|flagUnstashed) != 0 {
			if a.attend(f, *message) {
				continue
			}
			if f&flagUnstashed != 0 {
				return a.handleLater(*message)
			}
		}
		if a.handle(message) {
			return a.carryOut()
		}
		if b.spent() {
			a.hurry(w)
			a.status.Store(scheduled | a.handled<<handledShift) // shows handled to Stats
			return true
		}
	}
}

// handle reports whether a verdict is to be carried out after a failure.
func (a *actor[M]) handle(message *M) (verdict bool) {
	a.handled++
	err := a.handler(&a.context, *message)
	return err != nil && a.failed(err, *message)
}

// attend deals with the flags that concern a message just taken out, and reports
// whether it has disposed of the message.
func (a *actor[M]) attend(flags uint32, message M) bool {
	if flags&flagWaiting != 0 {
		a.wakeWaiter()
	}
	if flags&flagAbandon == 0 {
		return false
	}
	a.deadLetter(message, a.abandonedBecause())
	return true
}

// attendDue deals with what comes before the next message, until a failure needs a
// verdict carried out. Notices are handled one in each slice: there may be many.
func (a *actor[M]) attendDue(flags uint32, message *M) {
	if flags&flagEscalated != 0 && a.attendEscalated() {
		return
	}
	if flags&flagSibling != 0 {
		if a.attendSibling(); a.sentenced() {
			return
		}
	}
	if flags&flagSignal != 0 {
		a.attendSignal()
	}
	if flags&flagPassivate != 0 {
		a.attendPassivate()
	}
	if flags&flagNotice == 0 || a.sentenced() {
		return
	}
	if w := a.takeFired(); w != nil && flags&flagAbandon == 0 {
		*message, _ = w.message.(M) // fails only for a nil of an interface type, whose zero value it is
		a.handle(message)
	}
}

// attendSignal calls OnSignal. The flag is lowered first: a signal that comes
// during the call asks for another one.
func (a *actor[M]) attendSignal() {
	a.flags.And(^uint32(flagSignal))
	if a.onSignal != nil {
		a.runHook(a.onSignal)
	}
}

// rest gives up the actor's side, unless there is more to do; see cell.
func (a *actor[M]) rest() (again bool) {
	if a.readyToFinish() {
		a.finish()
		return false
	}
	told := a.waitsForChildren()
	if told {
		a.closeChildren() // the last of them to go schedules the actor
	}
	a.status.Store(idle | a.handled<<handledShift) // publishes the actor's side to whoever claims it next
	if a.mailbox.Ready() || a.flags.Load()&flagsDue != 0 || a.readyToFinish() || !told && a.waitsForChildren() {
		return a.claim()
	}
	return false
}

// waitsForChildren reports whether all that is left are children, who are to be closed.
func (a *actor[M]) waitsForChildren() bool {
	f := a.flags.Load()
	return f&flagChildren != 0 && f&flagClosed != 0 && a.mailbox.Drained()
}

// readyToFinish reports whether all that was accepted has been dealt with and no child is left. A
// sender that is still on its way into a closed mailbox keeps it from being
// drained, and schedules the actor when it is through.
func (a *actor[M]) readyToFinish() bool {
	f := a.flags.Load()
	return f&flagClosed != 0 && f&(flagsDue|flagChildren) == 0 && a.mailbox.Drained()
}

// failed reports an error that the handler has returned and answers as fail does.
func (a *actor[M]) failed(err error, message M) (verdict bool) {
	a.system.failures.Add(1)
	if a.supervisor == nil && a.system.config.OnFailure == nil && !a.system.events.active() {
		return false // nobody asks: spare the message its box
	}
	return a.fail(Failure{Actor: a.name, Message: message, Err: err})
}

// recovered reports a panic's value, or nil for Goexit, and tells the executor how
// to go on with the actor. After a Goexit nobody reads the result, as the goroutine
// is lost: an actor that is to go on goes back to the executor here.
func (a *actor[M]) recovered(value any, message M) (again bool) {
	var verdict bool
	if a.inHook {
		a.inHook = false
		verdict = a.panicked(value, nil)
	} else {
		verdict = a.panicked(value, message)
	}
	again = !verdict || a.carryOut()
	if again && value == nil {
		a.executor.Schedule(a)
	}
	return again
}

func (a *actor[M]) closeMailbox() { a.mailbox.Close() }

func (a *actor[M]) queued() int { return a.mailbox.Len() }

func newPanicError(value any) error { return &PanicError{Value: value, Stack: debug.Stack()} }
