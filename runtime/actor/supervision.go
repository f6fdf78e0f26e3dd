package actor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ErrGaveUp is the reason of a dead letter whose actor was stopped by its Supervision.
var ErrGaveUp = errors.New("actor: stopped by its supervision")

// A Directive says how an actor goes on after a failure.
type Directive uint8

const (
	Restart  Directive = iota // with a new handler, after a back-off; its mailbox is kept
	Resume                    // with the next message, as if nothing had happened
	Stop                      // not at all: what is in its mailbox becomes dead letters
	Escalate                  // as Stop, and the failure is its parent's too; see SpawnChild
)

// Supervision says what happens to an actor after its handler has returned an error,
// panicked or called Goexit. It concerns that actor (one-for-one) or its siblings too
// (AllForOne), and, at a restart, its children, which are stopped. The message
// at fault is not handled again; it is in the Failure. The zero value restarts with
// the defaults below; an actor without any Supervision resumes.
//
// While an actor backs off its mailbox accepts messages until it is full. Closing or
// stopping the actor ends the back-off at once.
type Supervision struct {
	// Decide, if set, chooses by the failure. It is called on the actor and must
	// not block. Defaults to Restart always; also if it panics. Without a parent
	// Escalate is Stop.
	Decide func(Failure) Directive

	// MaxRestarts within Window are made; one more stops the actor as Stop does.
	// 1 or more. Defaults to 10 within 1 minute.
	MaxRestarts int
	Window      time.Duration

	// Backoff is the delay before the first restart within Window; each further
	// one waits twice as long as the one before, up to MaxBackoff. Default to
	// 100 ms and 10 s.
	Backoff    time.Duration
	MaxBackoff time.Duration

	// Jitter spreads each delay evenly over +-Jitter of itself, 0 to 1. Defaults
	// to 0.
	Jitter float64

	// AllForOne has the siblings, the other children of the same parent, share what
	// this actor's failure leads to: they restart after the same delay, or stop, as
	// soon as their present slice of up to 64 messages is over. A shared restart does
	// not count towards a sibling's own MaxRestarts, and each sibling keeps its
	// mailbox. Siblings share it whatever their own Supervision is. It means nothing
	// for an actor without a parent. Defaults to false: one for one.
	AllForOne bool
}

func (s Supervision) withDefaults() (Supervision, error) {
	if s.MaxRestarts == 0 {
		s.MaxRestarts = 10
	}
	if s.Window == 0 {
		s.Window = time.Minute
	}
	if s.Backoff == 0 {
		s.Backoff = 100 * time.Millisecond
	}
	if s.MaxBackoff == 0 {
		s.MaxBackoff = max(10*time.Second, s.Backoff)
	}
	switch {
	case s.MaxRestarts < 1:
		return s, fmt.Errorf("Supervision.MaxRestarts is %d; want 1 or more", s.MaxRestarts)
	case s.Window < 0 || s.Backoff < 0:
		return s, fmt.Errorf("Supervision.Window is %v and Backoff %v; want neither negative", s.Window, s.Backoff)
	case s.MaxBackoff < s.Backoff:
		return s, fmt.Errorf("Supervision.MaxBackoff is %v; want at least Backoff, %v", s.MaxBackoff, s.Backoff)
	case !(s.Jitter >= 0 && s.Jitter <= 1): // also not a number
		return s, fmt.Errorf("Supervision.Jitter is %v; want 0 to 1", s.Jitter)
	}
	return s, nil
}

// supervisor is the state of a Supervision. It belongs to the actor's side.
type supervisor struct {
	Supervision
	recent  []time.Time   // restarts within Window, at most MaxRestarts
	delay   time.Duration // before the restart that is due
	verdict Directive     // of a failure, until it has been carried out; else Resume
	gaveUp  bool
}

func newSupervisor(s *Supervision) (*supervisor, error) {
	if s == nil {
		return nil, nil
	}
	full, err := s.withDefaults()
	return &supervisor{Supervision: full, verdict: Resume}, err
}

// fail finds the verdict of a failure.
func (s *supervisor) fail(f Failure, now time.Time) {
	s.verdict = s.decide(f)
	if s.verdict != Restart {
		return
	}
	for len(s.recent) > 0 && now.Sub(s.recent[0]) > s.Window {
		s.recent = s.recent[1:]
	}
	if len(s.recent) == s.MaxRestarts {
		s.verdict = Stop
		return
	}
	s.recent = append(s.recent, now)
	s.delay = s.backoff(len(s.recent))
}

func (s *supervisor) decide(f Failure) (d Directive) {
	if s.Decide == nil {
		return Restart
	}
	defer func() {
		if recover() != nil {
			d = Restart
		}
	}()
	return s.Decide(f)
}

// backoff is the delay before the nth restart within Window.
func (s *supervisor) backoff(n int) time.Duration {
	d := s.Backoff
	for range n - 1 {
		if d >= s.MaxBackoff/2 {
			d = s.MaxBackoff
			break
		}
		d *= 2
	}
	return d + time.Duration(s.Jitter*(2*rand.Float64()-1)*float64(d))
}

// fail reports a failure and asks the supervisor. It reports whether there is a verdict to
// carry out; without one the actor resumes.
func (c *cell) fail(f Failure) (verdict bool) {
	c.system.failure(f)
	c.system.publish(c, Failed, f.Err)
	if c.supervisor == nil {
		return false
	}
	c.supervisor.fail(f, c.system.now())
	if v := c.supervisor.verdict; v == Stop || v == Escalate {
		c.system.publish(c, GaveUp, f.Err)
	}
	if c.supervisor.verdict == Escalate && c.parent != nil {
		c.parent.escalate(fmt.Errorf("child %q: %w", c.name, f.Err))
	}
	if c.supervisor.AllForOne && c.parent != nil && c.sentenced() {
		c.sentenceSiblings()
	}
	return c.sentenced()
}

func (c *cell) sentenced() bool { return c.supervisor != nil && c.supervisor.verdict != Resume }

// carryOut carries out the verdict and ends the slice. Afterwards the actor's side may
// belong to somebody else, unless it answers again.
func (c *cell) carryOut() (again bool) {
	s := c.supervisor
	if s.verdict != Restart {
		s.verdict, s.gaveUp = Resume, true
		c.abandon()
		return true
	}
	if c.flags.Load()&flagClosed == 0 {
		c.suspend(s.delay)
		return false
	}
	return true // a closed actor has no time to wait: it restarts with the next slice
}

// suspend gives up the actor's side for d. The timer is set last, so that it finds the
// actor suspended; a close in between is seen either here or by whoever closes.
func (c *cell) suspend(d time.Duration) {
	c.status.Store(suspended | c.handled<<handledShift)
	if c.flags.Load()&flagClosed != 0 {
		c.resume()
		return
	}
	c.system.afterFunc(d, c.resume)
}

// resume ends a suspension, if there is one. A timer that comes late, after a close
// has resumed the actor, finds none: a closed actor is not suspended again.
func (c *cell) resume() {
	for {
		s := c.status.Load()
		if s&stateMask != suspended {
			return
		}
		if c.status.CompareAndSwap(s, s&^stateMask|scheduled) {
			c.executor.Schedule(c.self)
			return
		}
	}
}

// restart stops the children and makes the new handler. A panic in newHandler is a failure like any other.
func (a *actor[M]) restart() {
	a.closeChildren()
	a.cancelTimers()
	if a.newHandler != nil {
		a.inHook = true
		a.handler = a.newHandler()
		a.inHook = false
	}
	if a.extra != nil {
		a.restartExtra()
	}
	a.supervisor.verdict = Resume
	a.forgetSibling()
	a.system.restarts.Add(1)
	a.system.publish(&a.cell, Restarted, nil)
}
