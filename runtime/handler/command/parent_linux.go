package command

import (
	"os/exec"
	"runtime"
	"syscall"
)

// bindToParent asks the kernel to kill cmd when this process dies, however it
// dies. What cmd itself started is not reached.
//
// The kernel sends that signal when the thread that forked ends, not the
// process, and Go ends a thread when a goroutine returns while locked to it. So
// the caller's goroutine keeps the thread to itself until release: no other
// goroutine can run on it and end it. It costs no further thread, since waiting
// for a process occupies one anyway.
func bindToParent(cmd *exec.Cmd) (release func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
