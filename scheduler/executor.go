package scheduler

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/ants/v2"
)

// ErrGoexit is what ExecutorConfig.OnPanic receives when an activation ended its
// worker's goroutine with runtime.Goexit (as testing.T.FailNow does).
var ErrGoexit = errors.New("scheduler: the activation called runtime.Goexit")

// An Activation is something that wants to run: an actor with messages, a task.
//
// It may be scheduled again only after its Run has returned false, so that it is
// on an executor at most once; its owner keeps a status word for that. Under that
// rule no two calls of its Run overlap, and what one call wrote the next one sees.
type Activation interface {
	// Run does a bounded slice of work on worker w, which is valid during the
	// call only. It returns true to be put at the end of the queue again. An
	// activation whose Run panics is not put back.
	Run(w *Worker) (again bool)
}

// ExecutorConfig says how an Executor works. The zero value is valid.
type ExecutorConfig struct {
	// Name appears in errors. Defaults to "executor".
	Name string

	// MaxWorkers bounds the goroutines that run activations at the same time, 1
	// to 65,536. Defaults to 2 x GOMAXPROCS.
	MaxWorkers int

	// Blocking says that activations may block (user code). Workers then keep
	// no LIFO slot, since what waits there would wait for the blocked one.
	// Defaults to false.
	Blocking bool

	// Capacity is the number of activations that the lock-free part of the queue
	// holds, 1 to 1,048,576, rounded up to a power of two; more go to a locked
	// list. Those that have used up a slice have a quarter as many places of their own. Defaults to 4,096 (120 KiB).
	Capacity int

	// StallAfter is how long a slice of an activation may hold its worker before OnStall is
	// told, 1 ms or more. It costs each slice an uncontended lock. Defaults to 0: off.
	StallAfter time.Duration

	// OnStall is told about each slice that exceeds StallAfter, once, at most half of
	// StallAfter late, on the goroutine of a timer that runs only while workers do. It must not
	// block or panic. Required with StallAfter.
	OnStall func(Stall)

	// OnPanic, if set, is told about a panic that escaped an activation, with
	// the stack, on the worker's goroutine. It must not block. The panic is
	// counted either way and the worker goes on.
	OnPanic func(value any, stack []byte)
}

const (
	maxWorkersLimit  = 1 << 16
	capacityLimit    = 1 << 20
	defaultCapacity  = 4096
	spareGoroutines  = 8                // a worker that has left is not at once free for ants: at most a few at a time
	goroutineTimeout = 10 * time.Second // ants looks for goroutines idle longer than this, as often
)

func (c ExecutorConfig) withDefaults() (ExecutorConfig, error) {
	if c.Name == "" {
		c.Name = "executor"
	}
	if c.MaxWorkers == 0 {
		c.MaxWorkers = 2 * goruntime.GOMAXPROCS(0)
	}
	if c.MaxWorkers < 1 || c.MaxWorkers > maxWorkersLimit {
		return c, fmt.Errorf("scheduler: %s: MaxWorkers is %d; want 1 to %d, or 0 for 2 x GOMAXPROCS", c.Name, c.MaxWorkers, maxWorkersLimit)
	}
	if c.Capacity == 0 {
		c.Capacity = defaultCapacity
	}
	if c.Capacity < 1 || c.Capacity > capacityLimit {
		return c, fmt.Errorf("scheduler: %s: Capacity is %d; want 1 to %d, or 0 for %d", c.Name, c.Capacity, capacityLimit, defaultCapacity)
	}
	if c.StallAfter != 0 && (c.StallAfter < time.Millisecond || c.OnStall == nil) {
		return c, fmt.Errorf("scheduler: %s: StallAfter is %v; want 1ms or more and OnStall to be set, or 0 for off", c.Name, c.StallAfter)
	}
	return c, nil
}

// Executor runs activations on a bounded number of goroutines. Goroutines come
// from an ants pool, which owns and reuses them; each hosts a worker, a loop that
// takes activations from the executor's queue until that is empty and then gives
// its goroutine back, except that one may keep it and sleep: to wake that one costs
// less. An idle executor has no running goroutine and polls nothing.
//
// All methods are safe for concurrent use. Schedule does not block or allocate.
//
// # Protocol
//
// counts packs two numbers: active, the workers that run or were asked for, and
// searching, those of them that have not looked at the queue yet.
//
//	schedule  push, then wake
//	wake      if searching == 0 and active < max: active+1, searching+1 by CAS,
//	          and start a worker; else nothing
//	worker    pop, from either lane; if that was its first look, searching-1 and wake if the queue
//	          is not empty; run what it got; repeat
//	leave     queue empty: active-1 (and searching-1), then look at the queue
//	          again: if it is not empty, come back under the condition of wake
//
// Invariants:
//
//	I1  searching is 0 or 1, and searching <= active
//	I2  active <= max, except after AddWorkers has lowered max: then workers
//	    leave between two activations until it holds
//	I3  whoever lowers active or searching, or raises max, looks at the queue
//	    afterwards and wakes if it is not empty
//	I4  while the head of a lane is visible, a worker is active, or somebody is on
//	    the way from a push (or a step of I3) to its wake
//
// I4 says that no wake-up is lost. Wake does nothing in two cases. It loaded
// searching == 1: that load came before the searcher's decrement, so the push
// before it did too, and the searcher looks after its decrement (I3). Or it loaded
// active == max >= 1: then each of those workers will lower active before it is
// gone, and looks afterwards (I3). Push-then-load here, and decrement-then-look
// there, are the two sides of a Dekker pair; Go's atomics are sequentially
// consistent, so at least one side sees the other. A position that is claimed but
// not published hides the ones behind it from every look; its producer is still
// inside push and wakes after publishing, and from then on they are visible.
//
// A worker that finds work while more waits wakes the next one, so workers
// grow one by one while there is work for them, and one waker is enough for
// many pushes.
type Executor struct {
	name     string
	blocking bool
	onPanic  func(value any, stack []byte)
	pool     *ants.Pool
	submit   func(func()) error // pool.Submit, or what a test puts in its place
	loop     func()             // runWorker, stored once since a method value allocates
	workers  sync.Pool          // of *Worker

	_      [64]byte
	counts atomic.Uint64 // active<<32 | searching
	max    atomic.Int64
	_      [48]byte

	queue runQueue

	parked  atomic.Pointer[Worker] // sleeps in park; whoever takes it out wakes it
	awaited atomic.Int64           // how often the queue comes before LIFO slots; a hint, see ScheduleAwaited
	stalls  *stallDetector         // nil: off

	refusals atomic.Uint64
	panics   atomic.Uint64

	stopping atomic.Bool
	idleOnce sync.Once
	idle     chan struct{} // closed when stopping and nothing runs or waits
}

const (
	oneSearching = 1
	oneActive    = 1 << 32
)

func active(counts uint64) int64    { return int64(counts >> 32) }
func searching(counts uint64) int64 { return int64(uint32(counts)) }

// NewExecutor returns an executor that is ready to work and must be stopped.
func NewExecutor(cfg ExecutorConfig) (*Executor, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	pool, err := ants.NewPool(cfg.MaxWorkers+spareGoroutines,
		ants.WithNonblocking(true),
		ants.WithExpiryDuration(goroutineTimeout))
	if err != nil {
		return nil, fmt.Errorf("scheduler: %s: %w", cfg.Name, err)
	}
	e := &Executor{
		name:     cfg.Name,
		blocking: cfg.Blocking,
		onPanic:  cfg.OnPanic,
		pool:     pool,
		submit:   pool.Submit,
		idle:     make(chan struct{}),
	}
	if cfg.StallAfter > 0 {
		e.stalls = newStallDetector(cfg.StallAfter, cfg.OnStall)
	}
	e.loop = e.runWorker
	e.workers.New = func() any { return &Worker{executor: e, woken: make(chan bool, 1)} }
	e.max.Store(int64(cfg.MaxWorkers))
	e.queue.init(cfg.Capacity)
	return e, nil
}

// Schedule queues a. It may be called from anywhere, never blocks and never
// refuses: after Stop, too, a runs, on a goroutine that Stop does not wait for.
func (e *Executor) Schedule(a Activation) {
	e.queue.push(a)
	e.wake()
}

// maxAwaited bounds the activations ahead of one that is awaited for which workers do without their LIFO slots.
const maxAwaited = 64

// ScheduleAwaited is Schedule for an activation that somebody waits for: until those queued before it have been taken,
// workers take from the queue and not from their LIFO slots. The queue keeps its order. If more than 64 are ahead it is
// Schedule.
func (e *Executor) ScheduleAwaited(a Activation) {
	e.queue.push(a)
	if n := int64(e.queue.fresh.len()); n <= maxAwaited+1 && n > e.awaited.Load() {
		e.awaited.Store(n)
	}
	e.wake()
}

// Busy reports whether a worker runs or was asked for.
func (e *Executor) Busy() bool { return active(e.counts.Load()) > 0 }

// AddWorkers changes the maximum of workers by delta, down to no less than 1:
// +1 when a worker is stuck for good in user code, -1 when it has come back. Busy
// workers are not interrupted; those above the maximum leave between two
// activations.
func (e *Executor) AddWorkers(delta int) {
	for {
		old := e.max.Load()
		if e.max.CompareAndSwap(old, min(max(old+int64(delta), 1), maxWorkersLimit)) {
			break
		}
	}
	e.wakeIfWork() // I3
}

// Stop waits until no activation waits or runs and the goroutines have ended. It
// does not prevent further scheduling: whoever schedules stops first. At the end
// of ctx it returns an error that says how many workers are still running; they
// end when their activation returns. Stop may be called again to go on waiting.
func (e *Executor) Stop(ctx context.Context) error {
	e.stopping.Store(true) // before looking at counts: the last worker leaving does it the other way round
	e.signalIdle()
	select {
	case <-e.idle:
	case <-ctx.Done():
		select {
		case <-e.idle:
		default:
			e.unpark()
			e.pool.Release() // goroutines now end instead of going back to the pool
			return fmt.Errorf("scheduler: %s: stopped with %d activations waiting and %d workers still running: %w",
				e.name, e.queue.len(), active(e.counts.Load()), ctx.Err())
		}
	}
	e.unpark()
	e.pool.Release()
	// The goroutines have no work left and only need a turn each to end. (ants'
	// own ReleaseContext spins without yielding: 20 ms on one core.)
	for e.pool.Running() > 0 && ctx.Err() == nil {
		goruntime.Gosched()
	}
	return nil
}

// ExecutorStats is a snapshot; its numbers are read one after the other.
type ExecutorStats struct {
	MaxWorkers int    // bound on Workers
	Workers    int    // running or starting
	Searching  int    // those that have not looked for work yet, 0 or 1
	Queued     int    // activations waiting
	Refusals   uint64 // goroutines that ants refused and the go statement started
	Panics     uint64 // panics and Goexits that escaped an activation
}

// Stats returns the present state. It does not disturb the workers.
func (e *Executor) Stats() ExecutorStats {
	counts := e.counts.Load()
	return ExecutorStats{
		MaxWorkers: int(e.max.Load()),
		Workers:    int(active(counts)),
		Searching:  int(searching(counts)),
		Queued:     e.queue.len(),
		Refusals:   e.refusals.Load(),
		Panics:     e.panics.Load(),
	}
}

// wake starts a worker unless one is about to look at the queue or all are busy.
func (e *Executor) wake() {
	if e.enter() {
		e.start()
	}
}

func (e *Executor) wakeIfWork() {
	if !e.queue.empty() {
		e.wake()
	}
}

// enter counts the caller in as the one searcher, if there is none and a place is free.
func (e *Executor) enter() bool {
	for {
		counts := e.counts.Load()
		if searching(counts) > 0 || active(counts) >= e.max.Load() {
			return false
		}
		if e.counts.CompareAndSwap(counts, counts+oneActive+oneSearching) {
			return true
		}
	}
}

// start puts the worker that enter has counted in on a goroutine.
func (e *Executor) start() {
	if w := e.parked.Load(); w != nil && e.parked.CompareAndSwap(w, nil) {
		w.woken <- true
		return
	}
	if err := e.submit(e.loop); err != nil {
		e.refusals.Add(1)
		go e.loop()
	}
}

// runWorker is the body of a worker's goroutine, counted in as searching.
func (e *Executor) runWorker() {
	w := e.workers.Get().(*Worker)
	if e.stalls != nil {
		w.hold = e.stalls.newHold()
		defer e.stalls.leave(w.hold) // Goexit too
	}
	for awake := true; awake; awake = e.park(w) {
		w.searching = true
		w.turn.reset()
		if w.hold != nil {
			e.stalls.enter(w.hold)
		}
		for !w.work() {
			// A panic has ended work; the worker is as good as before.
		}
		if w.hold != nil {
			e.stalls.leave(w.hold) // the detector has nothing to look at while all sleep
		}
	}
	e.workers.Put(w)
	debug.SetPanicOnFault(false) // the goroutine is ants' again; see mark
}

// park has a worker that has left sleep until it is counted in again, if it is the only one to do so. It reports false if
// the worker is to give up its goroutine.
func (e *Executor) park(w *Worker) (woken bool) {
	if !e.parked.CompareAndSwap(nil, w) {
		return false
	}
	// Stop sets stopping before it looks at parked: it sees w there, or w sees it here.
	if e.stopping.Load() && e.parked.CompareAndSwap(w, nil) {
		return false
	}
	return <-w.woken
}

// unpark has the worker that sleeps give up its goroutine, for good: see park.
func (e *Executor) unpark() {
	if w := e.parked.Swap(nil); w != nil {
		w.woken <- false
	}
}

// signalIdle ends Stop's wait if nothing runs or waits.
func (e *Executor) signalIdle() {
	if e.stopping.Load() && active(e.counts.Load()) == 0 && e.queue.empty() {
		e.idleOnce.Do(func() { close(e.idle) })
	}
}

func (e *Executor) reportPanic(value any) {
	e.panics.Add(1)
	if e.onPanic == nil {
		return
	}
	defer func() {
		if recover() != nil {
			e.panics.Add(1) // OnPanic itself panicked: there is nobody left to tell
		}
	}()
	e.onPanic(value, debug.Stack())
}
