package loadgen_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/loadgen"
)

// TestClients stresses the hand-over between the generator and the clients (invariants I1
// and I2): with very few of them, so that the generator waits for one almost always, and
// with so many that it never does, each request is served once, and no more are under way
// than asked for.
func TestClients(t *testing.T) {
	n := int64(20_000)
	if testing.Short() {
		n = 5_000
	}
	for _, most := range []int{1, 2, 3, 64, 10_000} {
		served := make([]atomic.Int32, n)
		var inside, worst atomic.Int64
		r := run(t, loadgen.Config{
			Rate: 1e6, Requests: n, Duration: time.Minute, MaxInFlight: most,
			Target: loadgen.TargetFunc(func(_ context.Context, r *loadgen.Request) error {
				now := inside.Add(1)
				for w := worst.Load(); now > w && !worst.CompareAndSwap(w, now); w = worst.Load() {
				}
				served[r.Index].Add(1)
				inside.Add(-1)
				return nil
			}),
		})
		if r.Done != uint64(n) || worst.Load() > int64(most) {
			t.Errorf("at most %d: done %d of %d, %d were under way at once", most, r.Done, n, worst.Load())
		}
		for i := range served {
			if c := served[i].Load(); c != 1 {
				t.Fatalf("at most %d: request %d was served %d times", most, i, c)
			}
		}
	}
}
