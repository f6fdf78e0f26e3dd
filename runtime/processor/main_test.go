package processor_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/runtime/processor"
)

// ants starts two goroutines for its default pool when it is linked.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// start returns a small processor that is stopped when the test ends.
func start(t *testing.T, cfg processor.Config) *processor.Processor {
	t.Helper()
	def := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	def(&cfg.WorkflowActors, 2)
	def(&cfg.TaskActors, 2)
	def(&cfg.MailboxCapacity, 16)
	def(&cfg.MaxRuns, 16)
	if cfg.CancelGrace == 0 {
		cfg.CancelGrace = time.Minute
	}
	p, err := processor.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}
