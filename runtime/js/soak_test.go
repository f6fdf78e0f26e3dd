package js_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmill/ringmill/runtime/js"
)

// TestSoak: many calls of scripts that leave as much behind as they can grow
// nothing. 100,000 calls with RINGMILL_STRESS, else a part of them.
func TestSoak(t *testing.T) {
	calls := 10_000
	if os.Getenv("RINGMILL_STRESS") != "" {
		calls = 100_000
	}
	if testing.Short() || raceEnabled {
		calls = 2_000
	}
	e := engine(t, js.Config{BreakerFailures: 1000, Limits: js.Limits{MemoryBytes: 8 << 20}})
	var scripts []*js.Script
	for i := range 50 {
		scripts = append(scripts, compile(t, e, fmt.Sprintf(
			"globalThis.k = Array(%d).fill({}); const l = []; l.push(l); console.log('x'.repeat(100)); return [input, crypto.randomUUID(), k.length]", i*100)))
	}
	scripts = append(scripts, compile(t, e, "throw new Error('x')"), compile(t, e, "const a = []; for (;;) a.push('x'.repeat(1e6))"))
	round := func(n int) resources {
		var wg sync.WaitGroup
		var next atomic.Int64
		for range 8 {
			wg.Go(func() {
				for i := next.Add(1); i <= int64(n); i = next.Add(1) {
					s := scripts[i%int64(len(scripts)-2)]
					switch {
					case i%200 == 0:
						s = scripts[len(scripts)-1]
					case i%10 == 0:
						s = scripts[len(scripts)-2]
					}
					if _, err := e.Run(context.Background(), s, js.Input{Value: json.RawMessage(`{"a":[1,2,3]}`)}); err != nil && js.ClassOf(err) != js.ClassScript && js.ClassOf(err) != js.ClassOOM {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		return held()
	}
	before := round(calls / 10)
	after := round(calls)
	t.Logf("%d calls: after a tenth %v; at the end %v; %d guests replaced", calls, before, after, e.Stats().Replaced)
	after.check(t, before, 8<<20)
}

// resources are what a process can leak.
type resources struct {
	resident, heap            int64 // bytes
	goroutines, files, mapped int
}

func (r resources) String() string {
	return fmt.Sprintf("resident %d KB, heap %d KB, %d goroutines, %d files, %d mappings", r.resident>>10, r.heap>>10, r.goroutines, r.files, r.mapped)
}

// held is what the process holds once the collector has been through.
func held() (r resources) {
	goruntime.GC()
	goruntime.GC() // finalizers and pools take two
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	r.heap, r.goroutines = int64(m.HeapAlloc), goruntime.NumGoroutine()
	r.resident, r.files, r.mapped = residentNow(), openFiles(), mappings()
	return r
}

// check complains about what is more than before, beyond what noise explains: the
// mappings follow the Go heap's arenas, and files the runtime's own.
func (r resources) check(t *testing.T, before resources, memory int64) {
	t.Helper()
	if r.resident > before.resident+memory || r.heap > before.heap+memory/2 || r.goroutines > before.goroutines || r.files > before.files || r.mapped > before.mapped+8 {
		t.Errorf("it held %v, now %v", before, r)
	}
}

// TestCycles: engines that come and go leave nothing.
func TestCycles(t *testing.T) {
	cycles := 50
	if os.Getenv("RINGMILL_STRESS") != "" {
		cycles = 2000
	}
	if testing.Short() || raceEnabled {
		cycles = 5
	}
	cycle := func(n int) resources {
		for range n {
			e, err := js.New(js.Config{CacheDir: cacheDir})
			if errors.Is(err, js.ErrNoEngine) {
				t.Skip(err)
			} else if err != nil {
				t.Fatal(err)
			}
			want(t, e, "return 1", "", "1")
			if err := e.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		return held()
	}
	before := cycle(max(3, cycles/10))
	after := cycle(cycles)
	t.Logf("%d cycles: after a tenth %v; at the end %v", cycles, before, after)
	after.check(t, before, 16<<20)
}

// TestPoolRace mixes calls, waits, failures, cancellations, evictions and Close on
// a small engine; each call must end with its own result or an allowed failure.
func TestPoolRace(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	e := engine(t, js.Config{Instances: 3, Parallel: 2, Queue: 4, CacheBytes: 1 << 20, BreakerFailures: 1000,
		Limits: js.Limits{Timeout: 200 * time.Millisecond, MemoryBytes: 8 << 20}})
	sources := []string{
		"return input", "await new Promise(r => setTimeout(r, 1)); return input", "throw 1",
		"if (input % 7 === 0) for (;;); return input", "const f = () => f() + 1; try { f() } catch {} return input",
	}
	var scripts []*js.Script
	for i := range 60 { // their images do not fit the cache together
		scripts = append(scripts, compile(t, e, sources[i%len(sources)]+" // "+fmt.Sprint(i)))
	}
	calls := 300
	if testing.Short() {
		calls = 60
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for i := range calls {
				ctx, cancel := context.WithCancel(context.Background())
				if random.IntN(10) == 0 {
					time.AfterFunc(time.Duration(random.IntN(2000))*time.Microsecond, cancel)
				}
				n := fmt.Sprint(worker*1000 + i)
				got, err := e.Run(ctx, scripts[random.IntN(len(scripts))], js.Input{Value: json.RawMessage(n), Timeout: 5 * time.Millisecond})
				if err == nil && string(got.Value) != n {
					t.Errorf("%s answered %s", n, got.Value)
				}
				if class := js.ClassOf(err); err != nil && class != js.ClassScript && class != js.ClassTimeout && class != js.ClassSaturated && !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", n, err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if s := e.Stats(); s.Recompiled == 0 || s.ScriptBytes > 1<<20 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	want(t, e, "return input", "1", "1")
}
