//go:build !linux

package guestmem

import "errors"

// NewImage is for Linux only: guests are copied whole elsewhere.
func NewImage([]byte) (*Image, error) {
	return nil, errors.New("guestmem: this operating system does not tell which pages were written")
}

// Close does nothing.
func (i *Image) Close() {}

// Map is never called without an image.
func (m *Memory) Map(*Image, uint64) error { return errors.New("guestmem: no images") }

// Written knows nothing.
func (m *Memory) Written() ([]bool, bool) { return nil, false }

// Faults knows nothing.
func Faults() (int64, bool) { return 0, false }
