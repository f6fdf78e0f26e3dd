package js

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	goruntime "runtime"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/ringmill/ringmill/runtime/js/internal/fuel"
	"github.com/ringmill/ringmill/runtime/js/internal/guestmem"
)

// What the driver answers beside text; driver.js has the same numbers.
const (
	answerPending   = 1
	answerUndefined = 2
	answerFailed    = 3
	answerFulfilled = 4
	answerTrue      = 5
	answerFalse     = 6
)

// How a result is answered; driver.js has the same numbers.
const (
	forCondition = 1
	whenSettled  = 2
)

// The upper halves of a JSValue, as the engine lays it out on a 32-bit machine.
// boot checks them against values that it makes.
const (
	tagString    = 0xffff_fff9
	tagInt       = 0
	tagException = 6
	undefined    = uint64(3) << 32
)

// How the engine evaluates: JS_EVAL_TYPE_MODULE and JS_EVAL_FLAG_COMPILE_ONLY.
const (
	evalModule      = 1
	evalCompileOnly = 1 << 5
)

// A guest is one instance of the engine. One goroutine at a time uses it.
//
// Between calls its memory holds anything; restore makes it an image again. A
// guest that trapped is broken and must be replaced: its Go side may hold less
// than the trap left behind.
type guest struct {
	machine *machine
	layout  layout
	module  api.Module
	mem     api.Memory
	memory  *guestmem.Memory
	ctx     context.Context // carries the guest to the host functions

	stackPointer, stackLow, memoryPages api.MutableGlobal

	f      functions
	params [8]uint64
	call   *call // what runs now, nil between calls
	broken bool
	ran    bool // anything ran since the memory was last cleared
	mapped bool // the base is mapped, or cannot be
	// written is which pages of the base were written up to the call before; settled
	// says that the last call wrote no others: watch and unwatch find that out.
	written []bool
	settled bool
	watched bool   // the goroutine is locked to its thread, whose faults are counted
	faults  int64  // of the thread, when that began
	peak    uint32 // pages, of the last call

	result   []byte   // room for the next result's JSON
	building []uint64 // room for the next input's values
}

// functions are the engine's exports that the host uses. Those for the host's
// own functions are separate: a function cannot be called while it runs.
type functions struct {
	initialize, init, setStack, setMemory, runGC api.Function
	eval, compile, evalBytecode                  api.Function
	evalFunction, namespace, call                api.Function
	newString, newHostFunction, propUint32       api.Function
	stringOf, exception, promiseState, promiseResult,
	jobPending, runJob, malloc, free, contextPtr, runtimePtr api.Function
	stringValue, atomOf, arrayOf, objectOf, property, isFunction api.Function

	nestedStringOf, nestedFreeString, nestedMalloc, nestedNewString, nestedEvalBytecode api.Function
}

func (g *guest) bind(module api.Module) error {
	g.module, g.mem = module, module.Memory()
	g.ctx = context.WithValue(context.Background(), guestKey{}, g)
	g.layout = g.machine.layout
	for name, f := range map[string]*api.Function{
		"_initialize": &g.f.initialize, "qjs_init": &g.f.init, "qjs_set_max_stack_size": &g.f.setStack,
		"qjs_set_memory_limit": &g.f.setMemory, "qjs_run_gc": &g.f.runGC,
		"qjs_eval": &g.f.eval, "qjs_compile": &g.f.compile, "qjs_eval_bytecode": &g.f.evalBytecode, "JS_EvalFunction": &g.f.evalFunction, "JS_GetModuleNamespace": &g.f.namespace,
		"qjs_call": &g.f.call, "qjs_new_string": &g.f.newString, "qjs_new_host_function": &g.f.newHostFunction,
		"qjs_get_prop_uint32": &g.f.propUint32, "qjs_get_string_len": &g.f.stringOf,
		"qjs_get_exception": &g.f.exception, "qjs_promise_state": &g.f.promiseState, "qjs_promise_result": &g.f.promiseResult,
		"qjs_is_job_pending": &g.f.jobPending, "qjs_execute_pending_job": &g.f.runJob,
		"wasm_malloc": &g.f.malloc, "wasm_free": &g.f.free, "qjs_get_context_ptr": &g.f.contextPtr, "qjs_get_runtime_ptr": &g.f.runtimePtr,
		"JS_NewStringLen": &g.f.stringValue, "JS_NewAtomLen": &g.f.atomOf, "JS_NewArrayFrom": &g.f.arrayOf, "JS_NewObjectFrom": &g.f.objectOf,
		"JS_GetPropertyStr": &g.f.property, "JS_IsFunction": &g.f.isFunction,
	} {
		if *f = module.ExportedFunction(name); *f == nil {
			return fmt.Errorf("js: the engine has no function %s: use the wasm of quickjs-wasi %s", name, EngineVersion)
		}
	}
	g.f.nestedStringOf = module.ExportedFunction("qjs_get_string_len")
	g.f.nestedEvalBytecode = module.ExportedFunction("qjs_eval_bytecode")
	g.f.nestedMalloc = module.ExportedFunction("wasm_malloc")
	g.f.nestedNewString = module.ExportedFunction("qjs_new_string")
	if g.f.nestedFreeString = module.ExportedFunction("qjs_free_cstring"); g.f.nestedFreeString == nil {
		return fmt.Errorf("js: the engine has no function qjs_free_cstring: use the wasm of quickjs-wasi %s", EngineVersion)
	}
	for name, global := range map[string]*api.MutableGlobal{
		"__stack_pointer": &g.stackPointer, fuel.LowGlobal: &g.stackLow, fuel.PagesGlobal: &g.memoryPages,
	} {
		found, ok := module.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			return fmt.Errorf("js: the engine has no global %s", name)
		}
		*global = found
	}
	return nil
}

func (g *guest) close(ctx context.Context) error {
	err := g.module.Close(ctx)
	g.memory.Free() // wazero frees it too; a second time does nothing
	return err
}

// errTrap is what invoke answers when the guest did not come back: it ran out of
// time or memory, was cancelled, or the engine is at fault.
var errTrap = errors.New("js: the guest trapped")

// errNoMemory reports that the guest had no memory for a value of the host.
var errNoMemory = errors.New("js: the guest is out of memory")

// invoke calls a function of the engine.
func (g *guest) invoke(f api.Function, params ...uint64) (uint64, error) {
	n := copy(g.params[:], params)
	clear(g.params[n:])
	if err := f.CallWithStack(g.ctx, g.params[:]); err != nil {
		g.broken = true
		if g.call != nil && g.call.trap == nil {
			g.call.trap = err
		}
		return 0, errTrap
	}
	return g.params[0], nil
}

// value is invoke for functions that answer a JSValue.
func (g *guest) value(f api.Function, params ...uint64) (uint64, error) {
	v, err := g.invoke(f, params...)
	if err == nil && tagOf(v) == tagException {
		err = g.thrown()
	}
	return v, err
}

// pointer is invoke for functions that answer an address, 0 for no memory.
func (g *guest) pointer(f api.Function, params ...uint64) (uint32, error) {
	p, err := g.invoke(f, params...)
	if err == nil && uint32(p) == 0 {
		err = errNoMemory
	}
	return uint32(p), err
}

func (g *guest) pages() uint32 { return uint32(g.memoryPages.Get()) }

// bytes returns the guest's own memory. The range comes from the engine's side
// and may be anything: what lies outside is an empty slice.
func (g *guest) bytes(at, n uint32) []byte {
	b, _ := g.mem.Read(at, n)
	return b
}

func (g *guest) u32(at uint32) uint32 {
	v, _ := g.mem.ReadUint32Le(at)
	return v
}

func (g *guest) u64(at uint32) uint64 {
	v, _ := g.mem.ReadUint64Le(at)
	return v
}

func (g *guest) setU32(at, v uint32) { g.mem.WriteUint32Le(at, v) }

func (g *guest) setU64(at uint32, v uint64) { g.mem.WriteUint64Le(at, v) }

func tagOf(value uint64) uint32 { return uint32(value >> 32) }

// redZone is how far below the stack pointer a function that calls no other may
// write without moving it: the ABI of the engine's compiler.
const redZone = 128

// restore makes the memory the image: nothing of an earlier call is left, neither
// in the engine's data nor on its stack nor in memory that the image does not use.
func (g *guest) restore(img *image) error {
	sp := g.layout.sp
	low := min(uint32(g.stackLow.Get()), sp)
	low -= min(low, redZone)
	clear(g.bytes(low, sp-low))
	g.stackLow.Set(uint64(^uint32(0)))
	if used := g.pages(); used > img.pages && g.ran {
		g.discard(img.pages, used)
	}
	if have := g.mem.Size() / pageSize; have < img.pages {
		if _, ok := g.mem.Grow(img.pages - have); !ok {
			return errNoMemory
		}
	}
	g.memoryPages.Set(uint64(img.pages))
	g.stackPointer.Set(uint64(sp))
	memory := g.bytes(sp, img.pages*pageSize-sp)
	g.restoreBase(memory)
	for i := range img.blocks {
		b := &img.blocks[i]
		if b.data == nil {
			clear(memory[b.at:][:b.n])
		} else {
			copy(memory[b.at:], b.data)
		}
	}
	g.ran = true
	g.watch()
	return nil
}

// watch begins to count page faults. Asking for the count of a thread costs a
// fifth of asking which pages were written, and few calls write new ones.
func (g *guest) watch() {
	g.settled = false
	if g.written != nil && !g.watched {
		goruntime.LockOSThread()
		g.faults, g.watched = guestmem.Faults()
		if !g.watched {
			goruntime.UnlockOSThread()
		}
	}
}

// unwatch ends that, before the call does where it waits for the host or burns more
// than one tank of fuel: a locked thread is one that Go makes another for. The pages that such a
// call writes are asked for.
func (g *guest) unwatch() {
	if g.watched {
		g.watched = false
		goruntime.UnlockOSThread()
	}
}

// settle says at the end of a call whether it wrote new pages.
func (g *guest) settle() {
	if g.watched {
		now, ok := guestmem.Faults()
		g.settled = ok && now == g.faults
	}
	g.unwatch()
}

// restoreBase writes what is not the base's any more. The kernel tells exactly
// which pages that can be: a page that was written once is the guest's own from
// then on. Scripts write a tenth of them.
func (g *guest) restoreBase(memory []byte) {
	base := g.machine.base.flat
	if !g.mapped && g.machine.shared != nil {
		g.written, g.mapped = nil, true
		if g.memory.Map(g.machine.shared, uint64(g.layout.sp)) == nil {
			return
		}
	}
	written, ok := g.written, g.settled
	if !ok {
		written, ok = g.memory.Written()
	}
	if g.written = written; !ok {
		copy(memory, base)
		return
	}
	for i := 0; i < len(written); i++ {
		if !written[i] {
			continue
		}
		from := i
		for i++; i < len(written) && written[i]; i++ {
		}
		copy(memory[from*guestmem.PageSize:], base[from*guestmem.PageSize:i*guestmem.PageSize])
	}
}

// deep reports whether the last call's stack went deeper than deepStack.
func (g *guest) deep() bool { return uint32(g.stackLow.Get()) < g.layout.sp-deepStack }

// keepDirty is how much used memory is cleared by writing zeros: for more it is
// cheaper to give the pages back and take them again.
const keepDirty = 8 // pages of 64 KB

// discard clears the memory from page from to page to.
func (g *guest) discard(from, to uint32) {
	if to-from <= keepDirty {
		clear(g.bytes(from*pageSize, (to-from)*pageSize))
		return
	}
	g.memory.Clear(uint64(from) * pageSize)
}

// begin says what the guest's calls run for, until end.
func (g *guest) begin(ctx context.Context, deadline time.Time) *call {
	g.call = &call{ctx: ctx, deadline: deadline}
	return g.call
}

func (g *guest) end() {
	g.settle()
	g.peak = g.pages()
	g.call = nil
}

// start starts the engine.
func (g *guest) start() error {
	if _, err := g.invoke(g.f.initialize); err != nil {
		return err
	}
	if code, err := g.invoke(g.f.init); err != nil {
		return err
	} else if code != 0 {
		return errNoMemory
	}
	_, err := g.invoke(g.f.setStack, scriptStack)
	return err
}

// How the engine writes bytecode: without source text and positions.
const stripped = 1<<4 | 1<<5

// compileOwn compiles the files of guestjs.
func (g *guest) compileOwn(withFetch bool) error {
	if err := g.start(); err != nil {
		return err
	}
	compile := func(file string) ([]byte, error) {
		source, err := sources.ReadFile("guestjs/" + file)
		if err != nil {
			return nil, err
		}
		code, err := g.put(string(source) + "\x00")
		if err != nil {
			return nil, err
		}
		name, err := g.put(file + "\x00\x00\x00\x00\x00\x00\x00\x00")
		if err != nil {
			return nil, err
		}
		length, err := g.pointer(g.f.malloc, 8)
		if err != nil {
			return nil, err
		}
		at, err := g.pointer(g.f.compile, uint64(code), uint64(len(source)), uint64(name), 0, stripped, uint64(length))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return bytes.Clone(g.bytes(at, g.u32(length))), nil
	}
	var err error
	if g.machine.driver, err = compile(driverFile); err != nil {
		return err
	}
	for i, file := range lazyFiles {
		if i == fetchFile && !withFetch {
			continue
		}
		if g.machine.lazy[i], err = compile(file); err != nil {
			return err
		}
	}
	return nil
}

// boot starts the engine, evaluates the driver and learns the layout.
func (g *guest) boot() error {
	if err := g.start(); err != nil {
		return err
	}
	g.layout.sp = uint32(g.stackPointer.Get())
	if g.layout.sp == 0 || g.layout.sp > stackSize {
		return fmt.Errorf("its stack ends at %d, want at most %d", g.layout.sp, stackSize)
	}
	if err := g.prepareFrame(); err != nil {
		return err
	}
	if err := g.loadDriver(); err != nil {
		return err
	}
	if err := g.findSeed(); err != nil {
		return err
	}
	// The engine's own limit is a little below the memory's: an allocation that it
	// refuses becomes an error that the script can catch and that has a message.
	if _, err := g.invoke(g.f.setMemory, uint64(g.machine.limits.MemoryBytes-stackSize-512<<10)); err != nil {
		return err
	}
	if _, err := g.invoke(g.f.runGC); err != nil {
		return err
	}
	if err := g.clearFree(); err != nil {
		return err
	}
	if sp := uint32(g.stackPointer.Get()); sp != g.layout.sp {
		return fmt.Errorf("its stack pointer is %d after a call, want %d", sp, g.layout.sp)
	}
	return nil
}

// clearFree writes zeros over the heap's free blocks, which hold what the start
// left: a restore writes zeros at twice the speed of a copy.
func (g *guest) clearFree() error {
	g.memory.Frozen = true
	defer func() { g.memory.Frozen = false }()
	var taken []uint32
	for size := uint32(pageSize); size >= 64; {
		at, err := g.pointer(g.f.malloc, uint64(size))
		if errors.Is(err, errNoMemory) {
			size /= 2
			continue
		}
		if err != nil {
			return err
		}
		clear(g.bytes(at, size))
		taken = append(taken, at)
	}
	for _, at := range taken {
		if _, err := g.invoke(g.f.free, uint64(at)); err != nil {
			return err
		}
	}
	return nil
}

// prepareFrame allocates the frame, and checks how the engine lays values out.
func (g *guest) prepareFrame() (err error) {
	if g.layout.frame, err = g.pointer(g.f.malloc, frameSize); err != nil {
		return err
	}
	if g.layout.frame%8 != 0 {
		return fmt.Errorf("its memory is not aligned: the frame is at %d", g.layout.frame)
	}
	if g.layout.context, err = g.pointer(g.f.contextPtr); err != nil {
		return err
	}
	g.setU64(g.layout.frame+frameUndefined, undefined)
	text, err := g.text([]byte("x"))
	if err != nil {
		return err
	}
	number, err := g.evaluate("7", "probe", 0)
	if err != nil {
		return err
	}
	thrown, err := g.evaluateRaw("throw 1", "probe", 0)
	if err != nil {
		return err
	}
	if tagOf(g.u64(text)) != tagString || g.u64(number) != 7 || tagOf(g.u64(thrown)) != tagException {
		return fmt.Errorf("it lays out values in an unknown way (%#x, %#x, %#x)", g.u64(text), g.u64(number), g.u64(thrown))
	}
	_, err = g.pointer(g.f.exception) // clears it
	return err
}

func (g *guest) loadDriver() error {
	code, err := g.put(string(g.machine.driver))
	if err != nil {
		return err
	}
	f, err := g.pointer(g.f.evalBytecode, uint64(code), uint64(len(g.machine.driver)))
	if err != nil {
		return err
	}
	name, err := g.put("host")
	if err != nil {
		return err
	}
	host, err := g.pointer(g.f.newHostFunction, uint64(name), 4, 0)
	if err != nil {
		return err
	}
	drivers, err := g.apply(f, host)
	if err != nil {
		return err
	}
	if tagOf(g.u64(drivers)) == tagException {
		return errors.New("the driver throws")
	}
	for i := range g.layout.drivers {
		if g.layout.drivers[i], err = g.pointer(g.f.propUint32, uint64(drivers), uint64(i)); err != nil {
			return err
		}
	}
	for _, at := range []uint32{code, name} {
		if _, err := g.invoke(g.f.free, uint64(at)); err != nil {
			return err
		}
	}
	return nil
}

func (g *guest) findSeed() error {
	const window = 4096 // a JSContext is smaller
	random, err := g.evaluate("Math.random", "probe", 0)
	if err != nil {
		return err
	}
	before := bytes.Clone(g.bytes(g.layout.context, window))
	if _, err := g.apply(random); err != nil {
		return err
	}
	at, ok := seedOf(before, g.bytes(g.layout.context, window))
	if !ok {
		return errors.New("the state of Math.random is not where it was")
	}
	g.layout.seed = g.layout.context + uint32(at)
	return nil
}

// put copies text into memory that it allocates.
func (g *guest) put(text string) (uint32, error) {
	at, err := g.pointer(g.f.malloc, uint64(len(text)))
	if err != nil {
		return 0, err
	}
	if !g.mem.WriteString(at, text) {
		return 0, errNoMemory
	}
	return at, nil
}

// text makes a string; small texts go through the frame.
func (g *guest) text(s []byte) (uint32, error) {
	at := g.layout.frame + frameText
	if len(s) > smallInput {
		var err error
		if at, err = g.pointer(g.f.malloc, uint64(len(s))); err != nil {
			return 0, err
		}
	}
	if !g.mem.Write(at, s) {
		return 0, errNoMemory
	}
	return g.pointer(g.f.newString, uint64(at), uint64(len(s)))
}

// evaluateRaw evaluates source and answers the address of its value, which may be
// an exception. Source and name are left to the next restore.
func (g *guest) evaluateRaw(source, name string, flags uint64) (uint32, error) {
	code, err := g.put(source + "\x00")
	if err != nil {
		return 0, err
	}
	file, err := g.put(name + "\x00")
	if err != nil {
		return 0, err
	}
	return g.pointer(g.f.eval, uint64(code), uint64(len(source)), uint64(file), flags)
}

// evaluate is evaluateRaw with an exception as an error.
func (g *guest) evaluate(source, name string, flags uint64) (uint32, error) {
	value, err := g.evaluateRaw(source, name, flags)
	if err == nil && tagOf(g.u64(value)) == tagException {
		err = g.thrown()
	}
	return value, err
}

// apply calls the function at f with the values at args, at most four, and
// answers the address of the result.
func (g *guest) apply(f uint32, args ...uint32) (uint32, error) {
	frame := g.layout.frame
	for i, arg := range args {
		g.setU32(frame+frameArgs+uint32(i)*4, arg)
	}
	return g.pointer(g.f.call, uint64(f), uint64(frame+frameUndefined), uint64(len(args)), uint64(frame+frameArgs))
}

// drive calls a function of the driver. The value is a string's address or one of
// the answers.
func (g *guest) drive(driver int, args ...uint32) (text uint32, answer int, err error) {
	at, err := g.apply(g.layout.drivers[driver], args...)
	if err != nil {
		return 0, 0, err
	}
	switch v := g.u64(at); tagOf(v) {
	case tagString:
		return at, 0, nil
	case tagInt:
		return 0, int(uint32(v)), nil
	case tagException:
		return 0, 0, g.thrown()
	case uint32(undefined >> 32):
		return 0, 0, nil
	default: // a rope: the engine's form of a string made by joining others
		return at, 0, nil
	}
}

// read copies the string at address at out of the guest, up to limit bytes; size
// is its length.
func (g *guest) read(at uint32, limit int) (text []byte, size int, err error) {
	length := g.layout.frame + frameLength
	p, err := g.pointer(g.f.stringOf, uint64(at), uint64(length))
	if err != nil {
		if errors.Is(err, errNoMemory) {
			return nil, 0, g.thrown()
		}
		return nil, 0, err
	}
	n := g.u32(length)
	if int64(n) > int64(limit) {
		return nil, int(n), nil
	}
	return append(make([]byte, 0, n), g.bytes(p, n)...), int(n), nil
}

// thrown takes the engine's pending exception and describes it.
func (g *guest) thrown() error {
	e, err := g.pointer(g.f.exception)
	if err != nil {
		return err
	}
	return g.described(driverDescribe, e)
}

// described lets the driver describe an error: name, message and stack.
func (g *guest) described(driver int, args ...uint32) error {
	if g.layout.drivers[driver] == 0 { // the driver itself failed
		return errors.New("the engine refuses the driver")
	}
	at, err := g.apply(g.layout.drivers[driver], args...)
	if err != nil {
		return err
	}
	if tagOf(g.u64(at)) == tagException {
		return errNoMemory // describing needs little, so there is none left
	}
	text, _, err := g.read(at, 1<<20)
	if err != nil {
		return err
	}
	return newThrown(text)
}

// reseed gives Math.random a state of its own.
func (g *guest) reseed(seed uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed|1) // never 0, which xorshift does not leave
	g.mem.Write(g.layout.seed, b[:])
}
