package fuel

import "fmt"

// A reader walks over the binary format. It panics with a formatError at the end
// of its data; catch turns that into an error at the package's boundary.
type reader struct {
	data []byte
	at   int
}

type formatError string

func (e formatError) Error() string { return "fuel: " + string(e) }

func catch(err *error) {
	switch e := recover().(type) {
	case nil:
	case formatError:
		*err = e
	default:
		panic(e)
	}
}

func (r *reader) byte() byte {
	if r.at >= len(r.data) {
		panic(formatError(fmt.Sprintf("the module ends early, at offset %d of a section", r.at)))
	}
	r.at++
	return r.data[r.at-1]
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.data)-r.at) {
		panic(formatError(fmt.Sprintf("the module ends early: %d bytes are wanted at offset %d of a section", n, r.at)))
	}
	r.at += int(n)
	return r.data[r.at-int(n) : r.at]
}

func (r *reader) name() string { return string(r.take(r.u32())) }

// u32 reads an unsigned LEB128 number.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	panic(formatError(fmt.Sprintf("a number at offset %d of a section does not fit 32 bits", r.at)))
}

// leb skips a LEB128 number of at most max bytes.
func (r *reader) leb(max int) {
	for range max {
		if r.byte() < 0x80 {
			return
		}
	}
	panic(formatError(fmt.Sprintf("a number at offset %d of a section is too long", r.at)))
}

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendS32(b []byte, v int32) []byte {
	for {
		c := byte(v) & 0x7f
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
