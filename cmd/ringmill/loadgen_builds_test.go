package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoadgenBuilds: a build of Ringmill whose Execute was made to spend 20 us more is
// a regression beside the build under test, ten times of ten, and the build under test
// beside itself never is. The slowed one is made with the compiler's overlay, so that
// nothing in the product can slow it down. It takes minutes and a machine that does
// little else, so it runs only when asked for.
func TestLoadgenBuilds(t *testing.T) {
	if os.Getenv("RINGMILL_STRESS") == "" {
		t.Skip("RINGMILL_STRESS is not set: it measures for minutes")
	}
	slowed := slowedBuild(t)
	dir := t.TempDir()
	measure := func(program, name string) string {
		out := filepath.Join(dir, name)
		cmd := exec.Command(program, "loadgen", "run", "--concurrency", "8", "--duration", "1s", "--warmup", "200ms", "--repeat", "6", "--live", "off", "-o", out)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return filepath.Join(out, "result.json")
	}
	compare := func(old, new string) (code int, text string) {
		cmd := exec.Command(binary, "loadgen", "compare", old, new, "--fail-on", "regression")
		out, _ := cmd.CombinedOutput()
		return cmd.ProcessState.ExitCode(), string(out)
	}
	for i := range 10 {
		old, same, slow := measure(binary, "old"), measure(binary, "same"), measure(slowed, "slow")
		if code, text := compare(old, same); code != 0 {
			t.Errorf("round %d: the same build: exit code %d\n%s", i, code, text)
		}
		if code, text := compare(old, slow); code != 4 {
			t.Errorf("round %d: the slowed build: exit code %d, want 4\n%s", i, code, text)
		}
	}
}

// slowedBuild compiles the program with a runtime.Execute that first spends 20 us.
func slowedBuild(t *testing.T) string {
	t.Helper()
	original, err := filepath.Abs("../../runtime/run.go")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	const at = "	r, err := submit(ctx, rt, def, in, processor.Options{Wait: true}, opts)\n"
	if !strings.Contains(string(source), at) {
		t.Fatal("runtime/run.go has changed: find another place to slow it down")
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "run.go")
	slow := strings.Replace(string(source), at, "	for begin := time.Now(); time.Since(begin) < 20*time.Microsecond; {\n	}\n"+at, 1)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{changed: []byte(slow), filepath.Join(dir, "overlay.json"): overlay} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "slowed")
	if out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}
