package loadgen

import "time"

// A Snapshot is the state of a run under way.
type Snapshot struct {
	Elapsed  time.Duration
	Duration time.Duration // planned
	Warmup   bool          // it lasts

	Sent, Done, Failed, Shed uint64 // measured so far
	Rate                     float64
	Last                     Point     // the last interval
	Latency                  Quantiles // so far
	TaskActors               int
	IdleTaskActors           int
	Aborted                  string
}
