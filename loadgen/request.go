package loadgen

import (
	"context"
	"fmt"
	"sync/atomic"
)

// A Request is one unit of load. It belongs to its client and is used again for a
// later one: keep no pointer to it beyond Target.Do.
type Request struct {
	Index   uint64 // of the plan, from 0
	Key     int    // 0 to Keys-1, skewed if Workload.Hot is set
	Payload []byte // of Workload.Payload bytes; shared by all requests, read only

	seed            uint64
	failAt, panicAt int32   // a task's index; -1 is none
	times           []int64 // nanoseconds that each task's body took; each has one writer
	service         int64   // nanoseconds of the longest path of bodies, set by the target; -1 is unknown
}

// A Target answers requests. Do is called by many goroutines at once and may
// block. Its error decides how the request counts: nil is done, one that is
// runtime.ErrOverloaded is shed, every other one is failed. A panic counts as failed,
// and makes the result suspect.
type Target interface {
	Do(ctx context.Context, r *Request) error
}

// A TargetFunc is a function that is a Target.
type TargetFunc func(ctx context.Context, r *Request) error

// Do calls f.
func (f TargetFunc) Do(ctx context.Context, r *Request) error { return f(ctx, r) }

// A guarded target survives panics of the caller's one and remembers the first.
type guarded struct {
	target Target
	first  atomic.Pointer[string]
}

func (g *guarded) Do(ctx context.Context, r *Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			text := fmt.Sprint(v)
			g.first.CompareAndSwap(nil, &text)
			err = fmt.Errorf("loadgen: the target panicked: %v", v)
		}
	}()
	return g.target.Do(ctx, r)
}
