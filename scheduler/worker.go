package scheduler

import goruntime "runtime"

// maxInRow is how many activations in a row a worker takes from its LIFO slot
// before the queue gets its turn: enough that a pair of actors stays on one
// worker, and at some 100 ns each a delay of only microseconds for the others.
const maxInRow = 32

// Worker runs activations for its executor, one after the other. An activation
// sees its worker during Run and must not keep it: no method is safe for use from
// another goroutine or after Run has returned.
type Worker struct {
	executor   *Executor
	lifo       Activation // scheduled by the running activation, to run next
	inRow      int        // activations taken from lifo since the queue was last asked
	freshInRow int        // looks at the queue since an activation has used up a slice or was taken from those that have
	searching  bool       // counted in executor.counts
	hurry      bool       // see Hurry
	turn       turn       // since the worker last yielded
	woken      chan bool  // see Executor.park; holds one
	hold       *hold      // what the stall detector sees; nil: off
}

// Executor returns the executor that the worker belongs to.
func (w *Worker) Executor() *Executor { return w.executor }

// Schedule queues a, which must belong to the worker's executor. If that is
// non-blocking a goes to the worker's LIFO slot and runs next, on this worker,
// while the caches are warm; what was in the slot goes to the queue. After 32
// activations in a row from the slot the queue gets its turn.
func (w *Worker) Schedule(a Activation) {
	if w.executor.blocking {
		w.executor.Schedule(a)
		return
	}
	if w.lifo != nil {
		w.executor.Schedule(w.lifo)
	}
	w.lifo = a
}

// Flush moves what waits in the LIFO slot to the queue, where other workers find
// it. An activation calls it before anything that may take long.
func (w *Worker) Flush() {
	if a := w.lifo; a != nil {
		w.lifo = nil
		w.executor.Schedule(a)
	}
}

// work runs activations until the worker has left (true) or one has panicked
// (false). A Goexit leaves too, but passes through. OnWorker looks for its frame.
//
//go:noinline
func (w *Worker) work() (left bool) {
	defer func() {
		if !left {
			w.recovered(recover())
		}
	}()
	mark() // each time, and after each yield: an activation may have taken it off
	for {
		a := w.next()
		if a == nil {
			if w.leave() {
				return true
			}
			continue
		}
		w.found()
		w.run(a)
	}
}

// run runs a for as long as it wants to and nobody else waits for the worker.
func (w *Worker) run(a Activation) {
	for w.slice(a) {
		if w.turn.over(true) || w.hurry {
			w.executor.queue.pushSpent(a) // see yield
			w.freshInRow = 0
			w.yield()
			return
		}
		if w.hasWork() || w.excess() {
			w.executor.queue.pushSpent(a)
			w.freshInRow = 0
			w.executor.wake()
			return
		}
		// Nobody waits: going on at once spares the queue and a wake-up.
	}
	if w.turn.over(false) || w.hurry && w.hasWork() {
		w.yield()
	}
	w.hurry = false
}

// hasWork reports whether the worker will go on at once. One that is about to leave need not yield.
func (w *Worker) hasWork() bool { return w.lifo != nil || !w.executor.queue.empty() }

// slice is a.Run in sight of the stall detector, if there is one.
func (w *Worker) slice(a Activation) (again bool) {
	if w.hold == nil {
		return a.Run(w)
	}
	w.hold.begin(a)
	again = a.Run(w)
	w.hold.end()
	return again
}

// yield lets other goroutines of the program have the processor. What the worker
// holds goes to the queue, so that other workers may take it meanwhile. No wake is
// due: this worker is active and will look at the queue (I4).
func (w *Worker) yield() {
	if w.lifo != nil {
		w.executor.queue.push(w.lifo)
		w.lifo = nil
	}
	w.hurry = false
	goruntime.Gosched()
	mark() // a worker that is never idle marks itself again here
	w.turn.begin()
}

// Hurry has the worker yield its processor once the running activation is through, if it has more work: for an activation that has
// just woken a goroutine outside, which is next on this processor and would else wait for the end of the worker's turn, 100 us.
func (w *Worker) Hurry() { w.hurry = true }

// next takes the activation to run, nil if there is none for this worker.
func (w *Worker) next() Activation {
	if w.excess() {
		w.Flush()
		return nil
	}
	awaited := w.executor.awaited.Load() > 0
	if a := w.lifo; a != nil {
		if w.inRow < maxInRow && !awaited {
			w.inRow++
			w.lifo = nil
			return a
		}
		w.Flush()
	}
	w.inRow = 0
	a, spent := w.executor.queue.pop(w.freshInRow >= maxFreshInRow)
	w.freshInRow++
	if spent {
		w.freshInRow = 0
	} else if awaited {
		w.executor.awaited.Add(-1)
	}
	return a
}

// excess reports whether AddWorkers has lowered the maximum below what runs (I2).
func (w *Worker) excess() bool {
	return active(w.executor.counts.Load()) > w.executor.max.Load()
}

// found ends the search; if there is more work, the next worker is woken (I3).
func (w *Worker) found() {
	if w.searching {
		w.searching = false
		w.executor.counts.Add(^uint64(oneSearching - 1))
		w.executor.wakeIfWork()
	}
}

// leave counts the worker out and reports whether it is gone: if meanwhile there
// is work again, it may have come back as the searcher (I3).
func (w *Worker) leave() bool {
	e := w.executor
	w.countOut()
	if e.queue.empty() {
		e.signalIdle()
		return true
	}
	w.searching = e.enter()
	return !w.searching
}

func (w *Worker) countOut() {
	delta := uint64(oneActive)
	if w.searching {
		delta += oneSearching
		w.searching = false
	}
	w.executor.counts.Add(-delta)
}

// recovered deals with what ended work early: a panic's value, or nil for Goexit,
// which no recover can stop. Then the goroutine is lost and the worker with it.
func (w *Worker) recovered(value any) {
	if w.hold != nil {
		w.hold.end()
	}
	if value != nil {
		w.executor.reportPanic(value)
		return
	}
	w.executor.reportPanic(ErrGoexit)
	w.Flush()
	w.countOut()
	w.executor.wakeIfWork()
	w.executor.signalIdle()
}
