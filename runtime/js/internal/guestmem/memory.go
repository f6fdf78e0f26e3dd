package guestmem

// A Memory is the linear memory of one guest. It is owned by the goroutine that
// runs the guest; Free may be called once the guest is closed.
//
// Invariants:
//
//	I1  the address of byte 0 never changes
//	I2  committed <= len(reserved); bytes below committed can be read and written
type Memory struct {
	reserved  []byte
	committed uint64
	// Frozen makes Reallocate refuse to grow.
	Frozen bool

	image   *Image // mapped, or nil
	imageAt int64  // where the pagemap has its first page
	entries []byte // what the kernel answers
	written []bool
}

// Reallocate makes the memory size bytes long and returns it, or nil when the
// operating system or the reserved size does not allow it. What was there stays,
// what is new is zero.
func (m *Memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.reserved)) {
		return nil
	}
	if size > m.committed {
		if m.Frozen {
			return nil
		}
		if !commit(m.reserved, m.committed, size) {
			return nil
		}
		m.committed = size
	}
	return m.reserved[:size:size]
}

// Clear makes the bytes from a page boundary on zero and gives their pages back
// to the operating system.
func (m *Memory) Clear(from uint64) {
	if from < m.committed {
		discard(m.reserved[from:m.committed])
	}
}

// Free gives everything back. The memory must not be used afterwards; a second
// call does nothing.
func (m *Memory) Free() {
	if m.reserved != nil {
		release(m.reserved)
		m.reserved, m.committed, m.image = nil, 0, nil
	}
}

// Reserve returns an empty memory that can grow to max bytes, or an error when
// the operating system has no room for it.
func Reserve(max uint64) (*Memory, error) {
	reserved, err := reserve(max)
	if err != nil {
		return nil, err
	}
	return &Memory{reserved: reserved}, nil
}
