package workflow_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/runtime/workflow"
)

func TestMain(m *testing.M) {
	workflow.LiftGate()
	goleak.VerifyTestMain(m)
}
