package actor_test

import (
	"fmt"
	"os"
	goruntime "runtime"
	"testing"
	"time"
)

// stressParts is the number of calls of repeat that share the time in RINGMILL_STRESS: 16 tests, each in three shapes.
const stressParts = 3 * 16

// repeat plays one round, or with RINGMILL_STRESS set to a duration, which is for the whole package, rounds until its share of
// that is over.
func repeat(t *testing.T, play func(t testing.TB)) {
	t.Helper()
	var share time.Duration
	if s := os.Getenv("RINGMILL_STRESS"); s != "" {
		whole, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("RINGMILL_STRESS: %q is not a duration; want something like 10m", s)
		}
		share = whole / stressParts
	}
	for start := time.Now(); ; {
		playRound(t, play)
		if t.Failed() || time.Since(start) >= share {
			return
		}
	}
}

// round is a test whose cleanups run when one round is over. Left to the test they would keep what thousands of rounds have
// made, until it ends.
type round struct {
	testing.TB
	cleanups []func()
}

func (r *round) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func playRound(t testing.TB, play func(t testing.TB)) {
	t.Helper()
	r := &round{TB: t}
	defer func() { // also after Fatal
		for len(r.cleanups) > 0 {
			last := len(r.cleanups) - 1
			f := r.cleanups[last]
			r.cleanups = r.cleanups[:last]
			f()
		}
	}()
	play(r)
}

// withProcs runs f as a subtest at each of several values of GOMAXPROCS.
func withProcs(t *testing.T, f func(t *testing.T)) {
	for _, procs := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(procs))
			f(t)
		})
	}
}
