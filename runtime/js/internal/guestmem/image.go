package guestmem

import "os"

// An Image is memory that many guests begin with. The operating system keeps one
// copy; a guest that has it mapped gets a page of its own when it writes one, and
// [Memory.Written] tells which those are. It is safe for concurrent use.
type Image struct {
	size    int
	file    int // of the memory
	pagemap int // /proc/self/pagemap
}

// PageSize is the size of the pages that Written tells about.
var PageSize = os.Getpagesize()
