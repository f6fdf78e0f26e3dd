package loadgen_test

import (
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/loadgen"
	_ "github.com/ringmill/ringmill/mailbox/workiva" // registers itself
)

// ants starts two goroutines for its default pool when it is linked.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// busyEnv makes the test binary a process that computes until its standard input
// ends.
const busyEnv = "RINGMILL_TEST_BUSY"

func init() {
	if os.Getenv(busyEnv) == "" {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for { // it is meant to keep a core busy
		atomic.AddUint64(new(uint64), 1)
	}
}

// busy keeps n cores busy with other processes until the test ends.
func busy(t *testing.T, n int) {
	t.Helper()
	for range n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), busyEnv+"=1")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = in.Close() // it ends by itself
			_ = cmd.Wait()
		})
	}
}

// skipSlowRace skips what proves figures, not the absence of races, where the race
// detector would make minutes of it; TestWorkloads runs the same code.
func skipSlowRace(t *testing.T) {
	t.Helper()
	if testing.Short() && loadgen.RaceEnabled {
		t.Skip("-short under the race detector: it proves figures, which take long here")
	}
}
