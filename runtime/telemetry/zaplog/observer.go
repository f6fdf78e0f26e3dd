package zaplog

import (
	"context"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// An Observer logs runs and attempts. Its methods are safe for concurrent use.
// They block for as long as the logger's sink does: hand a runtime a logger
// whose sink is quick or buffered.
type Observer struct {
	log     *zap.Logger
	traceID func(context.Context) string
}

// An Option changes what [New] returns.
type Option func(*Observer)

// TraceID adds the field trace_id, taken from the context by f; an empty string
// leaves it out. tracing.TraceID reads that of an OpenTelemetry span. Defaults
// to no such field.
func TraceID(f func(context.Context) string) Option {
	return func(o *Observer) { o.traceID = f }
}

// New returns an Observer that writes to log. It panics if log is nil; use
// zap.NewNop or no Observer at all.
func New(log *zap.Logger, opts ...Option) *Observer {
	if log == nil {
		panic("zaplog: New with a nil logger")
	}
	o := &Observer{log: log}
	for _, opt := range opts {
		opt(o)
	}
	return o
}

// RunStarted implements [processor.Observer].
func (o *Observer) RunStarted(ctx context.Context, e *processor.Event) context.Context {
	if line := o.log.Check(zapcore.DebugLevel, "run started"); line != nil {
		line.Write(o.fields(ctx, e, queued)...)
	}
	return ctx
}

// RunEnded implements [processor.Observer].
func (o *Observer) RunEnded(ctx context.Context, e *processor.Event) {
	level, message := zapcore.ErrorLevel, "run failed"
	switch e.Status {
	case workflow.StatusSucceeded:
		level, message = zapcore.InfoLevel, "run succeeded"
	case workflow.StatusCancelled:
		level, message = zapcore.InfoLevel, "run cancelled"
	}
	if line := o.log.Check(level, message); line != nil {
		line.Write(o.fields(ctx, e, ran)...)
	}
}

// AttemptStarted implements [processor.Observer].
func (o *Observer) AttemptStarted(ctx context.Context, e *processor.Event) context.Context {
	if line := o.log.Check(zapcore.DebugLevel, "attempt started"); line != nil {
		line.Write(o.fields(ctx, e, queued)...)
	}
	return ctx
}

// AttemptEnded implements [processor.Observer].
func (o *Observer) AttemptEnded(ctx context.Context, e *processor.Event) {
	level, message := zapcore.WarnLevel, "attempt failed"
	switch e.Status {
	case workflow.StatusSucceeded:
		level, message = zapcore.DebugLevel, "attempt succeeded"
	case workflow.StatusCancelled:
		level, message = zapcore.DebugLevel, "attempt cancelled"
	case workflow.StatusTimedOut:
		message = "attempt timed out"
	}
	if line := o.log.Check(level, message); line != nil {
		line.Write(o.fields(ctx, e, ran)...)
	}
}

// notices says how each notice is logged. The cause of a retry stands on the
// line of the attempt that failed.
var notices = map[processor.Notice]struct {
	level   zapcore.Level
	message string
	detail  detail
}{
	processor.NoticeRetry:      {zapcore.DebugLevel, "attempt will be retried", backoff},
	processor.NoticeLeaked:     {zapcore.WarnLevel, "task ignored its cancellation and was abandoned", incident},
	processor.NoticeReturned:   {zapcore.InfoLevel, "abandoned task returned", incident},
	processor.NoticeRefused:    {zapcore.WarnLevel, "run refused", incident},
	processor.NoticeDeadLetter: {zapcore.WarnLevel, "message undeliverable", incident},
	processor.NoticeDefect:     {zapcore.ErrorLevel, "engine defect", incident},
	processor.NoticeResized:    {zapcore.InfoLevel, "task actors resized", resized},

	processor.NoticeBreakerOpened: {zapcore.ErrorLevel, "task refused: too many bodies ignored their cancellation", incident},
	processor.NoticeBreakerClosed: {zapcore.InfoLevel, "task admitted again", incident},
}

// Noticed implements [processor.Observer].
func (o *Observer) Noticed(e *processor.Event, n processor.Notice) {
	how, known := notices[n]
	if !known {
		return
	}
	if line := o.log.Check(how.level, how.message); line != nil {
		line.Write(o.fields(context.Background(), e, how.detail)...)
	}
}
