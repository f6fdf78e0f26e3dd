//go:build unix

package guestmem

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// OffHeap reports that memories do not live in the Go heap.
const OffHeap = true

func reserve(size uint64) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, int(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("guestmem: reserving %d bytes of address space: %w", size, err)
	}
	return b, nil
}

func commit(b []byte, from, to uint64) bool {
	return unix.Mprotect(b[from:to], unix.PROT_READ|unix.PROT_WRITE) == nil
}

func discard(b []byte) {
	if madviseZeroes && unix.Madvise(b, unix.MADV_DONTNEED) == nil {
		return
	}
	clear(b)
}

func release(b []byte) { _ = unix.Munmap(b) }
