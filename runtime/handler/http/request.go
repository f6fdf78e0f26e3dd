package http

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

const schema = `{
  "type": "object", "required": ["url"], "additionalProperties": false,
  "properties": {
    "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], "description": "Defaults to GET."},
    "url": {"type": "string", "minLength": 1, "maxLength": 8192, "description": "http or https."},
    "query": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}, "description": "Added to the url."},
    "headers": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
    "body": {"description": "Text is sent as it is, anything else as JSON. Defaults to with where the method has a body."},
    "accept_status": {"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}, "description": "Status codes that are no failure beside 200 to 299."},
    "response": {"enum": ["body", "full"], "description": "body: the result is the body; full: an object of status, headers and body. Defaults to body."}
  }
}`

// config is the value of a task's key http.
type config struct {
	Method   string                     `json:"method"`
	URL      string                     `json:"url"`
	Query    map[string]json.RawMessage `json:"query"`
	Headers  map[string]json.RawMessage `json:"headers"`
	Body     json.RawMessage            `json:"body"`
	Accept   []int                      `json:"accept_status"`
	Response string                     `json:"response"`
}

// check says what a schema cannot.
func check(text json.RawMessage) error {
	_, err := parse(text)
	return err
}

func parse(text json.RawMessage) (c config, err error) {
	if err := json.Unmarshal(text, &c); err != nil {
		return c, err
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return c, fmt.Errorf("the url %q is none: write https://host/path", c.URL)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return c, fmt.Errorf("the url %q does not begin with http:// or https:// and a host: write https://host/path", c.URL)
	}
	for name, v := range c.Headers {
		if strings.ContainsAny(name, " :\r\n\t") || name == "" || strings.ContainsAny(textOf(v), "\r\n") {
			return c, fmt.Errorf("the header %q has a name or value that cannot be sent: write it in one line", name)
		}
	}
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	return c, nil
}

// textOf is a string as it is, and a number or boolean as it is written.
func textOf(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// A StatusError says that a server answered with a status that is a failure.
type StatusError struct {
	Method, URL string
	Code        int
	Body        string        // its beginning
	Wait        time.Duration // that the server asks for, or 0
}

// Error names the request, the status and the beginning of the answer.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.URL, e.Code, http.StatusText(e.Code))
	if e.Body != "" {
		text += ": " + e.Body
	}
	return text
}

// run makes one request.
func (c *Client) run(ctx context.Context, call workflow.Call) (any, error) {
	cfg, err := parse(call.Config)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.cfg.Timeout)
		defer cancel()
	}
	request, err := c.request(ctx, cfg, call.With)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, plain(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, c.cfg.MaxBody+1))
	switch {
	case err != nil:
		return nil, plain(ctx, fmt.Errorf("%s %s: the answer broke off: %w", cfg.Method, redacted(cfg.URL), err))
	case int64(len(body)) > c.cfg.MaxBody:
		return nil, retry.Permanent(fmt.Errorf("%s %s: the answer has more than %d bytes: ask for less, or raise Config.MaxBody", cfg.Method, redacted(cfg.URL), c.cfg.MaxBody))
	}
	if (response.StatusCode < 200 || response.StatusCode > 299) && !slices.Contains(cfg.Accept, response.StatusCode) {
		return nil, failure(cfg, response, body)
	}
	return result(cfg, response, body)
}

// plain names the cause where the context ended.
func plain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return errors.Join(err, cause)
	}
	return err
}

func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "?"
	}
	u.RawQuery, u.Fragment = "", "" // may hold secrets, as a password may
	return u.Redacted()
}

func (c *Client) request(ctx context.Context, cfg config, with json.RawMessage) (*http.Request, error) {
	body, kind := cfg.Body, "application/json"
	if body == nil && slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, cfg.Method) {
		body = with
	}
	if len(body) > 0 && body[0] == '"' && cfg.Body != nil {
		body, kind = []byte(textOf(body)), "text/plain; charset=utf-8"
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, cfg.Method, cfg.URL, reader)
	if err != nil {
		return nil, err
	}
	if len(cfg.Query) > 0 {
		query := r.URL.Query()
		for name, v := range cfg.Query {
			query.Set(name, textOf(v))
		}
		r.URL.RawQuery = query.Encode()
	}
	if body != nil {
		r.Header.Set("Content-Type", kind)
	}
	r.Header.Set("User-Agent", c.cfg.UserAgent)
	r.Header.Set("Accept", "application/json, */*;q=0.5")
	if key := workflow.IdempotencyKey(ctx); key != "" && cfg.Method != http.MethodGet && cfg.Method != http.MethodHead && cfg.Method != http.MethodOptions {
		r.Header.Set("Idempotency-Key", strconv.QuoteToASCII(key))
	}
	for name, v := range cfg.Headers {
		r.Header.Set(name, textOf(v))
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	return r, nil
}

// failure makes the error of a status.
func failure(cfg config, r *http.Response, body []byte) error {
	err := &StatusError{Method: cfg.Method, URL: redacted(cfg.URL), Code: r.StatusCode, Body: excerpt(body)}
	switch {
	case r.StatusCode == http.StatusRequestTimeout, r.StatusCode == http.StatusTooEarly, r.StatusCode == http.StatusTooManyRequests, r.StatusCode >= 500:
		if wait, ok := retryAfter(r); ok {
			err.Wait = wait
			return retry.After(wait, err)
		}
		return err
	}
	return retry.Permanent(err)
}

// maxRetryAfter bounds what a server can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads the header (RFC 9110, 10.2.3): seconds or a date.
func retryAfter(r *http.Response) (time.Duration, bool) {
	text := r.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter), true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	now := time.Now()
	if sent, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		now = sent // the server's clock, not ours
	}
	return min(max(date.Sub(now), 0), maxRetryAfter), true
}

// excerpt is the beginning of an answer, on one line.
func excerpt(body []byte) string {
	const most = 200
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 4*most)]), "\uFFFD")), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func result(cfg config, r *http.Response, body []byte) (any, error) {
	value, err := decode(cfg, r, body)
	if err != nil || cfg.Response != "full" {
		return value, err
	}
	headers := make(map[string]string, len(r.Header))
	for name := range r.Header {
		headers[strings.ToLower(name)] = strings.ToValidUTF8(r.Header.Get(name), "\uFFFD")
	}
	return map[string]any{"status": r.StatusCode, "headers": headers, "body": value}, nil
}

// decode makes a body a value: of JSON if the server says so, else text.
func decode(cfg config, r *http.Response, body []byte) (json.RawMessage, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isJSON := kind == "application/json" || strings.HasSuffix(kind, "+json")
	switch {
	case len(body) == 0 && (isJSON || r.StatusCode == http.StatusNoContent || cfg.Method == http.MethodHead):
		return json.RawMessage("null"), nil
	case isJSON && json.Valid(body) && utf8.Valid(body):
		return body, nil
	case isJSON:
		return nil, fmt.Errorf("%s %s: the answer is no valid JSON, though its type is %s: %s", cfg.Method, redacted(cfg.URL), kind, excerpt(body))
	case !utf8.Valid(body):
		return nil, retry.Permanent(fmt.Errorf("%s %s: the answer, of type %q, is no text: ask for text or JSON", cfg.Method, redacted(cfg.URL), kind))
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(string(body)); err != nil {
		return nil, err
	}
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n")), nil
}
