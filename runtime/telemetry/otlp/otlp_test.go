package otlp_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/ringmill/ringmill/runtime/telemetry/otlp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A sink is a collector that keeps the names of the spans it is sent.
type sink struct {
	mu      sync.Mutex
	spans   []string
	service string
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var request collector.ExportTraceServiceRequest
	if r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range request.GetResourceSpans() {
		for _, kv := range resource.GetResource().GetAttributes() {
			if kv.GetKey() == "service.name" {
				s.service = kv.GetValue().GetStringValue()
			}
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				s.spans = append(s.spans, span.GetName())
			}
		}
	}
}

// newProvider returns a provider that exports to handler.
func newProvider(t *testing.T, handler http.Handler) *otlp.Provider {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	p, err := otlp.New(t.Context(), otlp.Config{ServiceVersion: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func span(p *otlp.Provider, name string) {
	_, s := p.TracerProvider().Tracer("test").Start(context.Background(), name)
	s.End()
}

func TestExport(t *testing.T) {
	for service, env := range map[string]string{"ringmill": "", "shop": "shop"} {
		t.Run(service, func(t *testing.T) {
			t.Setenv("OTEL_SERVICE_NAME", env)
			s := new(sink)
			p := newProvider(t, s)
			span(p, "a")
			span(p, "b")
			if err := p.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if strings.Join(s.spans, " ") != "a b" || s.service != service {
				t.Errorf("spans %v of service %q; want a and b of %s", s.spans, s.service, service)
			}
		})
	}
}

func TestCollectorRefuses(t *testing.T) {
	p := newProvider(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	span(p, "a")
	err := p.Shutdown(t.Context())
	if err == nil || !strings.Contains(err.Error(), "1 of 1 spans were not delivered") || !strings.Contains(err.Error(), "403") {
		t.Errorf("error %v, want one that tells the count and the cause", err)
	}
}

func TestCollectorAway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	_ = listener.Close()
	p, err := otlp.New(t.Context(), otlp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	span(p, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "1 of 1 spans were not delivered") {
		t.Errorf("error %v, want one that tells the count", err)
	}
}

// TestShutdownIsBounded: a collector that never answers holds Shutdown up no
// longer than its context, and the export goroutine ends too (goleak).
func TestShutdownIsBounded(t *testing.T) {
	arrived := make(chan struct{})
	var once sync.Once
	p := newProvider(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(arrived) })
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client left
		<-r.Context().Done()
	}))
	span(p, "a")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if err := p.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "1 of 1 spans were not delivered") {
		t.Errorf("error %v, want one that tells the count", err)
	}
}

// TestQueueFull: a burst beyond the queue is counted, not waited for.
func TestQueueFull(t *testing.T) {
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
	first, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p := newProvider(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		once.Do(func() { close(first) })
		<-release
	}))
	for range 4 {
		span(p, "a")
	}
	<-first // the exporter is busy: from now on four wait and the rest is dropped
	for range 40 {
		span(p, "b")
	}
	close(release)
	err := p.Shutdown(t.Context())
	if err == nil || !strings.Contains(err.Error(), "of 44 spans were not delivered: the queue was full") {
		t.Errorf("error %v, want one that says that the queue was full", err)
	}
}

// TestEnvironment: a value that the SDK would ignore is an error that names the
// variable, the value and what is wanted.
func TestEnvironment(t *testing.T) {
	const otlpPrefix = "OTEL_EXPORTER_OTLP_"
	gone := filepath.Join(t.TempDir(), "gone.pem")
	tests := []struct{ name, value, want string }{
		{"OTEL_SDK_DISABLED", "maybe", "is not a boolean; want true or false"},
		{"OTEL_TRACES_EXPORTER", "zipkin", "is not supported; want otlp or none"},
		{otlpPrefix + "PROTOCOL", "grpc", "is not supported; want http/protobuf"},
		{otlpPrefix + "ENDPOINT", "localhost:4318", "is not a URL; want one such as http://localhost:4318"},
		{otlpPrefix + "TRACES_ENDPOINT", "http://", "is not a URL"},
		{otlpPrefix + "INSECURE", "yes", "is not a boolean; want true or false"},
		{otlpPrefix + "HEADERS", "foo", "is not a list of headers; want NAME=VALUE"},
		{otlpPrefix + "HEADERS", "a b=c", "is not a list of headers"},
		{otlpPrefix + "TRACES_HEADERS", "a=%zz", "is not a list of headers"},
		{otlpPrefix + "TIMEOUT", "abc", "is not a time; want whole milliseconds, such as 10000"},
		{otlpPrefix + "TRACES_TIMEOUT", "-1", "is not a time"},
		{otlpPrefix + "COMPRESSION", "foo", "is not supported; want gzip or none"},
		{otlpPrefix + "CERTIFICATE", gone, "is not a readable file with a certificate; want a PEM file"},
		{"OTEL_TRACES_SAMPLER", "foo", "is not supported; want always_on, always_off"},
		{"OTEL_TRACES_SAMPLER_ARG", "abc", "is not a share of the traces; want 0 to 1"},
		{"OTEL_TRACES_SAMPLER_ARG", "1.5", "is not a share of the traces"},
		{"OTEL_BSP_MAX_QUEUE_SIZE", "foo", "is not a number of spans; want a whole number of 1 or more"},
		{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0", "is not a number of spans"},
		{"OTEL_BSP_SCHEDULE_DELAY", "1s", "is not a time; want whole milliseconds, such as 5000"},
		{"OTEL_BSP_EXPORT_TIMEOUT", "foo", "is not a time"},
		{"OTEL_SPAN_EVENT_COUNT_LIMIT", "many", "is not a limit; want a whole number, -1 for none"},
		{"OTEL_RESOURCE_ATTRIBUTES", "foo", "is not a list of attributes; want NAME=VALUE"},
	}
	for _, test := range tests {
		t.Run(test.name+"="+filepath.Base(test.value), func(t *testing.T) {
			t.Setenv(test.name, test.value)
			want := fmt.Sprintf("%s: %q %s", test.name, test.value, test.want)
			if _, err := otlp.New(t.Context(), otlp.Config{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
	t.Run("client certificate", func(t *testing.T) {
		t.Setenv(otlpPrefix+"CLIENT_CERTIFICATE", gone)
		want := otlpPrefix + "CLIENT_CERTIFICATE, " + otlpPrefix + "CLIENT_KEY: "
		if _, err := otlp.New(t.Context(), otlp.Config{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	})
}

// TestGoodEnvironment: what the specification allows is not refused.
func TestGoodEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_SDK_DISABLED": "False", "OTEL_TRACES_EXPORTER": " otlp ", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
		"OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b, x=", "OTEL_EXPORTER_OTLP_TIMEOUT": "5000", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
		"OTEL_TRACES_SAMPLER": "ParentBased_TraceIDRatio", "OTEL_TRACES_SAMPLER_ARG": "0.5", "OTEL_BSP_MAX_QUEUE_SIZE": "100",
		"OTEL_BSP_SCHEDULE_DELAY": "0", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "-1", "OTEL_RESOURCE_ATTRIBUTES": "team=a,zone=b%2Cc",
	} {
		t.Setenv(name, value)
	}
	p := newProvider(t, new(sink))
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestDefaultEndpoint: without a variable spans go to a collector on this
// machine, over plain HTTP.
func TestDefaultEndpoint(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:4318")
	if err != nil {
		t.Skipf("the default port is taken: %v", err)
	}
	s := new(sink)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: s}}
	server.Start()
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	p, err := otlp.New(t.Context(), otlp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	span(p, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil || strings.Join(s.spans, " ") != "a" {
		t.Errorf("%v, spans %v; want a", err, s.spans)
	}
}

func TestTurnedOff(t *testing.T) {
	for name, value := range map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "none"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			p := newProvider(t, http.NotFoundHandler())
			span(p, "a")
			if err := p.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
