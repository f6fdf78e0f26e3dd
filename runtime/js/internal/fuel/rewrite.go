package fuel

import (
	"errors"
	"fmt"
)

const (
	// Period is how many units a module burns between two calls of
	// env.host_interrupt. A loop header is one unit: measured, a poll every
	// 8,192 units costs under 3 % and comes at least every few milliseconds.
	Period = 8192
	// BulkShift makes a bulk operation on n bytes cost n >> BulkShift units: 512
	// bytes take about as long as a loop header with its body.
	BulkShift = 9

	// LowGlobal is the exported global with the lowest value that the stack
	// pointer (global 0) had since the host set it.
	LowGlobal = "ringmill_stack_low"
	// PagesGlobal is the exported global with the memory size in pages that the
	// module sees. The host may lower it: memory above is handed out again by
	// memory.grow before the real memory grows. The host clears what it takes back.
	PagesGlobal = "ringmill_pages"

	interruptModule, interruptName = "env", "host_interrupt"
)

// ErrRewritten reports a module that was rewritten before.
var ErrRewritten = errors.New("fuel: the module was rewritten already")

// value types and opcodes that the rewriter emits.
const (
	typeI32 = 0x7f

	opUnreachable = 0x00
	opIf          = 0x04
	opEnd         = 0x0b
	opReturn      = 0x0f
	opCall        = 0x10
	opLocalGet    = 0x20
	opLocalSet    = 0x21
	opLocalTee    = 0x22
	opGlobalGet   = 0x23
	opGlobalSet   = 0x24
	opMemorySize  = 0x3f
	opMemoryGrow  = 0x40
	opI32Const    = 0x41
	opI32LtS      = 0x48
	opI32LtU      = 0x49
	opI32GtU      = 0x4b
	opI32Add      = 0x6a
	opI32Sub      = 0x6b
	opI32ShrU     = 0x76

	blockEmpty = 0x40
)

// Section ids in the order of the binary format, as far as they matter here.
const (
	sectionCustom   = 0
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionMemory   = 5
	sectionGlobal   = 6
	sectionExport   = 7
	sectionCode     = 10
)

// A rewriter holds what the passes over the sections learn.
type rewriter struct {
	types      []funcType
	funcTypes  []uint32 // type of each function that the module defines
	imports    uint32   // imported functions; defined ones are numbered behind them
	interrupt  uint32   // function index of env.host_interrupt
	minPages   uint32
	fuel       uint32 // global indices
	low, pages uint32
	refuel     uint32 // function indices of the helpers
	grow       uint32
}

type funcType struct{ params uint32 }

// Rewrite returns the module with fuel, a stack low-water mark and a memory size
// that the host can lower. The result depends on the input alone. An error says
// what the module lacks or which instruction is not known.
func Rewrite(module []byte) ([]byte, error) {
	sections, err := split(module)
	if err != nil {
		return nil, err
	}
	w := rewriter{}
	if err := w.learn(sections); err != nil {
		return nil, err
	}
	out := append([]byte(nil), module[:8]...)
	for _, s := range sections {
		body, err := w.section(s)
		if err != nil {
			return nil, err
		}
		out = append(out, s.id)
		out = appendU32(out, uint32(len(body)))
		out = append(out, body...)
	}
	return out, nil
}

// A section is one part of a module, without its id and size.
type section struct {
	id   byte
	body []byte
}

func split(module []byte) (list []section, err error) {
	defer catch(&err)
	if len(module) < 8 || string(module[:8]) != "\x00asm\x01\x00\x00\x00" {
		return nil, errors.New("fuel: not a WebAssembly 1 module: it does not begin with \\0asm and version 1")
	}
	r := reader{data: module, at: 8}
	for r.at < len(module) {
		id := r.byte()
		list = append(list, section{id, r.take(r.u32())})
	}
	return list, nil
}

// learn reads the sections that the rewriting depends on.
func (w *rewriter) learn(sections []section) (err error) {
	defer catch(&err)
	var globals uint32
	found := map[byte]bool{}
	interrupt := false
	for _, s := range sections {
		r := reader{data: s.body}
		found[s.id] = true
		switch s.id {
		case sectionType:
			for range r.u32() {
				if form := r.byte(); form != 0x60 {
					return fmt.Errorf("fuel: type form %#x is not known", form)
				}
				params := r.u32()
				r.take(params)
				r.take(r.u32())
				w.types = append(w.types, funcType{params})
			}
		case sectionImport:
			for range r.u32() {
				module, name := r.name(), r.name()
				if kind := r.byte(); kind != 0 {
					return fmt.Errorf("fuel: import %s.%s is not a function", module, name)
				}
				r.u32()
				if module == interruptModule && name == interruptName {
					interrupt, w.interrupt = true, w.imports
				}
				w.imports++
			}
		case sectionFunction:
			for range r.u32() {
				w.funcTypes = append(w.funcTypes, r.u32())
			}
		case sectionMemory:
			if n := r.u32(); n != 1 {
				return fmt.Errorf("fuel: the module has %d memories, want 1", n)
			}
			r.byte()
			w.minPages = r.u32()
		case sectionGlobal:
			globals = r.u32()
			if globals > 0 && (r.byte() != typeI32 || r.byte() != 1) {
				return errors.New("fuel: global 0 is not a mutable i32, so it is not the stack pointer")
			}
		case sectionExport:
			for range r.u32() {
				if name := r.name(); name == PagesGlobal {
					return ErrRewritten
				}
				r.byte()
				r.u32()
			}
		}
	}
	for _, id := range []byte{sectionType, sectionImport, sectionFunction, sectionMemory, sectionGlobal, sectionExport, sectionCode} {
		if !found[id] {
			return fmt.Errorf("fuel: the module has no section %d", id)
		}
	}
	if !interrupt || globals == 0 {
		return errors.New("fuel: the module has no import env.host_interrupt or no stack pointer")
	}
	w.fuel, w.low, w.pages = globals, globals+1, globals+2
	w.refuel = w.imports + uint32(len(w.funcTypes))
	w.grow = w.refuel + 1
	return nil
}

// section returns the body that s gets.
func (w *rewriter) section(s section) (out []byte, err error) {
	defer catch(&err)
	switch s.id {
	case sectionType: // two more types: () -> () and (i32) -> i32
		return extend(s.body, 2, 0x60, 0, 0, 0x60, 1, typeI32, 1, typeI32), nil
	case sectionFunction:
		extra := appendU32(nil, uint32(len(w.types)))
		extra = appendU32(extra, uint32(len(w.types))+1)
		return extend(s.body, 2, extra...), nil
	case sectionGlobal:
		var extra []byte
		for _, initial := range []int32{Period, -1, int32(w.minPages)} {
			extra = append(extra, typeI32, 1, opI32Const)
			extra = appendS32(extra, initial)
			extra = append(extra, opEnd)
		}
		return extend(s.body, 3, extra...), nil
	case sectionExport:
		var extra []byte
		for _, e := range []struct {
			name  string
			index uint32
		}{{LowGlobal, w.low}, {PagesGlobal, w.pages}} {
			extra = appendU32(extra, uint32(len(e.name)))
			extra = append(extra, e.name...)
			extra = append(extra, 3)
			extra = appendU32(extra, e.index)
		}
		return extend(s.body, 2, extra...), nil
	case sectionCode:
		return w.code(s.body)
	}
	return s.body, nil
}

// extend adds n entries to a section that is a vector.
func extend(body []byte, n uint32, extra ...byte) []byte {
	r := reader{data: body}
	out := appendU32(nil, r.u32()+n)
	return append(append(out, body[r.at:]...), extra...)
}

func (w *rewriter) code(body []byte) ([]byte, error) {
	r := reader{data: body}
	n := r.u32()
	if int(n) != len(w.funcTypes) {
		return nil, fmt.Errorf("fuel: %d function bodies for %d functions", n, len(w.funcTypes))
	}
	out := appendU32(make([]byte, 0, len(body)*5/4), n+2)
	for i := range n {
		f := r.take(r.u32())
		if int(w.funcTypes[i]) >= len(w.types) {
			return nil, fmt.Errorf("fuel: function %d has type %d of %d", w.imports+i, w.funcTypes[i], len(w.types))
		}
		params := w.types[w.funcTypes[i]].params
		rewritten, err := w.function(f, params)
		if err != nil {
			return nil, fmt.Errorf("fuel: function %d: %w", w.imports+i, err)
		}
		out = appendU32(out, uint32(len(rewritten)))
		out = append(out, rewritten...)
	}
	for _, helper := range [][]byte{w.refuelBody(), w.growBody()} {
		out = appendU32(out, uint32(len(helper)))
		out = append(out, helper...)
	}
	return out, nil
}

// refuelBody asks the host whether to go on and fills the tank.
func (w *rewriter) refuelBody() []byte {
	b := []byte{0, opCall} // no locals
	b = appendU32(b, w.interrupt)
	b = append(b, opIf, blockEmpty, opUnreachable, opEnd, opI32Const)
	b = appendS32(b, Period)
	b = append(b, opGlobalSet)
	b = appendU32(b, w.fuel)
	return append(b, opEnd)
}

// growBody is memory.grow over the size that the host can lower:
//
//	if n > memory.size - pages { if memory.grow(n - (memory.size-pages)) == -1 { return -1 } }
//	pages += n; return pages - n
func (w *rewriter) growBody() []byte {
	const n, old = 0, 1
	b := []byte{1, 1, typeI32} // one local: old
	b = appendU32(append(b, opGlobalGet), w.pages)
	b = append(b, opLocalSet, old)
	room := appendU32([]byte{opMemorySize, 0, opGlobalGet}, w.pages)
	room = append(room, opI32Sub)
	b = append(append(append(b, opLocalGet, n), room...), opI32GtU, opIf, blockEmpty)
	b = append(append(append(b, opLocalGet, n), room...), opI32Sub, opMemoryGrow, 0)
	b = append(b, opI32Const, 0, opI32LtS, opIf, blockEmpty, opI32Const, 0x7f, opReturn, opEnd, opEnd)
	b = append(b, opLocalGet, old, opLocalGet, n, opI32Add, opGlobalSet)
	b = appendU32(b, w.pages)
	return append(b, opLocalGet, old, opEnd)
}
