package otlp

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// queueSize is how many ended spans wait for export unless
// OTEL_BSP_MAX_QUEUE_SIZE says otherwise. The SDK's default, 2,048, is less than
// the tasks of one large workflow, which may all end within a second. A waiting
// span takes about 2 KB.
const queueSize = 16_384

// Config describes the program to the collector. The zero value is valid.
type Config struct {
	// ServiceName is the service.name of the spans where neither
	// OTEL_SERVICE_NAME nor OTEL_RESOURCE_ATTRIBUTES sets one.
	// Defaults to "ringmill".
	ServiceName string
	// ServiceVersion is the service.version. Defaults to none.
	ServiceVersion string
}

// A Provider makes spans and exports them in the background. Its methods are
// safe for concurrent use.
type Provider struct {
	sdk     *sdktrace.TracerProvider // nil if the environment turned tracing off
	spans   *tally
	abandon context.CancelFunc // ends exports under way
}

// New reads the environment and starts a Provider. It does not connect, so it
// neither blocks nor fails when the collector is away. Its error names the
// variable that is wrong. ctx lends its values to the exports, not its end.
func New(ctx context.Context, cfg Config) (*Provider, error) {
	off, err := checkEnvironment(os.Getenv)
	if err != nil {
		return nil, err
	}
	if off {
		return &Provider{}, nil
	}
	var where []otlptracehttp.Option
	if !hasEndpoint(os.Getenv) {
		where = append(where, otlptracehttp.WithEndpointURL(defaultEndpoint+"/v1/traces"))
	}
	exporter, err := otlptracehttp.New(ctx, where...)
	if err != nil {
		return nil, fmt.Errorf("otlp: %w", err)
	}
	service, err := newResource(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("otlp: OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	alive, abandon := context.WithCancel(context.WithoutCancel(ctx))
	spans := &tally{SpanExporter: exporter, alive: alive}
	var queue []sdktrace.BatchSpanProcessorOption
	if os.Getenv("OTEL_BSP_MAX_QUEUE_SIZE") == "" {
		queue = append(queue, sdktrace.WithMaxQueueSize(queueSize))
	}
	return &Provider{
		sdk: sdktrace.NewTracerProvider(
			sdktrace.WithResource(service),
			sdktrace.WithSpanProcessor(spans.counting(sdktrace.NewBatchSpanProcessor(spans, queue...))),
		),
		spans:   spans,
		abandon: abandon,
	}, nil
}

// newResource describes the program; the environment has the last word.
func newResource(ctx context.Context, cfg Config) (*resource.Resource, error) {
	described := []resource.Option{
		resource.WithAttributes(attribute.String("service.name", cmp.Or(cfg.ServiceName, "ringmill"))),
		resource.WithTelemetrySDK(),
	}
	if cfg.ServiceVersion != "" {
		described = append(described, resource.WithAttributes(attribute.String("service.version", cfg.ServiceVersion)))
	}
	return resource.New(ctx, append(described, resource.WithFromEnv())...)
}

// TracerProvider returns what makes the spans; one that makes none if the
// environment turned tracing off.
func (p *Provider) TracerProvider() trace.TracerProvider {
	if p.sdk == nil {
		return noop.NewTracerProvider()
	}
	return p.sdk
}

// Shutdown exports what is queued and ends the background work, at the latest
// when ctx ends: then exports under way are broken off. Its error says how many
// spans were not delivered, in all, and why the last of them was not. Spans
// ended later are lost. Only the first call does anything.
func (p *Provider) Shutdown(ctx context.Context) error {
	if p.sdk == nil {
		return nil
	}
	defer context.AfterFunc(ctx, p.abandon)()
	err := p.sdk.Shutdown(ctx)
	p.abandon()
	return p.spans.verdict(err)
}
