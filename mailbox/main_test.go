package mailbox_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// yield lets another goroutine run: on two cores a spin that does not would starve the one it waits for.
func yield() { goruntime.Gosched() }

// stressTests is the number of tests that share the time in RINGMILL_STRESS.
const stressTests = 11

// stressTime returns how long one of parts equal parts of a stress test runs: a share of the duration that
// RINGMILL_STRESS gives to the whole package, else a moment.
func stressTime(t *testing.T, parts int) time.Duration {
	t.Helper()
	if s := os.Getenv("RINGMILL_STRESS"); s != "" {
		whole, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("RINGMILL_STRESS: %q is not a duration; want something like 10m", s)
		}
		return whole / stressTests / time.Duration(parts)
	}
	if testing.Short() {
		return 300 * time.Millisecond / time.Duration(parts)
	}
	return time.Second / time.Duration(parts)
}

// stressRounds plays rounds of a stress test at GOMAXPROCS 1, 2 and 4, for as long as stressTime says.
func stressRounds(t *testing.T, round func(*testing.T, *rand.Rand)) {
	procs := []int{1, 2, 4}
	for _, n := range procs {
		t.Run(fmt.Sprintf("procs=%d", n), func(t *testing.T) {
			withProcs(t, n)
			r := newRand(t)
			rounds := 0
			for end := time.Now().Add(stressTime(t, len(procs))); time.Now().Before(end); rounds++ {
				round(t, r)
			}
			t.Logf("%d rounds", rounds)
		})
	}
}

// newRand returns a random source and logs its seed, which is shown if the test fails.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// withProcs sets GOMAXPROCS until the test ends.
func withProcs(t *testing.T, n int) {
	old := goruntime.GOMAXPROCS(n)
	t.Cleanup(func() { goruntime.GOMAXPROCS(old) })
}
