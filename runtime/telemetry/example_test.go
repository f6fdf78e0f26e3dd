package telemetry_test

import (
	"context"
	"log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/telemetry/metrics"
	"github.com/ringmill/ringmill/runtime/telemetry/otlp"
	"github.com/ringmill/ringmill/runtime/telemetry/tracing"
	"github.com/ringmill/ringmill/runtime/telemetry/zaplog"
)

// A service that logs, traces and measures its runtime.
func Example() {
	ctx := context.Background()
	logger, err := zap.NewProduction()
	if err != nil {
		log.Fatal(err)
	}
	traces, err := otlp.New(ctx, otlp.Config{ServiceName: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	times := metrics.NewObserver()
	rt, err := runtime.New(runtime.Config{Observer: runtime.Observers(
		tracing.New(traces.TracerProvider()), // first: the others see its spans
		zaplog.New(logger, zaplog.TraceID(tracing.TraceID)),
		times,
	)})
	if err != nil {
		log.Fatal(err)
	}
	prometheus.MustRegister(metrics.NewCollector(metrics.Config{Stats: rt.Stats, Observer: times}))
	http.Handle("/metrics", promhttp.Handler())

	// ... runtime.Execute, http.ListenAndServe ...

	if err := rt.Stop(ctx); err != nil {
		logger.Warn("runtime", zap.Error(err))
	}
	if err := traces.Shutdown(ctx); err != nil {
		logger.Warn("spans", zap.Error(err))
	}
}
