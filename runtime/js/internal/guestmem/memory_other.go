//go:build !unix

package guestmem

// OffHeap reports that memories live in the Go heap: a guest is held to its limit,
// but a machine that has less than the limits of all guests can lose the process.
const OffHeap = false

func reserve(size uint64) ([]byte, error) { return make([]byte, size), nil }

func commit([]byte, uint64, uint64) bool { return true }

func discard(b []byte) { clear(b) }

func release([]byte) {}
