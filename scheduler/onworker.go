package scheduler

import (
	"reflect"
	goruntime "runtime"
	"runtime/debug"
)

// The entries of the functions of which one is on the stack of whoever runs inside an Activation.
var (
	workEntry   = reflect.ValueOf((*Worker).work).Pointer()
	inlineEntry = reflect.ValueOf(RunInline).Pointer()
)

// RunInline runs a slice of a on the calling goroutine, for a caller that has claimed a as one does before Schedule and would
// wait for what it does. An answer of true means that a is still claimed and must be scheduled. What a does with its
// goroutine, it does with the caller's: a panic or Goexit passes through.
//
//go:noinline
func RunInline(a Activation) (again bool) {
	defer debug.SetPanicOnFault(mark())
	return a.Run(nil)
}

// OnWorker reports whether the caller runs inside an Activation: on a worker of an executor or in RunInline. On other
// goroutines that takes some nanoseconds; inside an Activation it walks the stack, which takes from 0.3 us up. A
// goroutine that an activation has started is not a worker.
func OnWorker() bool {
	was := mark()
	if was {
		return onStack()
	}
	debug.SetPanicOnFault(false)
	return false
}

// mark sets the one flag that the runtime keeps for each goroutine and lets a program read, and returns what it was. Workers
// have it set, and a goroutine begins without it, also one that a worker has started. So a goroutine without it is no worker;
// one with it may have set it for its own reasons, and only then a look at the stack has to tell.
//
// What the flag is for is no harm to a worker: an access to memory that has gone, such as that of a file that was mapped and cut
// short, is a panic of the activation instead of the end of the program.
func mark() (was bool) { return debug.SetPanicOnFault(true) }

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
