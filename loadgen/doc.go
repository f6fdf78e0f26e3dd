// Package loadgen measures how a runtime answers under load: which latency callers
// see, which bounds fill up, and how far the figures may be trusted.
//
// [Run] sends the load that a [Config] describes: workflows over a real
// runtime.Runtime of its own, or requests to a [Target] of yours. Open loop
// (Config.Rate, Stages or a trace) sends at planned times, whatever the answers do,
// as independent users would; latency counts from the planned time, so that a stall
// shows in every request that it delayed, and the figure without that correction
// stands beside it. Closed loop (Config.Concurrency) sends the next request when the
// last one was answered, as a batch job would, and finds the highest throughput.
//
// [Search] finds the highest rate that keeps a service level objective, [Grid]
// measures every combination of sizes and names the smallest that are enough,
// [Compare] says whether one result is worse than another, and a Result writes
// itself as text, JSON, CSV, HdrHistogram log, Go benchmark format, and as an HTML
// page that needs nothing else.
//
// What it never does: call a suspect measurement a good one (see [Trust]), lose a
// request (sent = done + failed + shed, checked against the runtime's own counts),
// send anything to another process, or run without a bound in time and number.
//
// Plans are seeded: the same configuration sends the same requests at the same
// times, and [PlanHash] shows it. Run one load at a time in a process, and nothing
// else: the generator takes up to one core while it sends more than a few thousand
// requests a second.
package loadgen
