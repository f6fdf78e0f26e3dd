package mailbox_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
)

var allLevels = []mailbox.Level{mailbox.Urgent, mailbox.High, mailbox.Normal, mailbox.Low}

func fillLevels(t *testing.T, p *mailbox.Priority[mailbox.Level]) {
	t.Helper()
	for _, l := range allLevels {
		for range p.Cap() {
			if err := p.TryEnqueue(l, l); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.TryEnqueue(l, l); !errors.Is(err, mailbox.ErrFull) {
			t.Fatalf("level %d: %v, want ErrFull", l, err)
		}
	}
}

// TestPriorityRatio: with a backlog everywhere the levels share 8:4:2:1, whether messages are taken singly or in runs.
func TestPriorityRatio(t *testing.T) {
	const rounds = 10
	for name, take := range map[string]func(p *mailbox.Priority[mailbox.Level], n int) []mailbox.Level{
		"TryDequeue": func(p *mailbox.Priority[mailbox.Level], n int) (got []mailbox.Level) {
			for range n {
				v, _ := p.TryDequeue()
				got = append(got, v)
			}
			return got
		},
		"Drain": func(p *mailbox.Priority[mailbox.Level], n int) []mailbox.Level {
			got := make([]mailbox.Level, n)
			return got[:p.Drain(got)]
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := mailbox.NewPriority[mailbox.Level](100)
			fillLevels(t, p)
			var count [4]int
			for _, l := range take(p, 15*rounds) {
				count[l]++
			}
			if count != [4]int{8 * rounds, 4 * rounds, 2 * rounds, rounds} {
				t.Fatalf("levels got %v in %d rounds, want 8:4:2:1", count, rounds)
			}
		})
	}
}

// TestPriorityUsesAllCredits: what a level does not need goes to the others.
func TestPriorityUsesAllCredits(t *testing.T) {
	p := mailbox.NewPriority[int](64)
	for i := range 64 {
		if err := p.TryEnqueue(mailbox.Low, i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 64 {
		if v, ok := p.TryDequeue(); !ok || v != i {
			t.Fatalf("TryDequeue = %d, %t, want %d", v, ok, i)
		}
	}
	if v, ok := p.TryDequeue(); ok || p.Ready() {
		t.Fatalf("TryDequeue of an empty mailbox = %d, %t, Ready %t", v, ok, p.Ready())
	}
}

// TestPriorityAging: under a constant flow of more urgent messages a Low backlog gains rank. It leaves in far fewer turns
// than 15 for each message, which is what the plain ratio would take.
func TestPriorityAging(t *testing.T) {
	const backlog = 1024
	p := mailbox.NewPriority[mailbox.Level](backlog)
	fillLevels(t, p)
	turns := 0
	for low := 0; low < backlog; turns++ {
		l, ok := p.TryDequeue()
		if !ok {
			t.Fatal("nothing ready")
		}
		if l == mailbox.Low {
			low++
			continue
		}
		if err := p.TryEnqueue(l, l); err != nil {
			t.Fatal(err)
		}
	}
	// Three steps bring Low to Urgent's credits; from then on it has at least a quarter of the turns.
	if limit := 4*mailbox.AgingStep + 4*backlog; turns > limit {
		t.Fatalf("a Low backlog of %d took %d turns, want at most %d", backlog, turns, limit)
	}
}

func TestPriorityClose(t *testing.T) {
	p := mailbox.NewPriority[int](4)
	for i, l := range allLevels {
		if err := p.TryEnqueue(l, i); err != nil {
			t.Fatal(err)
		}
	}
	p.Close()
	if err := p.TryEnqueue(mailbox.High, 9); !errors.Is(err, mailbox.ErrClosed) || !p.Closed() || p.Drained() {
		t.Fatalf("TryEnqueue = %v, Closed %t, Drained %t", err, p.Closed(), p.Drained())
	}
	if p.Len() != 4 || p.LenLevel(mailbox.Low) != 1 {
		t.Fatalf("Len = %d, LenLevel(Low) = %d", p.Len(), p.LenLevel(mailbox.Low))
	}
	dst := make([]int, 9)
	if n := p.Drain(dst); !slices.Equal(dst[:n], []int{0, 1, 2, 3}) || !p.Drained() {
		t.Fatalf("Drain = %v, Drained %t", dst[:n], p.Drained())
	}
}

// TestPriorityOrder: messages of one producer on one level arrive complete and in order, with all levels in use at once.
func TestPriorityOrder(t *testing.T) {
	const each = 2000
	type message struct {
		level mailbox.Level
		seq   int
	}
	p := mailbox.NewPriority[message](16)
	var wg sync.WaitGroup
	for _, l := range allLevels {
		wg.Go(func() {
			for seq := 0; seq < each; {
				if p.TryEnqueue(l, message{l, seq}) != nil {
					yield()
					continue
				}
				seq++
			}
		})
	}
	var next [4]int
	dst := make([]message, 5)
	for got := 0; got < 4*each; {
		n := p.Drain(dst)
		for _, v := range dst[:n] {
			if v.seq != next[v.level] {
				t.Fatalf("level %d: message %d, want %d", v.level, v.seq, next[v.level])
			}
			next[v.level]++
		}
		if got += n; n == 0 {
			yield()
		}
	}
	wg.Wait()
}
