package guestmem_test

import (
	"testing"

	"github.com/ringmill/ringmill/runtime/js/internal/guestmem"
)

func TestMemory(t *testing.T) {
	const page = 64 << 10
	m, err := guestmem.Reserve(16 * page)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Free()
	first := m.Reallocate(page)
	first[0], first[page-1] = 1, 2
	second := m.Reallocate(4 * page)
	if &first[0] != &second[0] || len(second) != 4*page || second[0] != 1 || second[page-1] != 2 || second[page] != 0 {
		t.Error("growing moved or lost what was there")
	}
	if got := m.Reallocate(17 * page); got != nil {
		t.Errorf("beyond the maximum: %d bytes", len(got))
	}
	m.Frozen = true
	if m.Reallocate(5*page) != nil || m.Reallocate(4*page) == nil {
		t.Error("a frozen memory grew, or refuses what it has")
	}
	second[3*page] = 9
	m.Clear(2 * page)
	if second[0] != 1 || second[3*page] != 0 {
		t.Error("Clear took too much or too little")
	}
	second[3*page] = 8 // what was given back is usable again
	m.Clear(100 * page)
	m.Free()
	m.Free()
}

func TestReserveTooMuch(t *testing.T) {
	if m, err := guestmem.Reserve(1 << 62); err == nil && guestmem.OffHeap {
		m.Free()
		t.Error("an endless memory was reserved")
	}
}
