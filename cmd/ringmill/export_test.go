package main

import (
	"time"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// BatchOf returns what --count tells after one run that ended so.
func BatchOf(status workflow.Status, err error) (succeeded, failed, cancelled int64, first error) {
	var b batch
	b.end(status, err, time.Millisecond)
	s := b.sum("wf", 1, time.Second)
	return s.Succeeded, s.Failed, s.Cancelled, s.First
}
