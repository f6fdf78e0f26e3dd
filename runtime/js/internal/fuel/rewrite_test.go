package fuel_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/ringmill/ringmill/runtime/js/internal/fuel"
)

// vec is a vector of entries in the binary format.
func vec(entries ...string) string {
	return string(rune(len(entries))) + strings.Join(entries, "")
}

// str is a name or a body with its length, all below 128.
func str(s string) string { return string(rune(len(s))) + s }

func sectionOf(id byte, body string) string { return string([]byte{id}) + str(body) }

// sample exports functions (i32) -> i32: loop never ends, deep moves the stack pointer
// down by its argument and back, grow and fill are the memory instructions, size
// ignores its argument.
func sample() []byte {
	const i32 = "\x7f"
	body := func(code string) string { return str("\x00" + code + "\x0b") }
	code := []string{
		body("\x03\x40\x0c\x00\x0b\x41\x00"),                                     // loop br 0 end; 0
		body("\x23\x00\x20\x00\x6b\x24\x00\x23\x00\x23\x00\x20\x00\x6a\x24\x00"), // sp -= n; sp; sp += n
		body("\x20\x00\x40\x00"),                                                 // memory.grow
		body("\x3f\x00"),                                                         // memory.size
		body("\x41\x00\x41\x07\x20\x00\xfc\x0b\x00\x41\x01"),                     // memory.fill 0 7 n; 1
	}
	var exports []string
	for i, name := range []string{"loop", "deep", "grow", "size", "fill"} {
		exports = append(exports, str(name)+"\x00"+string(rune(i+1)))
	}
	return []byte("\x00asm\x01\x00\x00\x00" +
		sectionOf(1, vec("\x60"+vec()+vec(i32), "\x60"+vec(i32)+vec(i32))) +
		sectionOf(2, vec(str("env")+str("host_interrupt")+"\x00\x00")) +
		sectionOf(3, vec("\x01", "\x01", "\x01", "\x01", "\x01")) +
		sectionOf(5, vec("\x00\x01")) +
		sectionOf(6, vec("\x7f\x01\x41\xc0\x00\x0b")) + // 64
		sectionOf(7, vec(exports...)) +
		sectionOf(10, vec(code...)))
}

// load runs a rewritten module whose interrupts answer what answer says.
func load(t testing.TB, module []byte, answer func() uint32) api.Module {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(16))
	t.Cleanup(func() { _ = r.Close(ctx) })
	_, err := r.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(answer).Export("host_interrupt").Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Instantiate(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func call(t testing.TB, m api.Module, name string, arg uint32) uint32 {
	t.Helper()
	out, err := m.ExportedFunction(name).Call(context.Background(), uint64(arg))
	if err != nil {
		t.Fatalf("%s(%d): %v", name, arg, err)
	}
	return uint32(out[0])
}

func TestFuel(t *testing.T) {
	module, err := fuel.Rewrite(sample())
	if err != nil {
		t.Fatal(err)
	}
	polls := 0
	m := load(t, module, func() uint32 {
		if polls++; polls == 5 {
			return 1
		}
		return 0
	})
	if _, err := m.ExportedFunction("loop").Call(context.Background(), 0); err == nil || !strings.Contains(err.Error(), "unreachable") || polls != 5 {
		t.Errorf("the loop ended after %d polls with %v; want unreachable at the fifth", polls, err)
	}
	// A fill of 64 KB costs 65,536 >> 9 units: the tank lasts for 64 of them.
	polls = 10
	for range 3 * 64 {
		call(t, m, "fill", 65536)
	}
	if got := polls - 10; got < 2 || got > 4 {
		t.Errorf("%d polls while 12 MB were filled, want 3", got)
	}
}

func TestStackLow(t *testing.T) {
	module, err := fuel.Rewrite(sample())
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, module, func() uint32 { return 0 })
	low := m.ExportedGlobal(fuel.LowGlobal).(api.MutableGlobal)
	for _, n := range []uint32{10, 50, 20} {
		if got := call(t, m, "deep", n); got != 64-n {
			t.Errorf("deep(%d) = %d", n, got)
		}
	}
	if low.Get() != 14 {
		t.Errorf("the lowest stack pointer = %d, want 14", low.Get())
	}
}

func TestPages(t *testing.T) {
	module, err := fuel.Rewrite(sample())
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, module, func() uint32 { return 0 })
	pages := m.ExportedGlobal(fuel.PagesGlobal).(api.MutableGlobal)
	steps := []struct{ grow, old, size, real uint32 }{{3, 1, 4, 4}, {0, 4, 4, 4}, {100, ^uint32(0), 4, 4}, {^uint32(0), ^uint32(0), 4, 4}}
	check := func(grow, old, size, real uint32) {
		t.Helper()
		if got := call(t, m, "grow", grow); got != old {
			t.Errorf("grow(%d) = %d, want %d", grow, int32(got), int32(old))
		}
		if got := call(t, m, "size", 0); got != size || m.Memory().Size()/65536 != real {
			t.Errorf("size = %d of %d pages, want %d of %d", got, m.Memory().Size()/65536, size, real)
		}
	}
	for _, s := range steps {
		check(s.grow, s.old, s.size, s.real)
	}
	pages.Set(2) // the host takes two back
	check(1, 2, 3, 4)
	check(3, 3, 6, 6)
	check(11, ^uint32(0), 6, 6)
	check(10, 6, 16, 16)
}

func TestRefusals(t *testing.T) {
	module, err := fuel.Rewrite(sample())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fuel.Rewrite(module); !errors.Is(err, fuel.ErrRewritten) {
		t.Errorf("a second time: %v", err)
	}
	simd := strings.Replace(string(sample()), "\x3f\x00", "\xfd\x00", 1)
	for name, bad := range map[string]string{
		"empty":    "",
		"text":     "(module)",
		"cut":      string(sample()[:40]),
		"sections": string(sample()[:8]),
		"simd":     simd,
		"import":   strings.Replace(string(sample()), "host_interrupt", "host_interrupT", 1),
	} {
		if _, err := fuel.Rewrite([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), "fuel: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRewrite: nothing panics, and what is rewritten still compiles if the original did.
func FuzzRewrite(f *testing.F) {
	f.Add(sample())
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	f.Cleanup(func() { _ = r.Close(ctx) })
	f.Fuzz(func(t *testing.T, module []byte) {
		out, err := fuel.Rewrite(module)
		if err != nil {
			return
		}
		original, err := r.CompileModule(ctx, module)
		if err != nil {
			return
		}
		defer func() { _ = original.Close(ctx) }()
		rewritten, err := r.CompileModule(ctx, out)
		if err != nil {
			t.Fatalf("compiled before, now: %v", err)
		}
		_ = rewritten.Close(ctx)
	})
}
