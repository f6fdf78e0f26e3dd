package workflow

import (
	"encoding/json"
	"strings"
	"sync"
)

// itemResults collects what the items of a Map return. An attempt that ignored its
// timeout may still end after a later one succeeded, and even after the results
// were handed on: the first outcome of an item counts.
type itemResults[B any] struct {
	mu      sync.Mutex // never held while other code runs
	results []B
	errs    []error // nil until an item fails
	done    []bool
}

func newItemResults[B any](n int) *itemResults[B] {
	return &itemResults[B]{results: make([]B, n), done: make([]bool, n)}
}

func (m *itemResults[B]) keep(i int, result B) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.done[i] {
		m.results[i], m.done[i] = result, true
	}
}

func (m *itemResults[B]) fail(i int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done[i] {
		return
	}
	if m.errs == nil {
		m.errs = make([]error, len(m.results))
	}
	m.errs[i], m.done[i] = err, true
}

// value returns the result of an item that succeeded.
func (m *itemResults[B]) value(i int) B {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.results[i]
}

// values returns the results; nobody changes the list any more.
func (m *itemResults[B]) values() []B {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.results
}

// outcomes returns the results with the errors.
func (m *itemResults[B]) outcomes() []Result[B] {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Result[B], len(m.results))
	for i := range list {
		list[i] = Result[B]{Value: m.results[i], Status: StatusSucceeded}
		if m.errs != nil && m.errs[i] != nil {
			list[i].Err, list[i].Status = m.errs[i], StatusFailed
		}
	}
	return list
}

// json returns the results as a list; with keep of objects {output, error}.
func (m *itemResults[B]) json(keep bool) json.RawMessage {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []byte("[")
	for i := range m.results {
		if i > 0 {
			out = append(out, ',')
		}
		value, _ := any(m.results[i]).(json.RawMessage)
		if len(value) == 0 {
			value = null
		}
		if !keep {
			out = append(out, value...)
			continue
		}
		why := null
		if m.errs != nil && m.errs[i] != nil {
			why = json.RawMessage(jsonString(strings.ToValidUTF8(m.errs[i].Error(), "\uFFFD")))
		}
		out = append(append(out, `{"output":`...), value...)
		out = append(append(append(out, `,"error":`...), why...), '}')
	}
	return append(out, ']')
}
