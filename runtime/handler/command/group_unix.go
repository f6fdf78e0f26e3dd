//go:build unix

package command

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// A group is the process group that a command leads.
//
// The group's number stays its own as long as one member lives, also a zombie.
// Between the end of the last one and close it could in theory be given to a
// new group; that takes the system's whole range of process ids within
// microseconds. After close no signal is sent.
type group struct {
	mu     sync.Mutex
	id     int
	closed bool
}

// startGroup starts cmd as the leader of a group of its own.
func startGroup(cmd *exec.Cmd) (*group, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &group{id: cmd.Process.Pid}, nil
}

func (g *group) terminate() { g.signal(syscall.SIGTERM) }
func (g *group) kill()      { g.signal(syscall.SIGKILL) }

func (g *group) signal(s syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		// The only error is that no member is left, which is what is wanted.
		_ = syscall.Kill(-g.id, s)
	}
}

// close kills what is left of the group after its leader ended.
func (g *group) close() {
	g.kill()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

func signalName(state *os.ProcessState) string {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal().String()
	}
	return state.String()
}

func isTooLong(err error) bool { return errors.Is(err, syscall.E2BIG) }
