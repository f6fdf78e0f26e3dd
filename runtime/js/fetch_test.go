package js_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/js"
)

func TestFetch(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/json":
			w.Header().Set("X-Seen", r.Header.Get("X-Ask"))
			_, _ = fmt.Fprintf(w, `{"method":%q}`, r.Method)
		case "/echo":
			w.WriteHeader(http.StatusCreated)
			_ = r.Write(w)
		case "/away":
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
		case "/inside":
			http.Redirect(w, r, "http://127.0.0.2:1/", http.StatusFound)
		case "/long":
			_, _ = w.Write(make([]byte, 2000))
		case "/never":
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t, js.Config{
		Fetch:  js.Fetch{Hosts: []string{"127.0.0.1", "127.0.0.2"}, Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, ResponseBytes: 1000, Timeout: 5 * time.Second},
		Limits: js.Limits{Requests: 10},
	})
	input := fmt.Sprintf("%q", "http://"+address.Host)
	want(t, e, "const r = await fetch(input + '/json', {headers: {'X-Ask': 'yes'}}); return [r.status, r.ok, r.headers.get('x-seen'), await r.json()]", input,
		`[200,true,"yes",{"method":"GET"}]`)
	want(t, e, "const r = await fetch(input + '/echo', {method: 'POST', body: 'héllo'}); const text = await r.text(); return [r.status, text.endsWith('héllo')]", input, `[201,true]`)
	want(t, e, "const all = await Promise.all([1, 2, 3].map(() => fetch(input + '/json'))); return all.map(r => r.status)", input, "[200,200,200]")
	for path, text := range map[string]string{
		"'http://169.254.169.254/latest/'": "not on the list",
		"'file:///etc/passwd'":             "not allowed",
		"'http://u:p@127.0.0.1/'":          "must not have a user",
		"'http://127.0.0.2:1/'":            "not public",
		"input + '/away'":                  "not on the list",
		"input + '/inside'":                "not public",
		"input + '/long'":                  "longer than 1000 bytes",
		"'::'":                             "fetch: ",
	} {
		got, err := run(t, e, "try { await fetch("+path+"); return 'reached' } catch (e) { return e.message }", input)
		if err != nil || !strings.Contains(string(got.Value), text) {
			t.Errorf("fetch(%s) = %s, %v; want %s", path, got.Value, err, text)
		}
	}
	got, err := run(t, e, "let n = 0; try { for (;;) { await fetch(input + '/json'); n++ } } catch { return n }", input)
	if err != nil || string(got.Value) != "10" {
		t.Errorf("requests of one call = %s, %v; want 10", got.Value, err)
	}
	s := compile(t, e, "await fetch(input + '/never')")
	if _, err := e.Run(t.Context(), s, js.Input{Value: []byte(input), Timeout: 50 * time.Millisecond}); js.ClassOf(err) != js.ClassTimeout {
		t.Errorf("a request that never ends: %v", err)
	}
}

// TestAddresses: what is not public is refused however it is written.
func TestAddresses(t *testing.T) {
	for address, ok := range map[string]bool{
		"93.184.216.34:80": true, "[2606:2800:220:1:248:1893:25c8:1946]:443": true, "10.1.2.3:80": true,
		"127.0.0.1:80": false, "10.0.0.1:80": false, "192.168.1.1:80": false, "172.16.0.1:80": false, "169.254.169.254:80": false,
		"0.0.0.0:80": false, "100.64.0.1:80": false, "224.0.0.1:80": false, "255.255.255.255:80": false, "198.18.0.1:80": false,
		"[::1]:80": false, "[::]:80": false, "[fe80::1%eth0]:80": false, "[fd00::1]:80": false, "[::ffff:127.0.0.1]:80": false,
		"[::ffff:169.254.169.254]:80": false, "[64:ff9b::a9fe:a9fe]:80": false, "[2002:7f00:1::]:80": false, "nonsense": false,
	} {
		err := js.CheckAddress(js.Fetch{Private: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}, address)
		if (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	for host, ok := range map[string]bool{
		"api.example.com": true, "API.example.com.": true, "a.b.example.org": true, "example.org": false, "evil-example.org": false, "api.example.com.evil.net": false,
	} {
		if got := js.AllowsHost(js.Fetch{Hosts: []string{"api.example.com", "*.example.org"}}, host); got != ok {
			t.Errorf("allows(%s) = %t", host, got)
		}
	}
}
