package actor

import "time"

const (
	// maxSliceMessages and maxSliceTime bound what an actor does before others get
	// their turn. With a bound of 64 messages alone a quiet actor beside a flooded
	// one with 1 us handlers waits 47 us at the median; the time bound cuts that.
	maxSliceMessages = 64
	maxSliceTime     = 10 * time.Microsecond

	// clockEvery is the number of messages between two looks at the clock: one
	// look costs about as much as handling a message.
	clockEvery = 8
)

// budget bounds one slice of an actor without reading the clock per message.
//
// An actor counts as slow while its messages take longer than
// maxSliceTime / clockEvery on average, and then every message is timed. Of a fast
// actor's slice the first clockEvery messages are not timed at all. So an actor that
// turns slow overdraws its budget once, by up to 2 x clockEvery messages.
type budget struct {
	cell     *cell
	messages int
	untimed  int           // messages before start
	start    time.Duration // meaningful if messages > untimed
}

// epoch makes instants small enough to be kept as durations.
var epoch = time.Now()

func newBudget(c *cell) budget {
	if c.slow {
		return budget{cell: c, start: time.Since(epoch)}
	}
	return budget{cell: c, untimed: clockEvery}
}

// spent counts one message and reports whether the slice is over.
func (b *budget) spent() bool {
	b.messages++
	if !b.cell.slow && b.messages%clockEvery != 0 {
		return false
	}
	return b.messages >= maxSliceMessages || b.timeSpent()
}

func (b *budget) timeSpent() bool {
	now := time.Since(epoch)
	if b.messages == b.untimed {
		b.start = now
		return false
	}
	elapsed := now - b.start
	b.cell.slow = elapsed*clockEvery >= maxSliceTime*time.Duration(b.messages-b.untimed)
	return elapsed >= maxSliceTime
}
