// Package zaplog writes what happens in a Ringmill runtime to a zap logger.
//
//	obs := zaplog.New(logger, zaplog.TraceID(tracing.TraceID))
//	rt, err := runtime.New(runtime.Config{Observer: obs})
//
// Each event is one line, and only one:
//
//	debug  run started, attempt started, attempt succeeded, attempt cancelled, attempt will be retried
//	info   run succeeded, run cancelled, abandoned task returned
//	warn   attempt failed, attempt timed out, task ignored its cancellation, run refused, message undeliverable
//	error  run failed, engine defect
//
// Lines carry workflow, run_id, task, item (of a Map), attempt, actor,
// queue_seconds and run_seconds as far as they apply, the error, for a panic the
// stack, and trace_id where the [TraceID] option finds one.
//
// A line whose level is disabled costs a comparison: no field is built. The
// package leaves encoding, sampling and the level, which can change while the
// program runs, to the logger; it never calls Sync.
package zaplog
