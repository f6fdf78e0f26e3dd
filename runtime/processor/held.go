package processor

import (
	"fmt"

	"github.com/ringmill/ringmill/runtime/cache"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A heldState is what a task has taken from those that it shares something with, or is
// waiting for. It belongs to the workflow actor.
type heldState struct {
	limit   workflow.ConcurrencyLimiter // nil: no place is taken nor waited for
	key     string                      // of the place
	waiter  any                         // in the limit's queue; nil once it was called or is not waiting
	granted bool                        // the place is the task's

	cacheKey string          // of the result, empty without a cache
	leads    bool            // others wait for the result
	follower *cache.Follower // waits for another one's; nil once it was called
	cached   bool            // the result is another execution's
}

func (t *taskState) holds() *heldState {
	if t.held == nil {
		t.held = new(heldState)
	}
	return t.held
}

// release gives a place back that was granted.
func (h *heldState) release() {
	h.granted = false
	h.limit.Release(h.key)
}

// takePlace takes a place of the task's concurrency limit. False means that the task waits for one, or has
// failed; when a place is granted it goes on.
func (w *workflowActor) takePlace(r *Run, i int32) bool {
	h, policy := r.tasks[i].holds(), r.plan.Tasks[i].Concurrency
	err := w.protect(r, i, func() (err error) {
		if policy.Key != nil {
			if h.key, err = policy.Key(r.inputs()); err != nil {
				return err
			}
		}
		waiter, ok := policy.Limit.Acquire(h.key, func() { w.post(control{kind: placeGranted, run: r, task: i, held: h}) })
		h.limit = policy.Limit
		if h.granted = ok; !ok {
			h.waiter = waiter
		}
		return nil
	})
	if err != nil {
		w.failTask(r, i, workflow.StatusFailed, 0, fmt.Errorf("concurrency key: %w", err))
		return false
	}
	return h.granted
}

// placeGranted goes on with a task that waited for a place; the run is held.
func (w *workflowActor) placeGranted(c *control) {
	c.held.waiter = nil
	if c.run.tasks[c.task].ended() {
		c.held.release()
		return
	}
	w.launch(c.run, c.task)
}

// lookUp asks the cache for the task's result. True means that the task is to be executed; otherwise it has ended, or
// waits for another execution.
func (w *workflowActor) lookUp(r *Run, i int32) bool {
	t, plan := &r.tasks[i], &r.plan.Tasks[i]
	h := t.holds()
	if h.cacheKey == "" {
		var key string
		err := w.protect(r, i, func() (err error) { key, err = plan.Cache.Key(r.inputs()); return err })
		if err != nil {
			w.failTask(r, i, workflow.StatusFailed, 0, fmt.Errorf("cache key: %w", err))
			return false
		}
		h.cacheKey = r.plan.Name + "\x00" + plan.Name + "\x00" + key
	}
	v, follower, outcome := w.p.results().Begin(h.cacheKey, func(v any, ok bool) {
		w.post(control{kind: resultShared, run: r, task: i, value: v, ok: ok})
	})
	switch outcome {
	case cache.Hit:
		w.takeShared(r, i, v)
		return false
	case cache.Follow:
		h.follower = follower
		return false
	}
	h.leads = true
	return true
}

// resultShared goes on with a task that waited for another one's execution; the run is held.
func (w *workflowActor) resultShared(c *control) {
	r, i := c.run, c.task
	t := &r.tasks[i]
	if t.ended() {
		return
	}
	t.held.follower = nil
	if c.ok {
		w.takeShared(r, i, c.value)
		return
	}
	if w.lookUp(r, i) && (r.plan.Tasks[i].Concurrency == nil || w.takePlace(r, i)) {
		w.launch(r, i)
	}
}

// takeShared ends a task with the result of another execution.
func (w *workflowActor) takeShared(r *Run, i int32, v any) {
	r.tasks[i].held.cached = true
	r.state.results[i] = v
	w.endTask(r, i, workflow.StatusSucceeded)
}

// giveBack returns what a task holds when it ends, and leaves the queues in which it waits.
func (w *workflowActor) giveBack(r *Run, i int32, status workflow.Status) {
	h := r.tasks[i].held
	if h == nil {
		return
	}
	if h.leads {
		h.leads = false
		if status == workflow.StatusSucceeded {
			w.p.results().Succeed(h.cacheKey, r.state.results[i], r.plan.Tasks[i].Cache.TTL)
		} else {
			w.p.results().Fail(h.cacheKey)
		}
	}
	if f := h.follower; f != nil {
		h.follower = nil
		w.p.results().Leave(f) // if it is being called, the order finds the task ended
	}
	switch {
	case h.granted:
		h.release()
	case h.waiter != nil:
		h.limit.Cancel(h.waiter) // if it is being called, the order finds the task ended and releases the place
		h.waiter = nil
	}
}

// results returns the cache of tasks' results, made when the first task asks for it.
func (p *Processor) results() *cache.Cache {
	p.cacheOnce.Do(func() {
		c, err := cache.New(cache.Config{Entries: p.cfg.CacheEntries, Now: func() int64 { return p.clock.read().UnixNano() }})
		if err != nil {
			panic("processor: the configuration was checked, and yet: " + err.Error())
		}
		p.cache.Store(c)
	})
	return p.cache.Load()
}
