// Package metrics reports a Ringmill runtime to Prometheus.
//
//	obs := metrics.NewObserver()
//	rt, err := runtime.New(runtime.Config{Observer: obs})
//	...
//	registry.MustRegister(metrics.NewCollector(metrics.Config{Observer: obs, Stats: rt.Stats}))
//
// The [Observer] measures how long runs and attempts waited and took. It writes
// plain atomics, spread over several shards, and never calls the Prometheus
// library. The [Collector] sums them up when it is scraped, together with the
// counters and gauges that the runtime keeps anyway. A program that wants only
// the latter leaves the Observer out and pays nothing between scrapes.
//
// Every name begins with ringmill_, every unit is a base unit, and no label
// grows with the number of runs: there are no run ids, task names or workflow
// names. Series of single workflow actors exist only where Config.PerActor asks
// for them. Histograms carry classic buckets and native ones at once; the
// server takes what it understands.
//
// The package registers nothing by itself, starts no goroutine and serves no
// HTTP.
package metrics
