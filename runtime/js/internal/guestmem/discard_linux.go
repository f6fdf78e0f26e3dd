package guestmem

// madviseZeroes: MADV_DONTNEED on private anonymous memory reads as zero afterwards.
const madviseZeroes = true
