// Package tracing turns runs and task attempts into OpenTelemetry spans.
//
//	obs := tracing.New(provider)
//	rt, err := runtime.New(runtime.Config{Observer: obs})
//
// A run is one span, a child of the span in the context given to Start or
// Execute; each attempt of a task is a child of its run, and the context that
// the task body sees carries it, so that what the task calls joins the trace.
// An attempt after the first is also an event of the run's span. How a run or
// attempt ended is an attribute; a failure is recorded as the span's error, a
// panic with its stack.
//
// Whether a run is traced is the sampler's decision, which usually follows the
// parent. The attempts of a run that is not recorded get no spans at all: they
// cost one look into the context. Their context still carries the run's, so a
// decision not to sample travels on.
//
// Attributes, beside OpenTelemetry's own of exceptions: ringmill.workflow,
// ringmill.run_id, ringmill.task, ringmill.attempt, ringmill.item (of a Map),
// ringmill.actor, ringmill.queue_seconds, ringmill.status.
//
// The package uses the OpenTelemetry API only. It installs nothing globally and
// exports nothing; package otlp sets up an exporter.
package tracing
