package breaker

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// ErrOpen reports that a breaker refused a call; nothing was run.
var ErrOpen = errors.New("breaker: open")

// An OpenError says which breaker refused a call. It matches [ErrOpen].
type OpenError struct {
	Name string
	Wait time.Duration // until it may let a call through again
}

// Error names the resource and the wait.
func (e *OpenError) Error() string {
	return fmt.Sprintf("breaker %s is open: try again in %s", e.Name, e.Wait.Round(time.Millisecond))
}

// Is reports whether target is ErrOpen.
func (e *OpenError) Is(target error) bool { return target == ErrOpen }

// RetryAfter returns Wait; package retry asks for it.
func (e *OpenError) RetryAfter() time.Duration { return e.Wait }

// A State is what a breaker does with calls.
type State uint8

// The states.
const (
	Closed   State = iota // lets calls through
	Open                  // refuses them
	HalfOpen              // lets a few through
)

// String names the state.
func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case Open:
		return "open"
	case HalfOpen:
		return "half-open"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// A Breaker lets calls through or refuses them. Its methods are safe for
// concurrent use and never block; [Breaker.Allow] and [Breaker.Done] do not
// allocate unless they refuse. Make one with [New].
//
// Invariants:
//
//	I1  word changes by CAS alone; each change of state makes the generation in
//	    it one greater, so that a call which ends in another state than it began in
//	    counts for nothing
//	I2  in half-open, succeeded <= taken <= Trials
//	I3  at most one caller wins each change of state
type Breaker struct {
	cfg      Config
	limit    uint64 // failures within a window that open it
	base     time.Time
	word     atomic.Uint64 // generation, taken, succeeded, state; see word
	until    atomic.Int64  // when an open one may become half-open, since base; written before word says open
	failures atomic.Int64  // in a row, while closed
	window   atomic.Uint64 // calls<<32 | failures, while closed
}

// A word is the state with what must change together with it.
type word uint64

const (
	takenShift      = 2
	succeededShift  = takenShift + 14
	generationShift = succeededShift + 14 // 34 bits are left: 17 thousand million changes
)

func (w word) state() State       { return State(w & 3) }
func (w word) taken() int         { return int(w >> takenShift & MaxTrials) }
func (w word) succeeded() int     { return int(w >> succeededShift & MaxTrials) }
func (w word) generation() uint64 { return uint64(w >> generationShift) }
func (w word) next(s State) word  { return word((w.generation()+1)<<generationShift) | word(s) }

// New returns a closed breaker. The error names every field that cannot be meant.
func New(cfg Config) (*Breaker, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	b := &Breaker{cfg: cfg, base: cfg.Now()}
	if cfg.FailureRate > 0 {
		b.limit = uint64(max(1, math.Ceil(cfg.FailureRate*float64(cfg.Window))))
	}
	return b, nil
}

// Name returns the name of the resource.
func (b *Breaker) Name() string { return b.cfg.Name }

// State returns the state now. An open breaker whose time is over is open until
// a call asks.
func (b *Breaker) State() State { return word(b.word.Load()).state() }

// Allow asks for leave to make a call. A nil error grants it, and the caller
// owes a [Breaker.Done] with the token; otherwise the error is an [*OpenError].
func (b *Breaker) Allow() (token uint64, err error) {
	for {
		w := word(b.word.Load())
		switch w.state() {
		case Closed:
			return w.generation(), nil
		case Open:
			if wait := time.Duration(b.until.Load()) - b.cfg.Now().Sub(b.base); wait > 0 {
				return 0, &OpenError{b.cfg.Name, wait}
			}
			half := w.next(HalfOpen) | 1<<takenShift
			if b.word.CompareAndSwap(uint64(w), uint64(half)) {
				b.changed(Open, HalfOpen)
				return half.generation(), nil
			}
		case HalfOpen:
			if w.taken() >= b.cfg.Trials {
				return 0, &OpenError{Name: b.cfg.Name}
			}
			if b.word.CompareAndSwap(uint64(w), uint64(w+1<<takenShift)) {
				return w.generation(), nil
			}
		}
	}
}

// Done reports how a call ended that was allowed under token: err is nil if it
// succeeded. What IsFailure does not take for a failure counts as a success, and a call
// that ended with context.Canceled as none: a trial that did is left to the
// next caller.
func (b *Breaker) Done(token uint64, err error) {
	if err == nil {
		b.succeeded(token)
		return
	}
	switch {
	case isCancelled(err):
		b.withdrawn(token)
	case b.cfg.isFailure(err):
		b.failed(token)
	default:
		b.succeeded(token)
	}
}

func (b *Breaker) succeeded(token uint64) {
	for {
		w := word(b.word.Load())
		switch {
		case w.generation() != token:
			return
		case w.state() == Closed:
			if b.failures.Load() != 0 { // a store to a shared line only if need be
				b.failures.Store(0)
			}
			if b.limit > 0 {
				b.count(0)
			}
			return
		case w.succeeded()+1 < b.cfg.Trials:
			if b.word.CompareAndSwap(uint64(w), uint64(w+1<<succeededShift)) {
				return
			}
		default:
			b.failures.Store(0)
			b.window.Store(0)
			if b.word.CompareAndSwap(uint64(w), uint64(w.next(Closed))) {
				b.changed(HalfOpen, Closed)
				return
			}
		}
	}
}

func (b *Breaker) failed(token uint64) {
	w := word(b.word.Load())
	if w.generation() != token {
		return
	}
	if w.state() == Closed {
		inRow := b.failures.Add(1)
		inWindow := b.limit > 0 && b.count(1) >= b.limit
		if !(b.cfg.Failures > 0 && inRow >= int64(b.cfg.Failures)) && !inWindow {
			return
		}
	}
	for {
		w := word(b.word.Load())
		if w.generation() != token {
			return // somebody else opened it
		}
		b.until.Store(int64(b.cfg.Now().Add(b.cfg.OpenFor).Sub(b.base)))
		if b.word.CompareAndSwap(uint64(w), uint64(w.next(Open))) {
			b.changed(w.state(), Open)
			return
		}
	}
}

// withdrawn gives the place of a trial back.
func (b *Breaker) withdrawn(token uint64) {
	for {
		w := word(b.word.Load())
		if w.generation() != token || w.state() != HalfOpen {
			return
		}
		if b.word.CompareAndSwap(uint64(w), uint64(w-1<<takenShift)) {
			return
		}
	}
}

// count adds a call to the window and returns the failures in it. A full window
// begins anew.
func (b *Breaker) count(failures uint64) uint64 {
	counts := b.window.Add(1<<32 | failures)
	if counts>>32 >= uint64(b.cfg.Window) {
		b.window.CompareAndSwap(counts, 0) // who adds at the same time does it
	}
	return counts & math.MaxUint32
}

func (b *Breaker) changed(from, to State) {
	if b.cfg.OnChange != nil {
		b.cfg.OnChange(b.cfg.Name, from, to)
	}
}
