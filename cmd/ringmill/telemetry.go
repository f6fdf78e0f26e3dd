package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.opentelemetry.io/otel/propagation"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/js"
	"github.com/ringmill/ringmill/runtime/telemetry/actorlist"
	"github.com/ringmill/ringmill/runtime/telemetry/jsmetrics"
	"github.com/ringmill/ringmill/runtime/telemetry/metrics"
	"github.com/ringmill/ringmill/runtime/telemetry/otlp"
	"github.com/ringmill/ringmill/runtime/telemetry/tracing"
	"github.com/ringmill/ringmill/runtime/telemetry/zaplog"
)

// telemetryFlags says what to tell about runs while they are under way.
type telemetryFlags struct {
	logLevel string
	metrics  string
	otlp     bool
	flags    *pflag.FlagSet // to tell which were given
}

var (
	telemetryFlagNames = []string{"log-level", "metrics", "otlp"}
	logLevels          = []string{"debug", "info", "warn", "error", "off"}
)

func (f *telemetryFlags) register(c *cobra.Command) {
	flags := c.Flags()
	f.flags = flags
	flags.Var(choice(&f.logLevel, "LEVEL", "off", oneOf(logLevels...)), "log-level", "log to standard error: debug, info, warn, error or off")
	flags.Var(choice(&f.metrics, "ADDRESS", "", parseAddress), "metrics", "serve Prometheus /metrics, /debug/actors and /healthz on this address meanwhile")
	otlp := flags.VarPF(&checked{text: "false", kind: "bool", set: f.setOTLP}, "otlp", "", "export spans over OTLP/HTTP to http://localhost:4318, or where OTEL_* variables say")
	otlp.NoOptDefVal = "true"
	complete(c, "log-level", logLevels...)
}

func (f *telemetryFlags) setOTLP(s string) (err error) {
	if f.otlp, err = strconv.ParseBool(s); err != nil {
		return fmt.Errorf("%q is unknown; want true or false", s)
	}
	return nil
}

// A telemetry is what was switched on; each part may be nil.
type telemetry struct {
	observer runtime.Observer
	log      *zap.Logger
	metrics  *metrics.Observer
	admin    *admin
	traces   *otlp.Provider
}

// start sets up what the flags ask for. Logs go to logs.
func (f *telemetryFlags) start(ctx context.Context, logs io.Writer, s streams) (*telemetry, error) {
	t := new(telemetry)
	var observers []runtime.Observer
	if f.otlp {
		version, _ := buildVersion()
		traces, err := otlp.New(ctx, otlp.Config{ServiceVersion: version})
		if err != nil {
			return nil, err
		}
		t.traces = traces
		observers = append(observers, tracing.New(traces.TracerProvider())) // first: the others see its spans
	}
	if f.logLevel != "" && f.logLevel != "off" {
		log, err := newLogger(f.logLevel, logs, isTerminal(s.err))
		if err != nil {
			return nil, err
		}
		t.log = log
		observers = append(observers, zaplog.New(log, zaplog.TraceID(tracing.TraceID)))
	}
	if f.metrics != "" {
		admin, err := listen(source(f.flags, "metrics"), f.metrics)
		if err != nil {
			return nil, err
		}
		t.admin, t.metrics = admin, metrics.NewObserver()
		observers = append(observers, t.metrics)
	}
	t.observer = runtime.Observers(observers...)
	return t, nil
}

// newLogger writes lines for people to a terminal, JSON elsewhere.
func newLogger(level string, to io.Writer, terminal bool) (*zap.Logger, error) {
	least, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder := zapcore.NewJSONEncoder(cfg)
	if terminal {
		cfg.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		cfg.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(cfg)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.AddSync(to), least)), nil
}

// context adds the trace that the caller's TRACEPARENT variable names, so that
// the runs join it.
func (t *telemetry) context(ctx context.Context) context.Context {
	if t.traces == nil {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{
		"traceparent": os.Getenv("TRACEPARENT"),
		"tracestate":  os.Getenv("TRACESTATE"),
	})
}

// serve begins to answer scrapes of rt's metrics, and of those of the scripts' engine
// once there is one.
func (t *telemetry) serve(rt *runtime.Runtime, engine func() *js.Engine, stderr io.Writer) {
	if t.admin != nil {
		t.admin.serve(actorlist.Handler(rt.Actors), metrics.NewCollector(metrics.Config{Stats: rt.Stats, Observer: t.metrics}), jsmetrics.NewCollector(engine))
		fmt.Fprintf(stderr, "ringmill: metrics on http://%s/metrics\n", t.admin.address())
	}
}

// stop flushes and closes everything; what could not be delivered is told. It
// takes flushGrace at most, less after an interrupt, which ended ctx.
func (t *telemetry) stop(ctx context.Context, stderr io.Writer) {
	if t.admin != nil {
		t.admin.stop()
	}
	if t.traces == nil {
		return
	}
	grace := flushGrace
	if ctx.Err() != nil {
		grace = hastyFlushGrace
	}
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := t.traces.Shutdown(flush); err != nil {
		fmt.Fprintf(stderr, "ringmill: %v: see that a collector listens at OTEL_EXPORTER_OTLP_ENDPOINT\n", err)
	}
}
