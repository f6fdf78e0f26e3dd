package actor

import goruntime "runtime"

// closeHere is close by a caller that is about to wait for the end: it ends an actor that has nothing left to do, and no
// hook to be called, on the calling goroutine.
func (c *cell) closeHere() {
	c.self.closeMailbox()
	if c.flags.Or(flagClosed)&flagClosed == 0 && c.claim() {
		// The actor's side is ours now.
		if c.onStop == nil && c.self.readyToFinish() {
			c.finish()
		} else {
			c.executor.Schedule(c.self)
		}
	}
	c.resume()
	c.wakeIfWaiting()
}

// yields is how often a caller that is about to sleep lets others have its processor first. A worker that it has just woken
// is next there: once it has run, there is no need to sleep and to be woken. One that another
// processor has taken needs about as long.
const yields = 2

// stoppedSoon reports whether the actor has stopped, or stops within some yields.
func (c *cell) stoppedSoon() bool {
	for range yields {
		if c.hasStopped() {
			return true
		}
		goruntime.Gosched()
	}
	return c.hasStopped()
}

func (c *cell) hasStopped() bool { return c.end.Load() == ended }
