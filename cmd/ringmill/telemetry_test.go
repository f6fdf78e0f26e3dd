package main_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/ringmill/ringmill/runtime/telemetry/actorlist"
)

// TestMetrics: while a run waits for its task, the address that standard error
// names answers.
func TestMetrics(t *testing.T) {
	cmd := command(t, "run", "wf.yaml", "--metrics", "127.0.0.1:0", "--json")
	write(t, cmd, "wf.yaml", `tasks: {wait: {cmd: [sh, -c, "until [ -e go ]; do sleep 0.02; done"]}}`)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	line, err := lines.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ringmill: metrics on ")
	if err != nil || !ok {
		t.Fatalf("standard error begins with %q, %v", line, err)
	}
	text := get(t, url)
	for _, want := range []string{"\nringmill_runs_accepted_total ", "\nringmill_task_actors{state=\"idle\"} ", "\nringmill_task_run_seconds_bucket{",
		"\nringmill_build_info{", "\ngo_goroutines ", "\n# TYPE ringmill_run_duration_seconds histogram\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %d bytes of metrics", want, len(text))
		}
	}
	if got := get(t, strings.Replace(url, "/metrics", "/healthz", 1)); got != "ok\n" {
		t.Errorf("/healthz says %q", got)
	}
	var listed actorlist.List
	if err := json.Unmarshal([]byte(get(t, strings.Replace(url, "/metrics", "/debug/actors?format=json&sort=name", 1))), &listed); err != nil {
		t.Error(err)
	}
	if listed.Total != 60 || listed.Actors[0].Name != "task-0" || listed.Actors[59].Name != "workflow-9" {
		t.Errorf("/debug/actors lists %+v", listed)
	}
	if got := get(t, strings.Replace(url, "/metrics", "/debug/actors?state=busy", 1)); !strings.Contains(got, "60 actors, 1 match, 1 shown") {
		t.Errorf("/debug/actors shows %s", got) // the task actor that waits
	}
	write(t, cmd, "go", "")
	rest, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil || len(rest) > 0 {
		t.Errorf("%v, standard error goes on with %q", err, rest)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return string(body)
}

// TestLog: each line on standard error is JSON, and standard output is left
// alone.
func TestLog(t *testing.T) {
	r := ringmill(t, "tasks:\n  a: {cmd: [\"true\"]}\n  b: {cmd: [\"false\"], needs: [a]}\n", "run", "wf.yaml", "--json", "--log-level", "debug")
	objects(t, r.stdout)
	logged, _, _ := strings.Cut(r.stderr, "ringmill: ") // the verdict comes last
	var got []string
	for line := range strings.Lines(logged) {
		var entry struct {
			Level, Msg, Workflow, Task string
			RunID                      string `json:"run_id"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if entry.Workflow != "wf" || entry.RunID == "" {
			t.Errorf("%q does not name its run", line)
		}
		got = append(got, strings.TrimSpace(entry.Level+" "+entry.Msg+" "+entry.Task))
	}
	want := "debug run started, debug attempt started a, debug attempt succeeded a, debug attempt started b, warn attempt failed b, error run failed b"
	if strings.Join(got, ", ") != want {
		t.Errorf("logged %q\nwant   %q", strings.Join(got, ", "), want)
	}
}

func TestLogLevelFromEnvironment(t *testing.T) {
	for _, test := range []struct {
		args []string
		want bool
	}{{nil, true}, {[]string{"--log-level", "off"}, false}} {
		cmd := command(t, append([]string{"run", "wf.yaml"}, test.args...)...)
		cmd.Env = append(cmd.Env, "RINGMILL_LOG_LEVEL=info")
		write(t, cmd, "wf.yaml", ok)
		if r := finish(t, cmd); strings.Contains(r.stderr, "run succeeded") != test.want {
			t.Errorf("%v: standard error %q", test.args, r.stderr)
		}
	}
}

// TestOTLP: a run and its attempts arrive at the collector as one trace, which
// is the one that TRACEPARENT names.
func TestOTLP(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	var mu sync.Mutex
	var names []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &request); err != nil {
			t.Error(err)
		}
		for _, resource := range request.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					names = append(names, span.GetName())
					if got := span.GetTraceId(); string(got) != decode(trace) {
						t.Errorf("%s is in trace %x", span.GetName(), got)
					}
				}
			}
		}
	}))
	defer server.Close()
	cmd := command(t, "run", "wf.yaml", "--otlp", "--log-level", "info")
	cmd.Env = append(cmd.Env, "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL, "TRACEPARENT=00-"+trace+"-00f067aa0ba902b7-01")
	write(t, cmd, "wf.yaml", ok)
	r := finish(t, cmd)
	mu.Lock()
	defer mu.Unlock()
	if r.code != 0 || strings.Join(names, ", ") != "task a, run wf" {
		t.Errorf("spans %q, %+v", names, r)
	}
	if !strings.Contains(r.stderr, `"trace_id":"`+trace+`"`) {
		t.Errorf("no trace_id in %q", r.stderr)
	}
}

// decode turns hexadecimal digits into bytes.
func decode(hexadecimal string) string {
	b := make([]byte, hex.DecodedLen(len(hexadecimal)))
	_, _ = hex.Decode(b, []byte(hexadecimal))
	return string(b)
}

// TestCollectorAway: spans that cannot be delivered are told, do not change the
// exit code and hold nobody up.
func TestCollectorAway(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	for name, address := range map[string]string{"silent": silent.Addr().String(), "gone": gone.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "run", "wf.yaml", "--otlp")
			cmd.Env = append(cmd.Env, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+address)
			write(t, cmd, "wf.yaml", ok)
			begin := time.Now()
			r := finish(t, cmd)
			if took := time.Since(begin); r.code != 0 || took > 2*time.Second+500*time.Millisecond {
				t.Errorf("exit code %d after %v, want 0 within 2s and what the run takes", r.code, took)
			}
			if !strings.Contains(r.stderr, "2 of 2 spans were not delivered: ") || !strings.Contains(r.stderr, "OTEL_EXPORTER_OTLP_ENDPOINT") {
				t.Errorf("standard error %q", r.stderr)
			}
		})
	}
}
