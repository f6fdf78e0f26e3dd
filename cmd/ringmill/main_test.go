package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndTest(m)) }

func buildAndTest(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ringmill-test")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "ringmill")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// A result is how a call of the program ended.
type result struct {
	code           int
	stdout, stderr string
}

// command prepares a call in a folder of its own, with an environment that says
// nothing about Ringmill.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "RINGMILL_") && !strings.HasPrefix(v, "OTEL_") && !strings.Contains(v, "POOL_SIZE") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	return cmd
}

// finish runs cmd to its end.
func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	cmd.Stderr = &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// write puts a file into the folder of cmd.
func write(t *testing.T, cmd *exec.Cmd, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(cmd.Dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ringmill calls the program with content in the file wf.yaml.
func ringmill(t *testing.T, content string, args ...string) result {
	t.Helper()
	cmd := command(t, args...)
	write(t, cmd, "wf.yaml", content)
	return finish(t, cmd)
}

// An object is what --json promises, written down a second time.
type object struct {
	Workflow string          `json:"workflow"`
	RunID    string          `json:"run_id"`
	Status   string          `json:"status"`
	Output   json.RawMessage `json:"output"`
	Error    *struct {
		Task    string `json:"task"`
		Attempt int    `json:"attempt"`
		Class   string `json:"class"`
		Message string `json:"message"`
	} `json:"error"`
	MakespanSeconds     float64 `json:"makespan_seconds"`
	CriticalPathSeconds float64 `json:"critical_path_seconds"`
	Tasks               []struct {
		Name         string     `json:"name"`
		Status       string     `json:"status"`
		Attempts     int        `json:"attempts"`
		QueueSeconds float64    `json:"queue_seconds"`
		RunSeconds   float64    `json:"run_seconds"`
		StartedAt    *time.Time `json:"started_at"`
		FinishedAt   *time.Time `json:"finished_at"`
		Actor        *int       `json:"actor"`
		Error        *string    `json:"error"`
		Console      *struct {
			Text      string `json:"text"`
			Truncated bool   `json:"truncated"`
		} `json:"console"`
		Cached bool `json:"cached"` // only if true
	} `json:"tasks"`
}

// objects decodes what --json prints: one object a line and nothing else.
func objects(t *testing.T, stdout string) (list []object) {
	t.Helper()
	for line := range strings.Lines(stdout) {
		var o object
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&o); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		list = append(list, o)
	}
	return list
}
