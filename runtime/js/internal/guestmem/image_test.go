package guestmem_test

import (
	"bytes"
	"testing"

	"github.com/ringmill/ringmill/runtime/js/internal/guestmem"
)

// TestImage: two memories have one image; each is told its own writes, and neither
// sees those of the other.
func TestImage(t *testing.T) {
	page := guestmem.PageSize
	content := bytes.Repeat([]byte("ringmill"), 8*page/8)
	image, err := guestmem.NewImage(content)
	if err != nil {
		t.Skip(err)
	}
	defer image.Close()
	at := page * 4
	var memories [2]*guestmem.Memory
	var b [2][]byte
	for i := range memories {
		m, err := guestmem.Reserve(64 << 20)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Free()
		b[i] = m.Reallocate(uint64(at + 32*page))
		if _, ok := m.Written(); ok {
			t.Error("a memory without an image knows what was written")
		}
		if m.Map(image, 1) == nil || m.Map(image, uint64(at+25*page)) == nil {
			t.Error("an image was mapped where it has no place")
		}
		if err := m.Map(image, uint64(at)); err != nil {
			t.Fatal(err)
		}
		memories[i] = m
	}
	before, ok := guestmem.Faults()
	b[0][at+2*page+5]++
	b[0][at+7*page]++
	b[1][at+3*page+9]++
	if after, _ := guestmem.Faults(); !ok || after == before {
		t.Logf("faults of the thread: %d, then %d (the thread may have changed)", before, after)
	}
	for i, want := range [][]int{{2, 7}, {3}} {
		written, ok := memories[i].Written()
		if !ok {
			t.Fatal("nothing is known")
		}
		var got []int
		for p, w := range written {
			if w {
				got = append(got, p)
			}
			same := bytes.Equal(b[i][at+p*page:at+(p+1)*page], content[p*page:(p+1)*page])
			if same == w {
				t.Errorf("memory %d, page %d: written %t, as the image %t", i, p, w, same)
			}
		}
		if len(got) != len(want) || got[0] != want[0] {
			t.Errorf("memory %d: %v were written, want %v", i, got, want)
		}
	}
	if err := memories[0].Map(image, uint64(at)); err != nil || !bytes.Equal(b[0][at:at+8*page], content) {
		t.Errorf("mapped anew: %v, or the writes are left", err)
	}
	if _, err := guestmem.NewImage(content[:100]); err == nil {
		t.Error("an image of 100 bytes")
	}
}
