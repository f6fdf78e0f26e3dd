package scheduler

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"
)

// WheelConfig says how a Wheel works. The zero value is valid.
type WheelConfig struct {
	// Granularity is how late a timer may fire, 1 us to 1 s. It is rounded down to a
	// power of two nanoseconds, so that the hot path shifts instead of divides. Defaults
	// to 1 ms, that is 524 us.
	Granularity time.Duration

	// Shards is the number of independently locked parts, 1 to 256, rounded up to a power
	// of two; each takes 5 KiB. Defaults to GOMAXPROCS.
	Shards int

	// Clock is the wheel's time, for tests. Defaults to nil, the real time.
	Clock Clock
}

// Clock is a time that somebody else lets pass, such as a test. Its methods are safe for
// concurrent use and do not block.
type Clock interface {
	Now() time.Time

	// AfterFunc calls f once when d has passed, as time.AfterFunc does. Its result is a
	// *time.Timer's methods.
	AfterFunc(d time.Duration, f func()) ClockTimer
}

// ClockTimer is what a Clock's AfterFunc returns. Stop and Reset are as time.Timer's.
type ClockTimer interface {
	Stop() bool
	Reset(d time.Duration) bool
}

const (
	slotBits    = 6 // 64 slots: their occupancy fits one word
	wheelSlots  = 1 << slotBits
	wheelLevels = 9 // 54 bits of ticks: any time.Duration at the finest granularity

	minGranularity     = time.Microsecond
	maxGranularity     = time.Second
	defaultGranularity = time.Millisecond
	maxShards          = 256

	// cascadeBatch bounds how many timers move to a lower level under one hold of a shard's
	// lock: some 10 us.
	cascadeBatch = 256
)

func (c WheelConfig) withDefaults() (WheelConfig, error) {
	if c.Granularity == 0 {
		c.Granularity = defaultGranularity
	}
	if c.Granularity < minGranularity || c.Granularity > maxGranularity {
		return c, fmt.Errorf("scheduler: wheel: Granularity is %v; want %v to %v, or 0 for %v", c.Granularity, minGranularity, maxGranularity, defaultGranularity)
	}
	if c.Shards == 0 {
		c.Shards = min(goruntime.GOMAXPROCS(0), maxShards)
	}
	if c.Shards < 1 || c.Shards > maxShards {
		return c, fmt.Errorf("scheduler: wheel: Shards is %d; want 1 to %d, or 0 for GOMAXPROCS", c.Shards, maxShards)
	}
	c.Shards = 1 << bits.Len(uint(c.Shards-1))
	return c, nil
}

// Wheel runs callbacks at deadlines. It is made for timeouts, of which nearly all are
// stopped before they fire: arming and stopping cost a few links under a lock that is
// seldom contended, whatever the number of armed timers, and never allocate.
//
// A timer never fires early. It fires at most one granularity late, plus what the
// program's goroutines and the callbacks before it take. Callbacks run one after the
// other on one goroutine, so they must not block or panic.
//
// While no timer is armed the wheel has no goroutine and no wake-up is due. Otherwise
// it sleeps until the next deadline, with at most one more wake-up for each level that a
// timer comes down, and one if the timer it slept for has been stopped.
//
// All methods are safe for concurrent use and only Stop blocks. A test that uses
// testing/synctest makes the wheel inside its bubble.
//
// # Structure
//
// Time is counted in ticks of one granularity since the wheel was made. A shard is at
// tick cursor and keeps a timer at the level of the highest base-64 digit in which its
// due tick differs from cursor, in the slot that this digit names. When cursor enters a
// slot of a higher level, that slot's timers move down.
//
// Invariants, with mu of the shard held:
//
//	I1  cursor never falls and is at or below the present tick
//	I2  a bit in occupied is set exactly if its slot holds a timer
//	I3  every slot that holds a timer begins after cursor, but for those that a sweep is
//	    emptying; so the lowest slot of the lowest occupied level is the next to come
//
// and for the wheel:
//
//	I4  while no call is under way and no sweep runs, wakeAt is at or before the first
//	    slot of every shard, and runtime timer fires then
//
// I4 holds because Start links the timer and then loads wakeAt, and a sweep sets wakeAt
// to never and then looks at the slots: one of the two sees the other. Both correct
// wakeAt under the wheel's mu.
type Wheel struct {
	began  time.Time
	clock  Clock // nil: the real one
	shift  uint  // log2 of a tick in nanoseconds
	shards []wheelShard
	turn   RoundRobin // gives each new timer its shard

	contexts sync.Pool // of *DeadlineContext: a timer belongs to one wheel

	wakeAt atomic.Int64 // tick at which sweep runs next: never, or sweeping while it does

	mu      sync.Mutex
	timer   ClockTimer // runs sweep; moved under mu
	swept   chan struct{}
	running bool // a sweep is under way
	stopped bool
}

const (
	never    int64 = math.MaxInt64
	sweeping int64 = math.MinInt64
)

// Timer is a callback and a place in a Wheel, to be embedded in what it belongs to. It
// must be given its callback by Init, must not be copied after that, and can be armed and
// stopped any number of times.
//
// The first Start must happen before every other call. From then on Start and Stop may
// be called from any goroutine, the callback included.
type Timer struct {
	handler TimerHandler
	shard   *wheelShard // set by the first Start

	// Guarded by shard.mu.
	next, prev *Timer
	due        int64 // tick
	level      uint8
	slot       uint8
	armed      bool
}

// Init sets the callback. It must not be called while the timer is armed.
func (t *Timer) Init(expire func()) {
	t.handler = nil
	if expire != nil {
		t.handler = timerFunc(expire)
	}
}

// InitHandler is Init with a method in place of a function: a pointer as handler does not allocate.
func (t *Timer) InitHandler(h TimerHandler) { t.handler = h }

// A TimerHandler is told that a timer has fired, as the callback of Timer.Init is.
type TimerHandler interface{ TimerFired() }

type timerFunc func()

// TimerFired is part of TimerHandler.
func (f timerFunc) TimerFired() { f() }

// wheelShard is one part of a wheel with its own lock.
type wheelShard struct {
	mu       sync.Mutex
	wheel    *Wheel
	cursor   int64
	armed    int
	closed   bool
	firing   bool   // a sweep is here: cursor is its alone, since it names the slot that is being emptied
	levels   uint16 // those with a timer
	occupied [wheelLevels]uint64
	slots    [wheelLevels][wheelSlots]*Timer
	_        [64]byte // the next shard's lock is another core's
}

// NewWheel returns a wheel that is ready to work and should be stopped.
func NewWheel(cfg WheelConfig) (*Wheel, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Wheel{
		clock:  cfg.Clock,
		shift:  uint(bits.Len64(uint64(cfg.Granularity)) - 1),
		shards: make([]wheelShard, cfg.Shards),
		swept:  make(chan struct{}, 1),
	}
	for i := range w.shards {
		w.shards[i].wheel = w
	}
	w.wakeAt.Store(never)
	if w.clock != nil {
		w.began = w.clock.Now()
		w.timer = w.clock.AfterFunc(time.Duration(never), w.sweep)
	} else {
		w.began = time.Now()
		w.timer = time.AfterFunc(time.Duration(never), w.sweep)
	}
	w.timer.Stop()
	return w, nil
}

// Granularity returns the length of a tick.
func (w *Wheel) Granularity() time.Duration { return 1 << w.shift }

// Start arms t to fire in d, or moves it there if it is armed. It answers false, and
// leaves t as it is, if the wheel has been stopped. It panics if t has no callback or has
// been started on another wheel.
func (w *Wheel) Start(t *Timer, d time.Duration) bool {
	now := w.elapsed()
	if d <= 0 {
		d = 1 // in the next tick, so that a callback can start its own timer again
	}
	if d > time.Duration(never)-now {
		d = time.Duration(never) - now
	}
	return w.start(t, w.tickAfter(now+d), int64(now)>>w.shift)
}

// StartAt is Start with a deadline. It reads no clock, which is most of the cost of
// Start, and is for callers that have read it.
func (w *Wheel) StartAt(t *Timer, deadline time.Time) bool {
	return w.start(t, w.tickAfter(deadline.Sub(w.began)), 0)
}

// start arms t for tick due; now is a tick that has come.
func (w *Wheel) start(t *Timer, due, now int64) bool {
	s := w.shardOf(t)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	if t.armed {
		s.unlink(t)
	}
	if s.armed == 0 && !s.firing && s.cursor < now { // nothing to move down on the way: I3 holds for no timers
		s.cursor = now
	}
	t.due = max(due, s.cursor+1)
	begins := s.link(t)
	s.mu.Unlock()
	if w.clock != nil {
		w.retime()
		return true
	}
	if begins < w.wakeAt.Load() { // after the timer is linked: see I4
		w.wakeBy(begins)
	}
	return true
}

// Stop disarms the timer. It answers true if that prevented the callback, and false if
// the timer was not armed: never started, stopped, or fired, in which case the callback
// may still be running.
func (t *Timer) Stop() bool {
	s := t.shard
	if s == nil {
		return false
	}
	s.mu.Lock()
	was := t.armed
	if was {
		s.unlink(t)
	}
	s.mu.Unlock()
	if was && s.wheel.clock != nil {
		s.wheel.retime()
	}
	return was
}

// Armed returns the number of armed timers.
func (w *Wheel) Armed() int {
	n := 0
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		n += s.armed
		s.mu.Unlock()
	}
	return n
}

// Stop ends the wheel: armed timers do not fire any more and Start answers false. It
// waits for a callback that is running until ctx ends, and then returns its error. Stop is
// idempotent; a callback must not call it.
func (w *Wheel) Stop(ctx context.Context) error {
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
	}
	w.mu.Lock()
	w.stopped = true
	w.timer.Stop()
	running := w.running
	w.mu.Unlock()
	if !running {
		return nil
	}
	select {
	case <-w.swept:
		w.swept <- struct{}{} // for the next caller of Stop
		return nil
	case <-ctx.Done():
		return fmt.Errorf("scheduler: wheel: stopped while a callback is running: %w", ctx.Err())
	}
}

// now reads the wheel's clock.
func (w *Wheel) now() time.Time {
	if w.clock != nil {
		return w.clock.Now()
	}
	return time.Now()
}

// afterFunc calls f at a time without the help of the wheel.
func (w *Wheel) afterFunc(at time.Time, f func()) ClockTimer {
	if w.clock != nil {
		return w.clock.AfterFunc(at.Sub(w.clock.Now()), f)
	}
	return time.AfterFunc(time.Until(at), f)
}

// elapsed is the time since the wheel was made.
func (w *Wheel) elapsed() time.Duration {
	if w.clock != nil {
		return w.clock.Now().Sub(w.began)
	}
	return time.Since(w.began)
}

// shardOf returns the shard that t belongs to for good.
func (w *Wheel) shardOf(t *Timer) *wheelShard {
	if t.shard == nil {
		if t.handler == nil {
			panic("scheduler: Wheel.Start: the timer has no callback; call Init first")
		}
		t.shard = &w.shards[w.turn.Next(len(w.shards))]
	}
	if t.shard.wheel != w {
		panic("scheduler: Wheel.Start: the timer belongs to another wheel")
	}
	return t.shard
}

// tickAfter returns the first tick that begins at or after d.
func (w *Wheel) tickAfter(d time.Duration) int64 {
	tick := int64(d) >> w.shift
	if int64(d)&(1<<w.shift-1) != 0 {
		tick++
	}
	return min(tick, never>>w.shift) // the last tick that is a time.Duration
}

// wakeBy makes the next sweep come at tick at the latest.
func (w *Wheel) wakeBy(tick int64) {
	w.mu.Lock()
	if tick < w.wakeAt.Load() && !w.stopped {
		w.sleepUntil(tick)
	}
	w.mu.Unlock()
}

// sleepUntil sets the runtime timer; mu is held.
func (w *Wheel) sleepUntil(tick int64) {
	w.wakeAt.Store(tick)
	w.timer.Reset(time.Duration(tick)<<w.shift - w.elapsed())
}

// sweep fires what is due, on the goroutine of the runtime timer.
func (w *Wheel) sweep() {
	w.mu.Lock()
	if w.running || w.stopped {
		w.mu.Unlock()
		return // the running one looks for the next deadline when it is through
	}
	w.running = true
	w.wakeAt.Store(sweeping) // nobody else needs to wake
	w.mu.Unlock()

	now := int64(w.elapsed()) >> w.shift
	for i := range w.shards {
		w.shards[i].fire(now)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = false
	if w.stopped {
		w.swept <- struct{}{}
		return
	}
	w.wakeAt.Store(never) // before the slots are looked at: see I4
	next := never
	for i := range w.shards {
		next = min(next, w.shards[i].begins())
	}
	if next != never {
		w.sleepUntil(next)
	}
}

// retime lets a Clock know exactly what waits, and for when: whoever lets its time pass may go by that. Under the real time a wake-up
// that is too early costs less.
func (w *Wheel) retime() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running || w.stopped {
		return // the running one looks for the next deadline when it is through
	}
	w.wakeAt.Store(never)
	next := never
	for i := range w.shards {
		next = min(next, w.shards[i].begins())
	}
	if next != never {
		w.sleepUntil(next)
	} else {
		w.timer.Stop()
	}
}

// fire enters the slots that begin at or before tick now, one after the other, and
// empties each.
func (s *wheelShard) fire(now int64) {
	for {
		level, slot, ok := s.enter(now)
		if !ok {
			return // no longer firing
		}
		if level == 0 {
			s.expire(slot)
		} else {
			s.cascade(level, slot)
		}
	}
}

// enter moves cursor to the first occupied slot, or to now if none begins by then.
func (s *wheelShard) enter(now int64) (level, slot int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begins, level, slot := s.first()
	if s.firing = !s.closed && begins <= now; !s.firing {
		s.cursor = max(s.cursor, now) // a Start may have been ahead of the sweep
		return 0, 0, false
	}
	s.cursor = begins
	return level, slot, true
}

// expire runs the callbacks of a slot of level 0, without the lock. No timer joins the
// slot meanwhile: cursor is there, so what is started now is due later.
func (s *wheelShard) expire(slot int) {
	for {
		s.mu.Lock()
		t := s.slots[0][slot]
		if t == nil || s.closed {
			s.mu.Unlock()
			return
		}
		s.unlink(t)
		s.mu.Unlock()
		t.handler.TimerFired()
	}
}

// cascade moves the timers of a slot down, a batch at a time so that Start and Stop need
// not wait for long.
func (s *wheelShard) cascade(level, slot int) {
	for more := true; more; {
		s.mu.Lock()
		for range cascadeBatch {
			t := s.slots[level][slot]
			if t == nil {
				break
			}
			s.unlink(t)
			s.link(t)
		}
		more = s.slots[level][slot] != nil && !s.closed
		s.mu.Unlock()
	}
}

// begins returns the tick at which the first occupied slot begins, never if there is none; with a Clock, the one at which its first
// timer is due.
func (s *wheelShard) begins() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	begins, level, slot := s.first()
	if begins == never || s.wheel.clock == nil {
		return begins
	}
	begins = never
	for t := s.slots[level][slot]; t != nil; t = t.next {
		begins = min(begins, t.due)
	}
	return begins
}

// first finds the first occupied slot and the tick at which it begins.
func (s *wheelShard) first() (begins int64, level, slot int) {
	if s.levels == 0 {
		return never, 0, 0
	}
	level = bits.TrailingZeros16(s.levels)
	slot = bits.TrailingZeros64(s.occupied[level])
	return s.begin(level, slot), level, slot
}

// begin returns the tick at which a slot begins: the digits of cursor above level, then slot.
func (s *wheelShard) begin(level, slot int) int64 {
	shift := level * slotBits
	return s.cursor>>(shift+slotBits)<<(shift+slotBits) | int64(slot)<<shift
}

// link puts t in the slot of its due tick, which is at or after cursor, and returns the
// tick at which that slot begins.
func (s *wheelShard) link(t *Timer) int64 {
	level := (bits.Len64(uint64(t.due^s.cursor)|1) - 1) / slotBits
	slot := int(t.due>>(level*slotBits)) & (wheelSlots - 1)
	head := &s.slots[level][slot]
	t.next, t.prev = *head, nil
	if t.next != nil {
		t.next.prev = t
	}
	*head = t
	t.level, t.slot, t.armed = uint8(level), uint8(slot), true
	s.armed++
	s.occupied[level] |= 1 << slot
	s.levels |= 1 << level
	return s.begin(level, slot)
}

func (s *wheelShard) unlink(t *Timer) {
	if t.next != nil {
		t.next.prev = t.prev
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else if s.slots[t.level][t.slot] = t.next; t.next == nil {
		s.occupied[t.level] &^= 1 << t.slot
		if s.occupied[t.level] == 0 {
			s.levels &^= 1 << t.level
		}
	}
	t.next, t.prev, t.armed = nil, nil, false // keeps nobody alive
	s.armed--
}
