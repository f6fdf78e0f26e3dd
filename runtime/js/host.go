package js

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// What a script asks the host for; the files of guestjs have the same numbers.
const (
	hostLoad = iota
	hostLog
	hostTimer
	hostCancel
	hostRandom
	hostFetch
)

// maxRandom bounds one request for random bytes; crypto.getRandomValues has the
// same bound.
const maxRandom = 64 << 10

// clockGrain is the resolution of the clock that scripts see: too coarse to
// measure what other code did to a cache.
const clockGrain = 100 * time.Microsecond

type guestKey struct{}

func guestOf(ctx context.Context) *guest { return ctx.Value(guestKey{}).(*guest) }

// bindHost defines what the engine imports. Nothing of it reaches a file, a
// network or a process.
func (m *machine) bindHost(ctx context.Context) error {
	const i32, i64 = api.ValueTypeI32, api.ValueTypeI64
	type function struct {
		name    string
		params  []api.ValueType
		results []api.ValueType
		call    func(g *guest, stack []uint64)
	}
	zero := func(_ *guest, stack []uint64) { stack[0] = 0 }
	one := []api.ValueType{i32}
	badFile := func(_ *guest, stack []uint64) { stack[0] = 8 } // EBADF
	for module, list := range map[string][]function{
		"env": {
			{"host_interrupt", nil, one, (*guest).hostInterrupt},
			{"host_call", []api.ValueType{i32, i32, i32, i32, i32}, one, (*guest).hostCall},
			{"host_get_timezone_offset", []api.ValueType{i32, i32}, one, zero}, // UTC
			{"host_promise_rejection", []api.ValueType{i32, i32, i32}, nil, func(*guest, []uint64) {}},
			{"host_module_normalize", []api.ValueType{i32, i32}, one, zero},
			{"host_module_load", []api.ValueType{i32, i32}, one, zero},
		},
		"wasi_snapshot_preview1": {
			{"clock_time_get", []api.ValueType{i32, i64, i32}, one, (*guest).hostClock},
			{"random_get", []api.ValueType{i32, i32}, one, (*guest).hostRandom},
			{"fd_write", []api.ValueType{i32, i32, i32, i32}, one, badFile},
			{"fd_close", one, one, badFile},
			{"fd_fdstat_get", []api.ValueType{i32, i32}, one, badFile},
			{"fd_seek", []api.ValueType{i32, i64, i32, i32}, one, badFile},
		},
	} {
		b := m.runtime.NewHostModuleBuilder(module)
		for _, f := range list {
			b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(ctx context.Context, stack []uint64) {
				f.call(guestOf(ctx), stack)
			}), f.params, f.results).Export(f.name)
		}
		if _, err := b.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hostInterrupt runs every fuel.Period units. Being ordinary Go, it is also where
// the scheduler and the collector get the thread back.
func (g *guest) hostInterrupt(stack []uint64) {
	stack[0] = 0
	g.unwatch() // what takes longer must not keep a thread from Go's scheduler
	if g.call != nil && g.call.stop() {
		stack[0] = 1
	}
}

func (g *guest) hostClock(stack []uint64) {
	now := time.Now().UnixNano()
	g.setU64(uint32(stack[2]), uint64(now-now%int64(clockGrain)))
	stack[0] = 0
}

func (g *guest) hostRandom(stack []uint64) {
	rand.Read(g.bytes(uint32(stack[0]), min(uint32(stack[1]), maxRandom)))
	stack[0] = 0
}

// hostCall serves the guest's host(what, ...). Its answer is the address of a
// value, which the engine frees; 0 without one.
func (g *guest) hostCall(stack []uint64) {
	argc, argv := uint32(stack[3]), uint32(stack[4])
	stack[0] = 0
	if argc == 0 || argc > 4 || argv == 0 || g.call == nil {
		return
	}
	arg := func(i uint32) uint64 {
		if i >= argc {
			return undefined
		}
		return g.u64(g.u32(argv + 4*i))
	}
	number := func(i uint32) uint32 { // the guest passes integers; large ones come as floats
		v := arg(i)
		if tagOf(v) == tagInt {
			return uint32(v)
		}
		return 1<<31 - 1
	}
	text := func(i uint32, limit int) ([]byte, bool) {
		if i >= argc {
			return nil, false
		}
		return g.nestedText(g.u32(argv+4*i), limit)
	}
	c := g.call
	switch number(0) {
	case hostLoad:
		stack[0] = g.nestedFile(number(1))
	case hostLog:
		line, ok := text(2, 4*maxLine)
		stack[0] = g.nestedInt(c.log(number(1), line, ok))
	case hostTimer:
		stack[0] = g.nestedInt(c.setTimer(time.Duration(number(1))*time.Millisecond, number(2)))
	case hostCancel:
		c.cancelTimer(number(1))
		stack[0] = g.nestedInt(0)
	case hostRandom:
		stack[0] = g.nestedString(randomText(min(number(1), maxRandom)))
	case hostFetch:
		request, ok := text(1, maxRequest)
		if !ok {
			stack[0] = g.nestedString("the request is longer than 1 MB: send less")
			return
		}
		id, problem := c.startFetch(request)
		if problem != "" {
			stack[0] = g.nestedString(problem)
		} else {
			stack[0] = g.nestedInt(id)
		}
	}
}

// randomText has a character between U+0000 and U+00FF for each byte.
func randomText(n uint32) string {
	raw := make([]byte, n)
	rand.Read(raw)
	runes := make([]rune, n)
	for i, b := range raw {
		runes[i] = rune(b)
	}
	return string(runes)
}

// nestedText copies a string while the guest waits in a host function.
func (g *guest) nestedText(at uint32, limit int) ([]byte, bool) {
	length := g.layout.frame + frameLength
	p := g.nested(g.f.nestedStringOf, uint64(at), uint64(length))
	if p == 0 {
		return nil, false
	}
	n := g.u32(length)
	var text []byte
	if int64(n) <= int64(limit) {
		text = append(text, g.bytes(p, n)...)
	}
	g.nested(g.f.nestedFreeString, uint64(p))
	return text, int64(n) <= int64(limit)
}

// nestedFile evaluates a file of guestjs; its value is a function. Undefined is the
// answer for one that the configuration leaves out.
func (g *guest) nestedFile(i uint32) uint64 {
	if i >= uint32(len(g.machine.lazy)) || len(g.machine.lazy[i]) == 0 {
		at := g.nested(g.f.nestedMalloc, 8)
		if at != 0 {
			g.setU64(at, undefined)
		}
		return uint64(at)
	}
	code := g.machine.lazy[i]
	at := g.nested(g.f.nestedMalloc, uint64(len(code)))
	if at == 0 {
		return 0
	}
	g.mem.Write(at, code)
	return uint64(g.nested(g.f.nestedEvalBytecode, uint64(at), uint64(len(code))))
}

func (g *guest) nestedInt(v uint32) uint64 {
	at := g.nested(g.f.nestedMalloc, 8)
	if at != 0 {
		g.setU64(at, uint64(v)) // tagInt is 0
	}
	return uint64(at)
}

func (g *guest) nestedString(s string) uint64 {
	at := g.nested(g.f.nestedMalloc, uint64(len(s))+1)
	if at == 0 {
		return 0
	}
	g.mem.WriteString(at, s)
	return uint64(g.nested(g.f.nestedNewString, uint64(at), uint64(len(s)))) // the copy at at is left to the next restore
}

// nested calls the engine from within a host function. A trap in there unwinds
// the outer call as well: wazero turns the panic into its error.
func (g *guest) nested(f api.Function, params ...uint64) uint32 {
	var stack [4]uint64
	copy(stack[:], params)
	if err := f.CallWithStack(g.ctx, stack[:]); err != nil {
		panic(err)
	}
	return uint32(stack[0])
}
