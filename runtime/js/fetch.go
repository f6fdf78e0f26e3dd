package js

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Fetch says what scripts may reach with fetch.
type Fetch struct {
	// Hosts are the names that a URL may have: "api.example.com", or "*.example.com"
	// for every name below it. "*" allows every name. Empty means no fetch at all.
	Hosts []string
	// Private lists address ranges that may be connected to although they are not
	// public, for example 10.1.0.0/16. Loopback, private, link-local (where clouds
	// keep credentials) and multicast addresses are refused otherwise, whatever name
	// they were found under.
	Private []netip.Prefix
	// ResponseBytes bounds one answer's body. Defaults to 1 MB.
	ResponseBytes int64
	// Timeout bounds one request. Defaults to 10 s; the call's own limit may be shorter.
	Timeout time.Duration
}

const (
	maxRequest   = 1 * mb // of a request's JSON
	parallelAsks = 8      // requests of one call at a time
	maxRedirects = 5
)

func (f *Fetch) enabled() bool { return len(f.Hosts) > 0 }

func (f *Fetch) check() error {
	if f.ResponseBytes == 0 {
		f.ResponseBytes = mb
	}
	if f.Timeout == 0 {
		f.Timeout = 10 * time.Second
	}
	if f.ResponseBytes < 1 || f.ResponseBytes > 256*mb || f.Timeout < 0 || f.Timeout > maxTimeout {
		return fmt.Errorf("js: Config.Fetch: ResponseBytes is %d and Timeout %v; want 1 to %d and 0 to %v", f.ResponseBytes, f.Timeout, 256*mb, maxTimeout)
	}
	for _, h := range f.Hosts {
		if h != "*" && (h == "" || strings.ContainsAny(strings.TrimPrefix(h, "*."), "*/:@ ")) {
			return fmt.Errorf("js: Config.Fetch.Hosts: %q is not a host name; want api.example.com, *.example.com or *", h)
		}
	}
	return nil
}

// allows reports whether a URL may have the host.
func (f *Fetch) allows(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(f.Hosts, func(h string) bool {
		h = strings.ToLower(h)
		below, wild := strings.CutPrefix(h, "*.")
		return h == "*" || h == host || wild && strings.HasSuffix(host, "."+below)
	})
}

// A fetcher makes the requests of all scripts. It is safe for concurrent use.
type fetcher struct {
	config Fetch
	client *http.Client
}

var errRedirects = errors.New("too many redirects")

func newFetcher(config Fetch) *fetcher {
	f := &fetcher{config: config}
	dialer := &net.Dialer{
		Timeout: config.Timeout,
		// The address is checked here, after the name was resolved and for every
		// connection: a name that changes its address between two look-ups gains nothing.
		Control: func(_, address string, _ syscall.RawConn) error { return f.checkAddress(address) },
	}
	f.client = &http.Client{
		Transport: &http.Transport{
			Proxy:       nil, // a proxy would resolve names on its own
			DialContext: dialer.DialContext, TLSHandshakeTimeout: config.Timeout, ForceAttemptHTTP2: true,
			MaxIdleConns: 64, MaxConnsPerHost: 64, IdleConnTimeout: 30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errRedirects
			}
			return f.checkURL(r.URL)
		},
	}
	return f
}

func (f *fetcher) close() { f.client.CloseIdleConnections() }

func (f *fetcher) checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("fetch: the scheme %q is not allowed: use http or https", u.Scheme)
	case u.User != nil:
		return errors.New("fetch: a URL must not have a user: send a header")
	case !f.config.allows(u.Hostname()):
		return fmt.Errorf("fetch: the host %q is not on the list of allowed hosts", u.Hostname())
	}
	return nil
}

// notPublic are ranges that netip has no method for.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

func (f *fetcher) checkAddress(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("fetch: %q is not an address", address)
	}
	ip := at.Addr().Unmap().WithZone("")
	holds := func(p netip.Prefix) bool { return p.Contains(ip) }
	if slices.ContainsFunc(f.config.Private, holds) {
		return nil
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || slices.ContainsFunc(notPublic, holds) {
		return fmt.Errorf("fetch: the address %s is not public", ip)
	}
	return nil
}

// requests are those of one call. The fields belong to the call's goroutine; each
// request has a goroutine that sends one answer.
type requests struct {
	ctx     context.Context
	cancel  context.CancelFunc
	answers chan answerOf // capacity parallelAsks, so that no request waits to answer
	open    int
	made    int
	running sync.WaitGroup
}

type answerOf struct {
	id   uint32
	text []byte // JSON for the driver's settle
}

func (r *requests) pending() bool { return r != nil && r.open > 0 }

type fetchRequest struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"`
}

type fetchResponse struct {
	Error   string            `json:"error,omitempty"`
	Status  int               `json:"status"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// startFetch begins a request and answers its number, or says what is wrong.
func (c *call) startFetch(text []byte) (id uint32, problem string) {
	var ask fetchRequest
	if c.fetcher == nil || c.limits == nil {
		return 0, "fetch is not allowed"
	}
	if err := json.Unmarshal(text, &ask); err != nil {
		return 0, "fetch: the request cannot be read"
	}
	if c.requests == nil {
		r := &requests{answers: make(chan answerOf, parallelAsks)}
		r.ctx, r.cancel = context.WithDeadline(c.ctx, c.deadline)
		c.requests = r
	}
	r := c.requests
	if r.made >= c.limits.Requests {
		return 0, fmt.Sprintf("fetch: a call may make %d requests", c.limits.Requests)
	}
	if r.open >= parallelAsks {
		return 0, fmt.Sprintf("fetch: %d requests are open: await some of them first", parallelAsks)
	}
	u, err := url.Parse(ask.URL)
	if err != nil {
		return 0, fmt.Sprintf("fetch: %q is not a URL", ask.URL)
	}
	if err := c.fetcher.checkURL(u); err != nil {
		return 0, err.Error()
	}
	r.made++
	r.open++
	id = uint32(r.made)
	r.running.Go(func() {
		response := c.fetcher.do(r.ctx, &ask)
		text, err := json.Marshal(response)
		if err != nil {
			text = []byte(`{"error":"fetch: the answer cannot be written as JSON"}`)
		}
		r.answers <- answerOf{id, text}
	})
	return id, ""
}

func (f *fetcher) do(ctx context.Context, ask *fetchRequest) (response fetchResponse) {
	fail := func(err error) fetchResponse {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // without the URL, which may carry a secret
		}
		return fetchResponse{Error: "fetch: " + strings.TrimPrefix(err.Error(), "fetch: ")}
	}
	ctx, cancel := context.WithTimeout(ctx, f.config.Timeout)
	defer cancel()
	var body io.Reader
	if ask.Body != nil {
		body = bytes.NewReader([]byte(*ask.Body))
	}
	request, err := http.NewRequestWithContext(ctx, strings.ToUpper(ask.Method), ask.URL, body)
	if err != nil {
		return fail(err)
	}
	for name, value := range ask.Headers {
		if strings.EqualFold(name, "host") {
			return fail(errors.New("the header Host is the URL's"))
		}
		request.Header.Set(name, value)
	}
	answer, err := f.client.Do(request)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(answer.Body, f.config.ResponseBytes+1))
	if err != nil {
		return fail(err)
	}
	if int64(len(content)) > f.config.ResponseBytes {
		return fail(fmt.Errorf("the answer is longer than %d bytes", f.config.ResponseBytes))
	}
	response = fetchResponse{Status: answer.StatusCode, URL: answer.Request.URL.String(), Headers: map[string]string{}}
	for name, values := range answer.Header {
		response.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	response.Body = strings.ToValidUTF8(string(content), "\ufffd")
	return response
}

// finish ends what the call began: its requests are cancelled and waited for.
func (c *call) finish() {
	if c.requests != nil {
		c.requests.cancel()
		c.requests.running.Wait()
	}
}
