package loadgen

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ringmill/ringmill/runtime"
)

// Run sends the load that cfg describes and returns what was measured. It blocks
// for the duration and until requests under way have ended, at most for
// Config.Drain. When ctx ends it stops sending and returns what it has, with
// Result.Interrupted set. Its error says that the load could not be sent at all.
//
// An open loop raises GOMAXPROCS by one while it lasts, so that the thread that
// sends takes no core's place among those of the runtime. Run one at a time in a
// process: two would measure each other.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	cfg, err := cfg.Check()
	if err != nil {
		return nil, err
	}
	s, err := newSession(cfg)
	if err != nil {
		return nil, err
	}
	return s.run(ctx), nil
}

// MaxRepetitions bounds Repeat.
const MaxRepetitions = 1000

// Repeat runs cfg n times, each with a runtime of its own, and returns the result
// with the median p99; its Samples hold all of them. It ends early when ctx does or
// a threshold aborts a run.
func Repeat(ctx context.Context, cfg Config, n int) (*Result, error) {
	if n < 1 || n > MaxRepetitions {
		return nil, fmt.Errorf("loadgen: Repeat: %d is out of range; want 1 to %d", n, MaxRepetitions)
	}
	var all []*Result
	for range n {
		r, err := Run(ctx, cfg)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
		if r.Interrupted || r.Aborted != "" || r.AccountingError != "" {
			break
		}
	}
	return middle(all), nil
}

// middle returns the result with the median p99, or the one that ended early, with
// the samples of all. It is suspect if one of them is.
func middle(all []*Result) *Result {
	var samples []Sample
	suspects := 0
	for _, r := range all {
		samples = append(samples, r.Samples...)
		if r.Trust.Verdict != Trusted {
			suspects++
		}
	}
	m := all[len(all)-1]
	if !m.Interrupted && m.Aborted == "" && m.AccountingError == "" {
		sorted := slices.SortedStableFunc(slices.Values(all), func(a, b *Result) int { return cmp.Compare(a.Latency.P99, b.Latency.P99) })
		m = sorted[len(sorted)/2]
	}
	m.Samples = samples
	if suspects > 0 && len(all) > 1 {
		m.Trust.Verdict = Suspect
		m.Trust.Reasons = append(m.Trust.Reasons, fmt.Sprintf("%d of %d repetitions are suspect", suspects, len(all)))
	}
	return m
}

// A session is one run of the load generator.
//
// The generator's goroutine owns lag, held, unsent and the plan; the sampler owns
// total, series and log; the others are shared.
type session struct {
	cfg    Config
	target Target
	rt     *runtime.Runtime // nil if the target is the caller's
	drawer *drawer
	ctx    context.Context // of the requests
	cancel context.CancelFunc
	books  func() bookkeeping

	start     time.Time
	recorders []*recorder
	pool      *pool
	sent      atomic.Uint64 // measured
	warm      [3]atomic.Uint64
	warmSent  atomic.Uint64
	completed atomic.Uint64 // ended, warm-up included
	next      atomic.Uint64 // index, of a closed loop
	stop      atomic.Bool
	stopped   chan struct{} // closed after stop is set
	halted    sync.Once
	cut       atomic.Bool // ctx ended
	abandoned bool        // requests were cancelled at the end

	lag          *hdrhistogram.Histogram
	held, unsent uint64
	sendBegin    time.Duration // CPU time of the thread
	sendEnd      time.Duration
	sendWait     *float64 // share of the time that the thread waited for a core; nil if unknown
	rank         string   // of the thread

	before, after       reading
	beforeOps, afterOps uint64
	beforeStats         runtime.Stats // at the end of the warm-up
	total               *tally
	series              []Point
	gauges              gauges
	aborted             atomic.Pointer[string]
	failure             atomic.Pointer[string] // the first one
	log                 bytes.Buffer
}

func newSession(cfg Config) (*session, error) {
	s := &session{cfg: cfg, target: cfg.Target, stopped: make(chan struct{}), lag: newHistogram(), total: newTally()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	tasks := 1
	if s.target == nil {
		rt, err := runtime.New(cfg.Runtime)
		if err != nil {
			return nil, err
		}
		t, err := newWorkflowTarget(rt, cfg.Workload)
		if err != nil {
			_ = rt.Stop(context.Background()) // it has nothing to wait for
			return nil, err
		}
		s.rt, s.target, tasks = rt, t, t.tasks()
		s.ctx = context.Background() // Stop cancels the runs, and Execute need not watch a context
	}
	if cfg.Target != nil {
		s.target = &guarded{target: cfg.Target}
	}
	s.drawer = newDrawer(cfg, tasks)
	if s.cfg.pacer == nil {
		s.cfg.pacer = newPacer()
	}
	for range 2 * goruntime.GOMAXPROCS(0) {
		s.recorders = append(s.recorders, newRecorder())
	}
	s.pool = newPool(s, cfg.MaxInFlight)
	return s, nil
}

// halt ends the sending.
func (s *session) halt() {
	s.halted.Do(func() {
		s.stop.Store(true)
		close(s.stopped)
	})
}

// interruptedDrain is how long requests under way are waited for when the user
// wants to leave.
const interruptedDrain = time.Second

func (s *session) run(ctx context.Context) *Result {
	env := environment(s.cfg.pacer.name())
	startedAt := time.Now()
	if s.cfg.Concurrency == 0 && !s.cfg.keepProcs {
		procs := goruntime.GOMAXPROCS(0)
		goruntime.GOMAXPROCS(procs + 1)
		defer goruntime.GOMAXPROCS(procs)
	}
	if s.cfg.Concurrency == 0 {
		s.pool.ready(s.cfg.Arrivals.Burst)
	}
	s.start = time.Now()
	s.before = read(0)
	unhook := context.AfterFunc(ctx, func() { s.cut.Store(true); s.halt() })
	defer unhook()
	sampler := s.startSampler()

	var clients *sync.WaitGroup
	if s.cfg.Concurrency > 0 {
		clients = s.loop()
	} else {
		sending := make(chan struct{})
		go func() { // a goroutine of its own, whose locked thread ends with it
			defer close(sending)
			s.generate()
		}()
		<-sending
		clients = s.pool.close()
	}
	lost := s.drain(ctx, clients)
	s.after, s.afterOps = read(0), s.completed.Load()
	sampler()
	r := s.result(startedAt, env, lost)
	if s.rt != nil {
		stop, cancel := context.WithTimeout(context.Background(), s.cfg.Drain)
		defer cancel()
		if err := s.rt.Stop(stop); err != nil && r.AccountingError == "" && !s.abandoned {
			r.AccountingError = "the runtime did not come to rest: " + err.Error()
		}
	}
	s.cancel()
	return r
}

// drain waits for the clients, cancels what takes too long, and returns how many
// requests never ended.
func (s *session) drain(ctx context.Context, clients *sync.WaitGroup) (lost uint64) {
	ended := make(chan struct{})
	go func() { clients.Wait(); close(ended) }()
	patience := time.NewTimer(s.cfg.Drain)
	defer patience.Stop()
	if s.cfg.Concurrency > 0 { // its clients are the ones that send: wait for the plan to end first
		timeUp := time.NewTimer(time.Until(s.start.Add(s.cfg.Duration)))
		defer timeUp.Stop()
		select {
		case <-ended:
			return 0
		case <-timeUp.C:
		case <-s.stopped:
		}
		s.halt()
		patience.Reset(s.cfg.Drain)
	}
	if s.cut.Load() || s.aborted.Load() != nil {
		patience.Reset(min(interruptedDrain, s.cfg.Drain))
	}
	select {
	case <-ended:
		return 0
	case <-patience.C:
	case <-ctx.Done():
		hasty := time.NewTimer(min(interruptedDrain, s.cfg.Drain))
		defer hasty.Stop()
		select {
		case <-ended:
			return 0
		case <-hasty.C:
		}
	}
	s.abandoned = true
	s.halt()
	s.cancel()
	grace := 5 * time.Second
	if s.rt != nil {
		grace += s.rt.Config().CancelGrace
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.rt.Stop(now) // the requests end with errors, which are counted
	}
	last := time.NewTimer(grace)
	defer last.Stop()
	select {
	case <-ended:
		return 0
	case <-last.C:
		return s.sent.Load() + s.warmSent.Load() - s.completed.Load()
	}
}

// underWay is how many requests were sent and have not ended.
func (s *session) underWay() int {
	ended := s.completed.Load() // first, so that none has ended that was not sent
	return int(s.sent.Load() + s.warmSent.Load() - ended)
}

// elapsed is the time since the start.
func (s *session) elapsed() time.Duration { return time.Since(s.start) }

// classify tells how a request ended from its error.
func classify(err error) outcome {
	switch {
	case err == nil:
		return outcomeDone
	case errors.Is(err, runtime.ErrOverloaded):
		return outcomeShed
	}
	return outcomeFailed
}

// serve sends one request and records how it went.
func (s *session) serve(r *Request, rec *recorder, index uint64, intended time.Duration) {
	s.drawer.prepare(r, index)
	sent := s.elapsed()
	if s.cfg.Concurrency > 0 {
		intended = sent
	}
	if intended < s.cfg.Warmup {
		s.warmSent.Add(1)
	} else {
		s.sent.Add(1)
	}
	err := s.target.Do(s.ctx, r)
	end := s.elapsed()
	out := classify(err)
	if out == outcomeFailed && s.failure.Load() == nil {
		s.fail(err)
	}
	if intended < s.cfg.Warmup {
		s.warm[out].Add(1)
	} else {
		rec.record(measurement{intended: intended, sent: sent, end: end, service: r.service, outcome: out, window: s.cfg.Duration})
	}
	s.completed.Add(1)
}

// longestFailure bounds Result.FirstFailure.
const longestFailure = 500

// fail remembers the first failure.
func (s *session) fail(err error) {
	text := err.Error()
	if len(text) > longestFailure {
		text = strings.ToValidUTF8(text[:longestFailure], "") + "..."
	}
	s.failure.CompareAndSwap(nil, &text)
}

// loop starts the clients of a closed loop.
func (s *session) loop() *sync.WaitGroup {
	var clients sync.WaitGroup
	for i := range s.cfg.Concurrency {
		rec := s.recorders[i%len(s.recorders)]
		clients.Go(func() {
			var r Request
			for !s.stop.Load() && s.elapsed() < s.cfg.Duration {
				index := s.next.Add(1) - 1
				if s.cfg.Requests > 0 && index >= uint64(s.cfg.Requests) {
					return
				}
				s.serve(&r, rec, index, 0)
			}
		})
	}
	return &clients
}
