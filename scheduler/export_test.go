package scheduler

import "github.com/panjf2000/ants/v2"

// RefuseSubmits makes the executor treat every Submit for which refuse answers
// true as refused by ants. Call it before the executor is used.
func (e *Executor) RefuseSubmits(refuse func() bool) {
	submit := e.submit
	e.submit = func(f func()) error {
		if refuse() {
			return ants.ErrPoolOverload
		}
		return submit(f)
	}
}

// RunQueue gives tests the queue of an executor alone.
type RunQueue struct{ q runQueue }

func NewRunQueue(capacity int) *RunQueue {
	q := new(RunQueue)
	q.q.init(capacity)
	return q
}

func (q *RunQueue) Push(a Activation)              { q.q.push(a) }
func (q *RunQueue) PushSpent(a Activation)         { q.q.pushSpent(a) }
func (q *RunQueue) Pop(spentFirst bool) Activation { a, _ := q.q.pop(spentFirst); return a }
func (q *RunQueue) Empty() bool                    { return q.q.empty() }
func (q *RunQueue) Len() int                       { return q.q.len() }

// Parked returns the worker that sleeps, nil if none does.
func (e *Executor) Parked() *Worker { return e.parked.Load() }
