package js

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// breakers refuses scripts that keep on failing. It remembers scripts that failed
// lately, at most maxBreakers of them.
type breakers struct {
	failures int
	window   time.Duration

	mu     sync.Mutex
	byHash map[[sha256.Size]byte]*list.Element
	recent list.List // of *breaker, the one that failed last in front
	traps  breaker   // of all scripts
}

// maxBreakers: one takes about 200 bytes.
const maxBreakers = 4096

// globalTraps is how many traps of all scripts within the window stop the engine
// from running anything. A trap is the engine's own failure, so that many mean that
// it is under attack or broken.
const globalTraps = 100

// A breaker is closed, open until a time, or letting one probe through.
type breaker struct {
	hash      [sha256.Size]byte
	count     int
	since     time.Time // of the first failure that count has
	openUntil time.Time
	probing   bool
}

// allow reports whether a call may run, and if not, when it is worth another try.
func (b *breakers) allow(hash *[sha256.Size]byte, now time.Time) (time.Duration, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait := b.traps.openUntil.Sub(now); wait > 0 {
		return wait, false
	}
	if len(b.byHash) == 0 {
		return 0, true
	}
	at := b.byHash[*hash]
	if at == nil {
		return 0, true
	}
	one := at.Value.(*breaker)
	if one.openUntil.IsZero() {
		return 0, true
	}
	if wait := one.openUntil.Sub(now); wait > 0 {
		return wait, false
	}
	if one.probing { // one call finds out whether the script is well again
		return b.window, false
	}
	one.probing = true
	return 0, true
}

// done records how an allowed call ended: failed means a timeout, no memory or a
// trap. aborted calls say nothing about the script.
func (b *breakers) done(hash *[sha256.Size]byte, class Class, now time.Time) {
	failed := class == ClassTimeout || class == ClassOOM || class == ClassTrap
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.byHash[*hash]
	if !failed {
		if at == nil {
			return
		}
		switch one := at.Value.(*breaker); {
		case class == ClassHost || class == ClassSaturated: // it did not run to an end
			one.probing = false
		case one.probing:
			b.drop(at)
		}
		return
	}
	if at == nil {
		at = b.recent.PushFront(&breaker{hash: *hash})
		b.byHash[*hash] = at
		if b.recent.Len() > maxBreakers {
			b.drop(b.recent.Back())
		}
	}
	b.recent.MoveToFront(at)
	one := at.Value.(*breaker)
	one.fail(now, b.window, b.failures)
	if class == ClassTrap {
		b.traps.fail(now, b.window, globalTraps)
	}
}

func (b *breakers) drop(at *list.Element) {
	delete(b.byHash, b.recent.Remove(at).(*breaker).hash)
}

func (b *breaker) fail(now time.Time, window time.Duration, limit int) {
	if b.count == 0 || now.Sub(b.since) > window {
		b.count, b.since = 0, now
	}
	b.count++
	if b.count >= limit || b.probing {
		b.openUntil, b.count, b.probing = now.Add(window), 0, false
	}
}

// open returns how many scripts are refused at the moment, and whether all are.
func (b *breakers) open(now time.Time) (scripts int, all bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at := b.recent.Front(); at != nil; at = at.Next() {
		if at.Value.(*breaker).openUntil.After(now) {
			scripts++
		}
	}
	return scripts, b.traps.openUntil.After(now)
}
