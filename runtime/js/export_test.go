package js

import (
	"bytes"
	"context"
	"time"
)

var Supported = supported

// GuestMemory restores the guest that e uses next to the script's image and returns
// a copy of all its memory.
func GuestMemory(e *Engine, s *Script) []byte {
	slot, err := e.seize(context.Background(), time.Now().Add(time.Minute))
	if err != nil {
		panic(err)
	}
	defer e.pool.release(slot)
	if err := slot.guest.restore(e.cache.image(&s.hash)); err != nil {
		panic(err)
	}
	return bytes.Clone(slot.guest.bytes(0, slot.guest.mem.Size()))
}

// RawGuestMemory is the memory as the last call left it.
func RawGuestMemory(e *Engine) []byte {
	slot, err := e.seize(context.Background(), time.Now().Add(time.Minute))
	if err != nil {
		panic(err)
	}
	defer e.pool.release(slot)
	return bytes.Clone(slot.guest.bytes(0, slot.guest.mem.Size()))
}
