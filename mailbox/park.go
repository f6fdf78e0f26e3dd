package mailbox

// park marks the slot of head as waited for. It answers false if that slot is published. After true exactly one
// party clears the mark: the producer whose publish reports it, or the one caller whose unpark answers true.
// Only the consumer may call it, and not again before the mark is cleared.
//
// Without a ring there is no slot: then the mark is asleep() in place of the ring, and makeRing moves it into the slot.
func (m *MPSC[T]) park() bool {
	r := m.ring.Load() // not asleep(): that is a mark
	if r == nil {
		if m.ring.CompareAndSwap(nil, m.asleep()) {
			return true
		}
		r = m.ring.Load() // a producer has made it since
	}
	h := m.head.Load()
	if h < m.ready.Load() {
		return false
	}
	slot := &r.words[h&r.mask()]
	w := slot.Load()
	if r.length(w, h) != 0 {
		return false
	}
	return slot.CompareAndSwap(w, w|parkedBit) // fails only if the slot was published since
}

// unpark clears the mark that park has set and answers true; false if there is none. Any goroutine may call it.
func (m *MPSC[T]) unpark() bool {
	r := m.ring.Load()
	for r == m.asleep() {
		if m.ring.CompareAndSwap(r, nil) {
			return true
		}
		r = m.ring.Load() // the mark has moved into a ring, or somebody else cleared it
	}
	if r == nil {
		return false
	}
	slot := &r.words[m.head.Load()&r.mask()]
	w := slot.Load()
	return w&parkedBit != 0 && slot.CompareAndSwap(w, w&^parkedBit)
}
