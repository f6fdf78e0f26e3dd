package guestmem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The bits of an entry of /proc/self/pagemap.
const (
	entryPresent = 1 << 63
	entrySwapped = 1 << 62
	entryOfFile  = 1 << 61 // the page is the file's, not a copy of it
	entrySize    = 8
)

// NewImage makes an image of content, whose length must be a multiple of PageSize.
// The error says what the operating system lacks; guests must then be copied whole.
func NewImage(content []byte) (*Image, error) {
	if len(content) == 0 || len(content)%PageSize != 0 {
		return nil, fmt.Errorf("guestmem: an image of %d bytes, want a multiple of %d", len(content), PageSize)
	}
	i := &Image{size: len(content), file: -1, pagemap: -1}
	if err := i.open(content); err != nil {
		i.Close()
		return nil, fmt.Errorf("guestmem: %w", err)
	}
	return i, nil
}

func (i *Image) open(content []byte) (err error) {
	if i.file, err = unix.MemfdCreate("ringmill-js", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING); err != nil {
		return err
	}
	for at := 0; at < len(content); {
		n, err := unix.Pwrite(i.file, content[at:], int64(at))
		if err != nil || n == 0 {
			return errors.Join(err, errors.New("the image cannot be written"))
		}
		at += n
	}
	const seals = unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	if _, err = unix.FcntlInt(uintptr(i.file), unix.F_ADD_SEALS, seals); err != nil {
		return err
	}
	if i.pagemap, err = unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	return i.try()
}

// try finds out whether the kernel's answers are what they are taken for: some
// kernels and sandboxes have the file and fill it with something else.
func (i *Image) try() error {
	m, err := Reserve(uint64(i.size))
	if err != nil {
		return err
	}
	defer m.Free()
	b := m.Reallocate(uint64(i.size))
	if b == nil || m.Map(i, 0) != nil {
		return errors.New("the image cannot be mapped")
	}
	last, read := i.size/PageSize-1, byte(0)
	for page := range last + 1 { // touched, some of them written
		if at := page * PageSize; page == last || page%3 == 0 {
			b[at] ^= 1
		} else {
			read += b[at]
		}
	}
	runtime.KeepAlive(read)
	written, ok := m.Written()
	for page := range last + 1 {
		if want := page == last || page%3 == 0; !ok || written[page] != want {
			return errors.New("/proc/self/pagemap does not tell which pages were written")
		}
	}
	return nil
}

// Close gives the image back. Guests that have it mapped keep it.
func (i *Image) Close() {
	if i.file >= 0 {
		_ = unix.Close(i.file)
	}
	if i.pagemap >= 0 {
		_ = unix.Close(i.pagemap)
	}
	i.file, i.pagemap = -1, -1
}

// Map puts the image at an address of the memory that is in use, a multiple of
// PageSize. What was there is lost.
func (m *Memory) Map(i *Image, at uint64) error {
	if at+uint64(i.size) > m.committed || at%uint64(PageSize) != 0 {
		return fmt.Errorf("guestmem: no room for an image of %d bytes at %#x of %#x", i.size, at, m.committed)
	}
	place := unsafe.Pointer(&m.reserved[at])
	if _, err := unix.MmapPtr(i.file, 0, place, uintptr(i.size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED); err != nil {
		return fmt.Errorf("guestmem: mapping the image: %w", err)
	}
	m.image, m.imageAt = i, int64(uintptr(place))/int64(PageSize)*entrySize
	pages := i.size / PageSize
	m.entries, m.written = make([]byte, pages*entrySize), make([]bool, pages)
	return nil
}

// Written tells for each page of the mapped image whether it was ever written,
// until the next call. It is false where the kernel does not answer: then every page may have been.
func (m *Memory) Written() ([]bool, bool) {
	if m.image == nil {
		return nil, false
	}
	n, err := unix.Pread(m.image.pagemap, m.entries, m.imageAt)
	if err != nil || n != len(m.entries) {
		return nil, false
	}
	for i := range m.written {
		e := binary.NativeEndian.Uint64(m.entries[i*entrySize:])
		m.written[i] = e&(entryPresent|entrySwapped) != 0 && e&entryOfFile == 0
	}
	return m.written, true
}

// Faults counts the page faults of the calling thread. While it stays the same, on
// one thread, no page that was not written before can have been written.
func Faults() (int64, bool) {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0, false
	}
	return u.Minflt + u.Majflt, true
}
