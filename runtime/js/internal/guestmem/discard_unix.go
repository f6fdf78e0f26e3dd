//go:build unix && !linux

package guestmem

// madviseZeroes: outside Linux MADV_DONTNEED is a hint that may keep the contents.
const madviseZeroes = false
