package scheduler

import (
	"reflect"
	goruntime "runtime"
)

// workEntry is where the code of Worker.work begins. Every worker's stack has it.
var workEntry = reflect.ValueOf((*Worker).work).Pointer()

// OnWorker reports whether the calling goroutine is a worker of an executor, that
// is, whether the caller runs inside an Activation. It walks the stack, which
// takes from half a microsecond up: ask before something that waits, not per
// message. A goroutine that an activation has started is not a worker.
func OnWorker() bool {
	var pcs [32]uintptr
	for skip := 2; ; skip += len(pcs) { // 2: Callers and OnWorker itself
		n := goruntime.Callers(skip, pcs[:])
		for _, pc := range pcs[:n] {
			if f := goruntime.FuncForPC(pc - 1); f != nil && f.Entry() == workEntry {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}
