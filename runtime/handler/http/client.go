package http

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// The defaults of a Config.
const (
	DefaultMaxBody = 4 << 20
	DefaultTimeout = time.Minute
)

// A Config sets a client up. The zero value is valid.
type Config struct {
	// AllowPrivate lets requests go to addresses that are not public, and through
	// the proxy that HTTP_PROXY and the like name. Defaults to false.
	AllowPrivate bool
	// MaxBody bounds the body of an answer, in bytes, unpacked. Defaults to
	// DefaultMaxBody.
	MaxBody int64
	// Timeout bounds an attempt whose context has no deadline. Defaults to
	// DefaultTimeout.
	Timeout time.Duration
	// UserAgent is sent unless a task sets its own. Defaults to "ringmill".
	UserAgent string
}

// A Client makes the requests of a kind of task, over connections that it keeps for a
// while. It is safe for concurrent use. Make one with [NewClient].
type Client struct {
	cfg  Config
	http http.Client
}

// maxRedirects is as many as net/http follows.
const maxRedirects = 10

// NewClient returns a client.
func NewClient(cfg Config) *Client {
	cfg.MaxBody = cmp.Or(max(cfg.MaxBody, 0), DefaultMaxBody)
	cfg.Timeout = cmp.Or(max(cfg.Timeout, 0), DefaultTimeout)
	cfg.UserAgent = cmp.Or(cfg.UserAgent, "ringmill")
	dialer := &net.Dialer{Timeout: 30 * time.Second}
	transport := &http.Transport{
		MaxIdleConns: 100, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 256 << 10, ForceAttemptHTTP2: true,
		DialContext: dialer.DialContext,
	}
	if cfg.AllowPrivate {
		transport.Proxy = http.ProxyFromEnvironment
	} else {
		dialer.ControlContext = publicOnly
	}
	return &Client{cfg, http.Client{Transport: transport, CheckRedirect: checkRedirect}}
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return retry.Permanent(fmt.Errorf("stopped after %d redirects", maxRedirects))
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return retry.Permanent(fmt.Errorf("redirected to %s, which is neither http nor https", r.URL.Redacted()))
	}
	return nil
}

// Kind returns the kind of task that makes its requests with the client.
func (c *Client) Kind() workflow.Kind {
	return workflow.Kind{Name: "http", Schema: schema, Check: check, Run: c.run}
}

// CloseIdleConnections closes the connections that are not in use.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// Kind is the kind of task of a client with the default set-up.
var Kind = NewClient(Config{}).Kind()

// publicOnly refuses connections to addresses that are not public. It is asked with
// the address that is about to be connected to, after all names were resolved.
func publicOnly(_ context.Context, _, address string, _ syscall.RawConn) error {
	host, err := netip.ParseAddrPort(address)
	if err != nil {
		return retry.Permanent(fmt.Errorf("the address %s cannot be judged: %w", address, err))
	}
	if !isPublic(host.Addr()) {
		return retry.Permanent(&PrivateError{host.Addr()})
	}
	return nil
}

// A PrivateError says which address was refused because it is not public.
type PrivateError struct{ Address netip.Addr }

// Error names the address, and what to do.
func (e *PrivateError) Error() string {
	return fmt.Sprintf("the address %s is not public: allow such addresses (--allow-private, Config.AllowPrivate), or use another", e.Address)
}

// special are the blocks that netip.Addr has no question for (IANA registries of
// special-purpose addresses).
var special = func() (list []netip.Prefix) {
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}()

func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
