package actor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/scheduler"
)

// PoolConfig says how the members of a Pool work. The zero value is valid.
type PoolConfig struct {
	// Name appears in dead letters, failures and errors, with the member's number
	// behind it: "pool-3". Defaults to "pool".
	Name string

	// MailboxCapacity, Blocking and Supervision are each member's, as in Config.
	MailboxCapacity int
	Blocking        bool
	Supervision     *Supervision

	// Router is the name of the way in which Tell and TellFrom choose a member, one of
	// Routers(). Defaults to RouterRoundRobin.
	Router string

	// Key, made by KeyBy, is what RouterHash goes by, and needs. Defaults to none.
	Key Key

	// Configure, if set, makes each member's whole Config, of which Name is still the
	// pool's, with the member's number, and the fields above are filled in where it
	// leaves them empty. It is called by NewPool and Resize. Defaults to nil.
	Configure func() Config
}

// Pool is a group of actors with the same kind of handler, behind one router. The
// router is no actor: choosing a member is a few atomic operations of the sender.
// All methods are safe for concurrent use, also with Resize.
//
//   - Tell and TellFrom go by PoolConfig.Router, by default round: each message to the
//     next member that has room.
//   - TellKey gives all messages of one key to the same member.
//   - Broadcast tells every member.
type Pool[M any] struct {
	system     *System
	newHandler func() func(*Context[M], M) error
	config     PoolConfig
	turn       scheduler.RoundRobin
	route      func(members []Ref[M], w *scheduler.Worker, m M) error // nil, mailbox.ErrFull, mailbox.ErrClosed

	// members is replaced as a whole, never empty, and stored before the members
	// that are not in it any more are closed: whoever finds a member closed finds
	// a new list, unless the member has stopped by itself.
	members atomic.Pointer[[]Ref[M]]

	mu      sync.Mutex // held in Resize and Close
	spawned int
	closed  bool
}

// maxPoolSize is a bound against mistakes: a million members take half a gigabyte.
const maxPoolSize = 1 << 20

// NewPool spawns size members; newHandler is called for each, so each has its own
// state, and again at restarts. It panics if size is not within 1 to 1,048,576,
// newHandler is nil, or the configuration is not valid.
func NewPool[M any](sys *System, size int, newHandler func() func(*Context[M], M) error, cfg PoolConfig) *Pool[M] {
	if cfg.Name == "" {
		cfg.Name = "pool"
	}
	if err := checkPoolSize(size); err != nil {
		panic(fmt.Sprintf("actor: NewPool(%q): %v", cfg.Name, err))
	}
	if newHandler == nil {
		panic(fmt.Sprintf("actor: NewPool(%q): newHandler is nil", cfg.Name))
	}
	p := &Pool[M]{system: sys, newHandler: newHandler, config: cfg}
	var err error
	if p.route, err = p.router(); err != nil {
		panic(fmt.Sprintf("actor: NewPool(%q): %v", cfg.Name, err))
	}
	p.grow(nil, size)
	return p
}

func checkPoolSize(size int) error {
	if size < 1 || size > maxPoolSize {
		return fmt.Errorf("size is %d; want 1 to %d", size, maxPoolSize)
	}
	return nil
}

// Tell sends m to the member that the router chooses. It never blocks and never
// allocates. It answers mailbox.ErrFull if every member that the router may choose is
// full, and mailbox.ErrClosed if all of those have stopped; m is then a dead letter.
// With RouterBroadcast it answers mailbox.ErrFull if a member was full, while the others
// have been told, and mailbox.ErrClosed if there was nobody to tell.
func (p *Pool[M]) Tell(m M) error { return p.tellNext(nil, m) }

// TellFrom is Tell for use inside a handler, as Ref.TellFrom.
func (p *Pool[M]) TellFrom(c Sender, m M) error { return p.tellNext(c.currentWorker(), m) }

func (p *Pool[M]) tellNext(w *scheduler.Worker, m M) error {
	for {
		members := p.members.Load()
		err := p.route(*members, w, m)
		if err != mailbox.ErrClosed {
			return err
		}
		if p.members.Load() == members { // else there was a Resize, with new members
			return (*members)[0].actor.refused(m, err)
		}
	}
}

// TellKey sends m to the member that key belongs to, so that messages of one key are
// handled in order, by one member, while the size stays the same. A Resize from n to n+1
// moves one in n+1 keys. Keys should be well spread, as a hash is. It answers
// mailbox.ErrFull and mailbox.ErrClosed as Ref.Tell does.
func (p *Pool[M]) TellKey(key uint64, m M) error {
	for {
		members := p.members.Load()
		a := (*members)[jumpHash(key, len(*members))].actor
		err := a.offer(m, nil)
		if err != mailbox.ErrClosed {
			return err
		}
		if p.members.Load() == members {
			return a.refused(m, err)
		}
	}
}

// Broadcast sends m to every member and returns how many took it. If some did not it
// returns mailbox.ErrFull if one of them was full, else mailbox.ErrClosed.
func (p *Pool[M]) Broadcast(m M) (told int, err error) {
	return broadcast(*p.members.Load(), nil, m)
}

// Resize changes the number of members to size. New ones are spawned; of the present
// ones the last are closed, which handle what they have accepted. It does not wait for
// that. It is mailbox.ErrClosed after Close or Stop.
func (p *Pool[M]) Resize(size int) error {
	if err := checkPoolSize(size); err != nil {
		return fmt.Errorf("actor: pool %q: %w", p.config.Name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return mailbox.ErrClosed
	}
	old := *p.members.Load()
	if size >= len(old) {
		p.grow(old, size)
		return nil
	}
	kept := old[:size:size]
	p.members.Store(&kept)
	for _, ref := range old[size:] {
		ref.Close()
	}
	return nil
}

// grow publishes the list of old with new members up to size.
func (p *Pool[M]) grow(old []Ref[M], size int) {
	members := append(make([]Ref[M], 0, size), old...)
	for len(members) < size {
		p.spawned++
		members = append(members, SpawnFunc(p.system, p.newHandler, p.memberConfig()))
	}
	p.members.Store(&members)
}

func (p *Pool[M]) memberConfig() Config {
	var cfg Config
	if p.config.Configure != nil {
		cfg = p.config.Configure()
	}
	cfg.Name = fmt.Sprintf("%s-%d", p.config.Name, p.spawned)
	if cfg.MailboxCapacity == 0 {
		cfg.MailboxCapacity = p.config.MailboxCapacity
	}
	if cfg.Supervision == nil {
		cfg.Supervision = p.config.Supervision
	}
	cfg.Blocking = cfg.Blocking || p.config.Blocking
	return cfg
}

// Len returns the number of members.
func (p *Pool[M]) Len() int { return len(*p.members.Load()) }

// Close closes all members and returns at once; they handle what they have accepted.
func (p *Pool[M]) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, ref := range *p.members.Load() {
		ref.Close()
	}
}

// Stop is Close and then waits for the present members as Ref.Stop does, for all until the end of ctx.
// Inside a handler it is ErrInHandler and does nothing.
func (p *Pool[M]) Stop(ctx context.Context) error {
	if inHandler(ctx) || scheduler.OnWorker() {
		return ErrInHandler
	}
	p.Close()
	var errs []error
	for _, ref := range *p.members.Load() {
		errs = append(errs, ref.Stop(ctx))
	}
	return errors.Join(errs...)
}
