package workflow

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"reflect"
	"slices"
	"time"
)

var timeType = reflect.TypeFor[time.Time]()

// notHashable says what keeps values of a type from being told apart by what they
// hold, or nothing.
func notHashable(t reflect.Type) string { return notHashableIn(t, make(map[reflect.Type]bool)) }

func notHashableIn(t reflect.Type, seen map[reflect.Type]bool) string {
	if seen[t] || t == timeType {
		return ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr:
		return "a " + t.Kind().String()
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return notHashableIn(t.Elem(), seen)
	case reflect.Map:
		if why := notHashableIn(t.Key(), seen); why != "" {
			return why
		}
		return notHashableIn(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if why := notHashableIn(t.Field(i).Type, seen); why != "" {
				return fmt.Sprintf("%s in its field %s", why, t.Field(i).Name)
			}
		}
	}
	return ""
}

// maxHashDepth bounds the recursion into a value: one that holds itself has no
// hash.
const maxHashDepth = 200

// Fingerprint hashes what a value holds, as the keys of [Cache] do: equal values have equal fingerprints in every process.
// The error says what of the value cannot be hashed, such as a function.
func Fingerprint(v any) (string, error) {
	if v != nil {
		if why := notHashable(reflect.TypeOf(v)); why != "" {
			return "", fmt.Errorf("workflow: %T holds %s", v, why)
		}
	}
	return stableHash([]any{v})
}

// stableHash hashes what values hold: types, contents behind pointers, unexported
// fields. Equal values hash alike in every process; so do a nil and an empty slice or
// map. Times are what they denote, to the nanosecond, and their zone's offset.
func stableHash(values []any) (string, error) {
	h := hasher{sha256.New(), make([]byte, 0, 64)}
	for _, v := range values {
		if err := h.value(reflect.ValueOf(v), 0); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// A hasher writes values so that no two different ones write the same bytes.
type hasher struct {
	hash.Hash
	buf []byte
}

func (h *hasher) number(tag reflect.Kind, n uint64) {
	h.buf = append(h.buf[:0], byte(tag))
	h.buf = binary.BigEndian.AppendUint64(h.buf, n)
	_, _ = h.Write(h.buf)
}

func (h *hasher) text(tag reflect.Kind, s string) {
	h.number(tag, uint64(len(s)))
	_, _ = h.Write([]byte(s))
}

func (h *hasher) value(v reflect.Value, depth int) error {
	if depth > maxHashDepth {
		return errors.New("workflow: a value that is nested too deeply, or holds itself, has no hash")
	}
	if !v.IsValid() {
		h.number(reflect.Invalid, 0)
		return nil
	}
	if v.Type() == timeType && v.CanInterface() {
		t := v.Interface().(time.Time)
		_, offset := t.Zone()
		h.number(reflect.Struct, uint64(t.Unix()))
		h.number(reflect.Int, uint64(t.Nanosecond()))
		h.number(reflect.Int, uint64(int64(offset)))
		return nil
	}
	kind := v.Kind()
	switch kind {
	case reflect.Bool:
		n := uint64(0)
		if v.Bool() {
			n = 1
		}
		h.number(kind, n)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		h.number(kind, uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		h.number(kind, v.Uint())
	case reflect.Float32, reflect.Float64:
		h.number(kind, math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		h.number(kind, math.Float64bits(real(v.Complex())))
		h.number(kind, math.Float64bits(imag(v.Complex())))
	case reflect.String:
		h.text(kind, v.String())
	case reflect.Pointer:
		if v.IsNil() {
			h.number(kind, 0)
			return nil
		}
		h.number(kind, 1)
		return h.value(v.Elem(), depth+1)
	case reflect.Interface:
		if v.IsNil() {
			h.number(kind, 0)
			return nil
		}
		h.text(kind, v.Elem().Type().String())
		return h.value(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		h.number(kind, uint64(v.Len()))
		if v.Type().Elem().Kind() == reflect.Uint8 && kind == reflect.Slice {
			_, _ = h.Write(v.Bytes())
			return nil
		}
		for i := range v.Len() {
			if err := h.value(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Struct:
		h.text(kind, v.Type().String())
		for i := range v.NumField() {
			if err := h.value(v.Field(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Map:
		return h.mapValue(v, depth)
	default:
		return fmt.Errorf("workflow: a %s has no hash", v.Type())
	}
	return nil
}

// mapValue writes the hashes of a map's entries in order: keys of every kind can be
// sorted that way.
func (h *hasher) mapValue(v reflect.Value, depth int) error {
	sums := make([][]byte, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		entry := hasher{sha256.New(), nil}
		if err := entry.value(it.Key(), depth+1); err != nil {
			return err
		}
		if err := entry.value(it.Value(), depth+1); err != nil {
			return err
		}
		sums = append(sums, entry.Sum(nil))
	}
	slices.SortFunc(sums, slices.Compare)
	h.number(reflect.Map, uint64(len(sums)))
	for _, sum := range sums {
		_, _ = h.Write(sum)
	}
	return nil
}
