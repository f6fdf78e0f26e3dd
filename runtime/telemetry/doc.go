// Package telemetry holds no code: it is the folder of the adapters that report
// what a runtime does. The runtime tells one observer (processor.Observer) about
// runs and attempts and knows none of the libraries behind it; each adapter is a
// package of its own, so that a program links only what it uses.
//
//   - zaplog writes log lines with zap;
//   - metrics measures times, and puts them and the runtime's own counters
//     together for Prometheus when scraped;
//   - jsmetrics does that for the engine of JavaScript tasks, apart from metrics
//     because it links that engine;
//   - tracing makes OpenTelemetry spans of runs and attempts;
//   - actorlist shows what each actor is doing, over HTTP;
//   - otlp sends spans to a collector, configured by the OTEL_* variables;
//   - histogram counts durations; metrics is built on it.
//
// runtime.Observers joins several. Put tracing first: those behind it see its
// spans in their contexts, which is how a log line gets its trace_id.
//
// A counter that the runtime keeps anyway needs no observer: a
// metrics.NewCollector with Stats alone costs nothing between scrapes.
package telemetry
