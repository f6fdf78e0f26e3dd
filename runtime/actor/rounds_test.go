package actor_test

import (
	"fmt"
	"os"
	goruntime "runtime"
	"sync"
	"testing"
	"time"
)

// stressParts is the number of calls of repeat that share the time in RINGMILL_STRESS: 17 tests, each in three shapes.
const stressParts = 3 * 17

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
	mu       sync.Mutex
	cleanups []func()
}

// Cleanup is called by any goroutine of the round, as that of a test may be.
func (r *round) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

// cleanUp runs what the round has registered, the last one first.
func (r *round) cleanUp() {
	for {
		r.mu.Lock()
		last := len(r.cleanups) - 1
		if last < 0 {
			r.mu.Unlock()
			return
		}
		f := r.cleanups[last]
		r.cleanups = r.cleanups[:last]
		r.mu.Unlock()
		f()
	}
}

func playRound(t testing.TB, play func(t testing.TB)) {
	t.Helper()
	r := &round{TB: t}
	defer r.cleanUp() // also after Fatal
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
