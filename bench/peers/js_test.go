package peers_test

import (
	"context"
	"encoding/json"
	"errors"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dop251/goja"

	"github.com/ringmill/ringmill/runtime/js"
)

// What does a call in a pristine global cost? goja gets a new runtime for each call,
// with the program compiled beforehand; Ringmill restores a guest.
var scripts = []struct{ name, code, input string }{
	{"one", "return 1 + 1", "null"},
	{"transform1k", `return input.items.filter(i => i.price > 10).map(i => ({ id: i.id, total: i.price * i.n })).sort((a, b) => b.total - a.total)`, order()},
	{"loop", "let n = 0; for (let i = 0; i < 100000; i++) n += i % 7; return n", "null"},
	{"concat", "let s = ''; for (let i = 0; i < 20000; i++) s += i + ','; return s.length", "null"},
}

// order is about 1 KB of JSON.
func order() string {
	var b strings.Builder
	b.WriteString(`{"items":[`)
	for i := range 22 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"id":"item-` + string(rune('a'+i)) + `","price":` + string(rune('1'+i%9)) + `2.5,"n":` + string(rune('1'+i%5)) + `}`)
	}
	b.WriteString(`]}`)
	return b.String()
}

func BenchmarkScript(b *testing.B) {
	for _, s := range scripts {
		b.Run("impl=ringmill/script="+s.name, func(b *testing.B) { benchmarkRingmill(b, s.code, s.input, 1) })
		b.Run("impl=goja/script="+s.name, func(b *testing.B) { benchmarkGoja(b, s.code, s.input, false) })
		b.Run("impl=goja-reused/script="+s.name, func(b *testing.B) { benchmarkGoja(b, s.code, s.input, true) })
	}
	b.Run("impl=ringmill/script=transform1k/callers=8", func(b *testing.B) { benchmarkRingmill(b, scripts[1].code, scripts[1].input, 8) })
}

func benchmarkRingmill(b *testing.B, code, input string, callers int) {
	config := js.Config{}
	if callers > 1 {
		config.Instances, config.Parallel = goruntime.GOMAXPROCS(0), goruntime.GOMAXPROCS(0)
	}
	e, err := js.New(config)
	if errors.Is(err, js.ErrNoEngine) {
		b.Skip(err)
	} else if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = e.Close(context.Background()) }()
	ctx := context.Background()
	script, err := e.Compile(ctx, js.Source{Code: code})
	if err != nil {
		b.Fatal(err)
	}
	in := js.Input{Value: json.RawMessage(input)}
	b.ReportAllocs()
	if callers == 1 {
		for b.Loop() {
			if _, err := e.Run(ctx, script, in); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.ResetTimer() // RunParallel counts the start of the engine otherwise
	b.SetParallelism((callers + goruntime.GOMAXPROCS(0) - 1) / goruntime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := e.Run(ctx, script, in); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func benchmarkGoja(b *testing.B, code, input string, reused bool) {
	program := goja.MustCompile("script", "(function(input){\n"+code+"\n})", false)
	vm := goja.New()
	b.ReportAllocs()
	for b.Loop() {
		if !reused {
			vm = goja.New()
		}
		f, err := vm.RunProgram(program)
		if err != nil {
			b.Fatal(err)
		}
		call, _ := goja.AssertFunction(f)
		parse, _ := goja.AssertFunction(vm.Get("JSON").ToObject(vm).Get("parse"))
		write, _ := goja.AssertFunction(vm.Get("JSON").ToObject(vm).Get("stringify"))
		value, err := parse(goja.Undefined(), vm.ToValue(input))
		if err != nil {
			b.Fatal(err)
		}
		if value, err = call(goja.Undefined(), value); err != nil {
			b.Fatal(err)
		}
		if value, err = write(goja.Undefined(), value); err != nil || len(value.String()) == 0 {
			b.Fatal(err)
		}
	}
}

// How late is an endless loop stopped?
func BenchmarkScriptStop(b *testing.B) {
	const limit = 10 * time.Millisecond
	b.Run("impl=ringmill", func(b *testing.B) {
		e, script := endless(b, js.Config{BreakerFailures: 1000, BreakerWindow: time.Millisecond})
		var late []time.Duration
		for b.Loop() {
			begun := time.Now()
			_, err := e.Run(context.Background(), script, js.Input{Timeout: limit})
			if js.ClassOf(err) != js.ClassTimeout {
				b.Fatal(err)
			}
			late = append(late, time.Since(begun)-limit)
		}
		report(b, late, "late-us")
	})
	b.Run("impl=goja", func(b *testing.B) {
		program := goja.MustCompile("script", "for (;;);", false)
		var late []time.Duration
		for b.Loop() {
			begun := time.Now()
			vm := goja.New()
			clock := time.AfterFunc(limit, func() { vm.Interrupt("late") })
			if _, err := vm.RunProgram(program); err == nil {
				b.Fatal("it ended")
			}
			clock.Stop()
			late = append(late, time.Since(begun)-limit)
		}
		report(b, late, "late-us")
	})
}

// How long does a collection take while scripts compute? Ordinary loops are preempted
// by signals, machine code of guests is not.
func BenchmarkScriptCollection(b *testing.B) {
	parallel := max(1, goruntime.GOMAXPROCS(0)-1) // as Config.Parallel
	b.Run("impl=ringmill", func(b *testing.B) {
		e, script := endless(b, js.Config{})
		ctx, cancel := context.WithCancel(context.Background())
		var callers sync.WaitGroup
		for range parallel {
			callers.Go(func() {
				for ctx.Err() == nil {
					_, _ = e.Run(ctx, script, js.Input{}) // ends by cancellation
				}
			})
		}
		for e.Stats().Attempts < uint64(parallel) {
			goruntime.Gosched()
		}
		collect(b)
		cancel()
		callers.Wait()
	})
	b.Run("impl=goroutines", func(b *testing.B) {
		var stop atomic.Bool
		var loops sync.WaitGroup
		for range parallel {
			loops.Go(func() {
				for x := 0; !stop.Load(); x++ {
				}
			})
		}
		collect(b)
		stop.Store(true)
		loops.Wait()
	})
}

func collect(b *testing.B) {
	var times []time.Duration
	for b.Loop() {
		begun := time.Now()
		goruntime.GC()
		times = append(times, time.Since(begun))
	}
	report(b, times, "us")
}

func endless(b *testing.B, config js.Config) (*js.Engine, *js.Script) {
	b.Helper()
	e, err := js.New(config)
	if errors.Is(err, js.ErrNoEngine) {
		b.Skip(err)
	} else if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close(context.Background()) })
	script, err := e.Compile(context.Background(), js.Source{Code: "for (;;);"})
	if err != nil {
		b.Fatal(err)
	}
	return e, script
}

// report gives the median and the 99th percentile.
func report(b *testing.B, times []time.Duration, unit string) {
	slices.Sort(times)
	for name, p := range map[string]int{"p50-": 50, "p99-": 99} {
		b.ReportMetric(float64(times[len(times)*p/100].Microseconds()), name+unit)
	}
}
