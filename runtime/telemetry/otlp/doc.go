// Package otlp sends spans to an OpenTelemetry collector over OTLP/HTTP.
//
//	traces, err := otlp.New(ctx, otlp.Config{})
//	rt, err := runtime.New(runtime.Config{Observer: tracing.New(traces.TracerProvider())})
//	...
//	err = traces.Shutdown(ctx) // says how many spans were not delivered
//
// The standard variables configure it: OTEL_EXPORTER_OTLP_ENDPOINT (which is
// http://localhost:4318 unless set), _HEADERS, _TIMEOUT, _COMPRESSION,
// _CERTIFICATE and their _TRACES_ forms, OTEL_TRACES_SAMPLER and
// OTEL_TRACES_SAMPLER_ARG, OTEL_BSP_*, OTEL_SPAN_*, OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES. A value that they cannot have is an error, not
// ignored. OTEL_SDK_DISABLED=true and OTEL_TRACES_EXPORTER=none turn it off.
//
// A collector that is slow or gone never delays the runtime: spans wait in a
// bounded queue, and what does not fit is dropped and counted. The package
// changes nothing global. A program that already has a TracerProvider hands
// that to package tracing and does not link this one.
package otlp
