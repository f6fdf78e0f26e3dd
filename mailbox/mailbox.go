package mailbox

import (
	"context"
	"errors"
	goruntime "runtime"
	"sync"
	"sync/atomic"
)

// DefaultCapacity is used where a configuration leaves the capacity at 0.
const DefaultCapacity = 256

// Overflow says what an enqueue does when the mailbox is full.
type Overflow uint8

const (
	// Fail refuses the new message with ErrFull.
	Fail Overflow = iota
	// Wait lets Enqueue wait for room within its context; TryEnqueue refuses with ErrFull.
	// It is for callers outside workers: a worker must not wait for a mailbox.
	Wait
	// DropNewest discards the new message.
	DropNewest
	// DropOldest discards the oldest message to make room for the new one.
	DropOldest
)

// WaitStrategy says what the consumer of an empty mailbox does.
type WaitStrategy uint8

const (
	// Park yields once and then puts the goroutine to sleep: an idle mailbox costs nothing.
	Park WaitStrategy = iota
	// BusyPoll keeps asking. It takes a core of its own for as long as the mailbox is empty and answers
	// sooner than a sleeping thread: p50 0.2 us against 0.9, and the tail far more so.
	BusyPoll
)

// Config describes a Mailbox. The zero value is valid.
type Config[T any] struct {
	// Capacity is the number of messages that may wait, 1 to MaxCapacity. Defaults to DefaultCapacity.
	// It is exact; the memory behind it is rounded up to a power of two.
	Capacity int
	// Overflow defaults to Fail.
	Overflow Overflow
	// Wait is the consumer's strategy. Defaults to Park.
	Wait WaitStrategy
	// OnDrop, if not nil, is given each message that DropNewest or DropOldest discards. It runs on the goroutine
	// of the sender that caused the drop, with no lock held.
	OnDrop func(T)
}

// Stats counts what the overflow policy did since the mailbox was made.
type Stats struct {
	Refused uint64 // enqueues answered ErrFull
	Waited  uint64 // enqueues that found the mailbox full and were listed to wait
	Dropped uint64 // messages accepted or offered and then discarded
}

// Mailbox is an MPSC whose consumer can sleep until a message comes and whose senders follow an overflow policy.
// Actors on a scheduler use MPSC itself; a Mailbox serves one goroutine of its own.
//
// All methods are safe for concurrent use but Dequeue and DequeueBatch, which belong to the consumer: one
// goroutine at a time. Methods that take a context may block, the others do not; under DropOldest the consumer, Close and
// the senders that find no room share a lock for a few moves of memory. Nothing is allocated per
// message; the ring is made by the first enqueue, and the first sleep makes the channel to sleep on.
//
// Parking and publishing meet in one word, the one of the slot at the head: the consumer sets parkedBit in it by
// CAS, which fails if the slot has been published; a producer publishes it by Swap, which returns the bit.
// So each sleep gets exactly one wake-up, from the producer of the very message that the consumer waits for.
// Before the first message there is no slot: then the mark is asleep() in place of the ring, and the producer that makes
// the ring moves it, with the CAS that installs the ring, into the word of position 0.
// Close clears the mark in the same way. Between setting it and sleeping the consumer looks at Drained: Close
// first closes the tail and then looks for the mark, so one of the two sees the other.
//
// Under Wait a sender is listed before it looks for room once more, and the consumer frees places before it looks at the
// list: one of the two sees the other, and gives the place to the first sender on the list. See waitlist.
type Mailbox[T any] struct {
	queue    padded[T]
	onDrop   func(T)
	wake     chan struct{}               // made before the first park; holds one token for each mark, parkedBit or asleep(), that others cleared
	senders  atomic.Pointer[waitlist[T]] // nil until the first sender waits
	consumer sync.Mutex                  // held while taking or replacing messages, parking and closing, under DropOldest only
	refused  atomic.Uint64
	waited   atomic.Uint64
	dropped  atomic.Uint64
	overflow Overflow
	wait     WaitStrategy
}

// New returns an open, empty mailbox. It panics if cfg holds a value that is not allowed: a capacity outside
// 0 to MaxCapacity, or an unknown policy or strategy.
func New[T any](cfg Config[T]) *Mailbox[T] {
	if cfg.Overflow > DropOldest || cfg.Wait > BusyPoll {
		panic("mailbox: unknown Overflow or WaitStrategy; use the constants of this package")
	}
	if cfg.Capacity == 0 {
		cfg.Capacity = DefaultCapacity
	}
	m := &Mailbox[T]{onDrop: cfg.OnDrop, overflow: cfg.Overflow, wait: cfg.Wait}
	m.queue.Init(cfg.Capacity)
	return m
}

// TryEnqueue adds v at the end. In a full mailbox it answers ErrFull under Fail and Wait, and nil under DropNewest
// and DropOldest. After Close it answers ErrClosed.
func (m *Mailbox[T]) TryEnqueue(v T) error {
	parked, err := m.queue.enqueue(v) // not m.enqueue: one call less is 2 ns of 15
	if parked {
		m.wakeConsumer()
	}
	if err != ErrFull {
		return err
	}
	switch m.overflow {
	case DropNewest:
		m.drop(v)
		return nil
	case DropOldest:
		return m.replaceOldest(v)
	default:
		m.refused.Add(1)
		return ErrFull
	}
}

// Enqueue is TryEnqueue that under Wait waits for room until ctx ends, and then answers ctx.Err(). The messages of waiting
// senders go in in the order of their arrival. A newcomer that finds a place free may go in before all of them.
func (m *Mailbox[T]) Enqueue(ctx context.Context, v T) error {
	if m.overflow != Wait {
		return m.TryEnqueue(v)
	}
	parked, err := m.queue.enqueue(v) // as in TryEnqueue
	if parked {
		m.wakeConsumer()
	}
	if err != ErrFull {
		return err
	}
	_, err = m.enqueueWait(ctx, v, nil)
	return err
}

// TryEnqueueBatch adds the longest prefix of vs that fits, as MPSC.TryEnqueueBatch does. The overflow policy does not
// apply: what did not fit stays with the caller.
func (m *Mailbox[T]) TryEnqueueBatch(vs []T) (int, error) {
	n, err := m.enqueueBatch(vs)
	if err == ErrFull {
		m.refused.Add(1)
	}
	return n, err
}

// EnqueueBatch is TryEnqueueBatch that under Wait waits for room, again and again, until all of vs is added or ctx
// ends. It returns how many it added. Other senders' messages may come between the parts.
// The consumer reads vs while the call waits; the mailbox keeps no reference to it afterwards.
func (m *Mailbox[T]) EnqueueBatch(ctx context.Context, vs []T) (int, error) {
	if m.overflow != Wait {
		return m.TryEnqueueBatch(vs)
	}
	added, err := m.enqueueBatch(vs)
	if err != ErrFull {
		return added, err
	}
	var none T
	left, err := m.enqueueWait(ctx, none, vs[added:])
	return len(vs) - left, err
}

// Dequeue takes the oldest message. It waits until there is one, until ctx ends, or until the mailbox is closed and
// empty, and then answers ctx.Err() or ErrClosed. A message that is there is taken even if ctx has ended.
func (m *Mailbox[T]) Dequeue(ctx context.Context) (T, error) {
	for {
		if v, ok := m.take(); ok {
			return v, nil
		}
		if err := m.await(ctx); err != nil {
			var zero T
			return zero, err
		}
	}
}

// DequeueBatch takes up to len(dst) messages into dst, at least one; it waits and answers as Dequeue does. One call
// frees all their places at once, which is what a mailbox with waiting senders wants.
func (m *Mailbox[T]) DequeueBatch(ctx context.Context, dst []T) (int, error) {
	if len(dst) == 0 {
		return 0, nil
	}
	for {
		if n := m.drain(dst); n > 0 {
			return n, nil
		}
		if err := m.await(ctx); err != nil {
			return 0, err
		}
	}
}

// Len returns the number of messages waiting, as MPSC.Len does.
func (m *Mailbox[T]) Len() int { return m.queue.Len() }

// Cap returns the capacity.
func (m *Mailbox[T]) Cap() int { return m.queue.Cap() }

// Close makes every later and every waiting enqueue answer ErrClosed. What was accepted before can still be
// dequeued; then the consumer is answered ErrClosed. Close is idempotent.
func (m *Mailbox[T]) Close() {
	m.beConsumer() // not between the take and the enqueue of a sender that replaces the oldest message
	m.queue.Close()
	m.endConsumer()
	if m.queue.unpark() {
		m.wakeConsumer()
	}
	m.serveSenders() // each is answered ErrClosed
}

// Closed reports whether Close has been called.
func (m *Mailbox[T]) Closed() bool { return m.queue.Closed() }

// Stats returns the counters of the overflow policy.
func (m *Mailbox[T]) Stats() Stats {
	return Stats{Refused: m.refused.Load(), Waited: m.waited.Load(), Dropped: m.dropped.Load()}
}

func (m *Mailbox[T]) enqueue(v T) error {
	parked, err := m.queue.enqueue(v)
	if parked {
		m.wakeConsumer()
	}
	return err
}

func (m *Mailbox[T]) enqueueBatch(vs []T) (int, error) {
	n, parked, err := m.queue.enqueueBatch(vs)
	if parked {
		m.wakeConsumer()
	}
	return n, err
}

// wakeConsumer sends the token for a mark that the caller has cleared. It never blocks: the consumer takes each
// token before it parks again.
func (m *Mailbox[T]) wakeConsumer() { m.wake <- struct{}{} }

// enqueueWait waits until v, or vs if that is not nil, is enqueued, the mailbox is closed or ctx ends. It returns how much
// was not enqueued and why.
func (m *Mailbox[T]) enqueueWait(ctx context.Context, v T, vs []T) (left int, err error) {
	s := m.waitlist()
	w := s.push(v, vs)
	m.waited.Add(1)
	s.serve(m.enqueueBatch) // a place that became free before w was listed is nobody else's to give
	select {
	case <-w.woken:
		return s.done(w)
	case <-ctx.Done():
		if left, err = s.done(w); left > 0 && err == nil {
			err = ctx.Err()
		}
		return left, err
	}
}

// replaceOldest makes room by taking the consumer's part for one message. It gives up, and discards v, if the mailbox
// is full and its oldest message is still being written, or if other senders took every place that it freed.
// The mailboxes of actors do the same: see dropOldest in runtime/actor.
func (m *Mailbox[T]) replaceOldest(v T) error {
	const attempts = 4 // each lost one means that another sender got in: more only helps against livelock of one sender
	for range attempts {
		oldest, took, err := m.replace(v)
		if took {
			m.drop(oldest)
		}
		if err == errUnpublished {
			break
		}
		if err != ErrFull {
			return err
		}
	}
	m.drop(v)
	return nil
}

// errUnpublished reports that the oldest message is still being written.
var errUnpublished = errors.New("mailbox: the oldest message is not published")

// replace takes the oldest message of a full mailbox and adds v. The consumer may have made room since the ErrFull that
// the caller saw; then nothing has to go. ErrFull means that another sender was faster. Close waits for the lock, so the
// answer after a take is never ErrClosed.
func (m *Mailbox[T]) replace(v T) (oldest T, took bool, err error) {
	m.beConsumer()
	defer m.endConsumer()
	if m.queue.Closed() {
		return oldest, false, ErrClosed
	}
	if m.queue.Len() == m.queue.Cap() {
		if oldest, took = m.queue.TryDequeue(); !took {
			return oldest, false, errUnpublished
		}
	}
	return oldest, took, m.enqueue(v)
}

func (m *Mailbox[T]) drop(v T) {
	m.dropped.Add(1)
	if m.onDrop != nil {
		m.onDrop(v)
	}
}

func (m *Mailbox[T]) take() (T, bool) {
	m.beConsumer()
	v, ok := m.queue.TryDequeue()
	m.endConsumer()
	if ok {
		m.serveSenders()
	}
	return v, ok
}

func (m *Mailbox[T]) drain(dst []T) int {
	m.beConsumer()
	n := m.queue.Drain(dst)
	m.endConsumer()
	if n > 0 {
		m.serveSenders()
	}
	return n
}

// serveSenders gives free places to waiting senders. The caller has freed them, by a store into head, or has closed the
// mailbox before the list is read.
func (m *Mailbox[T]) serveSenders() {
	if s := m.senders.Load(); s != nil {
		s.serve(m.enqueueBatch)
	}
}

// await returns nil when it is worth looking for a message again.
func (m *Mailbox[T]) await(ctx context.Context) error {
	if m.queue.Drained() {
		return ErrClosed
	}
	if m.wait == BusyPoll {
		return m.poll(ctx)
	}
	// One yield lets producers that are ready to run fill the ring; it saves most sleeps under load.
	goruntime.Gosched()
	if m.queue.Ready() {
		return nil
	}
	return m.sleep(ctx)
}

// poll asks for a message until there is one or ctx ends.
func (m *Mailbox[T]) poll(ctx context.Context) error {
	const asks = 1000 // some 2 us between two looks at ctx and at the producers' cache line
	for {
		for range asks {
			if m.queue.Ready() {
				return nil
			}
		}
		if m.queue.Drained() {
			return ErrClosed
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		goruntime.Gosched() // there may be no other core for the producers
	}
}

func (m *Mailbox[T]) sleep(ctx context.Context) error {
	if m.wake == nil {
		m.wake = make(chan struct{}, 1)
	}
	m.beConsumer()
	parked := m.queue.park()
	m.endConsumer()
	if !parked {
		return nil
	}
	if m.queue.Drained() && m.queue.unpark() {
		return ErrClosed
	}
	select {
	case <-m.wake:
		return nil
	case <-ctx.Done():
		if m.queue.unpark() {
			return ctx.Err()
		}
		<-m.wake // somebody else cleared the bit: a message is there, or Close was called
		return nil
	}
}

// beConsumer and endConsumer enclose what only the queue's consumer may do, and what must not come in between. Under
// DropOldest senders do it too.
func (m *Mailbox[T]) beConsumer() {
	if m.overflow == DropOldest {
		m.consumer.Lock()
	}
}

func (m *Mailbox[T]) endConsumer() {
	if m.overflow == DropOldest {
		m.consumer.Unlock()
	}
}

func (m *Mailbox[T]) waitlist() *waitlist[T] {
	if s := m.senders.Load(); s != nil {
		return s
	}
	m.senders.CompareAndSwap(nil, new(waitlist[T]))
	return m.senders.Load()
}
