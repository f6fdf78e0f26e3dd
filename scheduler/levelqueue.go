package scheduler

import "github.com/ringmill/ringmill/mailbox"

// levelQueue is a fifo for each of the four levels of a mailbox.Priority, taken from in the same
// proportions: of 15 items 8 are Critical, 4 High, 2 Normal and 1 Low as long as there are enough
// of each, so every level moves. It is not safe for concurrent use; who owns it guards it.
type levelQueue[T any] struct {
	n     int // items of all levels
	fifos [levels]fifo[T]
	turns LevelTurns
}

func (q *levelQueue[T]) push(level mailbox.Level, v T) {
	q.fifos[level].push(v)
	q.n++
}

func (q *levelQueue[T]) pop() (v T, ok bool) {
	if q.n == 0 {
		return v, false
	}
	q.n--
	return q.fifos[q.turns.Next(func(l mailbox.Level) bool { return q.fifos[l].n > 0 })].pop()
}

// LevelTurns deals turns to the four levels, 8:4:2:1, the most urgent first. The zero value is ready. It is
// not safe for concurrent use and does not allocate.
type LevelTurns struct {
	left [levels]uint8 // of the round
}

// Next returns the level whose turn it is. At least one must be waiting. Turns of levels that do not wait go
// to the others at once.
func (t *LevelTurns) Next(waits func(mailbox.Level) bool) mailbox.Level {
	for {
		for l := Critical; l <= Low; l++ {
			if t.left[l] > 0 && waits(l) {
				t.left[l]--
				return l
			}
		}
		t.left = [levels]uint8{8, 4, 2, 1}
	}
}
