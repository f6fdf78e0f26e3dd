package scheduler

// fifo is a queue that grows by doubling and keeps its memory. It is not safe
// for concurrent use; who owns it guards it.
type fifo[T any] struct {
	slots []T // length zero or a power of two
	head  int // index of the oldest
	n     int
}

func (f *fifo[T]) push(v T) {
	if f.n == len(f.slots) {
		f.grow()
	}
	f.slots[(f.head+f.n)&(len(f.slots)-1)] = v
	f.n++
}

func (f *fifo[T]) pop() (v T, ok bool) {
	if f.n == 0 {
		return v, false
	}
	var zero T
	v, f.slots[f.head] = f.slots[f.head], zero // the slot must not keep v alive
	f.head = (f.head + 1) & (len(f.slots) - 1)
	f.n--
	return v, true
}

func (f *fifo[T]) grow() {
	slots := make([]T, max(8, 2*len(f.slots)))
	copied := copy(slots, f.slots[f.head:])
	copy(slots[copied:], f.slots[:f.head])
	f.slots, f.head = slots, 0
}
