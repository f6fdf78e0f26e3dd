package js

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// Bounds of what a [builder] makes; beyond, JSON.parse does.
const (
	maxBuilt      = 64 << 10 // bytes of JSON
	maxBuiltDepth = 32
	maxBuiltKeys  = 32               // of one object, which are compared with each other
	builtNames    = 16               // names that are remembered within one input
	builtText     = smallInput / 2   // bytes of one string
	builtValues   = smallInput/8 - 1 // elements of one array
)

// A builder makes a script's input, which is JSON, of the engine's own values. A call
// of the engine takes a twentieth of a microsecond, and so this takes a quarter of
// what JSON.parse does. It gives up on what is rare (escapes of surrogates, names that
// are numbers or occur twice, texts that are not JSON), and leaves that to JSON.parse:
// what it made until then is left to the next restore.
type builder struct {
	g      *guest
	in     []byte
	at     int
	values []uint64 // of the arrays and objects that are not complete
	names  [builtNames]struct {
		name []byte
		atom uint32
	}
	known int
	err   error // the guest trapped or has no memory
}

// build makes the value of text. It is false where JSON.parse must.
func (g *guest) build(text []byte) (value uint64, ok bool, err error) {
	if len(text) > maxBuilt {
		return 0, false, nil
	}
	b := builder{g: g, in: text, values: g.building[:0]}
	b.space()
	value, ok = b.value(0)
	if b.space(); b.at != len(b.in) {
		ok = false
	}
	g.building = b.values[:0]
	return value, ok && b.err == nil, b.err
}

func (b *builder) space() {
	for b.at < len(b.in) {
		switch b.in[b.at] {
		case ' ', '\n', '\r', '\t':
			b.at++
		default:
			return
		}
	}
}

// next is the byte at the reader's place, 0 at the end.
func (b *builder) next() byte {
	if b.at < len(b.in) {
		return b.in[b.at]
	}
	return 0
}

// take goes past c, if that comes next.
func (b *builder) take(c byte) bool {
	if b.next() != c {
		return false
	}
	b.at++
	return true
}

// made is a value that the engine made, unless it could not.
func (b *builder) made(value uint64, err error) (uint64, bool) {
	if err != nil {
		b.err = err
	}
	return value, err == nil
}

func (b *builder) value(depth int) (uint64, bool) {
	if depth > maxBuiltDepth {
		return 0, false
	}
	switch c := b.next(); c {
	case '{':
		return b.object(depth)
	case '[':
		return b.array(depth)
	case '"':
		text, ok := b.text()
		if !ok {
			return 0, false
		}
		at := b.g.layout.frame + frameText
		if !b.g.mem.Write(at, text) {
			return 0, false
		}
		return b.made(b.g.value(b.g.f.stringValue, uint64(b.g.layout.context), uint64(at), uint64(len(text))))
	case 't':
		return boolean(1), b.word("true")
	case 'f':
		return boolean(0), b.word("false")
	case 'n':
		return uint64(tagNull) << 32, b.word("null")
	default:
		return b.number()
	}
}

func boolean(v uint64) uint64 { return tagBool<<32 | v }

func (b *builder) word(w string) bool {
	if !bytes.HasPrefix(b.in[b.at:], []byte(w)) {
		return false
	}
	b.at += len(w)
	return true
}

func (b *builder) digits() bool {
	from := b.at
	for c := b.next(); c >= '0' && c <= '9'; c = b.next() {
		b.at++
	}
	return b.at > from
}

func (b *builder) number() (uint64, bool) {
	from := b.at
	b.take('-')
	if !b.take('0') && !b.digits() {
		return 0, false
	}
	whole := true
	if b.take('.') {
		if whole = false; !b.digits() {
			return 0, false
		}
	}
	if b.take('e') || b.take('E') {
		if !b.take('+') {
			b.take('-')
		}
		if whole = false; !b.digits() {
			return 0, false
		}
	}
	text := string(b.in[from:b.at]) // does not escape, so it costs nothing
	if whole && len(text) < 10 && text != "-0" {
		n, err := strconv.Atoi(text)
		return uint64(uint32(int32(n))), err == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil { // too large: JSON.parse knows what that is
		return 0, false
	}
	return math.Float64bits(f) - floatAddend, true
}

// text reads a string. The result lies in the input, or is a copy without escapes.
func (b *builder) text() ([]byte, bool) {
	b.at++
	from := b.at
	for b.at < len(b.in) {
		switch c := b.in[b.at]; {
		case c == '"':
			b.at++
			text := b.in[from : b.at-1]
			return text, len(text) <= builtText && utf8.Valid(text)
		case c == '\\':
			return b.escaped(from)
		case c < ' ':
			return nil, false
		}
		b.at++
	}
	return nil, false
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped is text from the first escape on.
func (b *builder) escaped(from int) ([]byte, bool) {
	text := bytes.Clone(b.in[from:b.at])
	for b.at < len(b.in) {
		c := b.in[b.at]
		b.at++
		switch {
		case c == '"':
			return text, len(text) <= builtText && utf8.Valid(text)
		case c < ' ':
			return nil, false
		case c != '\\':
			text = append(text, c)
			continue
		}
		c = b.next()
		b.at++
		if plain := escapes[c]; plain != 0 {
			text = append(text, plain)
			continue
		}
		if c != 'u' || b.at+4 > len(b.in) {
			return nil, false
		}
		n, err := strconv.ParseUint(string(b.in[b.at:b.at+4]), 16, 16)
		if err != nil || n >= 0xd800 && n < 0xe000 {
			return nil, false
		}
		b.at += 4
		text = utf8.AppendRune(text, rune(n))
	}
	return nil, false
}

// write puts what was collected since base where the engine reads it.
func (b *builder) write(base int) (at, n uint32, ok bool) {
	values := b.values[base:]
	if len(values) > builtValues {
		return 0, 0, false
	}
	at = b.g.layout.frame + frameText
	into := b.g.bytes(at, uint32(len(values)*8))
	if len(into) != len(values)*8 {
		return 0, 0, false
	}
	for i, v := range values {
		binary.LittleEndian.PutUint64(into[i*8:], v)
	}
	return at, uint32(len(values)), true
}

func (b *builder) array(depth int) (uint64, bool) {
	b.at++
	base := len(b.values)
	for b.space(); !b.take(']'); b.space() {
		if len(b.values) > base && !b.take(',') {
			return 0, false
		}
		b.space()
		v, ok := b.value(depth + 1)
		if !ok {
			return 0, false
		}
		b.values = append(b.values, v)
	}
	at, n, ok := b.write(base)
	if b.values = b.values[:base]; !ok {
		return 0, false
	}
	return b.made(b.g.value(b.g.f.arrayOf, uint64(b.g.layout.context), uint64(n), uint64(at)))
}

// object collects values and, in keys, the names' atoms: behind the values in memory
// they are an array of their own.
func (b *builder) object(depth int) (uint64, bool) {
	b.at++
	base := len(b.values)
	var keys [maxBuiltKeys]uint32
	n := 0
	for b.space(); !b.take('}'); b.space() {
		if n > 0 && !b.take(',') {
			return 0, false
		}
		b.space()
		if b.next() != '"' || n == maxBuiltKeys {
			return 0, false
		}
		name, ok := b.text()
		if !ok {
			return 0, false
		}
		atom, ok := b.atom(name)
		if !ok {
			return 0, false
		}
		for _, other := range keys[:n] {
			if other == atom {
				return 0, false
			}
		}
		keys[n] = atom
		n++
		b.space()
		if !b.take(':') {
			return 0, false
		}
		b.space()
		v, ok := b.value(depth + 1)
		if !ok {
			return 0, false
		}
		b.values = append(b.values, v)
	}
	at, count, ok := b.write(base)
	if b.values = b.values[:base]; !ok {
		return 0, false
	}
	names := at + count*8
	for i, key := range keys[:n] {
		b.g.setU32(names+uint32(i)*4, key)
	}
	return b.made(b.g.value(b.g.f.objectOf, uint64(b.g.layout.context), uint64(count), uint64(names), uint64(at)))
}

// atom is the engine's number of a name.
func (b *builder) atom(name []byte) (uint32, bool) {
	if len(name) == 0 || name[0] >= '0' && name[0] <= '9' || bytes.HasPrefix(name, []byte("__")) {
		return 0, false
	}
	for i := range b.known {
		if bytes.Equal(b.names[i].name, name) {
			return b.names[i].atom, true
		}
	}
	at := b.g.layout.frame + frameText
	if !b.g.mem.Write(at, name) {
		return 0, false
	}
	atom, err := b.g.invoke(b.g.f.atomOf, uint64(b.g.layout.context), uint64(at), uint64(len(name)))
	if err == nil && uint32(atom) == 0 {
		err = b.g.thrown()
	}
	if err != nil {
		b.err = err
		return 0, false
	}
	if b.known < builtNames {
		b.names[b.known].name, b.names[b.known].atom = name, uint32(atom)
		b.known++
	}
	return uint32(atom), true
}
