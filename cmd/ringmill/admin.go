package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// An admin is a small HTTP server for those who operate the program.
type admin struct {
	listener net.Listener
	server   *http.Server
	done     chan struct{}
}

const addressCure = "want a free address of this machine such as 127.0.0.1:9464, or port 0 for one that is free"

// parseAddress checks the form of an address; empty is none.
func parseAddress(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if _, _, err := net.SplitHostPort(s); err != nil {
		return "", fmt.Errorf("%w: %s", err, addressCure)
	}
	return s, nil
}

// listen takes the address, so that a wrong one is known before anything runs.
// source names the flag or variable that it comes from.
func listen(source, address string) (*admin, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", source, err, addressCure)
	}
	return &admin{listener: listener, done: make(chan struct{})}, nil
}

func (a *admin) address() string { return a.listener.Addr().String() }

// serve answers requests until stop. The registry is its own: nothing that
// other packages registered globally appears.
func (a *admin) serve(actors http.Handler, metrics ...prometheus.Collector) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics...)
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.Handle("GET /debug/actors", actors)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	a.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	go func() {
		defer close(a.done)
		_ = a.server.Serve(a.listener) // it only ever returns because of stop
	}()
}

// stop closes the listener and every connection.
func (a *admin) stop() {
	if a.server == nil { // it never served
		_ = a.listener.Close()
		return
	}
	_ = a.server.Close()
	<-a.done
}
