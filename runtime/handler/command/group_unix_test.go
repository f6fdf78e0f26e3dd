//go:build unix

package command_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/handler/command"
)

// A witness is a named pipe that processes hold open for writing: a line tells
// that they are up, the end of the file that the last one is gone.
type witness struct {
	path  string
	lines chan string // closed at the end of the file
}

func newWitness(t *testing.T) *witness {
	w := &witness{path: filepath.Join(t.TempDir(), "fifo"), lines: make(chan string, 8)}
	if err := syscall.Mkfifo(w.path, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(w.lines)
		f, err := os.Open(w.path) // waits for a writer
		if err != nil {
			return
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			w.lines <- s.Text()
		}
	}()
	return w
}

// up waits until n processes have said that they are up.
func (w *witness) up(t *testing.T, n int) {
	for range n {
		if _, ok := w.next(t); !ok {
			t.Error("the processes did not come up")
			return
		}
	}
}

// gone waits until no process is left.
func (w *witness) gone(t *testing.T) {
	for {
		if _, ok := w.next(t); !ok {
			return
		}
	}
}

func (w *witness) next(t *testing.T) (string, bool) {
	select {
	case line, ok := <-w.lines:
		return line, ok
	case <-time.After(10 * time.Second):
		t.Error("a process is still there")
		return "", false
	}
}

// family is a shell, a child and a grandchild that all ignore SIGTERM and hold
// the witness and standard output open.
const family = `
exec 3>"$0"
trap '' TERM
sh -c 'sh -c "echo grandchild >&3; while :; do sleep 60; done" & echo child >&3; while :; do sleep 60; done' &
echo parent >&3
while :; do sleep 60; done`

// TestKillsTheWholeGroup: when the context ends nothing of the command is left,
// though all of it ignores the polite signal.
func TestKillsTheWholeGroup(t *testing.T) {
	for name, grace := range map[string]time.Duration{"at once": 0, "after a grace": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			w := newWitness(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				w.up(t, 3)
				cancel(errors.New("the user gave up"))
			}()
			_, err := command.Run(ctx, command.Command{Argv: []string{"sh", "-c", family, w.path}, Grace: grace})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
			if want := "command sh: was killed: context canceled: the user gave up"; err.Error() != want {
				t.Errorf("Run: %v; want %s", err, want)
			}
			w.gone(t)
		})
	}
}

// TestGrace: a command that obeys the polite signal may clean up, and still
// counts as interrupted.
func TestGrace(t *testing.T) {
	w := newWitness(t)
	marker := filepath.Join(t.TempDir(), "cleaned")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		w.up(t, 1)
		cancel()
	}()
	script := `trap 'touch "$1"; exit 0' TERM; exec 3>"$0"; echo up >&3; while :; do sleep 0.01; done`
	_, err := command.Run(ctx, command.Command{Argv: []string{"sh", "-c", script, w.path, marker}, Grace: time.Minute})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if _, err := os.Stat(marker); err != nil {
		t.Error("the command could not clean up")
	}
	w.gone(t)
}

func TestDeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := command.Run(ctx, command.Command{Argv: []string{"sleep", "60"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: %v", err)
	}
}

// TestBackgroundProcess: what a command leaves behind is killed when it ends.
func TestBackgroundProcess(t *testing.T) {
	w := newWitness(t)
	out, err := command.Run(t.Context(), command.Command{Argv: []string{"sh", "-c",
		`exec 3>"$0"; (echo up >&3; exec sleep 60) >/dev/null 2>&1 & echo done`, w.path}})
	if string(out) != "done\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	w.gone(t)
}

// TestHeldOutput: a background process that keeps the output open does not hang
// Run, and the output does not pass for complete.
func TestHeldOutput(t *testing.T) {
	w := newWitness(t)
	_, err := command.Run(t.Context(), command.Command{Argv: []string{"sh", "-c",
		`exec 3>"$0"; sleep 60 & echo up`, w.path}})
	if !errors.Is(err, exec.ErrWaitDelay) || !strings.Contains(err.Error(), "left a process behind that holds its output open") {
		t.Errorf("Run: %v", err)
	}
	w.gone(t)
}
