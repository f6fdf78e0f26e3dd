package metrics

import (
	"context"
	goruntime "runtime"
	"sync/atomic"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/telemetry/histogram"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// An Observer measures the waits and run times of runs and attempts, for a
// [Collector]. One Observer may serve several runtimes. Its methods are safe for
// concurrent use, do not block and do not allocate, apart from each shard's
// first event of a kind.
type Observer struct {
	shards []shard
}

// series names the histograms of a shard.
type series int

const (
	runQueue series = iota
	runSucceeded
	runFailed
	runCancelled
	attemptQueue
	attemptSucceeded
	attemptFailed
	attemptCancelled
	attemptTimedOut
	seriesCount
)

// A shard is what the actors whose index falls on it write. Its histograms are
// made when they are first needed: most runtimes never see half of them, and
// one takes 2.6 KB.
type shard struct {
	histograms [seriesCount]atomic.Pointer[histogram.Histogram]
	_          [128 - seriesCount*8%128]byte // the pointers of two shards on different cache lines
}

// maxShards bounds the memory of an Observer to 1.5 MB.
const maxShards = 64

// NewObserver returns an Observer that has measured nothing yet.
func NewObserver() *Observer {
	// Four shards for each CPU, so that two actors which run at the same
	// time seldom write the same one.
	n := min(4*goruntime.GOMAXPROCS(0), maxShards)
	return &Observer{shards: make([]shard, n)}
}

// RunStarted implements [processor.Observer].
func (o *Observer) RunStarted(ctx context.Context, e *processor.Event) context.Context {
	o.histogram(e.Actor, runQueue).Record(e.Queue)
	return ctx
}

// RunEnded implements [processor.Observer].
func (o *Observer) RunEnded(_ context.Context, e *processor.Event) {
	s := runFailed
	switch e.Status {
	case workflow.StatusSucceeded:
		s = runSucceeded
	case workflow.StatusCancelled:
		s = runCancelled
	}
	o.histogram(e.Actor, s).Record(e.Run)
}

// AttemptStarted implements [processor.Observer].
func (o *Observer) AttemptStarted(ctx context.Context, e *processor.Event) context.Context {
	o.histogram(e.Actor, attemptQueue).Record(e.Queue)
	return ctx
}

// AttemptEnded implements [processor.Observer].
func (o *Observer) AttemptEnded(_ context.Context, e *processor.Event) {
	s := attemptFailed
	switch e.Status {
	case workflow.StatusSucceeded:
		s = attemptSucceeded
	case workflow.StatusCancelled:
		s = attemptCancelled
	case workflow.StatusTimedOut:
		s = attemptTimedOut
	}
	o.histogram(e.Actor, s).Record(e.Run)
}

// Noticed implements [processor.Observer]. It does nothing: what it would count
// is in the runtime's own statistics.
func (o *Observer) Noticed(*processor.Event, processor.Notice) {}

// histogram returns the histogram of s that the actor writes.
func (o *Observer) histogram(actor int, s series) *histogram.Histogram {
	p := &o.shards[uint(actor)%uint(len(o.shards))].histograms[s]
	if h := p.Load(); h != nil {
		return h
	}
	p.CompareAndSwap(nil, new(histogram.Histogram)) // whoever comes first, all use that one
	return p.Load()
}

// snapshot sums a series up over all shards.
func (o *Observer) snapshot(s series) *histogram.Snapshot {
	sum := new(histogram.Snapshot)
	for i := range o.shards {
		if h := o.shards[i].histograms[s].Load(); h != nil {
			h.AddTo(sum)
		}
	}
	return sum
}
