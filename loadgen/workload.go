package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// A Workload says what one request is: a run of a workflow. The zero value is a
// workflow of one task that does nothing.
type Workload struct {
	// Workflow is noop (one task), chain:N (one after the other), fan:N (one, N
	// side by side, one), diamond (one, two, one), or the name of the file that
	// Definition was read from. Defaults to noop.
	Workflow string

	// Definition is a workflow that was read with workflow.Parse. Its tasks do
	// what it says, unless Synthetic is set.
	Definition *workflow.Definition[json.RawMessage, json.RawMessage]
	// Synthetic takes only the graph of Definition and gives it bodies of Work.
	Synthetic bool
	// Input of every run of Definition. Defaults to the JSON null.
	Input json.RawMessage

	Work    Work    // of each task's body
	Fail    float64 // share of runs in which one task fails, 0 to 1
	Panic   float64 // share of runs in which one task panics, 0 to 1
	Payload int     // bytes that every task copies and returns, 0 to 1 MiB
	// Hot is the exponent of a Zipf distribution over 1,024 keys, from 0.1 to
	// 10: each run draws one, and its tasks hold the lock of their key while
	// they work, as code that guards an account or a row does. 0 is no key.
	Hot float64
}

// The bounds of Workload.
const (
	MaxPayload = 1 << 20
	Keys       = 1024
)

// ErrInjected is what a task fails with that Workload.Fail or Panic chose.
var ErrInjected = errors.New("loadgen: injected failure")

// ParseHot reads zipf:S.
func ParseHot(s string) (float64, error) {
	text, ok := strings.CutPrefix(s, "zipf:")
	f, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || !(f >= 0.1 && f <= 10) {
		return 0, fmt.Errorf("%q is unknown; want zipf:S with S from 0.1 to 10, such as zipf:1.1", s)
	}
	return f, nil
}

func (w Workload) check() error {
	var problems []error
	if w.Definition == nil {
		if _, ok, err := parseShape(w.Workflow); err != nil {
			problems = append(problems, fmt.Errorf("Workload.Workflow: %w", err))
		} else if !ok {
			problems = append(problems, fmt.Errorf("Workload.Workflow: %q is unknown; want noop, chain:N, fan:N or diamond, or a Definition", w.Workflow))
		}
	} else if !w.Synthetic && (!w.Work.IsZero() || w.Fail > 0 || w.Panic > 0 || w.Payload > 0 || w.Hot > 0) {
		problems = append(problems, errors.New("Workload.Synthetic: Work, Fail, Panic, Payload and Hot need bodies of the load generator: set it, or leave them out"))
	}
	if err := w.Work.check(); err != nil {
		problems = append(problems, fmt.Errorf("Workload.Work: %w", err))
	}
	for name, share := range map[string]float64{"Workload.Fail": w.Fail, "Workload.Panic": w.Panic} {
		if !(share >= 0 && share <= 1) {
			problems = append(problems, fmt.Errorf("%s: %v is out of range; want 0 to 1", name, share))
		}
	}
	if w.Payload < 0 || w.Payload > MaxPayload {
		problems = append(problems, fmt.Errorf("Workload.Payload: %d is out of range; want 0 to %d", w.Payload, MaxPayload))
	}
	if w.Hot != 0 && !(w.Hot >= 0.1 && w.Hot <= 10) {
		problems = append(problems, fmt.Errorf("Workload.Hot: %v is out of range; want 0.1 to 10, or 0 for none", w.Hot))
	}
	return errors.Join(problems...)
}

// timed reports whether the times of the bodies are measured by the runtime.
func (w Workload) timed() bool { return w.Definition != nil && !w.Synthetic }

// A workflowTarget is a workload made ready to run on a runtime.
type workflowTarget struct {
	rt    *runtime.Runtime
	graph shape
	def   *workflow.Definition[*Request, *Request]
	file  *workflow.Definition[json.RawMessage, json.RawMessage]
	input json.RawMessage
	work  Work
	locks []sync.Mutex // by key
}

func newWorkflowTarget(rt *runtime.Runtime, w Workload) (*workflowTarget, error) {
	t := &workflowTarget{rt: rt, work: w.Work}
	if w.timed() {
		t.file, t.input = w.Definition, w.Input
		if t.input == nil {
			t.input = json.RawMessage("null")
		}
		return t, nil
	}
	if w.Definition != nil {
		t.graph = shapeOf(w.Definition.Plan())
	} else {
		var err error
		if t.graph, _, err = parseShape(w.Workflow); err != nil {
			return nil, err
		}
	}
	if w.Hot > 0 {
		t.locks = make([]sync.Mutex, Keys)
	}
	if !w.Work.IsZero() && !w.Work.Sleep {
		stepsPerNanosecond() // measured now, not by the first task
	}
	b := workflow.New[*Request]("loadgen")
	nodes := make([]workflow.Node, len(t.graph))
	for i, deps := range t.graph {
		after := make([]workflow.Node, len(deps))
		for j, d := range deps {
			after[j] = nodes[d]
		}
		nodes[i] = workflow.Task(b, strconv.Itoa(i), t.body(i), b.Input(), workflow.After(after...))
	}
	var err error
	t.def, err = workflow.Build(b, b.Input())
	return t, err
}

// body returns the function of one task.
func (t *workflowTarget) body(task int) func(context.Context, *Request) ([]byte, error) {
	return func(_ context.Context, r *Request) ([]byte, error) {
		if !t.work.IsZero() || t.locks != nil {
			begin := time.Now()
			t.labour(r, task)
			r.times[task] = int64(time.Since(begin))
		}
		switch int32(task) {
		case r.panicAt:
			panic(ErrInjected)
		case r.failAt:
			return nil, ErrInjected
		}
		return slices.Clone(r.Payload), nil
	}
}

func (t *workflowTarget) labour(r *Request, task int) {
	if t.locks != nil {
		t.locks[r.Key].Lock()
		defer t.locks[r.Key].Unlock()
	}
	t.work.do(t.work.duration(draw(r.seed, r.Index, drawWork+uint64(task))))
}

// Do executes one run.
func (t *workflowTarget) Do(ctx context.Context, r *Request) error {
	if t.file != nil {
		return t.doFile(ctx, r)
	}
	measured := !t.work.IsZero() || t.locks != nil
	if measured {
		r.times = slices.Grow(r.times[:0], len(t.graph))[:len(t.graph)]
		clear(r.times)
	}
	_, err := runtime.Execute(ctx, t.rt, t.def, r)
	r.service = 0
	if measured {
		r.service = t.graph.longest(r.times)
	}
	return err
}

func (t *workflowTarget) doFile(ctx context.Context, r *Request) error {
	run, err := runtime.Start(ctx, t.rt, t.file, t.input)
	if err != nil {
		return err
	}
	_, err = run.Result(context.Background()) // it ends: Stop cancels what takes too long
	r.service = int64(run.Report().CriticalPath)
	return err
}

// tasks returns how many tasks a run has.
func (t *workflowTarget) tasks() int {
	if t.file != nil {
		return len(t.file.Plan().Tasks)
	}
	return len(t.graph)
}

// A drawer sets what a request draws.
type drawer struct {
	seed      uint64
	work      Workload
	tasks     uint64
	payload   []byte
	keyShares []float64 // cumulative, of the keys
}

func newDrawer(cfg Config, tasks int) *drawer {
	d := &drawer{seed: cfg.Seed, work: cfg.Workload, tasks: uint64(tasks)}
	if n := cfg.Workload.Payload; n > 0 {
		d.payload = make([]byte, n)
		for i := range d.payload {
			d.payload[i] = byte(draw(cfg.Seed, uint64(i), 0))
		}
	}
	if s := cfg.Workload.Hot; s > 0 {
		d.keyShares = make([]float64, Keys)
		sum := 0.0
		for i := range d.keyShares {
			sum += math.Pow(float64(i+1), -s)
			d.keyShares[i] = sum
		}
		for i := range d.keyShares {
			d.keyShares[i] /= sum
		}
	}
	return d
}

// prepare makes r the request with the given index.
func (d *drawer) prepare(r *Request, index uint64) {
	r.Index, r.seed, r.Payload = index, d.seed, d.payload
	r.failAt, r.panicAt, r.service, r.Key = -1, -1, -1, 0
	if d.keyShares != nil {
		r.Key, _ = slices.BinarySearch(d.keyShares, unit(draw(d.seed, index, drawKey)))
		r.Key = min(r.Key, Keys-1)
	}
	if d.work.Fail > 0 && unit(draw(d.seed, index, drawFail)) < d.work.Fail {
		r.failAt = int32(draw(d.seed, index, drawFailAt) % d.tasks)
	}
	if d.work.Panic > 0 && unit(draw(d.seed, index, drawPanic)) < d.work.Panic {
		r.panicAt = int32(draw(d.seed, index, drawPanicAt) % d.tasks)
	}
}
