package loadgen_test

import (
	"testing"

	"go.uber.org/goleak"

	_ "github.com/ringmill/ringmill/mailbox/workiva" // registers itself
)

// ants starts two goroutines for its default pool when it is linked.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }
