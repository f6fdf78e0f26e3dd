package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/report"
	"github.com/ringmill/ringmill/cmd/ringmill/internal/screen"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/telemetry/histogram"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// What --count keeps in flight: enough to keep every actor busy, and few enough
// that neither a million runs nor a hundred of a huge workflow fill the memory.
const (
	maxInFlight      = 4096
	maxTasksInFlight = 250_000 // about 1 KB each
	minInFlight      = 16
)

// A batch counts runs as they end.
type batch struct {
	next                         atomic.Int64 // runs begun
	succeeded, failed, cancelled atomic.Int64
	latency                      histogram.Histogram
	mu                           sync.Mutex
	first                        error // of the first run that failed
}

// batch executes the definition count times. It returns what the first run that
// failed did so with.
func (r *runner) batch(ctx context.Context, count int64) error {
	var b batch
	begin := time.Now()
	r.header(report.Plural(count, "run"))
	progress := r.show(func(width int) string { return b.line(width, r.shortName(width), count, begin) })
	var wg sync.WaitGroup
	for range min(count, r.inFlight()) {
		wg.Go(func() {
			for ctx.Err() == nil && b.next.Add(1) <= count {
				r.oneOf(ctx, &b)
			}
		})
	}
	wg.Wait()
	progress.Stop()
	r.logs.Set(r.err)
	if !r.json {
		fmt.Fprintln(r.out)
		report.WriteBatch(r.out, b.sum(r.def.Name(), count, time.Since(begin)), r.style)
	}
	return b.first
}

// inFlight is how many runs are under way at the same time.
func (r *runner) inFlight() int64 {
	byTasks := maxTasksInFlight / len(r.def.Plan().Tasks)
	return int64(min(max(minInFlight, min(byTasks, maxInFlight)), r.rt.Config().MaxRuns))
}

// oneOf executes one run of many.
func (r *runner) oneOf(ctx context.Context, b *batch) {
	begin := time.Now()
	started, err := runtime.Start(ctx, r.rt, r.def, r.input)
	if err != nil {
		if ctx.Err() == nil { // else it was not started because of the interrupt
			r.printRefused(err)
			b.end(workflow.StatusFailed, err, time.Since(begin))
		}
		return
	}
	r.stake.runs.Add(1)
	wait(ctx, started)
	r.stake.runs.Add(-1)
	out, err := started.Result(context.Background())
	b.end(started.Status(), err, time.Since(begin))
	if r.json {
		r.printObject(report.NewObject(started.Report(), out, r.console.take(started.ID())))
	}
}

// end counts a run by how it ended. The first error counts as the batch's,
// unless it says no more than that the run was cancelled.
func (b *batch) end(status workflow.Status, err error, latency time.Duration) {
	b.latency.Record(latency)
	switch status {
	case workflow.StatusSucceeded:
		b.succeeded.Add(1)
		return
	case workflow.StatusCancelled:
		b.cancelled.Add(1)
		if report.Class(err) == "cancelled" {
			return
		}
	default:
		b.failed.Add(1)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first == nil {
		b.first = err
	}
}

func (b *batch) sum(name string, wanted int64, elapsed time.Duration) report.Batch {
	s := report.Batch{
		Workflow:  name,
		Wanted:    wanted,
		Succeeded: b.succeeded.Load(),
		Failed:    b.failed.Load(),
		Cancelled: b.cancelled.Load(),
		Elapsed:   elapsed,
		First:     b.first,
	}
	b.latency.AddTo(&s.Latency)
	return s
}

// line is the progress.
func (b *batch) line(width int, name string, wanted int64, begin time.Time) string {
	begun := min(b.next.Load(), wanted) // read first: what ends meanwhile began before
	failed := b.failed.Load()
	ended := b.succeeded.Load() + failed + b.cancelled.Load()
	return screen.Line(width, float64(ended)/float64(wanted), name,
		fmt.Sprintf("%s/%s done", report.Number(ended), report.Plural(wanted, "run")),
		report.Number(max(begun-ended, 0))+" in flight",
		report.Number(failed)+" failed",
		elapsed(time.Since(begin)))
}
