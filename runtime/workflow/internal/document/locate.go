package document

import (
	"bytes"
	"encoding/json"
)

// Locate finds a value in a JSON text: each element of path is the key (a
// string) or the index (an int) to go to. Where the path ends early, it returns
// the place of the last value found.
func Locate(data []byte, path ...any) Position {
	place, _ := locate(data, path)
	return place
}

// Has reports whether a JSON text has a value at path. It reads no further than
// that, and does not mind what follows.
func Has(data []byte, path ...any) bool {
	_, found := locate(data, path)
	return found
}

func locate(data []byte, path []any) (place Position, found bool) {
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1, column: 1}
	place = r.position()
	for _, step := range path {
		if !r.enter(step) {
			return place, false
		}
		place = r.position()
	}
	return place, true
}

// enter moves the decoder, which stands before a value, into it: before the
// value that step leads to. It answers false if there is none.
func (r *jsonReader) enter(step any) bool {
	open := json.Delim('{')
	if _, index := step.(int); index {
		open = '['
	}
	if t, err := r.dec.Token(); err != nil || t != open {
		return false
	}
	for i := 0; r.dec.More(); i++ {
		var at any = i
		if open == '{' {
			key, err := r.dec.Token()
			if err != nil {
				return false
			}
			at = key
		}
		if at == step {
			return true
		}
		var skipped json.RawMessage
		if r.dec.Decode(&skipped) != nil {
			return false
		}
	}
	return false
}
