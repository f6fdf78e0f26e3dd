package mailbox_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
)

func TestMPSCCapacityIsExact(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 7, 8, 100, 1000} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			m := mailbox.NewMPSC[int](capacity)
			for lap := range 3 {
				for i := range capacity {
					if err := m.TryEnqueue(i); err != nil {
						t.Fatalf("lap %d: TryEnqueue(%d) = %v with Len %d", lap, i, err, m.Len())
					}
				}
				if err := m.TryEnqueue(-1); !errors.Is(err, mailbox.ErrFull) {
					t.Fatalf("lap %d: TryEnqueue on a full mailbox = %v, want ErrFull", lap, err)
				}
				if m.Len() != capacity || m.Cap() != capacity {
					t.Fatalf("lap %d: Len, Cap = %d, %d, want %d", lap, m.Len(), m.Cap(), capacity)
				}
				for i := range capacity {
					if v, ok := m.TryDequeue(); !ok || v != i {
						t.Fatalf("lap %d: TryDequeue = %d, %t, want %d", lap, v, ok, i)
					}
				}
				if v, ok := m.TryDequeue(); ok {
					t.Fatalf("lap %d: TryDequeue on an empty mailbox = %d", lap, v)
				}
			}
		})
	}
}

func TestMPSCBatchFillsExactly(t *testing.T) {
	m := mailbox.NewMPSC[int](5)
	if n, err := m.TryEnqueueBatch([]int{0, 1, 2}); n != 3 || err != nil {
		t.Fatalf("first batch = %d, %v", n, err)
	}
	if n, err := m.TryEnqueueBatch([]int{3, 4, 5, 6}); n != 2 || !errors.Is(err, mailbox.ErrFull) {
		t.Fatalf("batch over the end = %d, %v, want 2, ErrFull", n, err)
	}
	dst := make([]int, 3)
	if n := m.Drain(dst); n != 3 || !slices.Equal(dst, []int{0, 1, 2}) {
		t.Fatalf("Drain = %d %v", n, dst)
	}
	if n, err := m.TryEnqueueBatch([]int{5, 6, 7}); n != 3 || err != nil {
		t.Fatalf("batch around the array's end = %d, %v", n, err)
	}
	for want := 3; want < 8; want++ {
		if !m.Ready() {
			t.Fatalf("Ready is false before message %d", want)
		}
		if v, ok := m.TryDequeue(); !ok || v != want {
			t.Fatalf("TryDequeue = %d, %t, want %d", v, ok, want)
		}
	}
	if m.Ready() || m.Len() != 0 {
		t.Fatalf("Ready, Len = %t, %d after the last message", m.Ready(), m.Len())
	}
}

func TestMPSCClose(t *testing.T) {
	m := mailbox.NewMPSC[int](2)
	for i := range 2 {
		if err := m.TryEnqueue(i); err != nil {
			t.Fatal(err)
		}
	}
	m.Close()
	m.Close()
	if !m.Closed() || m.Drained() {
		t.Fatalf("Closed, Drained = %t, %t, want true, false", m.Closed(), m.Drained())
	}
	if err := m.TryEnqueue(2); !errors.Is(err, mailbox.ErrClosed) {
		t.Fatalf("TryEnqueue on a closed, full mailbox = %v, want ErrClosed", err)
	}
	if n, err := m.TryEnqueueBatch([]int{2}); n != 0 || !errors.Is(err, mailbox.ErrClosed) {
		t.Fatalf("TryEnqueueBatch = %d, %v, want 0, ErrClosed", n, err)
	}
	if got := m.Drain(make([]int, 4)); got != 2 || !m.Drained() {
		t.Fatalf("Drain = %d, Drained %t, want 2, true", got, m.Drained())
	}
}

func TestNewMPSCPanics(t *testing.T) {
	for _, bad := range []int{0, -1, mailbox.MaxCapacity + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewMPSC(%d) did not panic", bad)
				}
			}()
			mailbox.NewMPSC[int](bad)
		}()
	}
}

// TestZeroMPSCPanics: an MPSC that Init was forgotten for says so at its first enqueue; taking its capacity of 0 for
// a ring's size would ask for more memory than there is, which no caller can recover from.
func TestZeroMPSCPanics(t *testing.T) {
	enqueues := map[string]func(*mailbox.MPSC[int]){
		"TryEnqueue":      func(m *mailbox.MPSC[int]) { _ = m.TryEnqueue(1) },
		"TryEnqueueBatch": func(m *mailbox.MPSC[int]) { _, _ = m.TryEnqueueBatch([]int{1}) },
	}
	for name, enqueue := range enqueues {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, "Init") {
					t.Errorf("recovered %q, want a panic that names Init", got)
				}
			}()
			enqueue(new(mailbox.MPSC[int]))
		})
	}
}

// TestMPSCOrder: four producers mix single and batch sends through a small ring; each producer's messages arrive
// complete and in its order.
func TestMPSCOrder(t *testing.T) {
	const producers, each = 4, 5000
	type message struct{ from, seq int }
	m := mailbox.NewMPSC[message](8)
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for seq := 0; seq < each; {
				batch := []message{{p, seq}, {p, seq + 1}, {p, seq + 2}}
				batch = batch[:min(1+seq%3, each-seq)]
				n, _ := m.TryEnqueueBatch(batch)
				if n == 0 {
					yield()
				}
				seq += n
			}
		})
	}
	var next [producers]int
	dst := make([]message, 5)
	for got := 0; got < producers*each; {
		n := m.Drain(dst[:1+got%5])
		if n == 0 {
			yield()
		}
		for _, v := range dst[:n] {
			if v.seq != next[v.from] {
				t.Fatalf("producer %d: message %d, want %d", v.from, v.seq, next[v.from])
			}
			next[v.from]++
		}
		got += n
	}
	wg.Wait()
	if m.Len() != 0 {
		t.Fatalf("Len = %d after the last message", m.Len())
	}
}
