//go:build unix

package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stubborn has n tasks that ignore the signals a terminal or a supervisor sends;
// so do their children. Each keeps the pipe open as long as it lives.
func stubborn(n int) string {
	var b strings.Builder
	b.WriteString("tasks:\n")
	for i := range n {
		fmt.Fprintf(&b, "  t%d: {cmd: [sh, -c, \"trap '' INT TERM HUP; exec 3>pipe; echo up >&3; sleep 60 & sleep 60\"]}\n", i)
	}
	return b.String()
}

// A witness reads the pipe that every program started by a task holds open.
type witness struct{ *bufio.Reader }

// A call is a command that was started; ended is closed when it is over.
type call struct {
	*exec.Cmd
	ended chan struct{}
}

// begin starts cmd, which is killed if the test ends before it.
func begin(t *testing.T, cmd *exec.Cmd) call {
	t.Helper()
	c := call{cmd, make(chan struct{})}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-c.ended
	})
	return c
}

// open returns the reading end of a FIFO that a task opens to write. A call that
// ends before it has done so leaves nothing to read.
func open(t *testing.T, c call, pipe string) *os.File {
	t.Helper()
	var file *os.File
	var err error
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		file, err = os.Open(pipe) // waits for a writer
	}()
	select {
	case <-opened:
	case <-c.ended:
		writer, err := os.OpenFile(pipe, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		<-opened
		_ = writer.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// start begins a call whose workflow has n stubborn tasks, and returns when all
// of them are up.
func start(t *testing.T, n int, args ...string) (c call, stdout, stderr *bytes.Buffer, w witness) {
	t.Helper()
	cmd := command(t, append([]string{"run", "wf.yaml"}, args...)...)
	write(t, cmd, "wf.yaml", stubborn(n))
	pipe := filepath.Join(cmd.Dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	c = begin(t, cmd)
	w = witness{bufio.NewReader(open(t, c, pipe))}
	for range n {
		if line, err := w.ReadString('\n'); line != "up\n" {
			t.Fatalf("a task says %q, %v", line, err)
		}
	}
	return c, stdout, stderr, w
}

// end sends the signals and checks the promise: exit code 130, within two
// seconds, and nothing that a task started lives on.
func end(t *testing.T, c call, w witness, signals ...syscall.Signal) {
	t.Helper()
	signalled := time.Now()
	for _, s := range signals {
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	<-c.ended
	if took := time.Since(signalled); took > 2*time.Second {
		t.Errorf("it took %v, want at most 2s", took)
	}
	if code := c.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if rest, err := io.ReadAll(w); err != nil || len(rest) > 0 { // returns once nobody holds the pipe
		t.Errorf("read %q, %v", rest, err)
	}
}

func TestInterrupt(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			if signal.Ignored(s) {
				t.Skipf("%v is ignored here, as under nohup, and the program inherits that", s)
			}
			t.Parallel()
			c, stdout, stderr, w := start(t, 3)
			end(t, c, w, s)
			if !strings.Contains(stdout.String(), ": cancelled in ") || !strings.Contains(stdout.String(), "3: 3 cancelled") {
				t.Errorf("no summary in\n%s", stdout)
			}
			if stderr.String() != "ringmill: interrupted\n" {
				t.Errorf("standard error %q", stderr)
			}
		})
	}
}

// TestHangupIgnored: a program under nohup outlives its terminal.
func TestHangupIgnored(t *testing.T) {
	cmd := command(t)
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `trap '' HUP; exec "$@"`, "sh", binary, "run", "wf.yaml"}
	write(t, cmd, "wf.yaml", `tasks: {a: {cmd: [sh, -c, "echo up >pipe; read line <pipe; echo $line"]}}`)
	pipe := filepath.Join(cmd.Dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	c := begin(t, cmd)
	if line, err := bufio.NewReader(open(t, c, pipe)).ReadString('\n'); line != "up\n" {
		t.Fatalf("the task says %q, %v", line, err)
	}
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	answer, err := os.OpenFile(pipe, os.O_RDWR, 0) // does not wait for a reader
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Close() }()
	_, _ = answer.WriteString("still here\n")
	<-c.ended
	if c.ProcessState.ExitCode() != 0 || !strings.Contains(stdout.String(), "still here") {
		t.Errorf("%v, standard output\n%s", c.ProcessState, stdout.String())
	}
}

func TestInterruptJSON(t *testing.T) {
	c, stdout, _, w := start(t, 2, "--json")
	end(t, c, w, syscall.SIGINT)
	o := objects(t, stdout.String())[0]
	if o.Status != "cancelled" || o.Error == nil || o.Error.Class != "cancelled" || o.Tasks[0].Status != "cancelled" {
		t.Errorf("%s", stdout)
	}
}

// TestInterruptTwice: the second one does not wait for reports, but for the
// children.
func TestInterruptTwice(t *testing.T) {
	c, _, _, w := start(t, 2)
	end(t, c, w, syscall.SIGINT, syscall.SIGINT)
}

// TestInterruptCompensations: while compensations are due, the second one says so and what a third does: quit.
func TestInterruptCompensations(t *testing.T) {
	for _, third := range []bool{false, true} {
		t.Run(fmt.Sprint("third=", third), func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "run", "wf.yaml")
			write(t, cmd, "wf.yaml", `
tasks:
  a: {cmd: [sh, -c, "exit 0"], compensate: {cmd: [sh, -c, "echo undo >pipe; read line <go"]}}
  b: {cmd: [sh, -c, "echo up >pipe; exec sleep 60"], needs: [a]}
`)
			pipe, answer := filepath.Join(cmd.Dir, "pipe"), filepath.Join(cmd.Dir, "go")
			for _, fifo := range []string{pipe, answer} {
				if err := syscall.Mkfifo(fifo, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			both, err := os.OpenFile(pipe, os.O_RDWR, 0) // never at its end
			if err != nil {
				t.Fatal(err)
			}
			release, err := os.OpenFile(answer, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			errors, stderr, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			var stdout bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, stderr
			c := begin(t, cmd)
			_ = stderr.Close()
			t.Cleanup(func() {
				for _, f := range []*os.File{both, release, errors} {
					_ = f.Close()
				}
			})
			said, told := bufio.NewReader(both), bufio.NewReader(errors)
			for _, want := range []string{"up\n", "undo\n"} {
				if line, err := said.ReadString('\n'); line != want {
					t.Fatalf("read %q, %v; want %q", line, err, want)
				}
				if err := c.Process.Signal(syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
				if want == "up\n" {
					const want = "ringmill: interrupted: what is under way is given time to end; another interrupt shortens that\n"
					if line, err := sentence(told); line != want {
						t.Fatalf("it says %q, %v; want %q", line, err, want)
					}
				}
			}
			line, err := sentence(told)
			if want := "ringmill: interrupted again: 0 of 1 compensation ended; a third interrupt quits at once and leaves the rest undone\n"; line != want {
				t.Fatalf("it says %q, %v; want %q", line, err, want)
			}
			if third {
				_ = c.Process.Signal(syscall.SIGINT)
			} else {
				_, _ = release.WriteString("on\n")
			}
			<-c.ended
			rest, err := io.ReadAll(told)
			if quit := strings.Contains(string(rest), "interrupted again: quitting"); err != nil || quit != third {
				t.Errorf("standard error ends with %q, %v", rest, err)
			}
			if undone := strings.Contains(stdout.String(), "compensations  1: 1 succeeded"); undone == third {
				t.Errorf("standard output\n%s", &stdout)
			}
			if code := c.ProcessState.ExitCode(); code != 130 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// sentence returns the next line that is not empty.
func sentence(r *bufio.Reader) (line string, err error) {
	for line, err = r.ReadString('\n'); err == nil && line == "\n"; {
		line, err = r.ReadString('\n')
	}
	return line, err
}

func TestInterruptCount(t *testing.T) {
	c, stdout, _, w := start(t, 1, "--count", "1000000", "--task-actors", "1")
	end(t, c, w, syscall.SIGINT)
	if out := stdout.String(); !strings.Contains(out, "0 succeeded, 0 failed, ") || !strings.Contains(out, " cancelled, ") || !strings.Contains(out, " not started\n") {
		t.Errorf("no summary in\n%s", out)
	}
}

// TestReaderGoesAway: when nobody reads standard output any more the runs are
// cancelled, and what they started is gone.
func TestReaderGoesAway(t *testing.T) {
	cmd := command(t, "run", "wf.yaml", "--json", "--count", "3", "--task-actors", "2")
	write(t, cmd, "wf.yaml", `tasks: {a: {cmd: [sh, -c, "exec 3>pipe; sleep 0.1"]}}`)
	pipe := filepath.Join(cmd.Dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
	cmd.Stdout = writer
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	c := begin(t, cmd)
	_ = writer.Close()
	file := open(t, c, pipe)
	<-c.ended
	if cmd.ProcessState.ExitCode() != 1 || stderr.Len() > 0 {
		t.Errorf("%v, standard error %q", cmd.ProcessState, stderr.String())
	}
	if _, err := io.ReadAll(file); err != nil {
		t.Error(err)
	}
}
