package command_test

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"github.com/ringmill/ringmill/runtime/handler/command"
)

// TestParentDies: a command does not survive the process that runs it, even if
// that one had no time to do anything about it.
func TestParentDies(t *testing.T) {
	w := newWitness(t)
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "COMMAND_TEST_PARENT="+w.path)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	w.up(t, 1)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	w.gone(t)
}

// TestThreadsDie: a command outlives the threads that other goroutines end
// meanwhile, though the kernel would kill it with the thread that forked it.
func TestThreadsDie(t *testing.T) {
	w := newWitness(t)
	release := make(chan struct{})
	go func() {
		defer close(release)
		w.up(t, 1)
		var dying sync.WaitGroup
		for range 64 {
			dying.Go(runtime.LockOSThread) // returns locked: its thread ends
		}
		dying.Wait()
		if err := os.WriteFile(w.path+".go", nil, 0o600); err != nil {
			t.Error(err)
		}
	}()
	out, err := command.Run(t.Context(), command.Command{Argv: []string{"sh", "-c",
		`exec 3>"$0"; echo up >&3; until [ -e "$0.go" ]; do sleep 0.01; done; echo survived`, w.path}})
	<-release
	if string(out) != "survived\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	w.gone(t)
}
