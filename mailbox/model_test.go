package mailbox_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringmill/ringmill/mailbox"
)

// twin is an MPSC beside the plain slice that it must behave like. Its methods do one operation on both and say how
// they differ.
type twin struct {
	m        *mailbox.MPSC[*int]
	model    []*int
	capacity int
	closed   bool
	sent     int
}

func newTwin(capacity int) *twin {
	return &twin{m: mailbox.NewMPSC[*int](capacity), capacity: capacity}
}

func (w *twin) fresh() *int {
	w.sent++
	return &[]int{w.sent}[0]
}

func (w *twin) refusal(want int) (int, error) {
	switch free := w.capacity - len(w.model); {
	case w.closed:
		return 0, mailbox.ErrClosed
	case free < want:
		return free, mailbox.ErrFull
	default:
		return want, nil
	}
}

func (w *twin) enqueue() error {
	v := w.fresh()
	n, want := w.refusal(1)
	if err := w.m.TryEnqueue(v); !errors.Is(err, want) {
		return fmt.Errorf("enqueue = %v, want %v", err, want)
	}
	if n == 1 {
		w.model = append(w.model, v)
	}
	return nil
}

func (w *twin) enqueueBatch(size int) error {
	vs := make([]*int, size)
	for i := range vs {
		vs[i] = w.fresh()
	}
	wantN, want := w.refusal(size)
	n, err := w.m.TryEnqueueBatch(vs)
	if n != wantN || !errors.Is(err, want) {
		return fmt.Errorf("TryEnqueueBatch of %d = %d, %v, want %d, %v", size, n, err, wantN, want)
	}
	w.model = append(w.model, vs[:n]...)
	return nil
}

func (w *twin) dequeue() error {
	v, ok := w.m.TryDequeue()
	if ok != (len(w.model) > 0) || ok && v != w.model[0] {
		return fmt.Errorf("TryDequeue = %p, %t, want the head of %v", v, ok, w.model)
	}
	if ok {
		w.model = w.model[1:]
	}
	return nil
}

func (w *twin) drain(size int) error {
	dst := make([]*int, size)
	n := w.m.Drain(dst)
	if n != min(size, len(w.model)) || !slices.Equal(dst[:n], w.model[:n]) {
		return fmt.Errorf("Drain = %d %v, want the head of %v", n, dst, w.model)
	}
	w.model = w.model[n:]
	return nil
}

func (w *twin) close() {
	w.m.Close()
	w.closed = true
}

// check compares what can be asked at any time, and that no slot keeps a message that has left.
func (w *twin) check() error {
	empty := len(w.model) == 0
	if w.m.Len() != len(w.model) || w.m.Ready() == empty || w.m.Drained() != (empty && w.closed) || w.m.Closed() != w.closed {
		return fmt.Errorf("Len %d, Ready %t, Drained %t, Closed %t with %d messages, closed %t",
			w.m.Len(), w.m.Ready(), w.m.Drained(), w.m.Closed(), len(w.model), w.closed)
	}
	held := 0
	for _, v := range mailbox.Slots(w.m) {
		if v != nil {
			held++
		}
	}
	if held != len(w.model) {
		return fmt.Errorf("the ring holds %d values with %d messages waiting", held, len(w.model))
	}
	return nil
}

// TestModel: any sequence of operations gives the answers that a slice with a capacity gives, and the ring holds no
// message that has left.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTwin(rapid.IntRange(1, 9).Draw(t, "capacity"))
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"enqueue": func(*rapid.T) { must(w.enqueue()) },
			"batch":   func(t *rapid.T) { must(w.enqueueBatch(rapid.IntRange(0, 12).Draw(t, "size"))) },
			"dequeue": func(*rapid.T) { must(w.dequeue()) },
			"drain":   func(t *rapid.T) { must(w.drain(rapid.IntRange(0, 12).Draw(t, "size"))) },
			"close": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					w.close()
				}
			},
			"": func(*rapid.T) { must(w.check()) },
		})
	})
}

// FuzzMPSC reads a capacity and then operations with an argument from its input, a byte each, and compares with a slice
// as TestModel does.
func FuzzMPSC(f *testing.F) {
	f.Add([]byte{0, 0x00, 0x00, 0x20, 0x20})
	f.Add([]byte{4, 0x15, 0x32, 0x13, 0x39, 0x20})
	f.Add([]byte{2, 0x00, 0x00, 0x14, 0x40, 0x20, 0x3f})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		w := newTwin(1 + int(data[0]%32))
		for _, b := range data[1:] {
			var err error
			switch arg := int(b & 15); b >> 4 {
			case 0:
				err = w.enqueue()
			case 1:
				err = w.enqueueBatch(arg)
			case 2:
				err = w.dequeue()
			case 3:
				err = w.drain(arg)
			case 4:
				w.close()
			}
			if err == nil {
				err = w.check()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
