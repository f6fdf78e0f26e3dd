package mailbox_test

import goruntime "runtime"

// yield lets another goroutine run: on two cores a spin that does not would starve the one it waits for.
func yield() { goruntime.Gosched() }
