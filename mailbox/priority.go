package mailbox

// Level is the urgency of a message in a Priority mailbox.
type Level uint8

// The levels, the most urgent first.
const (
	Urgent Level = iota
	High
	Normal
	Low
	levels
)

// credits is how many messages of each level one round takes if every level has enough.
var credits = [levels]uint64{8, 4, 2, 1}

// agingStep is the number of messages that may overtake a waiting one before its level gains one in rank: some seventy
// rounds. At the plain ratio a Low backlog of DefaultCapacity would last for 256.
const agingStep = 1024

// Priority is a mailbox with four levels, each a ring of its own. Within a level the order is that of MPSC.
//
// Between levels the consumer takes messages in rounds of credits, 8 Urgent, 4 High, 2 Normal and 1 Low, the more urgent
// first; what a level does not need goes to the others. So every level moves in every round and none starves. Aging
// shortens the wait behind a long backlog: when agingStep messages have been taken since a level's messages were last
// marked, and the marked ones are not all gone, the level counts as one more urgent, and so on up to Urgent.
//
// Concurrency is as for MPSC: TryDequeue and Drain belong to one consumer at a time, everything else to any goroutine;
// no method blocks.
type Priority[T any] struct {
	rings [levels]padded[T]

	// The rest is the consumer's.
	left  [levels]uint64 // credits left in this round
	marks [levels]mark
	taken uint64 // messages dequeued so far
}

// mark remembers how far a level had been filled at some moment of the consumer's count.
type mark struct {
	tail  uint64 // the level's messages below this position were waiting
	taken uint64 // Priority.taken at that moment
}

// NewPriority returns an open, empty mailbox with room for capacity messages on each level.
// It panics if capacity is not within 1 to MaxCapacity.
func NewPriority[T any](capacity int) *Priority[T] {
	p := new(Priority[T])
	for i := range p.rings {
		p.rings[i].Init(capacity)
	}
	return p
}

// TryEnqueue adds v at the end of a level. It answers ErrFull if that level is full and ErrClosed after Close.
// It panics if level is not one of the four.
func (p *Priority[T]) TryEnqueue(level Level, v T) error {
	return p.rings[level].TryEnqueue(v)
}

// TryDequeue takes the message whose turn it is. It answers false if no level has one ready.
// Only the consumer may call it.
func (p *Priority[T]) TryDequeue() (T, bool) {
	if v, ok := p.dequeue(); ok {
		return v, true
	}
	p.newRound()
	return p.dequeue()
}

// dequeue takes a message from the most urgent level that has one and credit.
func (p *Priority[T]) dequeue() (v T, ok bool) {
	for i := range p.rings {
		if p.left[i] == 0 {
			continue
		}
		if v, ok = p.rings[i].TryDequeue(); ok {
			p.left[i]--
			p.taken++
			return v, true
		}
	}
	return v, false
}

// Drain takes up to len(dst) messages in the order of TryDequeue and returns how many. It answers 0 if no level has one
// ready. Only the consumer may call it.
func (p *Priority[T]) Drain(dst []T) int {
	n := p.drainRound(dst)
	for n < len(dst) {
		p.newRound()
		got := p.drainRound(dst[n:])
		if got == 0 {
			break
		}
		n += got
	}
	return n
}

// drainRound takes what the credits left in this round allow.
func (p *Priority[T]) drainRound(dst []T) int {
	n := 0
	for i := range p.rings {
		want := min(p.left[i], uint64(len(dst)-n))
		got := p.rings[i].Drain(dst[n : n+int(want)])
		p.left[i] -= uint64(got)
		n += got
	}
	p.taken += uint64(n)
	return n
}

// newRound hands out the credits of a round, by rank: a level that has aged counts as a more urgent one.
func (p *Priority[T]) newRound() {
	for i := range p.rings {
		ring, m := &p.rings[i], &p.marks[i]
		if ring.head.Load() >= m.tail {
			*m = mark{tail: ring.tail.Load() &^ closedBit, taken: p.taken}
		}
		age := (p.taken - m.taken) / agingStep
		p.left[i] = credits[uint64(i)-min(age, uint64(i))]
	}
}

// Ready reports whether a message has been published on any level. See MPSC.Ready for its use.
func (p *Priority[T]) Ready() bool {
	for i := range p.rings {
		if p.rings[i].Ready() {
			return true
		}
	}
	return false
}

// Len returns the number of messages waiting on all levels; see MPSC.Len.
func (p *Priority[T]) Len() int {
	n := 0
	for i := range p.rings {
		n += p.rings[i].Len()
	}
	return n
}

// LenLevel returns the number of messages waiting on one level.
func (p *Priority[T]) LenLevel(level Level) int { return p.rings[level].Len() }

// Cap returns the capacity of each level.
func (p *Priority[T]) Cap() int { return p.rings[0].Cap() }

// Close makes every later enqueue answer ErrClosed. What was accepted can still be dequeued. It is idempotent.
func (p *Priority[T]) Close() {
	for i := range p.rings {
		p.rings[i].Close()
	}
}

// Closed reports whether Close has returned.
func (p *Priority[T]) Closed() bool { return p.rings[levels-1].Closed() }

// Drained reports whether the mailbox is closed and everything accepted has been dequeued.
func (p *Priority[T]) Drained() bool {
	for i := range p.rings {
		if !p.rings[i].Drained() {
			return false
		}
	}
	return true
}
