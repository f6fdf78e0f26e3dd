package otlp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// errQueueFull is why spans are lost when every export went well.
var errQueueFull = errors.New("the queue was full: raise OTEL_BSP_MAX_QUEUE_SIZE, or sample with OTEL_TRACES_SAMPLER")

// A tally counts the spans that end and those that are delivered, so that what
// is lost between, to a full queue or a collector that is away, can be told at
// the end instead of line by line meanwhile.
type tally struct {
	sdktrace.SpanExporter
	alive            context.Context // ends when exports shall be broken off
	ended, delivered atomic.Int64

	mu   sync.Mutex
	last error // why the latest export failed
}

// ExportSpans delivers spans. It always reports success: the SDK would print
// the error, batch by batch.
func (t *tally) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.alive, cancel)()
	if err := t.SpanExporter.ExportSpans(ctx, spans); err != nil {
		t.mu.Lock()
		t.last = err
		t.mu.Unlock()
		return nil
	}
	t.delivered.Add(int64(len(spans)))
	return nil
}

// verdict returns nil if every span was delivered. err, the SDK's, speaks only
// where no export failed.
func (t *tally) verdict(err error) error {
	lost := t.ended.Load() - t.delivered.Load()
	if lost == 0 {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.last != nil:
		err = t.last
	case err == nil:
		err = errQueueFull
	}
	return fmt.Errorf("otlp: %d of %d spans were not delivered: %w", lost, t.ended.Load(), err)
}

// counting returns next with a count of the spans that it is to export.
func (t *tally) counting(next sdktrace.SpanProcessor) sdktrace.SpanProcessor {
	return counter{SpanProcessor: next, ended: &t.ended}
}

type counter struct {
	sdktrace.SpanProcessor
	ended *atomic.Int64
}

// OnEnd counts s if it is sampled: the next processor ignores the others.
func (c counter) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		c.ended.Add(1)
	}
	c.SpanProcessor.OnEnd(s)
}
