package loadgen

import (
	"sync"
	"sync/atomic"
	"time"
)

type job struct {
	index    uint64
	intended time.Duration
}

// A client sends one request at a time and waits for its answer.
type client struct {
	jobs chan job // room for the one that it is idle for
	rec  *recorder
	r    Request
	next *client // below it on the stack of the idle ones
}

// A pool keeps the idle clients of an open loop on a stack; the one that became idle
// last is the next to go, since its own stack is still in a cache. The generator must
// not wait for a lock that a client holds, so there is none.
//
// Invariants:
//
//	I1  a client is on the stack at most once: whoever made it puts it there before its
//	    first job, and then only its own goroutine, after the job that it was taken for
//	I2  only the generator takes clients off, so none leaves between its look at the
//	    top and its swap: the next one that it read is right (there is no ABA)
//	I3  once top is closedStack it stays that
type pool struct {
	s     *session
	limit int
	all   sync.WaitGroup
	made  int // the generator's

	top     atomic.Pointer[client] // publishes next of the client that is put there
	waiting atomic.Bool            // the generator found none; whoever clears it sends to freed
	freed   chan struct{}
}

// closedStack is the top of a pool that was closed.
var closedStack = new(client)

func newPool(s *session, limit int) *pool {
	return &pool{s: s, limit: limit, freed: make(chan struct{}, 1)}
}

// How many clients are there before the first arrival, unless fewer are allowed: to make
// one takes the generator about as long as to send ten requests. Two bursts' worth, if that
// is more.
const (
	leastReady = 256
	mostReady  = 4096
)

// ready makes the first clients, before the generator begins.
func (p *pool) ready(burst int) {
	for n := min(p.limit, max(leastReady, min(2*burst, mostReady))); p.made < n; {
		p.push(p.make())
	}
}

// make starts a client, which nobody else knows yet.
func (p *pool) make() *client {
	c := &client{jobs: make(chan job, 1), rec: p.s.recorders[p.made%len(p.s.recorders)]}
	p.made++
	p.all.Go(func() { p.work(c) })
	return c
}

// get returns an idle client; held says that it had to wait for one. It returns nil
// when there is none until the session stops or the time of grace is over. Only the
// generator may call it.
func (p *pool) get(grace time.Duration) (c *client, held bool) {
	for {
		if c = p.pop(); c != nil {
			return c, held
		}
		if p.made < p.limit {
			return p.make(), held
		}
		held = true
		p.waiting.Store(true) // before the second look: whoever comes after it sees the flag
		if c = p.pop(); c != nil {
			return c, held
		}
		timeUp := time.NewTimer(grace - p.s.elapsed())
		select {
		case <-p.freed:
			timeUp.Stop()
		case <-p.s.stopped:
			timeUp.Stop()
			return nil, true
		case <-timeUp.C:
			return nil, true
		}
	}
}

func (p *pool) pop() *client {
	for {
		c := p.top.Load()
		if c == nil || p.top.CompareAndSwap(c, c.next) {
			return c
		}
	}
}

// push makes c idle; false if the pool is closed.
func (p *pool) push(c *client) bool {
	for {
		top := p.top.Load()
		if top == closedStack {
			return false
		}
		c.next = top
		if p.top.CompareAndSwap(top, c) {
			break
		}
	}
	if p.waiting.Load() && p.waiting.CompareAndSwap(true, false) {
		select {
		case p.freed <- struct{}{}:
		default: // one that nobody took is still there
		}
	}
	return true
}

// work serves requests until the pool is closed.
func (p *pool) work(c *client) {
	for j := range c.jobs {
		p.s.serve(&c.r, c.rec, j.index, j.intended)
		if !p.push(c) {
			return
		}
	}
}

// close ends the idle clients now and the others when they become so. Nobody may
// call get any more.
func (p *pool) close() *sync.WaitGroup {
	for c := p.top.Swap(closedStack); c != nil && c != closedStack; {
		next := c.next // c may end as soon as its channel is closed
		close(c.jobs)
		c = next
	}
	return &p.all
}
