package js

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/ringmill/ringmill/runtime/js/internal/guestmem"
)

//go:embed guestjs
var sources embed.FS

// The files of guestjs by the numbers that driver.js loads them with.
var lazyFiles = [...]string{"console.js", "timers.js", "crypto.js", "text.js", "fetch.js"}

const (
	driverFile = "driver.js"
	fetchFile  = 4
)

const (
	pageSize = 64 << 10
	// stackSize is where the guest's C stack begins; it grows down to address 0,
	// so that an overflow traps instead of reaching data.
	stackSize = 1 << 20
	// scriptStack is what JavaScript may use of it, some 2,000 calls deep: the rest is
	// for the C functions that run between two checks. The machine code's own stack,
	// which wazero keeps in the Go heap, grows to 16 MB meanwhile and never shrinks.
	scriptStack = 512 << 10
	// deepStack is how deep a call may go before its guest is replaced, to get that
	// stack back: it grows to 4 MB with this.
	deepStack = 128 << 10
	// smallInput is the room for an input's text that every image keeps, so that a
	// small one needs no allocation in the guest.
	smallInput = 8 << 10
)

// A machine is the compiled engine and the image of a pristine guest. It is
// immutable once made; all guests share it.
type machine struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	cache    wazero.CompilationCache
	limits   Limits
	driver   []byte // bytecode
	lazy     [len(lazyFiles)][]byte

	base   *image
	shared *guestmem.Image // base.flat as memory of the operating system; nil where it has none
	layout layout
	guests atomic.Uint64 // made so far, to name the next

	reserve func(size uint64) (*guestmem.Memory, error) // guestmem.Reserve, but in tests
}

// A layout has the addresses that are the same in every guest, because all of
// them begin as copies of one image.
type layout struct {
	sp      uint32 // the stack pointer outside a call
	context uint32 // JSContext
	seed    uint32 // state of Math.random: a 64-bit number other than 0
	frame   uint32 // room for one call: frame* below

	runtime                 uint32 // JSRuntime
	objectProto, arrayProto uint32
	atomToJSON, atomThen    uint32
	readable                bool // what [reader] knows holds for this engine

	drivers [driverCount]uint32
}

// Offsets in the frame.
const (
	frameFunction  = 0 // a JSValue, as are the next three
	frameInput     = 8
	frameContext   = 16
	frameNamespace = 24
	frameUndefined = 32
	frameArgs      = 40 // four pointers to JSValues
	frameLength    = 56 // a size_t that functions of the engine write
	frameMode      = 64 // a JSValue
	frameText      = 72
	frameSize      = frameText + smallInput
)

// The functions that driver.js returns, in its order.
const (
	driverParse = iota
	driverAnswer
	driverMissing
	driverLoad
	driverState
	driverValue
	driverFire
	driverSettle
	driverDescribe
	driverDescribeFailure
	driverCount
)

// newMachine compiles module, which must have been rewritten, and prepares the
// image. It takes about half a second of processor time without a warm cache.
func newMachine(ctx context.Context, module []byte, c *Config) (*machine, error) {
	m := &machine{limits: c.Limits, reserve: guestmem.Reserve}
	rc := wazero.NewRuntimeConfigCompiler()
	if c.Interpreter {
		rc = wazero.NewRuntimeConfigInterpreter()
	}
	if c.CacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(c.CacheDir)
		if err != nil {
			return nil, fmt.Errorf("js: Config.CacheDir %s: %w", c.CacheDir, err)
		}
		m.cache = cache
		rc = rc.WithCompilationCache(cache)
	}
	pages := uint32(c.Limits.MemoryBytes / pageSize)
	rc = rc.WithCoreFeatures(api.CoreFeaturesV2 &^ api.CoreFeatureSIMD).WithMemoryLimitPages(pages).WithCustomSections(false)
	m.runtime = wazero.NewRuntimeWithConfig(ctx, rc)
	if err := m.prepare(ctx, module, c.Fetch.enabled()); err != nil {
		return nil, errors.Join(err, m.close(ctx))
	}
	return m, nil
}

func (m *machine) close(ctx context.Context) error {
	err := m.runtime.Close(ctx)
	if m.shared != nil {
		m.shared.Close()
	}
	if m.cache != nil {
		err = errors.Join(err, m.cache.Close(ctx))
	}
	return err
}

func (m *machine) prepare(ctx context.Context, module []byte, withFetch bool) (err error) {
	if err := m.bindHost(ctx); err != nil {
		return fmt.Errorf("js: %w", err)
	}
	if m.compiled, err = m.runtime.CompileModule(ctx, module); err != nil {
		return fmt.Errorf("js: the engine does not compile: %w", err)
	}
	// One guest compiles, another is booted of the bytecode alone: what the parser
	// leaves behind would be part of every restore.
	if err := m.once(ctx, func(g *guest) error { return g.compileOwn(withFetch) }); err != nil {
		return err
	}
	return m.once(ctx, func(g *guest) error {
		if err := g.boot(); err != nil {
			return err
		}
		m.base = capture(g, nil)
		err := g.learnLayout() // changes memory, which is not captured any more
		m.layout = g.layout
		m.share()
		return err
	})
}

// share lets guests have the base mapped instead of copied. Where that is not
// possible nothing is lost but time.
func (m *machine) share() {
	if m.layout.sp%uint32(guestmem.PageSize) == 0 {
		m.shared, _ = guestmem.NewImage(m.base.flat)
	}
}

// startTimeout bounds a step of the start, on a machine that does other things.
const startTimeout = 30 * time.Second

// once runs f in a guest of its own.
func (m *machine) once(ctx context.Context, f func(*guest) error) error {
	g, err := m.instantiate(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = g.close(ctx) }()
	c := g.begin(ctx, time.Now().Add(startTimeout))
	defer g.end()
	if err := f(g); err != nil {
		return fmt.Errorf("js: the engine does not start: %w", c.failure(err))
	}
	return nil
}

// errNoRoom reports that the operating system has no memory for a guest.
var errNoRoom = errors.New("no room for another guest")

// instantiate makes a guest whose memory has not been given an image yet.
func (m *machine) instantiate(ctx context.Context) (*guest, error) {
	g := &guest{machine: m}
	var refused error
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(_, max uint64) experimental.LinearMemory {
		memory, err := m.reserve(max)
		if err != nil {
			refused = err
			memory = new(guestmem.Memory)
		}
		g.memory = memory
		return memory
	}))
	name := fmt.Sprintf("guest-%d", m.guests.Add(1))
	module, err := m.instantiateModule(ctx, name)
	if refused != nil || err != nil {
		if g.memory != nil {
			g.memory.Free()
		}
		return nil, fmt.Errorf("js: %w: %w", errNoRoom, errors.Join(refused, err))
	}
	if err := g.bind(module); err != nil {
		return nil, errors.Join(err, g.close(ctx))
	}
	return g, nil
}

// instantiateModule turns a panic of the allocation into an error: wazero has no
// other way to learn that even the first pages are not to be had.
func (m *machine) instantiateModule(ctx context.Context, name string) (module api.Module, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the operating system refuses the memory")
		}
	}()
	return m.runtime.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName(name).WithStartFunctions())
}

// An image is what a guest's memory holds before a call: every byte from the end
// of the stack to pages*64 KB. The stack's own bytes are zero then, but for what
// lies above the stack pointer.
type image struct {
	pages  uint32
	blocks []block // what differs from the base, by address
	value  uint64  // the script, a JSValue: a function, or a module that was not evaluated
	module bool
	bytes  int    // what blocks hold
	flat   []byte // of the base only: all of it
}

// A block is a run of bytes behind the stack pointer. Without data it is zero.
type block struct {
	at, n uint32
	data  []byte
}

// grain is the size of the blocks that memory is compared in.
const grain = 512

// Where the bytes of a block come from.
const (
	fromBase = iota
	fromZero
	fromOwn
)

// capture copies what memory of g differs from base, and all of it without a base.
func capture(g *guest, base *image) *image {
	img := &image{pages: g.pages()}
	sp := g.layout.sp
	memory := g.bytes(sp, img.pages*pageSize-sp)
	if base == nil {
		img.flat = bytes.Clone(memory)
		return img
	}
	origin := func(from, to int) int {
		piece := memory[from:to]
		switch {
		case to <= len(base.flat) && bytes.Equal(piece, base.flat[from:to]):
			return fromBase
		case bytes.Count(piece, zeroByte) == len(piece):
			return fromZero
		}
		return fromOwn
	}
	for from := 0; from < len(memory); {
		to := min(from+grain, len(memory))
		kind := origin(from, to)
		for to < len(memory) && origin(to, min(to+grain, len(memory))) == kind {
			to = min(to+grain, len(memory))
		}
		b := block{at: uint32(from), n: uint32(to - from)}
		if kind == fromOwn {
			b.data = bytes.Clone(memory[from:to])
			img.bytes += to - from
		}
		if kind != fromBase {
			img.blocks = append(img.blocks, b)
		}
		from = to
	}
	return img
}

var zeroByte = []byte{0}

// seedOf finds the state of Math.random in the context: the one 64-bit number
// that a call changes as xorshift64* does.
func seedOf(before, after []byte) (int, bool) {
	for at := 0; at+8 <= min(len(before), len(after)); at += 8 {
		x, y := binary.LittleEndian.Uint64(before[at:]), binary.LittleEndian.Uint64(after[at:])
		if x == y || x == 0 {
			continue
		}
		x ^= x >> 12
		x ^= x << 25
		x ^= x >> 27
		if x == y {
			return at, true
		}
	}
	return 0, false
}
