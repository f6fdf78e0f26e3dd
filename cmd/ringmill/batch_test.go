package main_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	ringmillcmd "github.com/ringmill/ringmill/cmd/ringmill"
	"github.com/ringmill/ringmill/runtime"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// TestBatchCountsByStatus: a run is what its status says, whatever its error
// wraps; only a plain cancellation is no reason to fail.
func TestBatchCountsByStatus(t *testing.T) {
	for _, test := range []struct {
		status workflow.Status
		err    error
		want   string
		first  bool
	}{
		{workflow.StatusSucceeded, nil, "1 0 0", false},
		{workflow.StatusFailed, errors.New("declined"), "0 1 0", true},
		{workflow.StatusFailed, fmt.Errorf("the service says: %w", context.Canceled), "0 1 0", true},
		{workflow.StatusCancelled, context.Canceled, "0 0 1", false},
		{workflow.StatusCancelled, runtime.ErrOverloaded, "0 0 1", true},
	} {
		succeeded, failed, cancelled, first := ringmillcmd.BatchOf(test.status, test.err)
		if got := fmt.Sprint(succeeded, failed, cancelled); got != test.want || (first != nil) != test.first {
			t.Errorf("%s, %v: %s, first %v; want %s, %t", test.status, test.err, got, first, test.want, test.first)
		}
	}
}
