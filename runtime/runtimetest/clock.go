package runtimetest

import (
	"time"

	"github.com/ringmill/ringmill/runtime/actor/actortest"
)

// A Clock is a time that passes in its method Advance only, for runtime.Config.Clock. Its methods are safe for concurrent use;
// Await blocks, and Advance for as long as what it calls takes, which is the Runtime's timers: some microseconds.
//
// What a timer caused has begun when Advance returns, such as another attempt that is on its way to a task actor; the test
// waits for what comes of it.
type Clock = actortest.Clock

// NewClock returns a clock that stands at noon of 1 January 2000, UTC.
func NewClock() *Clock { return actortest.NewClock() }

// NewClockAt returns a clock that stands at now.
func NewClockAt(now time.Time) *Clock { return actortest.NewClockAt(now) }
