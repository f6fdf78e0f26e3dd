//go:build !linux

package command

import "os/exec"

// bindToParent does nothing: only Linux kills a child with its parent.
func bindToParent(*exec.Cmd) (release func()) { return func() {} }
