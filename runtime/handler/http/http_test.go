package http_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/runtime/handler/http"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type attempt struct{}

func (attempt) IdempotencyKey() string { return "r-1/a" }
func (attempt) Number() int            { return 2 }
func (attempt) Heartbeat()             {}

// serve starts a server that answers as the paths say.
func serve(t *testing.T) string {
	t.Helper()
	mux := nethttp.NewServeMux()
	mux.HandleFunc("/json", func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"items": [1, 2]}`)
	})
	mux.HandleFunc("/text", func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = io.WriteString(w, "<ok>\n") })
	mux.HandleFunc("/echo", func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"method": r.Method, "query": r.URL.RawQuery, "body": string(body), "type": r.Header.Get("Content-Type"),
			"key": r.Header.Get("Idempotency-Key"), "x": r.Header.Get("X-A"), "agent": r.Header.Get("User-Agent"),
		})
	})
	mux.HandleFunc("/status/{code}", func(w nethttp.ResponseWriter, r *nethttp.Request) {
		var code int
		_, _ = fmt.Sscan(r.PathValue("code"), &code)
		if after := r.URL.Query().Get("after"); after != "" {
			w.Header().Set("Retry-After", after)
			w.Header().Set("Date", "Wed, 21 Oct 2015 07:28:00 GMT")
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "no\n order")
	})
	mux.HandleFunc("/large", func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write(make([]byte, 5000)) })
	mux.HandleFunc("/binary", func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write([]byte{0xff}) })
	mux.HandleFunc("/badjson", func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		_, _ = io.WriteString(w, "{")
	})
	mux.HandleFunc("/empty", func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(204) })
	mux.HandleFunc("/hang", func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() })
	mux.HandleFunc("/loop", func(w nethttp.ResponseWriter, r *nethttp.Request) {
		nethttp.Redirect(w, r, "/loop", nethttp.StatusFound)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// call reads a definition with one task and executes it.
func call(ctx context.Context, t *testing.T, cfg http.Config, task, input string) (string, error) {
	t.Helper()
	client := http.NewClient(cfg)
	t.Cleanup(client.CloseIdleConnections)
	def, err := workflow.ParseYAML([]byte("tasks: {a: {"+task+"}}"), workflow.Kinds(client.Kind()))
	if err != nil {
		t.Fatal(err)
	}
	out, err := def.Plan().Tasks[0].Run(workflow.WithAttempt(ctx, attempt{}), workflow.Inputs{Input: json.RawMessage(input)})
	text, _ := out.(json.RawMessage)
	return string(text), err
}

func TestRequests(t *testing.T) {
	url := serve(t)
	for _, test := range []struct{ task, want string }{
		{`http: {url: "URL/json"}`, `{"items": [1, 2]}`},
		{`http: {url: "URL/text"}`, `"<ok>\n"`},
		{`http: {url: "URL/empty"}`, `null`},
		{`http: {url: "URL/status/404", accept_status: [404], response: full}`, `"status":404`},
		{`http: {url: "URL/${{ input.path }}", query: {b: "x y", a: 1}}`, `"agent":"ringmill","body":"","key":"","method":"GET","query":"a=1\u0026b=x+y","type":"","x":""`},
		{`http: {method: POST, url: "URL/echo", headers: {X-A: "${{ input.path }}"}}, with: {n: "${{ input.n }}"}`,
			`"body":"{\"n\":3}","key":"\"r-1/a\"","method":"POST","query":"","type":"application/json","x":"echo"`},
		{`http: {method: PUT, url: "URL/echo", body: "n=${{ input.n }}"}`, `"body":"n=3"`},
		{`http: {method: PUT, url: "URL/echo", body: [1, "${{ input.n }}"]}`, `"body":"[1,3]"`},
	} {
		out, err := call(t.Context(), t, http.Config{AllowPrivate: true}, strings.ReplaceAll(test.task, "URL", url), `{"path": "echo", "n": 3}`)
		if err != nil || !strings.Contains(out, test.want) {
			t.Errorf("%s: %s, %v; want %s", test.task, out, err, test.want)
		}
	}
}

func TestFailures(t *testing.T) {
	url := serve(t)
	for _, test := range []struct {
		task      string
		permanent bool
		wait      time.Duration
		want      string
	}{
		{`http: {url: "URL/status/404?secret=1"}`, true, 0, "GET URL/status/404: 404 Not Found: no order"},
		{`http: {url: "URL/status/500"}`, false, 0, "500 Internal Server Error"},
		{`http: {url: "URL/status/429?after=7"}`, false, 7 * time.Second, "429"},
		{`http: {url: "URL/status/503", query: {after: "Wed, 21 Oct 2015 07:29:00 GMT"}}`, false, time.Minute, "503"},
		{`http: {url: "URL/status/503?after=999999999"}`, false, 24 * time.Hour, "503"},
		{`http: {url: "URL/large"}`, true, 0, "more than 4000 bytes"},
		{`http: {url: "URL/binary"}`, true, 0, "is no text"},
		{`http: {url: "URL/badjson"}`, false, 0, "no valid JSON"},
		{`http: {url: "URL/loop"}`, true, 0, "stopped after 10 redirects"},
		{`http: {url: "${{ input.url }}"}`, true, 0, `the url "ftp://x" does not begin with http://`},
		{`http: {url: "${{ input.n }}"}`, true, 0, `http.url is number: pass string`},
	} {
		_, err := call(t.Context(), t, http.Config{AllowPrivate: true, MaxBody: 4000}, strings.ReplaceAll(test.task, "URL", url), `{"url": "ftp://x", "n": 1}`)
		if err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(test.want, "URL", url)) {
			t.Errorf("%s: %v; want %s", test.task, err, test.want)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the query: %v", err)
		}
		if retry.IsPermanent(err) != test.permanent {
			t.Errorf("%s: permanent %t", test.task, retry.IsPermanent(err))
		}
		if wait, _ := retry.RetryAfter(err); wait != test.wait {
			t.Errorf("%s: wait %s, want %s", test.task, wait, test.wait)
		}
	}
}

// TestDeadline: a server that does not answer is left when the context ends, or
// the client's own bound does.
func TestDeadline(t *testing.T) {
	url := serve(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	own := errors.New("the run was cancelled")
	cancel(own)
	if _, err := call(ctx, t, http.Config{AllowPrivate: true}, `http: {url: "`+url+`/hang"}`, "{}"); !errors.Is(err, own) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := call(t.Context(), t, http.Config{AllowPrivate: true, Timeout: time.Millisecond}, `http: {url: "`+url+`/hang"}`, "{}"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("timed out: %v", err)
	}
}

// TestPrivate: addresses that are not public are refused, however they are
// written.
func TestPrivate(t *testing.T) {
	url := serve(t)
	port := url[strings.LastIndexByte(url, ':'):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1", "169.254.169.254", "[fe80::1]", "100.64.0.1", "[fd00::1]"} {
		_, err := call(t.Context(), t, http.Config{}, `http: {url: "http://`+host+port+`/json"}`, "{}")
		var private *http.PrivateError
		if !errors.As(err, &private) || !retry.IsPermanent(err) {
			// A machine without IPv6 cannot even try some of them.
			if err == nil || !strings.HasPrefix(host, "[") {
				t.Errorf("%s: %v", host, err)
			}
		}
	}
	for text, want := range map[string]bool{"8.8.8.8": true, "2606:4700::1111": true, "192.168.1.1": false, "64:ff9b::a00:1": false, "224.0.0.1": false, "198.18.0.1": false} {
		if got := http.IsPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %t", text, got)
		}
	}
}

// TestDefinitions: what is wrong with a request is told when the file is read.
func TestDefinitions(t *testing.T) {
	for task, want := range map[string]string{
		`http: {}`:                                         "d.yaml:1:19: http.url is missing: pass it: correct the value of http",
		`http: {url: "ftp://x"}`:                           `does not begin with http://`,
		`http: {url: "https://x", methd: GET}`:             "http has the unknown field 'methd'",
		`http: {url: "https://x", method: "${{ input }}"}`: "",
		`http: {url: "https://x", method: STEAL}`:          `http.method is none of the accepted values: pass "GET"`,
		`http: {url: "https://x", headers: {"a b": c}}`:    `the header "a b"`,
	} {
		_, err := workflow.ParseYAML([]byte("tasks: {a: {"+task+"}}"), workflow.Kinds(http.Kind), workflow.File("d.yaml"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(want, "'", ""))) {
			t.Errorf("%s: %v; want %s", task, err, want)
		}
	}
}
