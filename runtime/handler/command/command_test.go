package command_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringmill/ringmill/runtime/handler/command"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if fifo := os.Getenv("COMMAND_TEST_PARENT"); fifo != "" {
		beParent(fifo)
		return
	}
	goleak.VerifyTestMain(m)
}

// beParent runs a command until it is killed: TestParentDies is its parent.
func beParent(fifo string) {
	_, err := command.Run(context.Background(), command.Command{Argv: []string{"sh", "-c",
		`exec 3>"$0"; echo up >&3; exec sleep 60`, fifo}})
	_, _ = io.WriteString(os.Stderr, err.Error())
}

func sh(script string) command.Command {
	return command.Command{Argv: []string{"sh", "-c", script}}
}

func ExampleRun() {
	out, err := command.Run(context.Background(), command.Command{
		Argv:  []string{"tr", "a-z", "A-Z"},
		Stdin: []byte("ring the mill"),
	})
	fmt.Println(string(out), err)
	// Output: RING THE MILL <nil>
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		name string
		c    command.Command
		want string
	}{
		{"arguments are not expanded", command.Command{Argv: []string{"printf", "%s|", "$HOME", "*", "a b", ""}}, "$HOME|*|a b||"},
		{"no standard input", command.Command{Argv: []string{"cat"}}, ""},
		{"standard input", command.Command{Argv: []string{"cat"}, Stdin: []byte("a\x00b\n")}, "a\x00b\n"},
		{"unread standard input", command.Command{Argv: []string{"true"}, Stdin: bytes.Repeat([]byte("x"), 1<<20)}, ""},
		{"directory", command.Command{Argv: []string{"pwd"}, Dir: dir}, dir + "\n"},
		{"environment", command.Command{Argv: []string{"/usr/bin/env"}, Env: []string{"A=1"}}, "A=1\n"},
		{"empty environment", command.Command{Argv: []string{"/usr/bin/env"}, Env: []string{}}, ""},
		{"standard error is not output", sh("echo out; echo err >&2"), "out\n"},
		{"output of exactly the bound", command.Command{Argv: []string{"printf", "12345"}, MaxOutput: 5}, "12345"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := command.Run(t.Context(), test.c)
			if err != nil || string(out) != test.want {
				t.Errorf("%q, %v; want %q", out, err, test.want)
			}
		})
	}
}

func TestInheritsEnvironment(t *testing.T) {
	t.Setenv("COMMAND_TEST_VALUE", "mill")
	out, err := command.Run(t.Context(), sh(`printf %s "$COMMAND_TEST_VALUE"`))
	if string(out) != "mill" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}

func TestRunErrors(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("PATH", "."+string(os.PathListSeparator)+os.Getenv("PATH"))
	if err := os.WriteFile("here", []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		c    command.Command
		is   error
		want string
	}{
		{"no program", command.Command{}, nil,
			"command: has no program: name it as the first element of the argument list"},
		{"empty program", command.Command{Argv: []string{"", "x"}}, nil,
			"command: has no program: name it as the first element of the argument list"},
		{"zero byte", command.Command{Argv: []string{"echo", "a\x00b"}}, nil,
			"command echo: has an argument with a zero byte: pass such data on standard input"},
		{"negative bound", command.Command{Argv: []string{"echo"}, Grace: -1}, nil,
			"command echo: has a negative bound: set MaxOutput and Grace to 0 or more"},
		{"not in PATH", command.Command{Argv: []string{"frobnicate-x"}}, exec.ErrNotFound,
			"command frobnicate-x: was not found in PATH: install it, or write the path of the program"},
		{"in the current directory", command.Command{Argv: []string{"here"}}, exec.ErrDot,
			"command here: is in the current directory, not in PATH: write ./ before its name"},
		{"no such file", command.Command{Argv: []string{"./gone"}}, fs.ErrNotExist,
			"command ./gone: does not exist, or the working directory does not: correct the path"},
		{"no such directory", command.Command{Argv: []string{"sh"}, Dir: "gone"}, fs.ErrNotExist,
			"command sh: does not exist, or the working directory does not: correct the path"},
		{"not executable", command.Command{Argv: []string{plain}}, fs.ErrPermission,
			"command " + plain + ": may not be executed: make the file executable (chmod +x)"},
		{"too long", command.Command{Argv: []string{"echo", strings.Repeat("x", 8<<20)}}, nil,
			"command echo: has longer arguments than the system allows: pass the data on standard input"},
		{"status", sh("echo no such order >&2; exit 3"), nil,
			"command sh: exited with status 3: no such order"},
		{"signal", sh("kill -SEGV $$"), nil,
			"command sh: was ended by a signal: segmentation fault"},
		{"too much output", command.Command{Argv: []string{"yes"}, MaxOutput: 1000}, nil,
			"command yes: wrote more than 1000 bytes to standard output: let it write to a file and print the file's name"},
		{"too much output, not minding a closed pipe", command.Command{
			Argv: []string{"sh", "-c", "trap '' PIPE; while :; do echo again; done 2>/dev/null"}, MaxOutput: 1000}, nil,
			"command sh: wrote more than 1000 bytes to standard output: let it write to a file and print the file's name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := command.Run(t.Context(), test.c)
			if _, ok := errors.AsType[*command.Error](err); out != nil || !ok {
				t.Fatalf("%q, %v", out, err)
			}
			if err.Error() != test.want || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestErrorFields(t *testing.T) {
	_, err := command.Run(t.Context(), sh("exit 7"))
	if e, ok := errors.AsType[*command.Error](err); !ok || e.Name != "sh" || e.Code != 7 || e.Signal != "" {
		t.Errorf("%+v", e)
	}
	_, err = command.Run(t.Context(), sh("kill -KILL $$"))
	if e, ok := errors.AsType[*command.Error](err); !ok || e.Code != 0 || e.Signal != "killed" {
		t.Errorf("%+v", e)
	}
}

// TestStderrTail: an error repeats the end of a long complaint, as valid UTF-8.
func TestStderrTail(t *testing.T) {
	_, err := command.Run(t.Context(), sh(`i=0; while [ $i -lt 3000 ]; do printf 'é' >&2; i=$((i+1)); done; echo last >&2; exit 1`))
	e, ok := errors.AsType[*command.Error](err)
	if !ok || !strings.HasPrefix(e.Stderr, "... ") || !strings.HasSuffix(e.Stderr, "élast") ||
		len(e.Stderr) > command.TailSize+10 || strings.ToValidUTF8(e.Stderr, "") != e.Stderr {
		t.Errorf("%d bytes: %q", len(e.Stderr), e.Stderr)
	}
}

// TestStderrLines: an error repeats the last ten lines.
func TestStderrLines(t *testing.T) {
	_, err := command.Run(t.Context(), sh(`i=0; while [ $i -lt 30 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 1`))
	e, ok := errors.AsType[*command.Error](err)
	if !ok || !strings.HasPrefix(e.Stderr, "... line 20\n") || !strings.HasSuffix(e.Stderr, "\nline 29") {
		t.Errorf("%q", e.Stderr)
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	marker := filepath.Join(t.TempDir(), "ran")
	_, err := command.Run(ctx, command.Command{Argv: []string{"touch", marker}})
	if !errors.Is(err, context.Canceled) || err.Error() != "command touch: context canceled" {
		t.Errorf("Run: %v", err)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the command was started")
	}
}
