package main

import (
	"strings"
	"time"

	"github.com/ringmill/ringmill/loadgen"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// BatchOf returns what --count tells after one run that ended so.
func BatchOf(status workflow.Status, err error) (succeeded, failed, cancelled int64, first error) {
	var b batch
	b.end(status, err, time.Millisecond)
	s := b.sum("wf", 1, time.Second)
	return s.Succeeded, s.Failed, s.Cancelled, s.First
}

// LiveDraws returns what the load generator's live view writes to a terminal of the
// given size for a snapshot, drawn twice, a line that stays, and its end.
func LiveDraws(s loadgen.Snapshot, width, height int, stays string) string {
	var out strings.Builder
	l := &loadLive{out: &out, size: func() (int, int) { return width, height }, stop: make(chan struct{}), stopped: make(chan struct{})}
	close(l.stopped)
	l.See(s)
	l.draw()
	l.draw()
	l.Printf("%s", stays)
	l.draw()
	l.Stop()
	return out.String()
}
