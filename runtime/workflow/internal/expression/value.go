package expression

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Decode makes the value of a JSON text: nil, bool, int, float64, string, []any or
// map[string]any. Whole numbers that fit are ints. Numbers beyond float64 are an
// error.
func Decode(text json.RawMessage) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return numbers(v)
}

func numbers(v any) (_ any, err error) {
	switch v := v.(type) {
	case json.Number:
		return number(v.String())
	case []any:
		for i := range v {
			if v[i], err = numbers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k, item := range v {
			if v[k], err = numbers(item); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func number(text string) (any, error) {
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.Atoi(text); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %s is too large to calculate with", text)
	}
	return f, nil
}

// A budget counts the parts of a value.
type budget struct{ used int }

func (b *budget) spend(n int) error {
	if b.used += n; b.used > maxValues {
		return errTooMuch
	}
	return nil
}

// bound refuses a value that is too large.
func (f *frame) bound(v any) error {
	if err := f.onTime(); err != nil {
		return err
	}
	if err := measure(v, new(budget)); err != nil {
		return &evalError{err}
	}
	return nil
}

// result makes the value that an evaluation returned one of JSON.
func (f *frame) result(v any) (any, error) { return plain(v, new(budget)) }

func measure(v any, b *budget) error {
	switch v := v.(type) {
	case string:
		if len(v) > maxText {
			return errTooMuch
		}
		return b.spend(1 + len(v)/64)
	case []any:
		if err := b.spend(1 + len(v)); err != nil {
			return err
		}
		for _, item := range v {
			if err := measure(item, b); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		if err := b.spend(1 + len(v)); err != nil {
			return err
		}
		for _, item := range v {
			if err := measure(item, b); err != nil {
				return err
			}
		}
		return nil
	case nil, bool, int, float64, time.Time, time.Duration:
		return b.spend(1)
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range r.Len() {
			if err := measure(r.Index(i).Interface(), b); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, k := range r.MapKeys() {
			if err := measure(r.MapIndex(k).Interface(), b); err != nil {
				return err
			}
		}
	}
	return b.spend(1)
}

// plain turns what the library makes, such as a list of ints or a map with keys
// of any type, into values of JSON.
func plain(v any, b *budget) (any, error) {
	switch v := v.(type) {
	case nil, bool, int:
		return v, b.spend(1)
	case string:
		if len(v) > maxText {
			return nil, errTooMuch
		}
		return v, b.spend(1 + len(v)/64)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("the result %v is no number of JSON", v)
		}
		return v, b.spend(1)
	case time.Time:
		return v.Format(time.RFC3339Nano), b.spend(1)
	case time.Duration:
		return v.String(), b.spend(1)
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Slice, reflect.Array:
		if err := b.spend(1 + r.Len()); err != nil {
			return nil, err
		}
		list := make([]any, r.Len())
		for i := range list {
			var err error
			if list[i], err = plain(r.Index(i).Interface(), b); err != nil {
				return nil, err
			}
		}
		return list, nil
	case reflect.Map:
		if err := b.spend(1 + r.Len()); err != nil {
			return nil, err
		}
		object := make(map[string]any, r.Len())
		for _, k := range r.MapKeys() {
			item, err := plain(r.MapIndex(k).Interface(), b)
			if err != nil {
				return nil, err
			}
			object[fmt.Sprint(k.Interface())] = item
		}
		return object, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(r.Int()), b.spend(1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32:
		return plain(r.Convert(reflect.TypeFor[float64]()).Float(), b)
	}
	return nil, fmt.Errorf("the result is %s, which JSON does not have", kindOf(v))
}

// kindOf names what a value is.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case int, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", v)
}

// KindOf names what a value is, for messages.
func KindOf(v any) string { return kindOf(v) }
