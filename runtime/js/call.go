package js

import (
	"context"
	"slices"
	"time"
)

// maxLine bounds one console line, in UTF-16 units; console.js cuts there.
const maxLine = 64 << 10

// Why a call was stopped.
const (
	stopNot = iota
	stopDeadline
	stopCancelled
)

// A call is what the host knows about a running script. It belongs to the
// goroutine that runs the guest.
type call struct {
	ctx      context.Context
	deadline time.Time
	limit    time.Duration // what the deadline came from, for messages
	limits   *Limits
	engine   *Engine
	fetcher  *fetcher

	condition bool // the result is true or false

	stopped int
	trap    error // wazero's error of the first trap

	console     []byte
	consoleFull bool

	timers    []timer
	lastTimer uint32

	requests *requests // nil until the first fetch
}

type timer struct {
	id uint32
	at time.Time
}

// stop reports whether the guest must not go on. It is the answer to the guest's
// empty tank, some ten thousand times a second.
func (c *call) stop() bool {
	if c.stopped == stopNot {
		if c.ctx.Err() != nil || c.engine != nil && c.engine.closing.Load() {
			c.stopped = stopCancelled
		} else if !time.Now().Before(c.deadline) {
			c.stopped = stopDeadline
		}
	}
	return c.stopped != stopNot
}

var levelNames = [...]string{"debug", "log", "info", "warn", "error"}

// log adds a console line and answers 1 while there is room for more.
func (c *call) log(level uint32, line []byte, ok bool) uint32 {
	if c.limits == nil || c.consoleFull {
		return 0
	}
	room := c.limits.ConsoleBytes - len(c.console)
	prefix := ""
	if int(level) < len(levelNames) && levelNames[level] != "log" {
		prefix = levelNames[level] + ": "
	}
	need := len(prefix) + len(line) + 1
	if !ok || need > room {
		c.consoleFull = true
		if !ok || room <= len(prefix)+1 {
			return 0
		}
		line = line[:room-len(prefix)-1] // may cut a character; the result is made valid
	}
	c.console = append(append(append(c.console, prefix...), line...), '\n')
	if c.consoleFull {
		return 0
	}
	return 1
}

// setTimer answers the timer's number, 0 when there are too many. An interval that
// fired is set again under its number id; others are new.
func (c *call) setTimer(wait time.Duration, id uint32) uint32 {
	if c.limits == nil || len(c.timers) >= c.limits.Timers {
		return 0
	}
	if id == 0 || id > c.lastTimer {
		c.lastTimer++
		id = c.lastTimer
	}
	c.timers = append(c.timers, timer{id, time.Now().Add(wait)})
	return id
}

func (c *call) cancelTimer(id uint32) {
	c.timers = slices.DeleteFunc(c.timers, func(t timer) bool { return t.id == id })
}

// nextTimer is the timer that fires first; of equal ones the older.
func (c *call) nextTimer() (t timer, ok bool) {
	for _, other := range c.timers {
		if !ok || other.at.Before(t.at) {
			t, ok = other, true
		}
	}
	return t, ok
}
