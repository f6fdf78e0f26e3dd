package loadgen

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Schema names the form of a Result as JSON. Fields may be added to it; a change of
// meaning gets a new number.
const Schema = "ringmill.loadgen.run/1"

// A Result is what a run measured. Counts and figures leave out the warm-up.
type Result struct {
	Schema    string    `json:"schema"`
	StartedAt time.Time `json:"started_at"`
	Load      Load      `json:"load"`
	PlanHash  string    `json:"plan_hash"`

	Sent   uint64 `json:"sent"`
	Done   uint64 `json:"done"`
	Failed uint64 `json:"failed"`
	Shed   uint64 `json:"shed"`   // refused or dropped at a bound of the runtime
	Unsent uint64 `json:"unsent"` // due, but the run ended before they were sent
	Warmup uint64 `json:"warmup"` // sent during the warm-up, beside sent
	// FirstFailure is the error of the first request that failed, at most 500 bytes
	// long; empty if none did.
	FirstFailure string `json:"first_failure"`
	// AccountingError says how the books are wrong: a defect of Ringmill. Empty if
	// sent = done + failed + shed and the runtime counted the same.
	AccountingError string `json:"accounting_error"`

	Seconds     float64   `json:"seconds"`            // that were measured
	Offered     float64   `json:"offered_per_second"` // arrivals due; in a closed loop those sent
	Throughput  float64   `json:"throughput"`         // done a second
	Latency     Quantiles `json:"latency_seconds"`    // from the intended time of arrival
	Uncorrected Quantiles `json:"uncorrected_seconds"`
	TaskTime    Quantiles `json:"task_seconds"` // the longest path through a run's task bodies
	// QueueShareP99 is how much of a latency near p99 was not spent in task bodies,
	// 0 to 1; negative if unknown.
	QueueShareP99 float64   `json:"queue_share_p99"`
	Lag           Quantiles `json:"lag_seconds"` // how late the generator sent

	Backpressure Backpressure      `json:"backpressure"`
	Cost         Cost              `json:"cost"`
	Thresholds   []ThresholdResult `json:"thresholds"`
	Trust        Trust             `json:"trust"`
	Environment  Environment       `json:"environment"`

	Interrupted bool     `json:"interrupted"`
	Aborted     string   `json:"aborted"` // the threshold that ended the run, or empty
	Series      []Point  `json:"series"`
	Curve       []Curve  `json:"curve"`
	Samples     []Sample `json:"samples"` // one a repetition; the result is the one with the median p99
	Canon       *Canon   `json:"canon,omitempty"`

	histogram *hdrhistogram.Histogram
	log       []byte
	disturbed bool // by something beside the load: see judge
}

// Load repeats the configuration in words that the flags of the command take.
type Load struct {
	Rate            float64 `json:"rate"`
	Stages          string  `json:"stages"`
	Arrivals        string  `json:"arrivals"`
	Concurrency     int     `json:"concurrency"`
	DurationSeconds float64 `json:"duration_seconds"`
	WarmupSeconds   float64 `json:"warmup_seconds"`
	Requests        int64   `json:"requests"`
	Seed            uint64  `json:"seed"`
	MaxInFlight     int     `json:"max_inflight"`
	Workflow        string  `json:"workflow"`
	Work            string  `json:"work"`
	Fail            float64 `json:"fail"`
	Panic           float64 `json:"panic"`
	Payload         int     `json:"payload_bytes"`
	Hot             float64 `json:"hot_zipf"`
	WorkflowActors  int     `json:"workflow_actors"`
	TaskActors      int     `json:"task_actors"`
	Mailbox         int     `json:"mailbox"`
	MailboxKind     string  `json:"mailbox_kind"`
	MaxRuns         int     `json:"max_runs"`
	Policy          string  `json:"policy"`
	Schedule        string  `json:"schedule"`
	Overflow        string  `json:"overflow"`
}

// Quantiles are of a distribution of times, in seconds.
type Quantiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
}

func quantilesOf(h *hdrhistogram.Histogram) Quantiles {
	at := func(p float64) float64 { return float64(h.ValueAtPercentile(p)) / 1e9 }
	return Quantiles{P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.Max()) / 1e9, Mean: h.Mean() / 1e9}
}

// Backpressure is what full bounds did.
type Backpressure struct {
	BlockedShare   float64 `json:"blocked_share"`   // of the requests, those that waited for room
	Blocked        uint64  `json:"blocked"`         // how many waits there were
	BlockedSeconds float64 `json:"blocked_seconds"` // in all
	Rejected       uint64  `json:"rejected"`        // answered with ErrOverloaded
	Dropped        uint64  `json:"dropped"`         // shed by drop-newest or drop-oldest
	Held           uint64  `json:"held"`            // waited in the generator: max-inflight was reached
	FullestMailbox float64 `json:"fullest_mailbox"` // the fullest one seen, 0 to 1
	DeepestMailbox int     `json:"deepest_mailbox"` // the most runs seen in one
	MostInFlight   int     `json:"most_in_flight"`  // runs, seen
	MostReady      int     `json:"most_ready"`      // tasks that waited for a task actor, seen
}

// Cost is what the process spent. The thread that sends is not in it where its
// time is known (Linux).
type Cost struct {
	CPUSecondsPerOp float64 `json:"cpu_seconds_per_op"`
	CPUCores        float64 `json:"cpu_cores"`       // busy, on average
	GeneratorCores  float64 `json:"generator_cores"` // busy with sending, on average
	AllocsPerOp     float64 `json:"allocs_per_op"`
	BytesPerOp      float64 `json:"bytes_per_op"`
	GCShare         float64 `json:"gc_share"` // of the CPU time
	GCCycles        uint64  `json:"gc_cycles"`
}

// ThresholdResult says whether a threshold was kept.
type ThresholdResult struct {
	Threshold string  `json:"threshold"`
	Value     float64 `json:"value"` // in the unit of the threshold: seconds, a second, a share, a number
	OK        bool    `json:"ok"`
}

// The verdicts of Trust.
const (
	Trusted = "trusted"
	Suspect = "suspect"
)

// Trust says how far the figures may be believed.
type Trust struct {
	Verdict string   `json:"verdict"` // trusted or suspect
	Reasons []string `json:"reasons"` // why suspect
	Notes   []string `json:"notes"`   // what to know all the same

	LagShare   float64  `json:"lag_share"`    // lag p99 over latency p99
	ForeignCPU *float64 `json:"foreign_cpu"`  // of the machine, what others used; null if unknown
	Steal      *float64 `json:"steal"`        // of the machine, what its host took
	CPUWait    *float64 `json:"cpu_pressure"` // of the time, some thread of the machine waited for a core
	MemoryWait *float64 `json:"memory_pressure"`
	IOWait     *float64 `json:"io_pressure"`

	// GeneratorWait is the share of the time that the thread which sends could run and
	// had no core; null if unknown, and in a closed loop. GeneratorRank is how the system
	// ranks that thread at the end: first (before the target's threads), short slice (an equal that
	// goes first after a sleep; it may not do more, or never sleeps), equal, or as it was.
	GeneratorWait *float64 `json:"generator_wait"`
	GeneratorRank string   `json:"generator_rank"`
}

// Environment is where it was measured.
type Environment struct {
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	GOMAXPROCS int    `json:"gomaxprocs"` // without the generator's
	Go         string `json:"go"`
	Version    string `json:"version"`
	Pacer      string `json:"pacer"` // how arrivals were timed
	Race       bool   `json:"race"`
}

// A Point is an interval of the series.
type Point struct {
	At         float64 `json:"t"` // seconds from the start to its end
	Done       uint64  `json:"done"`
	Failed     uint64  `json:"failed"`
	Shed       uint64  `json:"shed"`
	Throughput float64 `json:"throughput"`
	P50        float64 `json:"p50"` // seconds
	P99        float64 `json:"p99"`
	Max        float64 `json:"max"`
	Mean       float64 `json:"mean"`
	InFlight   int     `json:"in_flight"`
	Mailboxes  int     `json:"mailboxes"` // most runs that waited in all of them
	Fullest    float64 `json:"fullest"`   // the fullest one, 0 to 1
	Ready      int     `json:"ready"`
}

// A Curve point says which latency is not exceeded by which share.
type Curve struct {
	Percentile float64 `json:"percentile"`
	Seconds    float64 `json:"seconds"`
}

// A Sample is one repetition.
type Sample struct {
	P50        float64 `json:"p50"`
	P99        float64 `json:"p99"`
	Mean       float64 `json:"mean"`
	Throughput float64 `json:"throughput"`
	CPUPerOp   float64 `json:"cpu_seconds_per_op"`
	AllocsOp   float64 `json:"allocs_per_op"`
	Errors     float64 `json:"errors"`
	ForeignCPU float64 `json:"foreign_cpu"` // of the machine, what others used; 0 if unknown
}

func (r *Result) sample() Sample {
	foreign := 0.0
	if f := r.Trust.ForeignCPU; f != nil {
		foreign = *f
	}
	return Sample{
		ForeignCPU: foreign,
		P50:        r.Latency.P50, P99: r.Latency.P99, Mean: r.Latency.Mean, Throughput: r.Throughput,
		CPUPerOp: r.Cost.CPUSecondsPerOp, AllocsOp: r.Cost.AllocsPerOp, Errors: share(r.Failed+r.Shed, r.Sent),
	}
}

// OK reports whether every threshold was kept.
func (r *Result) OK() bool {
	for _, t := range r.Thresholds {
		if !t.OK {
			return false
		}
	}
	return true
}

// CheckAccounting says how the counts of a result, such as one that was read from a
// file, are wrong; empty if they are not.
func (r *Result) CheckAccounting() string {
	if r.AccountingError == "" && r.Sent != r.Done+r.Failed+r.Shed {
		return fmt.Sprintf("sent %d is not done %d + failed %d + shed %d", r.Sent, r.Done, r.Failed, r.Shed)
	}
	return r.AccountingError
}

// WriteJSON writes the result as indented JSON.
func (r *Result) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(v)
}

// ErrSchema reports a file that no version of this program that can be read wrote.
var ErrSchema = errors.New("loadgen: unknown schema")

// ReadResult reads what WriteJSON wrote.
func ReadResult(data []byte) (*Result, error) {
	var r Result
	if err := readJSON(data, Schema, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

func readJSON(data []byte, schema string, to any) error {
	got, err := SchemaOf(data)
	if err != nil {
		return err
	}
	if got == "" {
		return fmt.Errorf("%w: none is named; want %q", ErrSchema, schema)
	}
	if got != schema {
		return fmt.Errorf("%w %q; want %q", ErrSchema, got, schema)
	}
	return json.Unmarshal(data, to)
}

// SchemaOf returns the schema that a JSON document names.
func SchemaOf(data []byte) (string, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return "", fmt.Errorf("not a result: %w", err)
	}
	return head.Schema, nil
}
