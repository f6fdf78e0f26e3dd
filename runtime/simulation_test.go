package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestSimulation plays random runtimes, workflows, callers and accidents in fake time, each from a seed of its own: tasks are slow, lost (deaf
// to their context), panic, exit, cancel their own run or are cancelled; mailboxes have 1 to 4 places, and there are few actors of
// either kind, so that every bound is hit. Whatever happens, each run ends in one way that its report, its error and the counters
// agree on; no body runs before what it waits for, twice at once, or below a failure; what succeeded in a run that failed is undone in
// the reverse order of its ends, once, and nothing else is; and nothing is left.
//
// A failure prints its seed, and RINGMILL_SEED=N plays that again: the same runtimes, graphs and accidents, although goroutines may
// take other turns. RINGMILL_STRESS=10m plays for that long, in real time.
func TestSimulation(t *testing.T) {
	if s := os.Getenv("RINGMILL_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("RINGMILL_SEED: %q is not a number; want that of a failure", s)
		}
		simulate(t, seed)
		return
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("first seed %d", seed)
	n := 0
	for end := time.Now().Add(soakFor(t)); time.Now().Before(end) && !t.Failed(); n++ {
		simulate(t, seed+uint64(n))
	}
	t.Logf("%d simulations", n)
}

// A simulation is one runtime with everything that happens to it.
type simulation struct {
	t    *testing.T
	seed uint64
	rng  *rand.Rand
	rt   *runtime.Runtime
}

func simulate(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		s := &simulation{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 17))}
		cfg := runtime.Config{
			WorkflowActors:  1 + s.rng.IntN(3),
			TaskActors:      1 + s.rng.IntN(4),
			MailboxCapacity: 1 + s.rng.IntN(4),
			MaxRuns:         1 + s.rng.IntN(12),
			CancelGrace:     time.Second,
			CompensateGrace: time.Minute,
			RetainedRuns:    1 + s.rng.IntN(8),
			Schedule:        runtime.Schedule(s.rng.IntN(2)),
			Policy:          []string{"idle", "round-robin", "least-loaded", "hash"}[s.rng.IntN(4)],
			TaskTimings:     s.rng.IntN(2) == 0,
		}
		rt, err := runtime.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		s.rt = rt
		defs := make([]*actedGraph, 1+s.rng.IntN(4))
		for i := range defs {
			defs[i] = s.graph()
		}
		var ended atomic.Int64
		runs := 5 + s.rng.IntN(30)
		for range runs {
			g := defs[s.rng.IntN(len(defs))]
			p := s.performance(g)
			go func() {
				defer ended.Add(1)
				p.play()
			}()
			if s.rng.IntN(3) == 0 {
				time.Sleep(time.Duration(s.rng.IntN(1000)) * time.Millisecond)
			}
		}
		ctx := context.Background()
		if s.rng.IntN(3) == 0 { // Stop loses its patience
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, time.Duration(s.rng.IntN(10_000))*time.Millisecond)
			defer cancel()
		}
		if err := rt.Stop(ctx); err != nil && ctx.Err() == nil && !strings.Contains(err.Error(), "still run") && !strings.Contains(err.Error(), "at work") {
			// Bodies that are lost are told about, unless they return at that very moment.
			s.errorf("Stop: %v", err)
		}
		time.Sleep(time.Hour) // bodies that were given up return
		if ended.Load() != int64(runs) {
			s.errorf("%d of %d callers have their answer", ended.Load(), runs)
		}
		checkCounts(t, rt)
		if stats := rt.Stats(); stats.Leaked != 0 || stats.Defects != 0 {
			s.errorf("leaked %d, defects %d", stats.Leaked, stats.Defects)
		}
		if t.Failed() {
			t.Logf("RINGMILL_SEED=%d", seed)
		}
	})
}

func (s *simulation) errorf(format string, args ...any) {
	s.t.Errorf("seed %d: %s", s.seed, fmt.Sprintf(format, args...))
}

// What bodies do.
const (
	actQuick = iota
	actSlow
	actLost
	actFail
	actPanic
	actExit
	actCancel // its own run
	actCount
)

// An actedGraph is a workflow whose bodies act as the performance in their context says.
type actedGraph struct {
	def  *workflow.Definition[*performance, int]
	deps [][]int
	undo []bool // the task has a compensation
}

// graph draws a workflow of up to 12 tasks with edges to earlier ones, retries, timeouts and compensations.
func (s *simulation) graph() *actedGraph {
	n := 1 + s.rng.IntN(12)
	g := &actedGraph{deps: make([][]int, n), undo: make([]bool, n)}
	b := workflow.New[*performance]("simulated", workflow.CompensateTimeout(10*time.Second))
	nodes := make([]workflow.Node, n)
	for i := range n {
		var after []workflow.Node
		for range s.rng.IntN(3) {
			if i > 0 {
				d := s.rng.IntN(i)
				g.deps[i] = append(g.deps[i], d)
				after = append(after, nodes[d])
			}
		}
		opts := []workflow.Option{workflow.After(after...)}
		if s.rng.IntN(2) == 0 {
			opts = append(opts, workflow.Retry(retry.Exponential{MaxAttempts: 3, Base: 100 * time.Millisecond, Max: time.Second}))
		}
		if s.rng.IntN(2) == 0 {
			opts = append(opts, workflow.Timeout(time.Duration(1+s.rng.IntN(3000))*time.Millisecond))
		}
		if s.rng.IntN(4) == 0 {
			opts = append(opts, workflow.TaskTimeout(time.Duration(1+s.rng.IntN(5000))*time.Millisecond))
		}
		if g.undo[i] = s.rng.IntN(2) == 0; g.undo[i] {
			opts = append(opts, workflow.Compensate(func(ctx context.Context, p *performance) error { return p.undo(ctx, i) }))
		}
		nodes[i] = workflow.Task(b, strconv.Itoa(i), func(ctx context.Context, p *performance) (*performance, error) {
			return p, p.act(ctx, i)
		}, b.Input(), opts...)
	}
	out := workflow.Task(b, "out", func(context.Context, *performance) (int, error) { return 7, nil }, b.Input(), workflow.After(nodes...))
	def, err := workflow.Build(b, out)
	if err != nil {
		s.t.Fatal(err)
	}
	g.def = def
	return g
}

// A performance is one run: what its bodies will do, and what they did.
type performance struct {
	s      *simulation
	graph  *actedGraph
	opts   []runtime.RunOption
	cancel time.Duration // of the run, after that; 0: not
	acts   [][3]int      // by task and attempt
	waits  [][3]time.Duration
	undos  []int // what the compensations do

	run    atomic.Pointer[runtime.Run[int]]
	inside []atomic.Int32
	done   []atomic.Bool
	undone ledger
}

func (s *simulation) performance(g *actedGraph) *performance {
	n := len(g.deps)
	p := &performance{s: s, graph: g, acts: make([][3]int, n), waits: make([][3]time.Duration, n), undos: make([]int, n),
		inside: make([]atomic.Int32, n), done: make([]atomic.Bool, n)}
	calm := s.rng.IntN(2) == 0
	for i := range n {
		for k := range 3 {
			p.waits[i][k] = time.Duration(s.rng.IntN(4000)) * time.Millisecond
			switch {
			case s.rng.IntN(4) > 0:
			case calm:
				p.acts[i][k] = s.rng.IntN(actLost)
			default:
				p.acts[i][k] = s.rng.IntN(actCount)
			}
		}
		if s.rng.IntN(4) == 0 {
			p.undos[i] = s.rng.IntN(actCancel)
		}
	}
	if s.rng.IntN(4) == 0 {
		p.cancel = time.Duration(1+s.rng.IntN(3000)) * time.Millisecond
	}
	if s.rng.IntN(4) == 0 {
		p.opts = append(p.opts, runtime.RunTimeout(time.Duration(1+s.rng.IntN(6000))*time.Millisecond))
	}
	if s.rng.IntN(2) == 0 {
		p.opts = append(p.opts, runtime.ID(fmt.Sprint("id-", s.rng.Uint64())))
	}
	return p
}

// act is the body of task i.
func (p *performance) act(ctx context.Context, i int) error {
	if p.inside[i].Add(1) > 1 {
		p.s.errorf("task %d has two bodies at once", i)
	}
	defer p.inside[i].Add(-1)
	for _, d := range p.graph.deps[i] {
		if !p.done[d].Load() {
			p.s.errorf("task %d began before its dependency %d ended", i, d)
		}
	}
	k := min(workflow.AttemptOf(ctx).Number(), 3) - 1
	if err := p.perform(ctx, p.acts[i][k], p.waits[i][k]); err != nil {
		return err
	}
	p.done[i].Store(true)
	return nil
}

// undo is the compensation of task i.
func (p *performance) undo(ctx context.Context, i int) error {
	p.undone.note("%d", i)
	return p.perform(ctx, p.undos[i], p.waits[i][0])
}

func (p *performance) perform(ctx context.Context, act int, wait time.Duration) error {
	switch act {
	case actSlow:
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	case actLost:
		time.Sleep(wait + 20*time.Second)
	case actFail:
		return errCard
	case actPanic:
		panic(errCard)
	case actExit:
		goruntime.Goexit()
	case actCancel:
		if run := p.run.Load(); run != nil {
			run.Cancel()
		}
		<-time.After(time.Millisecond)
	}
	return nil
}

// play starts the run and checks how it ends.
func (p *performance) play() {
	run, err := runtime.Start(context.Background(), p.s.rt, p.graph.def, p, p.opts...)
	if err != nil {
		if !errors.Is(err, runtime.ErrOverloaded) && !errors.Is(err, runtime.ErrStopped) {
			p.s.errorf("Start: %v", err)
		}
		return
	}
	p.run.Store(run)
	if p.cancel > 0 {
		time.Sleep(p.cancel)
		run.Cancel()
	}
	out, err := run.Result(context.Background())
	p.check(run.Report(), out, err)
}

func (p *performance) check(rep runtime.Report, out int, err error) {
	switch rep.Status {
	case workflow.StatusSucceeded:
		if err != nil || out != 7 || len(rep.Compensations) != 0 {
			p.s.errorf("succeeded with %d, %v, %d compensations", out, err, len(rep.Compensations))
		}
	case workflow.StatusFailed, workflow.StatusCancelled:
		if err == nil {
			p.s.errorf("%v without an error", rep.Status)
		}
	default:
		p.s.errorf("ended as %v", rep.Status)
	}
	owed := make(map[string]time.Time) // tasks to be undone, by the ends of their bodies
	for i, task := range rep.Tasks[:len(p.graph.deps)] {
		switch {
		case !task.Status.Ended():
			p.s.errorf("task %d is %v after the end of its run", i, task.Status)
		case task.Status == workflow.StatusSucceeded && !p.done[i].Load():
			p.s.errorf("task %d succeeded without its body", i)
		case rep.Status == workflow.StatusSucceeded && task.Status != workflow.StatusSucceeded:
			p.s.errorf("task %d is %v in a run that succeeded", i, task.Status)
		}
		if task.Status == workflow.StatusSucceeded && p.graph.undo[i] && rep.Status != workflow.StatusSucceeded {
			owed[task.Name] = task.Finished
		}
	}
	called := make(map[string]bool)
	for k, c := range rep.Compensations {
		if _, ok := owed[c.Task]; !ok || called[c.Task] {
			p.s.errorf("task %s was compensated without a reason, or twice", c.Task)
		}
		called[c.Task] = true
		for _, later := range rep.Compensations[k+1:] { // what depends on a task ends after it, and is undone before
			i, _ := strconv.Atoi(c.Task)
			j, _ := strconv.Atoi(later.Task)
			if dependsOn(p.graph.deps, j, i) {
				p.s.errorf("task %d was undone after task %d, which it depends on", j, i)
			}
		}
		if (c.Err == nil) != (c.Status == workflow.StatusSucceeded) || c.Err != nil && !errors.Is(err, c.Err) {
			p.s.errorf("the compensation of task %s %v with %v, which the run's error does not hold: %v", c.Task, c.Status, c.Err, err)
		}
	}
	if len(called) != len(owed) {
		p.s.errorf("%d of %d tasks were compensated", len(called), len(owed))
	}
}

// dependsOn reports whether task i waits for task d, directly or not.
func dependsOn(deps [][]int, i, d int) bool {
	for _, x := range deps[i] {
		if x == d || dependsOn(deps, x, d) {
			return true
		}
	}
	return false
}
