package scheduler_test

import (
	"context"
	"testing"

	"github.com/ringmill/ringmill/scheduler"
)

func newExecutor(t testing.TB, cfg scheduler.ExecutorConfig) *scheduler.Executor {
	t.Helper()
	e, err := scheduler.NewExecutor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return e
}

// runFunc is an activation that is given as a function.
type runFunc func(w *scheduler.Worker) bool

func (f runFunc) Run(w *scheduler.Worker) bool { return f(w) }

func TestExecutorRunsAndComesAgain(t *testing.T) {
	e := newExecutor(t, scheduler.ExecutorConfig{})
	done := make(chan struct{})
	n := 0
	e.Schedule(runFunc(func(w *scheduler.Worker) bool {
		if w.Executor() != e {
			t.Errorf("Worker.Executor is another one")
		}
		n++
		if n == 1000 {
			close(done)
		}
		return n < 1000
	}))
	<-done
}

func TestOnWorker(t *testing.T) {
	if scheduler.OnWorker() {
		t.Error("OnWorker outside of an executor")
	}
	e := newExecutor(t, scheduler.ExecutorConfig{})
	inside, beside := make(chan bool, 1), make(chan bool, 1)
	e.Schedule(runFunc(func(*scheduler.Worker) bool {
		inside <- deep(100)
		go func() { beside <- scheduler.OnWorker() }()
		return false
	}))
	if !<-inside {
		t.Error("not OnWorker inside an activation")
	}
	if <-beside {
		t.Error("OnWorker on a goroutine that an activation started")
	}
}

// deep asks OnWorker below a stack of many frames.
func deep(n int) bool {
	if n == 0 {
		return scheduler.OnWorker()
	}
	return deep(n-1) && n > 0
}
