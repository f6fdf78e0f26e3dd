// Package jsmetrics reports the engine of JavaScript and TypeScript tasks to
// Prometheus.
//
//	tasks := js.NewTasks(config, open)
//	registry.MustRegister(jsmetrics.NewCollector(tasks.Started))
//
// or, for an engine that a program makes itself:
//
//	registry.MustRegister(jsmetrics.NewCollector(func() *js.Engine { return engine }))
//
// It reads what the engine counts anyway, once a scrape. Every name begins with
// ringmill_js_; no label grows with the number of scripts. The package is not part of
// package metrics because it links the engine, which programs without scripts must not
// carry. It registers nothing by itself and starts no goroutine.
package jsmetrics
