package processor_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/processor"
	"github.com/ringmill/ringmill/runtime/retry"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestSpareRun: a caller keeps a run that went well, as if it were new, and keeps none that somebody else may still know.
func TestSpareRun(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	add := func(_ context.Context, n int) (int, error) { return n + 1, nil }
	failed := false
	for _, c := range []struct {
		name  string
		kept  bool
		cfg   processor.Config
		ctx   context.Context
		body  func(context.Context, int) (int, error)
		opts  processor.Options
		tasks []workflow.Option
		fails bool
	}{
		{name: "plain", kept: true, body: add},
		{name: "observed", kept: true, cfg: processor.Config{Observer: &recorder{name: "o"}}, body: add},
		{name: "timed", kept: true, cfg: processor.Config{TaskTimings: true}, body: add},
		{name: "Inline", kept: true, body: add, tasks: []workflow.Option{workflow.Inline()}},
		{name: "context can end", kept: true, ctx: ctx, body: add},
		{name: "level", kept: true, body: add, opts: processor.Options{Level: workflow.High}},
		{name: "retry policy that is not needed", kept: true, body: add, tasks: []workflow.Option{workflow.Retry(retry.Constant{})}},
		{name: "run timeout", body: add, opts: processor.Options{Timeout: time.Hour}},
		{name: "id", body: add, opts: processor.Options{ID: "x"}},
		{name: "task timeout", kept: true, body: add, tasks: []workflow.Option{workflow.Timeout(time.Hour)}},
		{name: "heartbeat", body: add, tasks: []workflow.Option{workflow.HeartbeatTimeout(time.Hour)}},
		{name: "rate limit", body: add, tasks: []workflow.Option{workflow.RateLimit(judge(func() {}))}},
		{name: "retried", body: func(_ context.Context, n int) (int, error) {
			if failed = !failed; failed {
				return 0, errors.New("once")
			}
			return n + 1, nil
		}, tasks: []workflow.Option{workflow.Retry(retry.Constant{})}},
		{name: "failed", fails: true, body: func(context.Context, int) (int, error) { return 0, errors.New("broken") }},
		{name: "panicked", fails: true, body: func(context.Context, int) (int, error) { panic("broken") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, plan := start(t, c.cfg), plan(t, c.body, c.tasks...)
			if c.ctx == nil {
				c.ctx = context.Background()
			}
			found := false
			for range 50 { // a sync.Pool may lose what it is given, and loses a quarter under the race detector
				out, err := p.Execute(c.ctx, plan, 1, c.opts)
				if (err != nil) != c.fails || !c.fails && out != 2 {
					t.Fatalf("%v, %v", out, err)
				}
				differ, ok := p.Spare()
				if found = found || ok; len(differ) > 0 {
					t.Fatalf("fields %v of the kept run are not as in a new one", differ)
				}
			}
			if found != c.kept {
				t.Errorf("kept a run: %v; want %v", found, c.kept)
			}
		})
	}
}

// TestRefusedRun: a caller keeps a run that was refused, too, as if it were new.
func TestRefusedRun(t *testing.T) {
	p := start(t, processor.Config{MaxRuns: 1})
	release := make(chan struct{})
	holder, err := p.Submit(context.Background(), plan(t, func(context.Context, int) (int, error) { <-release; return 0, nil }), 0, processor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	add := plan(t, func(_ context.Context, n int) (int, error) { return n + 1, nil })
	found := false
	for range 50 { // see TestSpareRun
		if _, err := p.Execute(context.Background(), add, 1, processor.Options{Timeout: time.Hour}); !errors.As(err, new(*processor.OverloadError)) {
			t.Fatalf("beyond MaxRuns: %v", err)
		}
		differ, ok := p.Spare()
		if found = found || ok; len(differ) > 0 {
			t.Fatalf("fields %v of the kept run are not as in a new one", differ)
		}
	}
	if !found {
		t.Error("a refused run was not kept")
	}
	close(release)
	<-holder.Done()
	for _, plan := range []*workflow.Plan{plan(t, func(_ context.Context, n int) (int, error) { return n + 2, nil }), add} {
		if out, err := p.Execute(context.Background(), plan, 1, processor.Options{}); out != 3 && plan != add || out != 2 && plan == add || err != nil {
			t.Errorf("afterwards: %v, %v", out, err)
		}
	}
}

// TestLateTimer: a timer of an attempt that fires when that and its run are over does nothing to the run that has their memory by then.
func TestLateTimer(t *testing.T) {
	p := start(t, processor.Config{})
	var bodies []context.Context
	var late bool
	beats := plan(t, func(ctx context.Context, n int) (int, error) {
		if bodies = append(bodies, ctx); late {
			processor.StuckTimer(bodies[0]).TimerFired()
			for p.Posted() > 0 {
				goruntime.Gosched()
			}
		}
		return n, nil
	}, workflow.HeartbeatTimeout(time.Hour))
	execute := func() {
		if out, err := p.Execute(context.Background(), beats, 1, processor.Options{}); out != 1 || err != nil {
			t.Fatalf("%v, %v", out, err)
		}
	}
	execute()
	processor.StuckTimer(bodies[0]).TimerFired() // there is nothing in its memory now
	late = true
	execute()
	if n := p.Stats().Leaked; n != 0 {
		t.Errorf("%d bodies given up; want none", n)
	}
}

// TestLateOrder: an order about a run that has ended well meanwhile does not meet the run that its caller executes next.
func TestLateOrder(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  func(ctx context.Context, cancel func())
		opts []workflow.Option
	}{
		{name: "cancelled", ask: func(_ context.Context, cancel func()) { cancel() }},
		{name: "overstayed", ask: func(ctx context.Context, _ func()) { processor.Overstays(ctx) }, opts: []workflow.Option{workflow.Timeout(time.Hour)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, processor.Config{WorkflowActors: 1})
			execute := func(ctx context.Context, body func(context.Context, int) (int, error), opts ...workflow.Option) {
				t.Helper()
				if _, err := p.Execute(ctx, plan(t, body, opts...), 0, processor.Options{}); err != nil {
					t.Fatal(err)
				}
			}
			limit := func(reserve func()) workflow.Option { return workflow.RateLimit(judge(reserve)) } // is asked on the workflow actor
			nothing := func(context.Context, int) (int, error) { return 0, nil }
			for range 20 { // sync.Pool may lose the run that would be used again
				entered, leave := make(chan struct{}), make(chan struct{})
				holder, err := p.Submit(context.Background(), plan(t, nothing, limit(func() { close(entered); <-leave })), 0, processor.Options{})
				if err != nil {
					t.Fatal(err)
				}
				<-entered
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				execute(ctx, func(ctx context.Context, _ int) (int, error) {
					c.ask(ctx, cancel)
					for p.Posted() == 0 {
						goruntime.Gosched()
					}
					return 0, nil
				}, c.opts...)
				execute(context.Background(), func(ctx context.Context, _ int) (int, error) {
					close(leave)
					<-holder.Done()
					for range 2 { // the order was obeyed before the second one was
						execute(context.Background(), nothing, limit(func() {}))
					}
					return 0, ctx.Err()
				}, c.opts...)
			}
			if n := p.Stats().Leaked; n != 0 {
				t.Errorf("%d bodies given up; want none", n)
			}
		})
	}
}

// TestLateOverstay: a timer that fires when its attempt has ended orders nothing.
func TestLateOverstay(t *testing.T) {
	p := start(t, processor.Config{})
	for _, ask := range []bool{false, true} {
		var kept context.Context
		quick := plan(t, func(ctx context.Context, n int) (int, error) {
			if kept = ctx; ask {
				_ = ctx.Done()
			}
			return n, nil
		}, workflow.Timeout(time.Hour))
		if _, err := p.Execute(context.Background(), quick, 1, processor.Options{}); err != nil {
			t.Fatal(err)
		}
		processor.Overstays(kept)
		if n := p.Posted(); n != 0 {
			t.Errorf("asked for Done: %v: %d orders; want none", ask, n)
		}
	}
}

// judge is a rate limit that calls itself and lets everything begin.
type judge func()

func (j judge) Reserve() (time.Duration, error) { j(); return 0, nil }
