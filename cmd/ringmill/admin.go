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

// listen takes the address, so that a wrong one is known before anything runs.
func listen(address string) (*admin, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w: want a free address of this machine such as 127.0.0.1:9464", err)
	}
	return &admin{listener: listener, done: make(chan struct{})}, nil
}

func (a *admin) address() string { return a.listener.Addr().String() }

// serve answers requests until stop. The registry is its own: nothing that
// other packages registered globally appears.
func (a *admin) serve(runtimeMetrics prometheus.Collector) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		runtimeMetrics,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
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
