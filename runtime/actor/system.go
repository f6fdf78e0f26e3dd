package actor

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
)

// SystemConfig says how a System works. The zero value is valid.
type SystemConfig struct {
	// Workers bounds the goroutines that run non-blocking actors, 1 to 65,536.
	// Defaults to 2 x GOMAXPROCS.
	Workers int

	// BlockingWorkers bounds the goroutines that run actors with
	// Config.Blocking, 1 to 65,536. Defaults to 50.
	BlockingWorkers int

	// MailboxCapacity is the default of Config.MailboxCapacity, in messages, 1 to
	// mailbox.MaxCapacity. Defaults to 1,024. A mailbox takes its memory at
	// the first message.
	MailboxCapacity int

	// Middleware goes around the handler of every actor, outside its own; a typed one
	// around those of its type only. Defaults to none, which costs nothing.
	Middleware []Middleware

	// Sample switches on Config.Sample for every actor. Defaults to false.
	Sample bool

	// KeepDeadLetters is how many dead letters System.DeadLetters can show, the latest,
	// 0 to 65,536. Defaults to 0: they are counted and told to OnDeadLetter and to
	// subscribers.
	KeepDeadLetters int

	// Clock is the time of actors' timers, passivation and back-offs, for tests; see
	// package actortest. Defaults to nil, the real time, which testing/synctest can
	// replace too.
	Clock scheduler.Clock

	// StallAfter is how long a non-blocking actor may hold its worker, with one message
	// or with those of one slice together, before OnStall is told, 1 ms or more. It costs an uncontended lock a slice, so
	// it is off by default, 0. Nothing is polled while no actor is at work.
	StallAfter time.Duration

	// OnStall, if set, is told about each handler that exceeds StallAfter, once, on a
	// goroutine of its own timer. It must not block. Stalls are counted either way.
	OnStall func(Stall)

	// OnDeadLetter, if set, is told about every dead letter, on the goroutine
	// where it came up: the sender's, or a worker's. It must not block.
	OnDeadLetter func(DeadLetter)

	// OnFailure, if set, is told about every error and panic of a handler, on
	// the actor's worker. It must not block. Config.Supervision says how the
	// actor goes on.
	OnFailure func(Failure)
}

const (
	maxWorkers             = 1 << 16 // what an executor takes
	defaultBlockingWorkers = 50
	defaultMailboxCapacity = 1024

	// settleTime is how long System.Stop goes on after its deadline to collect
	// what is left as dead letters from actors that are not stuck in a handler.
	settleTime = 100 * time.Millisecond
)

func (c SystemConfig) withDefaults() (SystemConfig, error) {
	if c.Workers == 0 {
		c.Workers = 2 * goruntime.GOMAXPROCS(0)
	}
	if c.BlockingWorkers == 0 {
		c.BlockingWorkers = defaultBlockingWorkers
	}
	if c.MailboxCapacity == 0 {
		c.MailboxCapacity = defaultMailboxCapacity
	}
	for name, n := range map[string]int{"Workers": c.Workers, "BlockingWorkers": c.BlockingWorkers} {
		if n < 1 || n > maxWorkers {
			return c, fmt.Errorf("actor: %s is %d; want 1 to %d, or 0 for the default", name, n, maxWorkers)
		}
	}
	if c.MailboxCapacity < 1 || c.MailboxCapacity > mailbox.MaxCapacity {
		return c, fmt.Errorf("actor: MailboxCapacity is %d; want 1 to %d, or 0 for %d",
			c.MailboxCapacity, mailbox.MaxCapacity, defaultMailboxCapacity)
	}
	if c.KeepDeadLetters < 0 || c.KeepDeadLetters > maxKeptLetters {
		return c, fmt.Errorf("actor: KeepDeadLetters is %d; want 0 to %d", c.KeepDeadLetters, maxKeptLetters)
	}
	if c.StallAfter != 0 && c.StallAfter < time.Millisecond {
		return c, fmt.Errorf("actor: StallAfter is %v; want 1ms or more, or 0 for off", c.StallAfter)
	}
	return c, nil
}

// System is a set of actors and the two executors that run them. All methods are
// safe for concurrent use. Stop it, or its goroutines stay.
type System struct {
	config      SystemConfig
	nonblocking *scheduler.Executor
	blocking    *scheduler.Executor

	events     eventStream
	replyPools sync.Map  // see replyPool
	sleepers   sync.Pool // of *sleeper: those of Stop
	letters    letterStream
	wheels     wheelOnce

	failures    atomic.Uint64
	panics      atomic.Uint64
	restarts    atomic.Uint64
	deadLetters atomic.Uint64
	dropped     atomic.Uint64 // of deadLetters: by Config.Overflow
	passivated  atomic.Uint64
	stalls      atomic.Uint64

	mu       sync.Mutex
	stopping bool
	actors   cellList
	handled  uint64        // by actors that have stopped
	empty    chan struct{} // closed when stopping and no actor is left
}

// NewSystem returns a running system without actors.
func NewSystem(cfg SystemConfig) (*System, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &System{config: cfg, empty: make(chan struct{})}
	s.sleepers.New = func() any { sl := new(sleeper); sl.init(); return sl }
	s.letters.keep(cfg.KeepDeadLetters)
	s.nonblocking, err = scheduler.NewExecutor(scheduler.ExecutorConfig{
		Name: "actors", MaxWorkers: cfg.Workers, StallAfter: cfg.StallAfter, OnStall: s.stalled,
	})
	if err != nil {
		return nil, err
	}
	s.blocking, err = scheduler.NewExecutor(scheduler.ExecutorConfig{
		Name: "blocking actors", MaxWorkers: cfg.BlockingWorkers, Blocking: true,
	})
	if err != nil {
		return nil, errors.Join(err, s.nonblocking.Stop(context.Background()))
	}
	return s, nil
}

// Executor returns the executor of the blocking or of the other actors.
func (s *System) Executor(blocking bool) *scheduler.Executor {
	if blocking {
		return s.blocking
	}
	return s.nonblocking
}

// Stop closes every mailbox, lets the actors handle what was accepted, runs
// their OnStop and waits for all of it and for the goroutines. Children are closed
// when their parents have drained. What a handler tells an actor that is already
// closed is a dead letter.
//
// At the end of ctx what is left in the mailboxes becomes dead letters. Stop
// collects them for up to 100 ms more and then returns an error that says how
// many actors are still inside a handler: what they have left becomes dead
// letters when that handler returns. Stop may be called again to wait for that.
// Inside a handler it is ErrInHandler.
func (s *System) Stop(ctx context.Context) error {
	if scheduler.OnWorker() {
		return ErrInHandler
	}
	for _, c := range s.beginStop() {
		if c.parent == nil && ctx.Err() == nil { // a parent closes its children when it has handled what it accepted
			c.close()
		}
	}
	if wait(ctx, s.empty) {
		return s.stopExecutors(ctx)
	}
	return s.abandon(ctx.Err())
}

// beginStop ends spawning and returns the actors there are.
func (s *System) beginStop() []*cell {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopping {
		s.stopping = true
		if s.actors.n == 0 {
			close(s.empty)
		}
	}
	return s.actors.all()
}

func (s *System) stopExecutors(ctx context.Context) error {
	// The blocking executor first: its actors may still be telling the others.
	return errors.Join(s.blocking.Stop(ctx), s.nonblocking.Stop(ctx), s.wheels.stop(ctx))
}

// abandon turns what is left into dead letters.
func (s *System) abandon(cause error) error {
	for _, e := range []*scheduler.Executor{s.nonblocking, s.blocking} {
		// Handlers that never return hold workers: make room beside them for
		// the actors that wait for one.
		e.AddWorkers(e.Stats().Workers)
	}
	s.mu.Lock()
	left := s.actors.all()
	s.mu.Unlock()
	for _, c := range left {
		c.abandon()
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	wait(ctx, s.empty)
	s.mu.Lock()
	stuck := s.actors.n
	s.mu.Unlock()
	err := fmt.Errorf("actor: the deadline of Stop came with %d actors at work; %d are still inside their handlers: %w",
		len(left), stuck, cause)
	if stopErr := s.stopExecutors(ctx); stopErr != nil && stuck == 0 {
		return errors.Join(err, stopErr)
	}
	return err
}

// Stats is a snapshot of a System; its numbers are read one after the other.
type Stats struct {
	Actors      int    // spawned and not yet stopped
	Handled     uint64 // messages that handlers have seen; a running slice of up to 64 is added at its end
	Failures    uint64 // errors that handlers returned or children escalated
	Panics      uint64 // handlers and hooks that panicked or called Goexit
	Restarts    uint64 // handlers made anew by supervision
	DeadLetters uint64 // messages that no handler will see

	Dropped    uint64 // messages dropped by Config.Overflow; DeadLetters counts them too
	Passivated uint64 // actors stopped by Config.PassivateAfter
	Stalls     uint64 // handlers that exceeded SystemConfig.StallAfter

	DroppedEvents uint64 // events and dead letters that found a subscriber's mailbox full
}

// Stats returns the present state. It walks over all actors under a lock that
// Spawn takes too, and does not disturb the message path.
func (s *System) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		Actors:      s.actors.n,
		Handled:     s.handled,
		Failures:    s.failures.Load(),
		Panics:      s.panics.Load(),
		Restarts:    s.restarts.Load(),
		DeadLetters: s.deadLetters.Load(),

		Dropped:    s.dropped.Load(),
		Passivated: s.passivated.Load(),
		Stalls:     s.stalls.Load(),

		DroppedEvents: s.events.dropped.Load() + s.letters.dropped.Load(),
	}
	for c := s.actors.first; c != nil; c = c.next {
		st.Handled += c.status.Load() >> handledShift
	}
	return st
}

// add enters c, or reports false if the system has begun to stop. A parent that drains
// meanwhile may still spawn children: it waits for them.
func (s *System) add(c *cell) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping && (c.parent == nil || s.actors.n == 0) {
		return false
	}
	s.actors.add(c)
	return true
}

// remove drops c, whose status is stopped.
func (s *System) remove(c *cell) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actors.remove(c)
	s.handled += c.status.Load() >> handledShift
	if s.stopping && s.actors.n == 0 {
		close(s.empty)
	}
}

func (s *System) failure(f Failure) {
	if s.config.OnFailure != nil {
		defer s.containHook()
		s.config.OnFailure(f)
	}
}

// containHook keeps a panic of a hook of the configuration from the actor. It is
// counted; there is nobody left to tell.
func (s *System) containHook() {
	if recover() != nil {
		s.panics.Add(1)
	}
}
