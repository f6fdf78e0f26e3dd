// Package guestmem allocates the linear memories of guests outside the Go heap.
//
// A guest that grows in the Go heap is copied by every step and makes the
// process die with "out of memory" when the operating system refuses: Go cannot
// recover from that. A [Memory] reserves its greatest size as address space that
// cannot be touched, makes more of it usable as the guest grows, never moves, and
// answers a refusal with a failed memory.grow, which the guest sees as an error.
package guestmem
