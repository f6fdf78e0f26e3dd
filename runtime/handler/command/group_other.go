//go:build !unix

package command

import (
	"os"
	"os/exec"
)

// A group is the command alone: this platform has no process groups, and what
// the command starts may outlive it.
type group struct{ process *os.Process }

func startGroup(cmd *exec.Cmd) (*group, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &group{cmd.Process}, nil
}

// terminate does nothing: there is no polite signal.
func (g *group) terminate() {}

// kill ends the command. The only error is that it has ended already.
func (g *group) kill() { _ = g.process.Kill() }

func (g *group) close() {}

func signalName(state *os.ProcessState) string { return state.String() }

func isTooLong(error) bool { return false }
