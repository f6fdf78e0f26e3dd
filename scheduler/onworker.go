package scheduler

import (
	"reflect"
	goruntime "runtime"
	"sync/atomic"
)

// The entries of the functions of which one is on the stack of whoever runs inside an Activation.
var (
	workEntry   = reflect.ValueOf((*Worker).work).Pointer()
	inlineEntry = reflect.ValueOf(RunInline).Pointer()
)

// inside counts the goroutines that may be running an activation: the workers that are counted in, of all executors, and
// the calls of RunInline. While it is 0 nobody needs to look at a stack. It has a cache line to itself.
var inside struct {
	_ [64]byte
	atomic.Int64
	_ [56]byte
}

// RunInline runs a slice of a on the calling goroutine, for a caller that has claimed a as one does before Schedule and would
// wait for what it does. An answer of true means that a is still claimed and must be scheduled. What a does with its
// goroutine, it does with the caller's: a panic or Goexit passes through.
//
//go:noinline
func RunInline(a Activation) (again bool) {
	inside.Add(1)
	defer inside.Add(-1)
	return a.Run(nil)
}

// AnyWorker reports whether an activation may be running anywhere in the program. If not, the caller is not inside one, which
// costs a nanosecond to know.
func AnyWorker() bool { return inside.Load() != 0 }

// OnWorker reports whether the caller runs inside an Activation: on a worker of an executor or in RunInline. While no
// worker runs in the whole program that takes a nanosecond, else it walks the stack, which takes from 0.3 us up: ask
// before something that waits, not per message. A goroutine that an activation has started is not a worker.
func OnWorker() bool { return AnyWorker() && onStack() }

func onStack() bool {
	var pcs [32]uintptr
	for skip := 3; ; skip += len(pcs) { // 3: Callers, onStack and OnWorker
		n := goruntime.Callers(skip, pcs[:])
		for _, pc := range pcs[:n] {
			if f := goruntime.FuncForPC(pc - 1); f != nil && (f.Entry() == workEntry || f.Entry() == inlineEntry) {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}
