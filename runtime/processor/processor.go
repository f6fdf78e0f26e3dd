package processor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/actor"
	"github.com/ringmill/ringmill/runtime/cache"
	"github.com/ringmill/ringmill/runtime/workflow"
	"github.com/ringmill/ringmill/scheduler"
)

// A Processor admits runs and executes them on its actors. Its methods are safe
// for concurrent use.
type Processor struct {
	cfg         Config
	clock       clock
	timed       bool    // somebody wants times
	lean        bool    // nobody wants to know about attempts: see taskActor.executeLean
	bounded     bool    // of such attempts some need no timer each: see taskActor.executeBounded
	direct      bool    // runs may begin on their callers' goroutines: see beginHere
	sizing      *sizing // nil: the number of task actors stays
	prefix      string  // of generated run ids
	creditLimit int

	sys       *actor.System
	workflows []*workflowActor
	pool      scheduler.Policy[*attempt]
	giveFunc  func(member int, a *attempt) // give, stored once since a method value allocates
	members   []atomic.Pointer[taskActor]
	hops      []hopCounter // by member
	wheel     *scheduler.Wheel
	mayOwe    int       // credits that a task actor may keep for a while
	callers   sync.Pool // of *caller
	cacheOnce sync.Once
	cache     atomic.Pointer[cache.Cache] // nil until a task asks for it

	runsLine    line // callers that found runs taken
	mailboxLine line // callers that found every mailbox full
	count       counters
	leaks       leakBudget // behind count, whose fields are rarely written: it is looked at before each attempt

	compensating atomic.Int64 // runs that have their tasks undone
	undoHalted   atomic.Bool  // no compensation begins any more
	stopping     atomic.Bool
	halted       atomic.Bool // the actors are being stopped, and nothing is left for them
	idleOnce     sync.Once
	idle         chan struct{} // closed when stopping and nothing is in flight
	stopped      chan struct{} // closed when Stop is through
	stopErr      error         // before stopped is closed

	_       [64]byte // these two are written for each run, what is around them is read for each task
	runs    places   // in flight: admitted and not ended
	numbers atomic.Uint64
	_       [64]byte

	unbegun runList // with OverflowDropOldest
	named   namedRuns

	emptyMu sync.Mutex
	empty   []*attempt // abandoned ones whose places were not filled
}

// maxOwed bounds the credits that a task actor keeps for a while; more would save little. Task actors under
// bodies that were given up keep theirs until those return, and there may be twice as many of them as there are
// task actors: what all keep together is less than the prefetch.
const maxOwed = 16

// New starts a Processor. It fails only if its actors cannot be started.
func New(cfg Config) (*Processor, error) {
	p := &Processor{
		cfg:         cfg,
		clock:       newClock(cfg.Clock),
		timed:       cfg.TaskTimings || cfg.Observer != nil || cfg.Schedule == ScheduleMeasuredPath,
		prefix:      "r-" + rand.Text()[:8] + "-",
		creditLimit: cfg.maxTaskActors() + cfg.prefetch(),
		workflows:   make([]*workflowActor, cfg.WorkflowActors),
		members:     make([]atomic.Pointer[taskActor], cfg.maxTaskActors()),
		hops:        make([]hopCounter, cfg.maxTaskActors()),
		idle:        make(chan struct{}),
		stopped:     make(chan struct{}),
	}
	p.lean = !p.timed && cfg.TaskActorsMax == 0
	p.bounded = p.lean && cfg.Clock == nil // whoever has the clock goes by the timers that are armed
	p.direct = cfg.TaskActorsMax == 0 && cfg.Schedule == ScheduleFIFO && cfg.Overflow != OverflowDropOldest
	p.mayOwe = min(maxOwed, cfg.prefetch()/(3*cfg.maxTaskActors()))
	p.callers.New = func() any { return newCaller(p) }
	p.giveFunc = func(member int, a *attempt) { p.give(p.members[member].Load(), a) }
	p.runs.limit = int64(cfg.MaxRuns)
	// Every credit may wait here, for one task actor even, so there is always room.
	pool, err := scheduler.NewPolicy[*attempt](cfg.Policy, cfg.maxTaskActors(), cfg.WorkflowActors*p.creditLimit)
	if err != nil {
		return nil, fmt.Errorf("ringmill: task actors: %w", err)
	}
	p.pool = pool
	wheel := scheduler.WheelConfig{Clock: cfg.Clock}
	if cfg.Clock != nil {
		wheel.Granularity = time.Microsecond // costs nothing when time passes by hand
	}
	if p.wheel, err = scheduler.NewWheel(wheel); err != nil {
		return nil, fmt.Errorf("ringmill: timers: %w", err)
	}
	sys, err := actor.NewSystem(actor.SystemConfig{
		BlockingWorkers: cfg.maxTaskActors(),
		Sample:          cfg.SampleActors,
		Clock:           cfg.Clock,
		OnDeadLetter:    p.deadLetter,
		OnFailure:       p.defect,
	})
	if err != nil {
		return nil, fmt.Errorf("ringmill: start actors: %w", err)
	}
	p.sys = sys
	p.cfg.Observer = contain(cfg.Observer, &p.count.observerPanics)
	if cfg.TaskActorsMax > 0 {
		if p.sizing, err = newSizing(p); err != nil {
			return nil, fmt.Errorf("ringmill: task actors: %w", err)
		}
		p.pool.Resize(cfg.TaskActors, p.giveFunc)
		p.sys.Executor(true).AddWorkers(cfg.TaskActors - cfg.maxTaskActors())
	}
	p.named.init(p)
	for i := range cfg.TaskActors { // others are made when the number grows
		p.members[i].Store(p.newTaskActor(i))
	}
	for i := range p.workflows {
		p.workflows[i] = p.newWorkflowActor(i)
	}
	return p, nil
}

func (p *Processor) newTaskActor(index int) *taskActor {
	t := &taskActor{p: p, index: index}
	t.watch.init(p)
	t.ref = actor.Spawn(p.sys, t.receive, actor.Config{
		Name:            fmt.Sprintf("task-%d", index),
		MailboxCapacity: 1,
		Blocking:        true,
	})
	return t
}

func (p *Processor) newWorkflowActor(index int) *workflowActor {
	w := &workflowActor{p: p, index: index, ready: newReadyQueue(p.cfg.Schedule), drained: make(chan struct{})}
	w.credits.Store(int64(p.creditLimit))
	w.inline = &taskActor{p: p, index: inlineIndex}
	w.waiting.limit = int64(p.cfg.MailboxCapacity)
	w.ref = actor.Spawn(p.sys, w.receive, actor.Config{
		Name:            fmt.Sprintf("workflow-%d", index),
		MailboxCapacity: p.cfg.MailboxCapacity + p.creditLimit,
		MailboxKind:     p.cfg.MailboxKind,
		OnSignal:        w.obey,
	})
	return w
}

// Options are what a caller may say about one run.
type Options struct {
	ID       string         // empty: one is made
	Timeout  time.Duration  // of the run; 0 is none
	Level    workflow.Level // of tasks that have none of their own; 0 is Normal
	Detached bool           // the run outlives ctx, which lends it its values only
	Wait     bool           // with OverflowDefault: wait for room within ctx
	Request  string         // with an ID: what its input is, for comparison; equal for requests that are
	Same     any            // with an ID: a pointer or channel that stands for an input whose contents cannot be compared; nil of others

	named *namedRun // with an ID
}

// Submit admits a run of plan. It returns when a workflow actor has it, with an
// error that is ErrStopped, an *OverloadError, or (when it waited for room in
// vain) the context's. With an ID that is a run's already it returns that run, or
// ErrIDConflict if it is one of another workflow or input.
func (p *Processor) Submit(ctx context.Context, plan *workflow.Plan, input any, opts Options) (*Run, error) {
	if opts.ID != "" {
		r, _, err := p.submitNamed(ctx, plan, input, opts)
		return r, err
	}
	return p.submit(ctx, plan, input, opts, nil)
}

// Execute admits a run of plan and waits for its outcome; when ctx ends it cancels the run and
// waits for that. Its errors are Submit's and the run's.
func (p *Processor) Execute(ctx context.Context, plan *workflow.Plan, input any, opts Options) (any, error) {
	if opts.ID != "" {
		return p.executeNamed(ctx, plan, input, opts)
	}
	c := p.callers.Get().(*caller)
	r, err := p.submit(ctx, plan, input, opts, c)
	if err != nil {
		p.callers.Put(c)
		return nil, err
	}
	c.execute()
	c.wait(ctx, r)
	output, err := r.output, r.err
	c.reclaim(r)
	p.callers.Put(c)
	return output, err
}

func (p *Processor) submit(ctx context.Context, plan *workflow.Plan, input any, opts Options, c *caller) (*Run, error) {
	if ctx.Err() != nil {
		return nil, Cause(ctx)
	}
	if plan.CheckInput != nil {
		if err := protect(func() error { return plan.CheckInput(input) }); err != nil {
			return nil, fmt.Errorf("workflow %s: input: %w", plan.Name, err)
		}
	}
	var r *Run
	if c == nil {
		r = &Run{plan: plan, p: p}
	} else {
		r = c.runOf(p, plan)
	}
	r.init(ctx, input, opts)
	err := p.admit(r)
	if full, ok := err.(*OverloadError); ok {
		if r.named != nil {
			r.named.stall(full)
		}
		err = p.overflow(ctx, r, opts.Wait, full)
	}
	if err != nil {
		r.own.cancel(nil)
		if c != nil {
			c.reclaimRefused(r)
		}
		return nil, err
	}
	return r, nil
}

// newRun makes a run that is not admitted yet.
func (p *Processor) newRun(ctx context.Context, plan *workflow.Plan, input any, opts Options) *Run {
	r := &Run{plan: plan, p: p}
	r.init(ctx, input, opts)
	return r
}

// init makes a run that is not admitted yet of one that knows no more than its plan and its processor.
func (r *Run) init(ctx context.Context, input any, opts Options) {
	p := r.p
	if opts.Detached && (ctx.Done() != nil || ctx.Err() != nil) {
		ctx = context.WithoutCancel(ctx)
	}
	r.deadline, r.timeout = time.Time{}, nil
	if timeout := cmp.Or(opts.Timeout, r.plan.Timeout); timeout > 0 {
		r.deadline = p.clock.read().Add(timeout)
		r.timeout = &timeoutError{what: "run", limit: timeout}
		r.own = newBoundedRunContext(p, ctx, r.deadline, r.timeout)
	} else {
		r.own = &runContext{p: p, parent: ctx}
	}
	r.own.plan, r.own.number, r.own.id, r.own.ctx = r.plan, p.numbers.Add(1), opts.ID, r.own
	r.named, r.input, r.level = opts.named, input, cmp.Or(opts.Level, workflow.Normal)
	if p.timed {
		r.acceptedAt = p.clock.now()
	}
	if p.cfg.Observer != nil {
		r.own.id = r.ID() // once, for all events
	}
}

// assign hands an attempt to an idle task actor, or leaves it in the pool's
// queue, where the next free one finds it.
func (p *Processor) assign(a *attempt) {
	member, a, err := p.pool.Assign(a, a.run.own.number, a.level)
	if err != nil {
		panic("processor: the task pool is full although every credit has a place: " + err.Error())
	}
	if member >= 0 {
		p.give(p.members[member].Load(), a)
	}
}

// assignAll is assign for attempts of one run and level.
func (p *Processor) assignAll(all []*attempt) {
	if len(all) == 1 {
		p.assign(all[0])
		return
	}
	if p.pool.AssignAll(all, all[0].run.own.number, all[0].level, p.giveFunc) < len(all) {
		panic("processor: the task pool is full although every credit has a place")
	}
}

// give wakes a task actor, which is idle, with an attempt.
func (p *Processor) give(t *taskActor, a *attempt) {
	if err := t.ref.Tell(executeTask{a}); err != nil && !p.halted.Load() {
		panic("processor: an idle task actor refused its task: " + err.Error())
	}
}

// leaked puts a new task actor in the place of one whose body was given up, unless
// as many bodies have leaked as there are task actors: then the place stays empty
// until this body returns or another one does.
func (p *Processor) leaked(a *attempt) {
	if p.count.leaked.Load() > int64(p.taskActors()) {
		p.emptyMu.Lock()
		p.empty = append(p.empty, a)
		p.emptyMu.Unlock()
		if p.count.leaked.Load() <= int64(p.taskActors()) {
			p.refill() // a body has returned meanwhile and may have seen no empty place
		}
		return
	}
	p.replaceUnder(a)
}

// refill fills one place that was left empty; false when there is none.
func (p *Processor) refill() bool {
	p.emptyMu.Lock()
	defer p.emptyMu.Unlock()
	for len(p.empty) > 0 {
		a := p.empty[0]
		p.empty[0] = nil
		p.empty = p.empty[1:]
		if p.replaceUnder(a) {
			return true
		}
	}
	return false
}

// returned forgets a place that was left empty under a body that has come back.
func (p *Processor) returned(a *attempt) {
	p.emptyMu.Lock()
	defer p.emptyMu.Unlock()
	p.empty = slices.DeleteFunc(p.empty, func(x *attempt) bool { return x == a })
}

// replaceUnder replaces the task actor under an abandoned attempt; false when its
// body has returned first.
func (p *Processor) replaceUnder(a *attempt) bool {
	p.sys.Executor(true).AddWorkers(1) // before the body can take it back
	if !a.fate.CompareAndSwap(fateOpen, fateReplaced) {
		p.sys.Executor(true).AddWorkers(-1)
		return false
	}
	p.replace(a.actor.index)
	return true
}

// replace puts a new task actor into a place of the pool.
func (p *Processor) replace(index int) {
	t := p.newTaskActor(index)
	p.members[index].Store(t)
	if p.sizing != nil {
		p.sizing.usage[index].since.Store(0) // the body that was given up does not count
	}
	p.resume(t)
}

// resume gives a task actor that is not inside receive its next attempt, or
// makes it idle.
func (p *Processor) resume(t *taskActor) {
	if p.halted.Load() {
		return
	}
	if a, ok := p.pool.Next(t.index); ok {
		p.give(t, a)
	}
}

// notice tells the observer about an attempt.
func (p *Processor) notice(a *attempt, n Notice) {
	if obs := p.cfg.Observer; obs != nil {
		e := a.event()
		defer e.release()
		obs.Noticed(e, n)
	}
}

// defect counts a panic of the engine's own code inside an actor. There should be
// none; the invariants that panic say what broke.
func (p *Processor) defect(f actor.Failure) {
	if errors.Is(f.Err, actor.ErrGoexit) {
		return // user code; see workflowActor.protect and taskActor.exited
	}
	p.count.defects.Add(1)
	if obs := p.cfg.Observer; obs != nil {
		obs.Noticed(&Event{Item: -1, Err: fmt.Errorf("actor %s: %w", f.Actor, f.Err)}, NoticeDefect)
	}
}

// deadLetter reports a message that an actor could not take.
func (p *Processor) deadLetter(d actor.DeadLetter) {
	if obs := p.cfg.Observer; obs != nil {
		obs.Noticed(&Event{Item: -1, Err: fmt.Errorf("actor %s: %w", d.Actor, d.Reason)}, NoticeDeadLetter)
	}
}

// protect calls f, which is user code on its caller's goroutine, and turns a panic
// into an error.
func protect(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &workflow.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
