package js_test

import (
	goruntime "runtime"
	"testing"

	"github.com/ringmill/ringmill/runtime/js"
)

// TestParallelDefault: all processors but one compute, also where Instances is left out.
func TestParallelDefault(t *testing.T) {
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(4))
	for instances, want := range map[int]int{0: 3, 1: 1, 2: 2, 8: 3} {
		if got, err := js.Parallel(js.Config{Instances: instances}); err != nil || got != want {
			t.Errorf("%d instances: Parallel is %d, %v; want %d", instances, got, err, want)
		}
	}
	goruntime.GOMAXPROCS(1)
	if got, err := js.Parallel(js.Config{}); err != nil || got != 1 {
		t.Errorf("one processor: Parallel is %d, %v; want 1", got, err)
	}
}
