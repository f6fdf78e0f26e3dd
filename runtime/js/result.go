package js

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// How the engine lays out what a script answers, as far as [reader] knows it: the
// fields of JSObject, JSShape and JSString on a 32-bit machine. The module's hash is
// pinned; boot checks all of it against values that it makes.
const (
	objectFlags  = 8 // a byte
	objectClass  = 10
	objectShape  = 12
	objectProps  = 16 // JSValues, in the order of the shape's properties
	objectValues = 28 // of a fast array
	objectCount  = 32

	shapeMask  = 16 // the hash table has one more entry; the properties follow it
	shapeCount = 24
	shapeProto = 36
	shapeHash  = 40

	stringText = 24

	flagExotic, flagFast  = 1 << 3, 1 << 4
	classObject           = 1
	classArray            = 2
	propEnumerable        = 1 << 2
	propKinds             = 3 << 4 // accessors and the like
	propFlagShift         = 26
	atomInt               = 1 << 31
	stringKinds           = 3 << 28 // in the second word: slices of other strings and the like
	atomTypeShift         = 30
	atomTypeString        = 1
	stringWide            = 1 << 31
	runtimeAtoms          = 568
	tagObject, tagBigInt  = 0xffff_ffff, 0xffff_fff7
	tagBool, tagNull      = 1, 2
	tagShortBigInt        = 7
	tagLast               = 8 // tags between this and tagBigInt are upper halves of numbers
	floatAddend           = uint64(0x7ff80000+9+1) << 32
	maxResultDepth        = 64
	maxResultSteps        = 1 << 16
	maxResultRead         = 1 << 20
	keptResult            = 64 << 10
	maxPrototypeProps     = 256
	smallestExp, largeExp = 1e-6, 1e21
)

// A reader writes a script's result as JSON, out of the guest's memory: to have the
// engine do it takes twenty times as long. It knows plain data only (null, booleans,
// numbers, strings, objects and arrays that nobody changed the behaviour of) and
// gives up on everything else, so that JSON.stringify decides what that becomes.
//
// The memory may hold anything. Each access is checked, and steps, depth and bytes
// are bounded: beyond, the engine does the work, which fuel bounds.
type reader struct {
	memory []byte
	out    []byte
	layout *layout
	atoms  uint32
	steps  int
	limit  int
	bad    bool
}

// plain appends the JSON of the value at address at to the guest's buffer and
// reports whether it could. The result is valid until the next call.
func (g *guest) plain(at uint32, limit int) ([]byte, bool) {
	if !g.layout.readable {
		return nil, false
	}
	r := reader{memory: g.bytes(0, g.mem.Size()), out: g.result[:0], layout: &g.layout, limit: min(limit, maxResultRead)}
	r.atoms = r.u32(g.layout.runtime + runtimeAtoms)
	value := r.u64(at)
	ok := !r.bad && (tagOf(value) != tagObject || r.untouched()) && r.value(value, 0) && !r.bad && len(r.out) <= r.limit
	if g.result = r.out; cap(g.result) > keptResult {
		g.result = nil
	}
	return r.out, ok
}

func (r *reader) u32(at uint32) uint32 {
	if uint64(at)+4 > uint64(len(r.memory)) {
		r.bad = true
		return 0
	}
	return binary.LittleEndian.Uint32(r.memory[at:])
}

func (r *reader) u64(at uint32) uint64 {
	if uint64(at)+8 > uint64(len(r.memory)) {
		r.bad = true
		return 0
	}
	return binary.LittleEndian.Uint64(r.memory[at:])
}

// untouched reports whether objects and arrays inherit neither toJSON nor then.
func (r *reader) untouched() bool {
	object, array := r.u32(r.layout.objectProto+objectShape), r.u32(r.layout.arrayProto+objectShape)
	return r.u32(object+shapeProto) == 0 && r.u32(array+shapeProto) == r.layout.objectProto &&
		r.lacks(object) && r.lacks(array)
}

func (r *reader) lacks(shape uint32) bool {
	at, n := r.properties(shape)
	if n > maxPrototypeProps {
		return false
	}
	for range n {
		if atom := r.u32(at + 4); r.special(atom) {
			return false
		}
		at += 8
	}
	return !r.bad
}

// special are the names that change what becomes of a value.
func (r *reader) special(atom uint32) bool {
	return atom == r.layout.atomToJSON || atom == r.layout.atomThen
}

// properties returns where a shape's properties are and how many.
func (r *reader) properties(shape uint32) (at, n uint32) {
	return shape + shapeHash + 4*(r.u32(shape+shapeMask)+1), r.u32(shape + shapeCount)
}

func (r *reader) value(v uint64, depth int) bool {
	if r.steps++; r.steps > maxResultSteps || len(r.out) > r.limit || depth > maxResultDepth || r.bad {
		return false
	}
	switch tag := tagOf(v); tag {
	case tagInt:
		r.out = strconv.AppendInt(r.out, int64(int32(uint32(v))), 10)
	case tagBool:
		r.out = strconv.AppendBool(r.out, uint32(v) != 0)
	case tagNull, uint32(undefined >> 32): // undefined as an element, or as the result
		r.out = append(r.out, "null"...)
	case tagString:
		return r.text(uint32(v))
	case tagObject:
		at := uint32(v)
		switch flags, class := r.u32(at+objectFlags)&0xff, r.u32(at+objectFlags)>>16; {
		case flags&flagExotic == 0 && class == classObject:
			return r.object(at, depth)
		case flags&flagFast != 0 && class == classArray:
			return r.array(at, depth)
		}
		return false
	default:
		f, ok := floatOf(v)
		if !ok {
			return false
		}
		r.out = appendNumber(r.out, f)
	}
	return true
}

// floatOf is the number that a JSValue is whose tag is none of the others.
func floatOf(v uint64) (float64, bool) {
	if tag := tagOf(v); tag < tagLast || tag >= tagBigInt {
		return 0, false
	}
	return math.Float64frombits(v + floatAddend), true
}

// appendNumber writes a number as JSON.stringify does.
func appendNumber(out []byte, f float64) []byte {
	switch a := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(out, "null"...)
	case f == 0:
		return append(out, '0') // also -0
	case a < smallestExp || a >= largeExp:
		out = strconv.AppendFloat(out, f, 'e', -1, 64)
		if n := len(out); out[n-4] == 'e' && out[n-2] == '0' { // e-07
			out = append(out[:n-2], out[n-1])
		}
		return out
	}
	return strconv.AppendFloat(out, f, 'f', -1, 64)
}

func (r *reader) array(at uint32, depth int) bool {
	shape, values, n := r.u32(at+objectShape), r.u32(at+objectValues), r.u32(at+objectCount)
	// Its one property is its length, which may be more than its elements.
	if r.u32(shape+shapeProto) != r.layout.arrayProto || r.u32(shape+shapeCount) != 1 || r.u64(r.u32(at+objectProps)) != uint64(n) {
		return false
	}
	r.out = append(r.out, '[')
	for i := range n {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		if !r.value(r.u64(values+8*i), depth+1) {
			return false
		}
	}
	r.out = append(r.out, ']')
	return true
}

func (r *reader) object(at uint32, depth int) bool {
	shape, props := r.u32(at+objectShape), r.u32(at+objectProps)
	if proto := r.u32(shape + shapeProto); proto != r.layout.objectProto && proto != 0 {
		return false
	}
	prop, n := r.properties(shape)
	r.out = append(r.out, '{')
	first := true
	for range n {
		if r.steps++; r.steps > maxResultSteps || r.bad {
			return false
		}
		flags, atom, v := r.u32(prop)>>propFlagShift, r.u32(prop+4), r.u64(props)
		prop, props = prop+8, props+8
		if atom == 0 { // deleted
			continue
		}
		if atom&atomInt != 0 || flags&propKinds != 0 || r.special(atom) {
			return false // numbers come first, in their order
		}
		if flags&propEnumerable == 0 || v == undefined {
			continue
		}
		if !first {
			r.out = append(r.out, ',')
		}
		first = false
		name := r.u32(r.atoms + 4*atom)
		if name&1 != 0 || r.u32(name+4)>>atomTypeShift != atomTypeString || r.numeric(name) || !r.text(name) { // a symbol
			return false
		}
		r.out = append(r.out, ':')
		if !r.value(v, depth+1) {
			return false
		}
	}
	r.out = append(r.out, '}')
	return true
}

// numeric reports whether a name may be an array's index that is no atomInt.
func (r *reader) numeric(at uint32) bool {
	c := r.u32(at+stringText) & 0xff
	return r.u32(at)&^stringWide > 0 && c >= '0' && c <= '9'
}

const hexDigits = "0123456789abcdef"

// text writes a string: of Latin-1, or of UTF-16.
func (r *reader) text(at uint32) bool {
	head := r.u32(at)
	n, wide := uint64(head&^stringWide), head&stringWide != 0
	size := n
	if wide {
		size *= 2
	}
	begin := uint64(at) + stringText
	if r.u32(at+4)&stringKinds != 0 || r.bad || begin+size > uint64(len(r.memory)) || uint64(len(r.out))+n > uint64(r.limit) {
		return false
	}
	s := r.memory[begin : begin+size]
	r.out = append(r.out, '"')
	if wide {
		r.wide(s)
	} else {
		r.latin(s)
	}
	r.out = append(r.out, '"')
	return true
}

func (r *reader) latin(s []byte) {
	from := 0
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			continue
		}
		r.out = append(r.out, s[from:i]...)
		from = i + 1
		r.char(rune(c))
	}
	r.out = append(r.out, s[from:]...)
}

func (r *reader) wide(s []byte) {
	for i := 0; i < len(s); i += 2 {
		c := rune(binary.LittleEndian.Uint16(s[i:]))
		if c >= 0xd800 && c < 0xdc00 && i+4 <= len(s) {
			if low := rune(binary.LittleEndian.Uint16(s[i+2:])); low >= 0xdc00 && low < 0xe000 {
				c = 0x10000 + (c-0xd800)<<10 + low - 0xdc00
				i += 2
			}
		}
		r.char(c)
	}
}

func (r *reader) char(c rune) {
	switch c {
	case '"', '\\':
		r.out = append(r.out, '\\', byte(c))
	case '\b':
		r.out = append(r.out, '\\', 'b')
	case '\f':
		r.out = append(r.out, '\\', 'f')
	case '\n':
		r.out = append(r.out, '\\', 'n')
	case '\r':
		r.out = append(r.out, '\\', 'r')
	case '\t':
		r.out = append(r.out, '\\', 't')
	default:
		if c < ' ' || c >= 0xd800 && c < 0xe000 { // half of a pair
			r.out = append(r.out, '\\', 'u', hexDigits[c>>12&15], hexDigits[c>>8&15], hexDigits[c>>4&15], hexDigits[c&15])
			return
		}
		r.out = utf8.AppendRune(r.out, c)
	}
}

// truth is what JavaScript takes the value at address at for; known is false where
// the engine must be asked.
func (g *guest) truth(at uint32) (truth, known bool) {
	switch v := g.u64(at); tagOf(v) {
	case tagInt, tagBool:
		return uint32(v) != 0, true
	case tagNull, uint32(undefined >> 32):
		return false, true
	}
	return false, false
}

// learnLayout finds what [reader] needs and tries it out. An engine that it cannot
// read is no error: then every result is written by the engine.
func (g *guest) learnLayout() error {
	address := func(code string) (uint32, error) {
		at, err := g.evaluate(code, "probe", 0)
		return uint32(g.u64(at)), err
	}
	var err error
	l := &g.layout
	if l.runtime, err = g.pointer(g.f.runtimePtr); err != nil {
		return err
	}
	if l.objectProto, err = address("Object.prototype"); err != nil {
		return err
	}
	if l.arrayProto, err = address("Array.prototype"); err != nil {
		return err
	}
	names, err := address("({ toJSON: 1, then: 2 })")
	if err != nil {
		return err
	}
	r := reader{memory: g.bytes(0, g.mem.Size())}
	prop, n := r.properties(r.u32(names + objectShape))
	if l.atomToJSON, l.atomThen = r.u32(prop+4), r.u32(prop+12); r.bad || n != 2 {
		return nil
	}
	const sample = `{"a":[0,-1,2.5,1e+300,true,false,null,"x\n\"","\u00e9\u4e00"],"long name":{},"b":[[],{"c":""}]}`
	probe, err := g.evaluate("("+sample+")", "probe", 0)
	if err != nil {
		return err
	}
	l.readable = true
	text, ok := g.plain(probe, maxResultRead)
	l.readable = ok && bytes.Equal(text, []byte(`{"a":[0,-1,2.5,1e+300,true,false,null,"x\n\"","é一"],"long name":{},"b":[[],{"c":""}]}`))
	for _, other := range []string{"new Date(0)", "({ get a() { return 1 } })", "({ toJSON() {} })", "[1,,2]", "new Proxy({}, {})", "Symbol()", "10n", "new (class A {})", "new Map", "({ 1: 1 })", "() => 1"} {
		if probe, err = g.evaluate(other, "probe", 0); err != nil {
			return err
		}
		if _, ok := g.plain(probe, maxResultRead); ok {
			l.readable = false
		}
	}
	return nil
}
